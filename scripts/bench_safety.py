#!/usr/bin/env python
"""Print what syncing and checksums cost: commands over many recordings, with both and without, in turn.

    python scripts/bench_safety.py                       # 2,000 recordings of 3 s, synthesized
    python scripts/bench_safety.py --recordings 300 --rounds 3 score

Without means that `os.fsync`, `os.sync` and what compares checksums are replaced in this script alone; what
SQLite syncs itself, in the index of cached frames, is in both. The best of several rounds counts, since other
programs slow a round down but none up; and the load of the model, in milliseconds, is measured by itself.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import shutil
import sys
import tempfile
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import soundfile

sys.path.insert(0, str(Path(__file__).parent.parent))
from audiogmm.cli.main import main as audiogmm
from audiogmm.mixture.store import load

RATE = 16000
COMMANDS = {
    "train": "train IN/list.jsonl --preset ambient -k 8 --passes 3 --tol 0 --hold-out 0 -o OUT/m.agmm",
    "features": "features IN/list.jsonl --preset ambient -o OUT/frames",
    "score": "score IN/m.agmm IN/list.jsonl -o OUT/scores",
    "detect": "detect IN/m.agmm IN/list.jsonl -o OUT/events.jsonl",
}


@contextlib.contextmanager
def unsafe() -> Iterator[None]:
    """Sync nothing, and compute and compare no checksums."""

    def unsealed(document: Any, *_: object) -> Any:
        return {name: value for name, value in document.items() if name not in ("checksum", "checksums")}

    with contextlib.ExitStack() as stack:
        for name in ("fsync", "fdatasync", "sync"):
            stack.enter_context(mock.patch.object(os, name, lambda *_: None))
        stack.enter_context(mock.patch("audiogmm.mixture.container.unsealed", unsealed))
        stack.enter_context(mock.patch("audiogmm.mixture.container._checksum", lambda _: ""))
        stack.enter_context(mock.patch("audiogmm.runs.journal_lines.sealed", dict))
        stack.enter_context(mock.patch.object(zlib, "crc32", lambda _content, start=0: start))
        yield


def call(words: str, inputs: Path, output: Path) -> float:
    """Run a command in this process; return its seconds."""
    said = io.StringIO()
    words = words.replace("IN/", f"{inputs}/").replace("OUT", str(output))
    start = time.perf_counter()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        try:
            audiogmm(words.split())
        except SystemExit as ended:
            assert not ended.code, said.getvalue()
    return time.perf_counter() - start


def compare(measure: Callable[[], float], rounds: int) -> tuple[float, float]:
    """Return the best of rounds with and without, in turn."""
    safe, bare = [], []
    for _ in range(rounds):
        safe.append(measure())
        with unsafe():
            bare.append(measure())
    return min(safe), min(bare)


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("names", nargs="*", default=list(COMMANDS))
    arguments.add_argument("--recordings", type=int, default=2000)
    arguments.add_argument("--rounds", type=int, default=5)
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        noise = 0.1 * np.random.default_rng(0).standard_normal(60 * RATE)
        for number in range(given.recordings):
            start = number * 997 % (57 * RATE)
            soundfile.write(folder / f"{number}.wav", noise[start : start + 3 * RATE], RATE)
        rows = (f'{{"audio_filepath": "{number}.wav"}}\n' for number in range(given.recordings))
        (folder / "list.jsonl").write_text("".join(rows))
        call(COMMANDS["train"].replace("OUT", "IN").replace("--hold-out 0", ""), folder, folder)

        print("what      with     without   cost")
        for name in given.names:

            def measure(name: str = name) -> float:
                output = folder / "out"
                output.mkdir()
                seconds = call(COMMANDS[name], folder, output)
                shutil.rmtree(output)
                return seconds

            measure()  # compiles
            safe, bare = compare(measure, given.rounds)
            print(f"{name:8}  {safe:6.2f} s  {bare:6.2f} s  {100 * (safe / bare - 1):+5.1f} %", flush=True)

        def measure_load() -> float:
            start = time.perf_counter()
            load(folder / "m.agmm")
            return time.perf_counter() - start

        safe, bare = compare(measure_load, 600)
        cost = f"{100 * (safe / bare - 1):+5.1f} %"
        print(f"load      {1000 * safe:5.2f} ms  {1000 * bare:5.2f} ms  {cost} of one load, once a run")
    return 0


if __name__ == "__main__":
    sys.exit(main())
