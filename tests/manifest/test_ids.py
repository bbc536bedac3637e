"""Doubled ids, found in little memory."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audiogmm.errors import ManifestError
from audiogmm.manifest import read_manifest
from audiogmm.manifest.ids import SeenIds


@settings(max_examples=50, deadline=None)
@given(st.lists(st.lists(st.text("abc", max_size=3), min_size=1, max_size=12), max_size=12))
def test_the_first_line_of_each_is_found_as_a_dict_finds_it(batches: list[list[str]]) -> None:
    seen, first, line = SeenIds(), dict[str, int](), 0
    for batch in batches:
        lines = list(range(line + 1, line + 1 + len(batch)))
        line += len(batch)
        expected = {}
        for position, (name, number) in enumerate(zip(batch, lines, strict=True)):
            if first.setdefault(name, number) != number:
                expected[position] = first[name]
        assert seen.add(batch, lines) == expected


def test_memory_is_sixteen_bytes_an_id() -> None:
    seen = SeenIds()
    for start in range(0, 100_000, 1000):
        assert not seen.add([f"x{i}" for i in range(start, start + 1000)], list(range(start, start + 1000)))
    held = sum(hashes.nbytes + marks.nbytes for hashes, marks in seen._runs)
    assert held == 16 * 100_000
    assert len(seen._runs) < 10


def write_lines(folder: Path, names: list[str]) -> Path:
    file = folder / "all.jsonl"
    file.write_text("".join(f'{{"audio_filepath": "{name}"}}\n' for name in names))
    return file


def test_both_lines_are_named_however_far_apart(tmp_path: Path) -> None:
    file = write_lines(tmp_path, [*(f"{i}.wav" for i in range(5000)), "3.flac", "new.wav", "new.wav"])
    with pytest.raises(ManifestError, match=r"all\.jsonl:5001: the id '3' stands on line 4 already.*\"id\""):
        list(read_manifest(file))
    problems: list[ManifestError] = []
    assert len(list(read_manifest(file, on_error=problems.append))) == 5001
    assert [str(problem).split(";")[0].split("all.jsonl")[1] for problem in problems] == [
        ":5001: the id '3' stands on line 4 already",
        ":5003: the id 'new' stands on line 5002 already",
    ]


def test_a_second_iteration_knows_nothing_of_the_first(tmp_path: Path) -> None:
    manifest = read_manifest(write_lines(tmp_path, ["a.wav", "b.wav"]))
    assert [entry.id for entry in manifest] == [entry.id for entry in manifest] == ["a", "b"]


def test_pieces_of_one_recording_differ_by_offset_and_channel(tmp_path: Path) -> None:
    file = tmp_path / "all.jsonl"
    file.write_text(
        '{"audio_filepath": "a.wav"}\n{"audio_filepath": "a.wav", "offset": 2}\n'
        '{"audio_filepath": "a.wav", "offset": 2, "channel": 1}\n'
    )
    assert [entry.id for entry in read_manifest(file)] == ["a", "a@2", "a-ch1@2"]


def test_equal_hashes_are_not_yet_equal_ids(monkeypatch: pytest.MonkeyPatch) -> None:
    """All ids fall on one hash here; the further bits, from another text, still distinguish them."""
    from audiogmm.manifest import ids

    monkeypatch.setattr(ids, "hash", lambda text: hash(text) if text.endswith("\0") else 7, raising=False)
    seen = SeenIds()
    assert seen.add(["a"], [1]) == {}
    assert seen.add(["b"], [2]) == {}
    assert seen.add(["a"], [3]) == {0: 1}
