"""Settings are checked."""

from __future__ import annotations

import pytest

from audiogmm.anomaly.detector_settings import DetectorSettings
from audiogmm.errors import ChoiceError


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"quantile": 0.0}, "quantile=0.0"),
        ({"quantile": 0.1}, "quantile=0.1, release_quantile=0.02"),
        ({"release_quantile": 0.6}, "release_quantile=0.6"),
        ({"window": 0.0}, "window=0.0"),
        ({"min_duration": -1.0}, "min_duration=-1.0"),
        ({"merge_gap": float("nan")}, "merge_gap=nan"),
    ],
)
def test_settings_outside_their_range_are_refused(changes: dict[str, float], message: str) -> None:
    with pytest.raises(ChoiceError, match=message):
        DetectorSettings(**changes)
