"""No recording ends a run: what a reader raises, and broken files, are set aside by every command."""

from __future__ import annotations

import json
import os
import shutil
import struct
import tarfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import soundfile

from audiogmm.audio.decoders.wave_decoder import WaveDecoder
from audiogmm.cli.main import main
from tests.cli.calls import Audiogmm

RATE = 16000

RAISED = {
    "eio.wav": OSError(5, "Input/output error"),
    "full.wav": OSError(28, "No space left on device"),
    "memory.wav": MemoryError(),
    "library.wav": RuntimeError("a library gave up"),
    "struct.wav": struct.error("unpack requires 4 bytes"),
    "text.wav": UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte"),
    "zero.wav": ZeroDivisionError("division by zero"),
}
"""Recordings whose reader raises this in the middle."""

BROKEN = {
    "rate.wav": b"",
    "png.wav": b"\x89PNG\r\n\x1a\n" + bytes(300),
    "page.wav": b"<!DOCTYPE html><html><body>404</body></html>",
    "missing.wav": b"",
    "pipe.wav": b"",
}

GOOD = ("a.wav", "b.wav", "gr\udcfcn.wav", "tar://inside.wav::x.tar")

BAD = {*RAISED, *BROKEN}


def noise(path: str | Path, seed: int, rate: int = RATE) -> None:
    samples = np.random.default_rng(seed).normal(0, 0.05, 2 * RATE).astype(np.float32)
    samples *= 1 + np.sin(np.arange(len(samples)) / 3000)
    with open(path, "wb") as file:  # noqa: PTH123 - a name that is not UTF-8
        soundfile.write(file, samples, rate, format="WAV")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Models, a gallery, good recordings, and bad ones, the worst of them first in the list."""
    folder = tmp_path_factory.mktemp("place")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for i, name in enumerate(("a.wav", "b.wav", "gr\udcfcn.wav", "inside.wav", *RAISED)):
            noise(name, i)
        with tarfile.open("x.tar", "w") as archive:
            archive.add("inside.wav")
        for name in ("png.wav", "page.wav"):
            Path(name).write_bytes(BROKEN[name])
        whole = bytearray(Path("a.wav").read_bytes())
        whole[24:28] = struct.pack("<I", 4_290_000_000)
        Path("rate.wav").write_bytes(whole)
        os.mkfifo("pipe.wav")
        names = ["rate.wav", *RAISED, "png.wav", "page.wav", "missing.wav", "pipe.wav", *GOOD]
        write(Path("all.jsonl"), names)
        write(Path("good.jsonl"), GOOD)
        tests = "".join(f"a,{name.encode(errors='backslashreplace').decode()}\n" for name in names)
        Path("trials.csv").write_text("model,audio_filepath\n" + tests)
        for line in (
            "train good.jsonl --preset ambient -k 2 -o room.agmm",
            "train good.jsonl --preset ambient -k 2 --hold-out 0 -o ubm.agmm",
            "enroll ubm.agmm good.jsonl -o known",
            "detect room.agmm good.jsonl -o events.jsonl",
        ):
            with pytest.raises(SystemExit) as stopped:
                main(line.split())
            assert stopped.value.code == 0, line
    return folder


def write(path: Path, names: Sequence[str]) -> None:
    rows = [
        {"audio_filepath": name, "speaker": "ab"[i % 2], "label": ("normal", "anomaly")[i % 2]}
        for i, name in enumerate(names)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


@pytest.fixture
def bad_place(place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy, in which readers raise."""
    folder = tmp_path / "work"
    shutil.copytree(place, folder, ignore=lambda _, names: [n for n in names if n == "pipe.wav"])
    os.mkfifo(folder / "pipe.wav")
    monkeypatch.chdir(folder)
    read = WaveDecoder.read

    def fail(self: WaveDecoder, n_samples: int) -> np.ndarray:
        error = RAISED.get(Path(self._name).name)
        if error is not None:
            raise error
        return read(self, n_samples)

    monkeypatch.setattr(WaveDecoder, "read", fail)
    return folder


COMMANDS = {
    "features": "features all.jsonl --preset ambient -o out",
    "train": "train all.jsonl --preset ambient -k 2 -o out.agmm",
    "update": "update room.agmm all.jsonl -o out.agmm",
    "select": "select all.jsonl --preset ambient -k 1,2 -o out.csv",
    "calibrate": "calibrate room.agmm all.jsonl -o out.agmm",
    "score": "score room.agmm all.jsonl -o out",
    "cluster": "cluster room.agmm all.jsonl -o out",
    "detect": "detect room.agmm all.jsonl -o out.jsonl",
    "enroll": "enroll ubm.agmm all.jsonl -o out",
    "identify": "identify known all.jsonl -o out.jsonl",
    "verify": "verify known trials.csv -o out.csv",
    "evaluate": "evaluate detect events.jsonl all.jsonl -o out.json",
}


@pytest.mark.parametrize("command", COMMANDS)
def test_what_a_reader_raises_sets_its_recording_aside(
    command: str, audiogmm: Audiogmm, bad_place: Path
) -> None:
    line = COMMANDS[command].split()
    ran = audiogmm(*line, "--json")
    assert ran.status == 3, ran.err
    output = Path(line[-1])
    assert output.exists()
    listed = output.with_name(f"{output.name}.errors.jsonl").read_text()
    rows = [json.loads(row) for row in listed.splitlines()]
    bad = set(BROKEN) if command == "evaluate" else BAD  # evaluate reads lengths alone
    assert {Path(row["path"]).name for row in rows} == bad
    assert len(rows) == len(bad) == ran.json["set_aside"]
    for row in rows:
        assert Path(row["path"]).name in row["reason"], row
        assert row["error"] in ("AudioFileError", "AudioDataError")


ALIKE = {
    "no key": (b'{"duration": 1}\n' * 40, "no audio_filepath"),
    "plain paths": (b"".join(b"/data/%d.wav\n" % i for i in range(40)), "is not JSON"),
    "missing": (b"".join(b'{"audio_filepath": "/no/%d.wav"}\n' % i for i in range(40)), "is missing"),
}


@pytest.mark.parametrize("case", ALIKE)
def test_what_is_alike_is_told_once_and_listed_each(
    case: str, audiogmm: Audiogmm, place: Path, tmp_path: Path
) -> None:
    content, said = ALIKE[case]
    manifest = tmp_path / "m.jsonl"
    manifest.write_bytes(content + b'{"audio_filepath": "%s/a.wav"}\n' % bytes(place))
    ran = audiogmm("detect", place / "room.agmm", manifest, "-o", tmp_path / "e.jsonl")
    assert ran.status == 3
    assert ran.err.count(said) == 1
    assert "and 39 others like it" in ran.err
    assert len((tmp_path / "e.jsonl.errors.jsonl").read_text().splitlines()) == 40


@pytest.mark.parametrize(
    ("begin", "kind"),
    [
        (b"\x89PNG\r\n\x1a\n", "a PNG image"),
        (b"PK\x03\x04", "a zip archive"),
        (b"<!DOCTYPE html><html>", "an HTML page"),
        (b"version https://git-lfs.github.com/spec/v1", "a pointer of Git LFS in place of the file"),
    ],
)
def test_what_is_no_list_and_no_recording_is_named(
    begin: bytes, kind: str, audiogmm: Audiogmm, place: Path, tmp_path: Path
) -> None:
    for name in ("m.jsonl", "m.csv", "m", "a.wav"):
        (tmp_path / name).write_bytes(begin + bytes(500))
        ran = audiogmm("detect", place / "room.agmm", tmp_path / name, "-o", tmp_path / "e.jsonl", "--force")
        assert f"{name} is {kind}" in ran.err
        assert ran.status in (1, 3)


def test_a_rate_that_most_others_contradict_is_named(
    audiogmm: Audiogmm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for i in range(4):
        noise(f"{i}.wav", i, 32000 if i == 0 else 16000)
    write(Path("m.jsonl"), [f"{i}.wav" for i in range(4)])
    line = "train m.jsonl --preset ambient -k 1 --hold-out 0 -o m.agmm"
    ran = audiogmm(*line.split())
    assert ran.status == 3
    assert "0.wav; 3 of the 3 recordings behind it have 16000 Hz: --sample-rate 16000 takes that" in ran.err
    assert audiogmm(*line.split(), "--force", "--sample-rate", RATE).status == 0
