"""A seeded share of the fuzz: each reader, on mutated files, returns or raises an error of ours."""

from __future__ import annotations

import base64
import json
from contextlib import suppress
from pathlib import Path

import pytest

from audiogmm.errors import AudioGMMError
from audiogmm.reading import reading
from tests.fuzz import execute
from tests.fuzz.execute import fuzz
from tests.fuzz.readers import READERS, Reader


@pytest.mark.parametrize("name", READERS)
def test_a_damaged_file_is_read_or_refused(name: str) -> None:
    reader = READERS[name]
    tally = fuzz(reader, range(reader.share))
    assert tally.n == tally.accepted + tally.refused + sum(tally.faults.values()) == reader.share
    assert not tally.faults, tally.faults


CORPUS = json.loads((Path(execute.__file__).parent / "corpus.json").read_text())
"""Files in base 64, by reader, that once raised what is no error of ours, or took gigabytes or hours."""


@pytest.mark.parametrize("name", CORPUS)
def test_what_once_failed_is_read_or_refused(name: str, tmp_path: Path) -> None:
    path = READERS[name].make(tmp_path)
    for content in CORPUS[name]:
        path.write_bytes(base64.b64decode(content))
        with execute.limited(execute.LONGEST), suppress(AudioGMMError):
            READERS[name].read(path)


def test_a_reader_that_lets_an_exception_out_is_found() -> None:
    front_end = READERS["front end"]
    careless = Reader("front end", front_end.make, lambda path: path.read_text("utf-8").index("n_mels"))
    found = fuzz(careless, range(40))
    assert {fault.split()[0] for fault in found.faults} == {"UnicodeDecodeError", "ValueError"}
    assert found.n == 40 > found.accepted > 0 == found.refused


def test_a_reader_that_does_not_end_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[Path] = []

    def endless(path: Path) -> object:
        calls.append(path)
        with reading(str(path)):
            while len(calls) > 1:  # the first is of the whole file
                pass
        return None

    monkeypatch.setattr(execute, "LONGEST", 0.05)
    found = fuzz(Reader("front end", READERS["front end"].make, endless), range(2))
    assert (found.n, found.refused) == (2, 0)
    assert {fault.split()[0] for fault in found.faults} == {"TooLong"}
