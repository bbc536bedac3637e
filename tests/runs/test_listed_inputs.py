"""The ledger of inputs of a run with many passes: written from its list, once the run has ended."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from audiogmm.errors import AudioFileError
from audiogmm.runs.aside import Aside
from audiogmm.runs.input_rows import InputLedger
from audiogmm.runs.listed_inputs import note_inputs


def make_list(folder: Path, *names: str) -> str:
    for name in names:
        (folder / f"{name}.wav").write_bytes(name.encode())
        os.utime(folder / f"{name}.wav", (1000, 1000))
    path = folder / f"{names[0]}.jsonl"
    path.write_text("".join(f'{{"audio_filepath": "{name}.wav", "duration": 2.5}}\n' for name in names))
    return str(path)


def rows(output: Path) -> dict[str, tuple[str, bool, float | None]]:
    found = InputLedger.of(output).rows()
    return {row.id: (row.state, bool(row.content), row.seconds) for row in found}


def test_what_was_set_aside_is_not_done(tmp_path: Path) -> None:
    output, source, aside = tmp_path / "out", make_list(tmp_path, "a", "b"), Aside(quiet=True)
    aside.put("b", "b.wav", AudioFileError("b.wav is empty"))
    note_inputs(output, source, aside, print, since=2000.0)
    assert rows(output) == {"a": ("done", True, 2.5), "b": ("set aside", False, None)}


def test_a_file_that_changed_meanwhile_is_named_and_has_no_hash(tmp_path: Path) -> None:
    output, source, said = tmp_path / "out", make_list(tmp_path, "a", "b"), list[str]()
    os.utime(tmp_path / "b.wav", (3000, 3000))
    note_inputs(output, source, Aside(), said.append, since=2000.0)
    assert [each for each in said if "b.wav changed while it was read" in each]
    assert rows(output) == {"a": ("done", True, 2.5), "b": ("done", False, 2.5)}


def test_an_output_that_is_added_to_keeps_its_inputs(tmp_path: Path) -> None:
    output = tmp_path / "out"
    for names in (("a", "b"), ("c",)):
        note_inputs(output, make_list(tmp_path, *names), Aside(), print, since=2000.0, adds=True)
    assert list(rows(output)) == ["a", "b", "c"]
    note_inputs(output, make_list(tmp_path, "c"), Aside(), print, since=2000.0)
    assert list(rows(output)) == ["c"]


@pytest.mark.parametrize("source", ["-", ["a.wav"], {"a": "a.wav"}])
def test_standard_input_and_sources_in_memory_have_none(source: object, tmp_path: Path) -> None:
    note_inputs(tmp_path / "out", source, Aside(), print, since=0.0)
    assert not list(tmp_path.iterdir())
