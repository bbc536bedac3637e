"""Scoring into a folder: what other runs left there, and what they must not do."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from audiogmm.errors import OutputError
from audiogmm.files import exclusive
from audiogmm.jobs.score import score_to_folder
from audiogmm.jobs.trained_files import train_to_file
from tests.jobs.test_updated_files import manifest


def interrupt(*_: object, **__: object) -> None:
    """Stop a run by hand."""
    raise KeyboardInterrupt


def test_a_run_that_is_refused_leaves_the_list_of_the_other(tmp_path: Path) -> None:
    model, first = tmp_path / "room.agmm", manifest(tmp_path, "1.jsonl", "a")
    train_to_file(first, model, None, n_components=2, passes=2)
    scores, listed = tmp_path / "scores", tmp_path / "scores.errors.jsonl"
    listed.write_text("what the first run set aside")
    with exclusive(listed, of=scores), pytest.raises(OutputError, match=r"another run is writing .*scores;"):
        score_to_folder(model, first, scores)
    assert listed.read_text() == "what the first run set aside"


def test_what_a_power_failure_left_of_a_track_is_scored_again(tmp_path: Path) -> None:
    model, both = tmp_path / "room.agmm", manifest(tmp_path, "1.jsonl", "a", "b")
    train_to_file(both, model, None, n_components=2, passes=2)
    aim, scores = tmp_path / "aim", tmp_path / "scores"
    score_to_folder(model, both, aim)
    with pytest.MonkeyPatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr("audiogmm.jobs.score.write_rows", interrupt)
        score_to_folder(model, both, scores)
    torn = scores / "a.npz"
    torn.write_bytes(torn.read_bytes()[:-100])
    score_to_folder(model, both, scores, resume=True)
    assert torn.read_bytes() == (aim / "a.npz").read_bytes()


def test_ids_that_are_read_back_delete_nothing_outside(tmp_path: Path) -> None:
    model, one = tmp_path / "room.agmm", manifest(tmp_path, "1.jsonl", "a")
    train_to_file(one, model, None, n_components=2, passes=2)
    kept, stale = tmp_path / "kept.npz", tmp_path / "scores" / "stale.npz"
    stale.parent.mkdir()
    kept.touch()
    stale.touch()
    ids = ["../kept", str(tmp_path / "kept"), "stale"]
    rows = [json.dumps({"id": id}) + "\n" for id in ids]
    (tmp_path / "scores" / "summary.jsonl").write_text("".join(rows) + '[1]\n\x00\n{"id": 5}\n')
    score_to_folder(model, one, tmp_path / "scores", force=True)
    assert kept.exists()
    assert not stale.exists()
