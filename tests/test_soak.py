"""A stream with faults, beside an undisturbed one: a share of `scripts/check_soak.py`."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="/dev/full and /proc are needed")


@pytest.fixture
def check_soak(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(Path(__file__).parent.parent / "scripts"))
    return importlib.import_module("check_soak")


def test_faults_lose_no_event_outside_of_their_spans(check_soak: Any) -> None:
    figures, wrong = check_soak.soak(0.08, 1, 0, seed=0, share=0.9)
    assert wrong == []
    assert figures["events outside of faulted spans"] >= 2
    assert sum(figures["faults"].values()) == 1


def test_events_are_compared_outside_of_spans(check_soak: Any) -> None:
    events = [(0.0, 1.0), (5.0, 6.0), (9.0, 12.00004)]
    assert check_soak.outside(events, [(4.0, 5.5)]) == [(0.0, 1.0), (9.0, 12.0)]
