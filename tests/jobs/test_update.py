"""Recordings added to a model and taken out again."""

from __future__ import annotations

from pathlib import Path

import pytest

import audiogmm as ag
from audiogmm.errors import MismatchError
from tests.jobs.test_updated_files import manifest


def test_without_a_ledger_data_is_added_and_not_removed(tmp_path: Path) -> None:
    first, second = manifest(tmp_path, "1.jsonl", "a", "b"), manifest(tmp_path, "2.jsonl", "c")
    model = ag.train(first, n_components=2, passes=3)
    more = ag.update(model, second)
    assert more.statistics is not None
    assert more.statistics.n_frames == pytest.approx(1200)
    with pytest.raises(MismatchError, match="no ledger"):
        ag.update(more, second, remove=True)
    with pytest.raises(MismatchError, match="no ledger"):
        ag.update(more, second, reweight=True, weight=0.0)
    with pytest.raises(MismatchError, match="no statistics"):
        ag.update(type(model)(model.mixture), second)
