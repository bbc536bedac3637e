"""A journal is gone on from by the run that it belongs to, and by no other."""

from __future__ import annotations

from pathlib import Path

import pytest

from audiogmm.runs.journal import Journal


class Named:
    """A shard of no file."""

    def __init__(self, id: str) -> None:
        self.id = id

    def __iter__(self):  # type: ignore[no-untyped-def]
        return iter(())


def stopped(output: Path, key: str) -> None:
    """A run that finished `a` and was stopped in `b`."""
    with pytest.raises(KeyboardInterrupt, match="1 recording is done"), Journal(output, key=key) as journal:
        for shard in journal.waiting([Named("a"), Named("b")]):
            if shard.id == "b":
                raise KeyboardInterrupt
            journal.write({"id": shard.id, "from": key})


def test_the_same_run_goes_on(tmp_path: Path) -> None:
    stopped(tmp_path / "out", "one")
    with Journal(tmp_path / "out", key="one", resume=True) as journal:
        assert journal.can_resume
        assert [shard.id for shard in journal.waiting([Named("a"), Named("b")])] == ["b"]
        journal.write({"id": "b", "from": "one"})
        assert [row["id"] for row in journal.rows()] == ["a", "b"]


def test_another_run_begins_anew(tmp_path: Path) -> None:
    stopped(tmp_path / "out", "one")
    with Journal(tmp_path / "out", key="two", resume=True) as journal:
        assert [shard.id for shard in journal.waiting([Named("a"), Named("b")])] == ["a", "b"]
        assert list(journal.rows()) == []
    assert not Journal(tmp_path / "out", key="two").can_resume


@pytest.mark.parametrize("lost", [5, 1])  # 1: the line feed alone, behind which the next row would go
def test_a_line_that_was_cut_off_does_not_count(tmp_path: Path, lost: int) -> None:
    stopped(tmp_path / "out", "one")
    path = tmp_path / "out.journal"
    path.write_bytes(path.read_bytes()[:-lost])
    with Journal(tmp_path / "out", key="one", resume=True) as journal:
        assert [shard.id for shard in journal.waiting([Named("a"), Named("b")])] == ["a", "b"]
        journal.write({"id": "a", "from": "again"})
        assert [row["from"] for row in journal.rows()] == ["again"]
