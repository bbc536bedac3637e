"""A disk that cannot be read ends no batch, and is not blamed on the output: one file is set aside."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

import audiogmm as ag
from audiogmm.audio.matrix.csvtable import CsvReader
from audiogmm.audio.matrix.npy import NpyReader
from tests.cli.calls import Audiogmm

FAULTS = {"EIO": "Input/output error", "ESTALE": "Stale file handle"}


def error_of(name: str) -> OSError:
    number = getattr(errno, name)
    return OSError(number, os.strerror(number))


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A frame cache and feature matrices of three recordings each, and a model for each kind."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    frames, rows, mixed = [], [], ("0.npy", "1.npy", "2.csv")
    for i, name in enumerate(mixed):
        soundfile.write(f"{i}.wav", 0.1 * rng.normal(size=16000), 16000)
        matrix = rng.normal(size=(80, 3)).astype(np.float32)
        np.savetxt(name, matrix, delimiter=",") if name.endswith("csv") else np.save(name, matrix)
        frames.append({"audio_filepath": f"{i}.wav"})
        rows.append({"features_filepath": name})
    Path("audio.jsonl").write_text("".join(json.dumps(row) + "\n" for row in frames))
    Path("rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return tmp_path


def check(ran: Any, output: str, bad: str, fault: str, good: int) -> None:
    """One was set aside by its own name, and the others came out."""
    assert ran.status == 3, ran.err
    (row,) = [json.loads(line) for line in Path(f"{output}.errors.jsonl").read_text().splitlines()]
    assert bad in row["reason"] and FAULTS[fault] in row["reason"]
    assert "cannot be written" not in ran.err + row["reason"] and output not in row["reason"]
    assert len(list(Path(output).glob("*.npz"))) == good


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("reader", [NpyReader, CsvReader])
def test_a_matrix(
    audiogmm: Audiogmm, place: Path, monkeypatch: pytest.MonkeyPatch, fault: str, reader: type[Any]
) -> None:
    assert audiogmm("train", "rows.jsonl", "-k", "1", "-o", "m.agmm").status == 0
    bad, read = "1.npy" if reader is NpyReader else "2.csv", reader.rows

    def fail(self: Any, *given: Any) -> Iterator[Any]:
        for block in read(self, *given):
            if Path(self._path).name == bad:
                raise error_of(fault)
            yield block

    monkeypatch.setattr(reader, "rows", fail)
    check(audiogmm("score", "m.agmm", "rows.jsonl", "-o", "scored"), "scored", bad, fault, 2)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_file_of_frames(
    audiogmm: Audiogmm, place: Path, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    assert audiogmm("features", "audio.jsonl", "--preset", "ambient", "-o", "frames").status == 0
    assert audiogmm("train", "frames", "-k", "1", "-o", "m.agmm").status == 0
    bad = sorted(Path("frames/frames").rglob("*.frames"))[1].resolve()
    read = os.preadv

    def fail(file: int, buffers: Any, at: int) -> int:
        if os.path.samestat(os.fstat(file), bad.stat()):
            raise error_of(fault)
        return read(file, buffers, at)

    monkeypatch.setattr(os, "preadv", fail)
    check(audiogmm("score", "m.agmm", "frames", "-o", "scored"), "scored", bad.name, fault, 2)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_header_of_frames(
    audiogmm: Audiogmm, place: Path, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    assert audiogmm("features", "audio.jsonl", "--preset", "ambient", "-o", "frames").status == 0
    assert audiogmm("train", "frames", "-k", "1", "-o", "m.agmm").status == 0
    bad = sorted(Path("frames/frames").rglob("*.frames"))[1].resolve()
    opened = Path.open

    def fail(self: Path, *given: Any, **named: Any) -> Any:
        if self.name == bad.name:
            raise error_of(fault)
        return opened(self, *given, **named)

    monkeypatch.setattr(Path, "open", fail)
    check(audiogmm("score", "m.agmm", "frames", "-o", "scored"), "scored", bad.name, fault, 2)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_model_is_named(
    audiogmm: Audiogmm, place: Path, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    ag.train([np.ones((8, 2))], n_components=1, hold_out=0).save("m.agmm")

    def fail(self: Path) -> bytes:
        raise error_of(fault)

    monkeypatch.setattr(Path, "read_bytes", fail)
    ran = audiogmm("score", "m.agmm", "rows.jsonl", "-o", "scored")
    assert (ran.status, Path("scored").exists()) == (1, False)
    assert f"m.agmm cannot be read: {FAULTS[fault]}" in ran.err
    assert "; try: check the disk" in ran.err
