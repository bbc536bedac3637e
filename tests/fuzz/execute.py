"""Executions of a reader on mutated files, and what came of each."""

from __future__ import annotations

import random
import signal
import tempfile
import traceback
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from audiogmm.errors import AudioGMMError
from tests.fuzz.readers import Reader

LONGEST = 20.0
"""Seconds that reading a small file may take: the longest that ours take is under 1 s."""


@dataclass
class Tally:
    """What came of the executions of a reader: `faults` by exception and place, each with its first seed."""

    n: int = 0
    accepted: int = 0
    refused: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    seeds: dict[str, int] = field(default_factory=dict)


class TooLong(BaseException):
    """A reader took longer than it may; no exception that a reader could turn into one of ours."""


@contextmanager
def limited(seconds: float) -> Iterator[None]:
    """Raise `TooLong` in what takes longer."""

    def stop(*_: object) -> None:
        raise TooLong(f"longer than {seconds:g} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def mutated(reader: Reader, original: bytes, seed: int) -> bytes:
    """Return the file of an execution, which depends on the reader's name and the seed alone."""
    rng = random.Random(f"{reader.name} {seed}")
    return rng.choice(reader.mutations)(original, rng)


def fuzz(reader: Reader, seeds: range) -> Tally:
    """Read a mutated file for each seed; what is neither a result nor an error of ours is a fault."""
    tally = Tally()
    with tempfile.TemporaryDirectory() as name, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        folder = Path(name)
        path = reader.make(folder)
        original = path.read_bytes()
        reader.read(path)  # whole, it is read
        path.write_bytes(original)
        kept = {file: file.read_bytes() for file in folder.rglob("*") if file.is_file()}
        for seed in seeds:
            path.write_bytes(mutated(reader, original, seed))
            tally.n += 1
            try:
                with limited(LONGEST):
                    reader.read(path)
                tally.accepted += 1
            except AudioGMMError as error:
                assert str(error)
                tally.refused += 1
            except (Exception, TooLong) as error:  # noqa: BLE001 - what is looked for
                frames = traceback.extract_tb(error.__traceback__)
                place = [f for f in frames if "/audiogmm/" in f.filename][-1:] or frames[-1:]
                fault = f"{type(error).__name__} at {place[0].filename}:{place[0].lineno}"
                tally.faults[fault] += 1
                tally.seeds.setdefault(fault, seed)
            _restore(folder, kept, path)
    return tally


def _restore(folder: Path, kept: dict[Path, bytes], path: Path) -> None:
    """Undo what a reader wrote: a journal goes on, a cache makes its index."""
    for file in [file for file in folder.rglob("*") if file.is_file()]:
        if file not in kept:
            file.unlink()
    for file, content in kept.items():
        if file != path and (not file.exists() or file.stat().st_size != len(content)):
            file.write_bytes(content)
