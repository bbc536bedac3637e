"""A journal is gone on from by the run that it belongs to, and stays as the ledger of its inputs."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from audiogmm.audio.recording import Recording
from audiogmm.errors import AudioGMMError, ManifestError, OutputError
from audiogmm.jobs.provenance.inputs import inputs
from audiogmm.manifest import Entry
from audiogmm.reduce import LocalReducer
from audiogmm.runs.aside import Aside
from audiogmm.runs.input_rows import InputLedger
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


def read(output: Path) -> list[tuple[str, str, int]]:
    """Id, state and tries of each input, by the ledger."""
    return [(row.id, row.state, row.tries) for row in InputLedger.of(output).rows()]


def first_run(output: Path, **given: bool) -> Journal:
    """A run over a, b and c in which b is set aside."""
    aside = Aside()
    with Journal(output, key="one", **given).attach(aside, print, 3) as journal:
        for shard in journal.waiting([Named("a"), Named("b"), Named("c")]):
            if shard.id == "b":
                aside.put("b", "b.wav", AudioGMMError("b.wav is empty"))
            else:
                journal.write({"id": shard.id, "frames": 98, "seconds": 1.0})
    return journal


def test_a_ledger_of_inputs_stays_with_what_was_set_aside_and_how_often(tmp_path: Path) -> None:
    first_run(tmp_path / "out")
    assert read(tmp_path / "out") == [("a", "done", 0), ("b", "set aside", 1), ("c", "done", 0)]
    first_run(tmp_path / "out", retry=True)
    assert read(tmp_path / "out") == [("a", "done", 0), ("c", "done", 0), ("b", "set aside", 2)]
    assert [path.name for path in tmp_path.iterdir()] == ["out.inputs.jsonl"]


def test_a_retry_takes_only_what_was_set_aside_and_keeps_the_order(tmp_path: Path) -> None:
    first_run(tmp_path / "out")
    with Journal(tmp_path / "out", key="one", retry=True) as journal:
        assert [shard.id for shard in journal.waiting(map(Named, "abc"))] == ["b"]
        journal.write({"id": "b"})
        assert [row["id"] for row in journal.rows()] == ["a", "b", "c"]
        assert journal.ledger.exists()  # until the new one takes its place
    assert read(tmp_path / "out") == [(id, "done", 0) for id in "abc"]


@pytest.mark.parametrize("key", ["two", "one"])
def test_a_retry_of_another_run_or_of_none_is_refused(tmp_path: Path, key: str) -> None:
    if key == "two":
        first_run(tmp_path / "out")
    before = sorted(path.name for path in tmp_path.iterdir())
    found = "belongs to another model" if key == "two" else "does not exist"
    with pytest.raises(OutputError, match=rf"out\.inputs\.jsonl, the ledger of inputs, {found}"):
        Journal(tmp_path / "out", key=key, retry=True).__enter__()
    assert sorted(path.name for path in tmp_path.iterdir() if path.suffix != ".lock") == before


def test_a_stopped_run_has_inputs_that_wait(tmp_path: Path) -> None:
    aside = Aside()
    with (
        pytest.raises(KeyboardInterrupt),
        Journal(tmp_path / "out", key="one").attach(aside, print, 5) as journal,
    ):
        for shard in journal.waiting(map(Named, "abcde")):
            if shard.id == "c":
                raise KeyboardInterrupt
            journal.write({"id": shard.id})
    assert inputs(tmp_path / "out").counts == {"done": 2, "set aside": 0, "pending": 3}


@pytest.mark.parametrize("same_time", [True, False])
def test_a_file_that_changed_is_named_and_done_again(tmp_path: Path, same_time: bool) -> None:
    """Whether its time of change tells so, or its content alone."""

    def take(**given: bool) -> list[str]:
        with Journal(tmp_path / "out", key="one", **given).attach(Aside(), said.append) as journal:
            reducer = LocalReducer(1)
            return [row["id"] for row in journal.map(reducer, shards, lambda shard: {"id": shard.id})]

    said: list[str] = []
    paths = [tmp_path / f"{id}.wav" for id in "ab"]
    for path in paths:
        path.write_bytes(bytes(100_000))
    shards = [Recording(Entry(str(path), id=path.stem)) for path in paths]
    assert take() == ["a", "b"]
    assert take(retry=True) == [] and said == []
    before = paths[1].stat()
    paths[1].write_bytes(bytes(99_999) + b"!")
    if same_time:
        os.utime(paths[1], ns=(before.st_atime_ns, before.st_mtime_ns))
    assert take(retry=True) == ["b"]
    assert said == [f"{paths[1]} has changed since it was read, and is done again"]


def test_a_damaged_ledger_is_refused_by_line(tmp_path: Path) -> None:
    first_run(tmp_path / "out")
    path = tmp_path / "out.inputs.jsonl"
    path.write_bytes(path.read_bytes().replace(b'"frames": 98', b'"frames": 99', 1))
    with pytest.raises(ManifestError, match=r"out\.inputs\.jsonl:3 is no row .* checksum"):
        inputs(tmp_path / "out")
