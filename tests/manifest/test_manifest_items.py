"""A manifest in Python: its length, its entries by number, and a data frame of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from audiogmm.errors import ManifestError
from audiogmm.manifest import Entry, Manifest, read_manifest
from audiogmm.manifest.jsonl import ManifestLine
from audiogmm.runs.sources import entries_from, entry_from

RECORDS = [
    {"audio_filepath": "a.wav", "channel": 1, "speaker": "ann", "mic": "x"},
    {"audio_filepath": "b.wav", "duration": 2.0, "events": [{"start": 0.5, "end": 1.0}]},
    {"audio_filepath": "b.wav", "id": "tail", "offset": 2.0, "sample_rate": 8000},
]


@pytest.fixture
def manifest(tmp_path: Path) -> Manifest:
    path = tmp_path / "all.jsonl"
    path.write_text("".join(json.dumps(record) + "\n" for record in RECORDS))
    return read_manifest(path)


def test_length_and_items(manifest: Manifest) -> None:
    entries = list(manifest)
    assert len(manifest) == 3
    assert [manifest[place] for place in (0, 2, -1, -3)] == [entries[place] for place in (0, 2, -1, -3)]
    for part in (slice(1), slice(1, None), slice(-2, None), slice(None, None, 2), slice(2, 0, -1)):
        assert manifest[part] == entries[part]
    for place in (3, -4):
        with pytest.raises(IndexError):
            manifest[place]
    assert bool(manifest)


def test_the_first_entry_is_read_alone(tmp_path: Path) -> None:
    path = tmp_path / "all.jsonl"
    path.write_text('{"audio_filepath": "a.wav"}\nno json\n')
    manifest = read_manifest(path)
    assert manifest[0].id == "a"
    assert len(manifest) == 1  # bad lines are not counted
    with pytest.raises(ManifestError):
        manifest[-1]


def test_a_data_frame_comes_back_as_the_same_entries(manifest: Manifest) -> None:
    frame = manifest.to_pandas()
    assert list(frame["id"]) == ["a-ch1", "b", "tail"]
    assert frame["mic"].dropna().tolist() == ["x"]
    assert list(entries_from(frame)) == list(manifest)


def test_an_entry_needs_a_path_only() -> None:
    assert Entry(Path("day/x.wav")) == Entry("day/x.wav", id="x")
    assert Entry("s3://bucket/x.flac", channel=1, offset=2.5).id == "x-ch1@2.5"
    assert Entry(None, "m.npy").id == "m"


def test_one_recording_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "m.jsonl").write_text('{"audio_filepath": "a.wav"}\n')
    passes: list[Manifest] = []
    read = Manifest._items

    def noted(manifest: Manifest) -> Iterator[ManifestLine]:
        passes.append(manifest)
        return read(manifest)

    monkeypatch.setattr(Manifest, "_items", noted)
    assert entry_from(tmp_path / "m.jsonl").id == "a"
    assert len(passes) == 1
    assert [entry.id for entry in list(iter(read_manifest(tmp_path / "m.jsonl")))] == ["a"]
    assert len(passes) == 2
