"""Build a manifest from a folder, and name what is wrong in one."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import pytest

from audiogmm.errors import AudioFileError, ChoiceError, ManifestError
from audiogmm.manifest import (
    Entry,
    ManifestWarning,
    find_problems,
    find_recordings,
    read_manifest,
    write_manifest,
)


def tree(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return folder


def test_scan_finds_recordings_in_order(tmp_path: Path) -> None:
    folder = tree(
        tmp_path / "corpus",
        "b/2.WAV",
        "b/1.flac",
        "a/x.y/3.mp3",
        "notes.txt",
        ".hidden/4.wav",
        "a/._5.wav",
        "0.ogg",
    )
    found = list(find_recordings(folder, speaker="parent"))
    assert [(entry.id, entry.speaker) for entry in found] == [
        ("0", "corpus"),
        ("a--x.y--3", "x.y"),
        ("b--1", "b"),
        ("b--2", "b"),
    ]
    assert [entry.audio_filepath for entry in found] == [
        f"{folder}/{name}" for name in ("0.ogg", "a/x.y/3.mp3", "b/1.flac", "b/2.WAV")
    ]
    assert write_manifest(found, tmp_path / "all.jsonl") == 4
    assert list(read_manifest(tmp_path / "all.jsonl")) == found


@pytest.mark.parametrize(
    ("pattern", "speaker"),
    [
        (r"(?P<speaker>[a-z]+)_\d", "ann"),
        (r"^(\w+)/", "site"),
        (r"ann|ben", "ann"),
        (r"x(?P<speaker>)?|(\d)", None),
    ],
)
def test_scan_takes_the_speaker_from_a_pattern(tmp_path: Path, pattern: str, speaker: str | None) -> None:
    folder = tree(tmp_path, "site/ann_7.wav")
    if speaker is None:
        with pytest.raises(ManifestError, match=r"finds nothing in site/ann_7\.wav"):
            list(find_recordings(folder, pattern))
    else:
        assert [entry.speaker for entry in find_recordings(folder, pattern)] == [speaker]


def test_scan_refuses_what_it_cannot_use(tmp_path: Path) -> None:
    with pytest.raises(ChoiceError, match=r"'\(' is not a regular expression"):
        find_recordings(tmp_path, "(")
    with pytest.raises(ManifestError, match="gone does not exist"):
        find_recordings(tmp_path / "gone")
    with pytest.raises(ManifestError, match="holds no recording"):
        list(find_recordings(tmp_path))
    with pytest.raises(ManifestError, match=r"a\.wav is a file"):
        find_recordings(tree(tmp_path, "a.wav") / "a.wav")


def test_recordings_that_differ_in_the_suffix_alone_stay_apart(tmp_path: Path) -> None:
    folder = tree(tmp_path, "a.wav", "a.flac", "a-b.wav", "a.g.wav")
    assert {entry.id for entry in find_recordings(folder)} == {"a.wav", "a.flac", "a-b", "a.g"}


def test_links_are_followed_but_not_round_and_round(tmp_path: Path) -> None:
    folder = tree(tmp_path / "corpus", "a/1.wav")
    (folder / "a" / "up").symlink_to(folder)
    tree(tmp_path / "other", "2.wav")
    (folder / "linked").symlink_to(tmp_path / "other")
    assert [entry.id for entry in find_recordings(folder)] == ["a--1", "linked--2"]


@dataclass
class Info:
    sample_rate: int = 8000
    channels: int = 1
    n_samples: int | None = 16000


def test_scan_measures_and_lists_what_cannot_be_opened(tmp_path: Path) -> None:
    def measure(entry: Entry) -> Info:
        if entry.id == "bad":
            raise AudioFileError(f"{entry.path} is no audio")
        return Info(channels=2)

    bad, good = find_recordings(tree(tmp_path, "bad.wav", "good.wav"), measure=measure)
    assert (bad.duration, bad.sample_rate) == (None, None)
    assert (good.duration, good.sample_rate, good.extra) == (2.0, 8000, {"channels": 2, "num_samples": 16000})


@pytest.mark.parametrize(
    ("entry", "info", "message"),
    [
        (Entry("/a.wav", id="a", sample_rate=16000), Info(), "sample rate of 8000 Hz; needed: 16000 Hz"),
        (
            Entry("/a.wav", id="a", extra={"channels": 2}),
            Info(),
            "has 1 channel; needed: 2, as its entry says",
        ),
        (Entry("/a.wav", id="a", channel=2), Info(channels=2), "has 2 channels, the entry names channel 2"),
        (Entry("/a.wav", id="a", offset=2.02), Info(), "2 s long, the entry's offset is 2.02 s"),
        (Entry("/a.wav", id="a", offset=1.0, duration=1.02), Info(), r"entry's end .* is 2\.02 s"),
        (Entry("/a.wav", id="a", offset=1.0, duration=1.009), Info(), None),
        (Entry("/a.wav", id="a", duration=1e6), Info(n_samples=None), None),
        (Entry(None, "/a.npy", id="a", sample_rate=1), Info(), None),
    ],
)
def test_what_an_entry_says_is_held_against_what_its_recording_is(
    entry: Entry, info: Info, message: str | None
) -> None:
    problems = [str(problem) for problem in find_problems([entry], lambda _: info)]
    if message is None:
        assert problems == []
    else:
        with pytest.raises(AssertionError, match=message):
            raise AssertionError(*problems)


def test_check_names_every_bad_line_and_every_bad_file(tmp_path: Path) -> None:
    file = tmp_path / "all.jsonl"
    file.write_text(
        'rubbish\n{"audio_filepath": "a.wav"}\n{"audio_filepath": "gone.wav"}\n{"audio_filepath": "a.flac"}\n'
        '{"audio_filepath": "b.wav", "duration": -1}\n'
    )

    def probe(entry: Entry) -> None:
        if entry.id == "gone":
            raise AudioFileError(f"{entry.path} is missing")

    problems = list(find_problems(read_manifest(file), probe))
    assert sorted(str(problem).split(";")[0] for problem in problems) == [
        f"{file}:1 is not JSON: Expecting value at column 1: rubbish",
        f"{file}:3: {tmp_path}/gone.wav is missing",
        f"{file}:4: the id 'a' stands on line 2 already",
        f"{file}:5: duration is -1",
    ]
    assert [problem.entry.id for problem in problems if problem.entry] == ["gone"]


def test_real_recordings_pass_and_broken_ones_are_named(data: Path, tmp_path: Path) -> None:
    from audiogmm.audio.decode import probe

    good = (data / "fsdd" / "0_george_0.wav").read_bytes()
    (tmp_path / "good.wav").write_bytes(good)
    (tmp_path / "torn.wav").write_bytes(good[: len(good) // 2])
    (tmp_path / "empty.wav").write_bytes(b"")
    (tmp_path / "text.wav").write_text("no audio at all")
    (tmp_path / "short.wav").write_bytes(
        good[:4] + (36 + 200).to_bytes(4, "little") + good[8:40] + (200).to_bytes(4, "little") + good[44:244]
    )
    lines = [f'"{name}.wav"' for name in ("good", "torn", "empty", "text", "short", "gone")]
    lines += ['"good.wav", "id": "late", "offset": 60', '"good.wav", "id": "rate", "sample_rate": 16000']
    lines += ['"good.wav", "id": "stereo", "channels": 2', '"good.wav"']
    file = tmp_path / "all.jsonl"
    file.write_text("".join(f'{{"audio_filepath": {line}}}\n' for line in lines))
    found = list(find_problems(read_manifest(file), probe))
    problems = {str(problem.entry.id): str(problem) for problem in found if problem.entry}
    assert problems.keys() == {"torn", "empty", "text", "short", "gone", "late", "rate", "stereo"}
    for name, words in {"short": "shorter than a frame", "rate": "16000 Hz", "stereo": "needed: 2"}.items():
        assert words in problems[name]
    assert sum(problem.entry is None for problem in found) == 1


def test_scan_leaves_pipes_out_and_tells_names_apart_that_are_not_utf8(tmp_path: Path) -> None:
    tree(tmp_path, "a.wav", "gr\udce9n.wav", "gr\udcfcn.wav")
    os.mkfifo(tmp_path / "live.wav")
    with pytest.warns(ManifestWarning, match=r"live\.wav is a pipe, and is left out"):
        found = list(find_recordings(tmp_path))
    assert [Path(entry.path).name for entry in found] == ["a.wav", "gr\udce9n.wav", "gr\udcfcn.wav"]
    write_manifest(found, tmp_path / "all.csv")
    assert [entry.path for entry in read_manifest(tmp_path / "all.csv")] == [entry.path for entry in found]
    write_manifest(found, tmp_path / "kaldi", "kaldi")
    assert b"gr\xfcn.wav" in (tmp_path / "kaldi" / "wav.scp").read_bytes()
    assert {entry.path for entry in read_manifest(tmp_path / "kaldi")} == {entry.path for entry in found}
