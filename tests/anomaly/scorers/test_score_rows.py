"""Rows that are kept to fit scales to."""

from __future__ import annotations

import numpy as np

from audiogmm.anomaly.scorers.score_rows import ScoreRows, keep_rows


def test_all_parts_of_one_recording_are_kept() -> None:
    """Stretches of a single recording take turns to be held out, under its name."""
    parts = [ScoreRows("a", np.full((2, 1), float(i))) for i in range(3)]
    rows = np.concatenate([part.rows for part in keep_rows(parts)])
    assert sorted(rows[:, 0].tolist()) == [0.0, 0.0, 1.0, 1.0, 2.0, 2.0]


def test_of_too_many_rows_whole_recordings_are_left_out() -> None:
    parts = [ScoreRows(f"r{i}", np.full((10, 1), float(i))) for i in range(20)]
    kept = [part.id for part in keep_rows(parts, most=50)]
    assert len(kept) == 5
    assert kept == [part.id for part in keep_rows(parts[::-1], most=50)]
