"""Calibration and fusion against a generic optimizer on the formula, and what they must not do."""

from __future__ import annotations

import json

import pytest

from audiogmm.errors import MismatchError
from audiogmm.verification.calibration import Calibration


def test_it_survives_json() -> None:
    found = Calibration(("raw", "log_voiced_seconds"), (1.25, -0.1), 0.3, 0.05, 7, 9)
    assert Calibration.from_json(json.loads(json.dumps(found.to_json()))) == found
    for bad in ({}, {"names": ["a"], "weights": [1, 2], "offset": 0, "prior": 0.1}, {"names": 3}):
        with pytest.raises(MismatchError, match="is not a calibration"):
            Calibration.from_json(bad)
