"""`--normal-by`: what is usual by day is an event by night."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

import audiogmm as ag
from audiogmm.errors import MismatchError
from audiogmm.manifest.entry import Entry
from audiogmm.mixture.store import load
from audiogmm.wall_clock import parse_time

RATE = 8000
MIDNIGHT = parse_time("2024-05-01T00:00:00Z")


def hours(folder: Path, seed: int, restless_at: int | None = None) -> list[Entry]:
    """Ten seconds of each second hour of a day: restless from 8 to 20, and within one hour of night."""
    rng, entries = np.random.default_rng(seed), []
    for hour in range(0, 24, 2):
        is_day = 8 <= hour < 20
        steps = np.full(100, 0.01)
        if is_day:
            steps *= np.exp(rng.normal(0, 1.5, 100))
        elif hour == restless_at:
            steps[40:60] *= np.exp(np.tile([2.2, -2.2], 10))
        path = folder / f"{seed}-{hour:02}.wav"
        samples = rng.standard_normal(10 * RATE) * np.repeat(steps, RATE // 10)
        soundfile.write(path, samples, RATE, subtype="FLOAT")
        about = {"site": "day" if is_day else "night"}
        time = MIDNIGHT + 3600 * hour
        entries.append(Entry(str(path), id=f"h{hour:02}", duration=10.0, time=time, extra=about))
    return entries


@pytest.mark.parametrize("by", ["hour", "site"])
def test_a_restless_night_is_an_event_where_normal_is_by_cell(tmp_path: Path, by: str) -> None:
    normal = [
        replace(entry, id=f"{entry.id}-{day}", time=entry.time + 86400 * day)
        for day in range(6)
        for entry in hours(tmp_path, day)
    ]
    today = hours(tmp_path, 99, restless_at=2)
    how = {"frontend": "ambient", "n_components": 1, "max_gap": 0.0}
    plain, model = ag.train(normal, **how), ag.train(normal, normal_by=by, **how)
    assert "cells" not in plain.metadata.detector
    cells = model.metadata.detector["cells"]
    assert (cells["key"], len(cells["cells"])) == (by, 12 if by == "hour" else 2)
    model.save(tmp_path / "m.agmm")
    again = load(tmp_path / "m.agmm")
    assert "h02" in {event.id for event in ag.detect(again, today, max_gap=0.0)}
    assert "h02" not in {event.id for event in ag.detect(plain, today, max_gap=0.0)}
    calibrated = ag.calibrate(again, [e for e in normal if e.id.endswith("-5")], max_gap=0.0)
    assert calibrated.metadata.detector["cells"]["key"] == by


def test_a_key_that_nobody_has_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MismatchError, match="no normal recording has a key 'sit'"):
        ag.train(hours(tmp_path, 0), "ambient", n_components=1, normal_by="sit")
