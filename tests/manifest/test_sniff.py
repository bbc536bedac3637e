"""What a path named as a manifest is taken for."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from audiogmm.errors import ManifestError
from audiogmm.manifest import read_manifest
from audiogmm.runs.sources import entries_from

CONTENTS = {
    "a.wav": (b"", "audio"),
    "A.FLAC": (b"", "audio"),
    "riff": (b"RIFF....WAVE", "audio"),
    "voice": (b"\x00\x00\x00\x18ftypM4A ", "audio"),
    "x.npy": (b"", "features"),
    "x": (b"\x93NUMPY\x01\x00", "features"),
    "x.parquet": (b"", "features"),
    "x.ark": (b"", "features"),
    "customers.csv": (b"age,income\n31,2.5\n44,3e3\n", "features"),
    "bare.csv": (b"31,2.5\n44,-3e3\n", "features"),
    "one.csv": (b"1,2\n", "features"),
    "tabs.tsv": (b"1\t2\n3\t4\n", "features"),
    "all.csv": (b"speaker,audio_filepath\nann,a.wav\n", "csv"),
    "vectors.csv": (b"features_filepath\na.npy\n", "csv"),
    "all.jsonl": (b'{"audio_filepath": "a.wav"}\n', "jsonl"),
    "bad.jsonl": (b"rubbish\n", "jsonl"),
    "train.json": (b'{"audio_filepath": "a.wav", "duration": 1, "text": ""}\n', "jsonl"),
    "list": (b'\xef\xbb\xbf  {"audio_filepath": "a.wav"}\n', "jsonl"),
    "recordings.jsonl": (b'{"id": "r", "sources": [], "sampling_rate": 8000}\n', "lhotse"),
    "supervisions.jsonl": (b'{"id": "s", "recording_id": "r", "start": 0}\n', "lhotse"),
    "cuts.jsonl": (b'{"id": "c", "start": 0, "duration": 1, "type": "MonoCut"}\n', "lhotse"),
    "wav.scp": (b"a a.wav\n", "kaldi"),
}


@pytest.mark.parametrize("name", CONTENTS)
def test_what_it_is(tmp_path: Path, name: str) -> None:
    content, kind = CONTENTS[name]
    (tmp_path / name).write_bytes(content)
    assert read_manifest(tmp_path / name).format == kind


@pytest.mark.parametrize("name", ["a.wav", "x.npy", "customers.csv"])
def test_a_file_in_place_of_a_manifest_is_one_entry(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    content, kind = CONTENTS[name]
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / name).write_bytes(content)
    monkeypatch.chdir(tmp_path)
    manifest = read_manifest(Path("sub", name))
    (entry,) = manifest
    (again,) = manifest
    assert entry == again
    assert entry.path == f"{tmp_path}/sub/{name}"
    assert (entry.audio_filepath is None) == (kind == "features")
    assert entry.id == name.split(".")[0]


def test_standard_input_and_urls_are_not_looked_for() -> None:
    (entry,) = read_manifest("-")
    assert (entry.audio_filepath, entry.id) == ("-", "stdin")
    (entry,) = read_manifest("https://example.org/x/a.ogg")
    assert (entry.audio_filepath, entry.id) == ("https://example.org/x/a.ogg", "a")


def test_a_manifest_behind_a_url(tmp_path: Path) -> None:
    (tmp_path / "all.jsonl").write_text('{"audio_filepath": "wav/a.wav"}\n')
    (entry,) = read_manifest(f"file://{tmp_path}/all.jsonl")
    assert entry.path == f"file://{tmp_path}/wav/a.wav"
    with pytest.raises(ManifestError, match=r"gone\.jsonl cannot be read"):
        read_manifest(f"file://{tmp_path}/gone.jsonl")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("empty.jsonl", b"", r"empty\.jsonl is empty"),
        ("notes.txt", b"hello world\n", r"columns 'hello world'; needed: a column audio_filepath"),
        ("customers.csv", b"name,city\nann,Rome\nben,Bonn\n", r"columns 'name,city'"),
        ("x.bin", b"\x00\x01\x02\x03", r"x\.bin begins with b'\\x00\\x01"),
    ],
)
def test_what_is_no_manifest_is_named(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ManifestError, match=message):
        read_manifest(tmp_path / name)


def test_what_is_not_there_and_folders(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match=r"gone\.jsonl does not exist"):
        read_manifest(tmp_path / "gone.jsonl")
    with pytest.raises(ManifestError, match=r"gone\.jsonl does not exist; needed: a nemo manifest"):
        read_manifest(tmp_path / "gone.jsonl", "nemo")
    with pytest.raises(ManifestError, match=rf"folder without wav\.scp.*audiogmm manifest scan {tmp_path}"):
        read_manifest(tmp_path)


def test_a_frame_cache_is_a_manifest(tmp_path: Path) -> None:
    (tmp_path / "index.jsonl").write_text('{"audio_filepath": "/x/a.wav"}\n')
    assert [entry.id for entry in read_manifest(tmp_path)] == ["x--a"]


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may read everything")
def test_a_manifest_that_may_not_be_read(tmp_path: Path) -> None:
    file = tmp_path / "all.jsonl"
    file.write_text("{}")
    file.chmod(0)
    with pytest.raises(ManifestError, match=r"all\.jsonl cannot be read: Permission denied"):
        read_manifest(file)


def test_what_could_be_of_another_format_is_said(tmp_path: Path) -> None:
    labels = tmp_path / "a.txt"
    labels.write_text("0.5\t1.5\t7\n2.0\t2.5\t8\n")
    manifest = read_manifest(labels)
    assert manifest.format == "features"
    assert f"{labels} is read as a table of numbers, and could be of the format audacity too" in manifest.note
    assert manifest.note.endswith(f"convert {labels} --from audacity -o audacity.jsonl")
    assert read_manifest(labels, "audacity").note == ""
    labels.write_text("0.5\t0.25\t7\n2.0\t2.5\t8\n")  # ends before it begins
    assert read_manifest(labels).note == ""
    for name in ("wav.scp", "recordings.jsonl"):
        (tmp_path / name).touch()
    assert read_manifest(tmp_path).note.endswith("--from lhotse -o lhotse.jsonl")
    said: list[str] = []
    entries_from(str(tmp_path), say=said.append)
    assert said == [read_manifest(tmp_path).note]
