#!/usr/bin/env python
"""Run a stream over 24 hours of sound as fast as it goes, with faults, beside an undisturbed run.

    python scripts/check_soak.py                    # 24 h of sound, twice; some minutes
    python scripts/check_soak.py --hours 1 --faults 12 --seed 3

Faults, at seeded positions in the sound: SIGKILL; sound that ends and goes on half a minute later; samples
that are not numbers; a full disk under the lines (`/dev/full`) until the next start; the lines' file renamed
(as logs are rotated). After a fault that ends the stream it is started again where the sound is by then.
`stream` has no option for the time at which it starts: this script adds it to the times in the lines.

The rule: an event of the undisturbed run is there with the same times, to a millisecond, and no other, but
those that touch a faulted span. That is what was not worked through yet, from the last heartbeat or the start
to the restart, and 10 s on both sides: an event that is open when a stream ends is closed there. After the
stream, batch commands are killed, and run again to the bytes of a run that was not.

The status is 1 if an event is lost or added, a line is torn, memory grows, or a file is left.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

sys.path.insert(0, str(Path(__file__).parent.parent))
from audiogmm import train

ROOT = Path(__file__).parent.parent
RATE = 8000
SETTLED = 10.0
"""Seconds around a fault in which what is on its other side may matter."""

GROWTH = 16.0
"""MiB by which the memory of a stream may change from an hour's sound to the end's."""

KINDS = ("kill", "gap", "nan", "full", "rotate")
Row = dict[str, Any]


class Sound:
    """Hours of noise with a tone in a share of the minutes; the same for a seed, a minute at a time."""

    def __init__(self, seed: int, share: float = 0.3) -> None:
        rng = np.random.default_rng(seed)
        self.seed, self.share = seed, share
        self.noise = (0.05 * rng.standard_normal((16, 60 * RATE))).astype("<f4")

    def minute(self, number: int) -> np.ndarray:
        """Return a minute of samples, shape (60 * RATE,), float32."""
        rng = np.random.default_rng((self.seed, number))
        samples = self.noise[rng.integers(16)].copy()
        if number and rng.random() < self.share:
            start, n = rng.integers(5, 50) * RATE, int(rng.uniform(1, 3) * RATE)
            samples[start : start + n] += 0.3 * np.sin(np.arange(n) * rng.uniform(0.5, 2)).astype("<f4")
        return samples

    def pieces(self, start: int, end: int) -> Iterator[np.ndarray]:
        """Yield the samples between two whole seconds, at most a minute at a time."""
        while start < end:
            number, within = divmod(start, 60)
            stop = min(end, 60 * (number + 1))
            yield self.minute(number)[within * RATE : (within + stop - start) * RATE]
            start = stop


@dataclass
class Found:
    """What a run over the sound gave."""

    events: list[tuple[float, float]] = field(default_factory=list)
    spans: list[tuple[float, float]] = field(default_factory=list)
    memory: list[float] = field(default_factory=list)
    faults: Counter[str] = field(default_factory=Counter)
    torn: int = 0


class Stream:
    """One process of `stream`, from a second of the sound on."""

    def __init__(self, model: Path, lines: Path, start: int) -> None:
        self.start, self.lines = start, lines
        words = ["stream", str(model), "-", "--raw", f"f32le:{RATE}:1", "--no-reasons"]
        with lines.open("wb", buffering=0) as out:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "audiogmm", *words],
                stdin=subprocess.PIPE,
                stdout=out,
                stderr=subprocess.PIPE,
                cwd=ROOT,
                env={**os.environ, "PYTHONPATH": str(ROOT)},
            )

    def feed(self, samples: np.ndarray) -> bool:
        """Write samples; False if it has ended."""
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(samples.tobytes())
            self.process.stdin.flush()
        except BrokenPipeError:
            return False
        return True

    def memory(self) -> float:
        """Return what it has in memory, MiB."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0]) / 1024

    def end(self, *, kill: bool) -> int:
        """End it, and return its status."""
        if kill:
            self.process.kill()
        try:
            self.process.communicate()
        except BrokenPipeError:
            self.process.wait()
        return self.process.returncode

    def read(self, found: Found) -> float:
        """Add the events that it wrote, and return the second up to which it has written all of them."""
        done = float(self.start)
        if self.lines.is_file():  # not /dev/full
            for line in self.lines.read_bytes().splitlines(keepends=True):
                try:
                    row: Row = json.loads(line)
                except ValueError:
                    found.torn += 1
                    continue
                if row["type"] in ("heartbeat", "end"):
                    done = self.start + row["time"]
                if row["type"] == "closed":
                    event = row["event"]
                    found.events.append((self.start + event["start"], self.start + event["end"]))
        return done


def run(model: Path, sound: Sound, folder: Path, seconds: int, faults: list[tuple[int, str]]) -> Found:
    """Run the stream over the sound, with faults at seconds of it."""
    folder.mkdir()
    found, number, rotated = Found(), 0, 0
    stream, at = Stream(model, folder / "0.jsonl", 0), 0
    for second, kind in [*faults, (seconds, "end")]:
        if second < at:
            continue
        alive = True
        for piece in sound.pieces(at, second):
            alive = alive and stream.feed(piece)
            if alive and second - at > 600 and piece.size == 60 * RATE:
                found.memory.append(stream.memory())
        at = second
        if kind == "end":
            stream.end(kill=False)
            stream.read(found)
            break
        found.faults[kind] += 1
        if kind == "rotate":
            rotated += 1
            stream.lines = stream.lines.rename(folder / f"rotated-{rotated}.jsonl")
            continue
        if kind == "nan":
            stream.feed(np.full(RATE, np.nan, "<f4"))
        stream.end(kill=kind == "kill")
        done = stream.read(found)
        at += 30 if kind == "gap" else 1
        if kind == "full":
            full = Stream(model, Path("/dev/full"), at)
            for piece in sound.pieces(at, at + 60):
                full.feed(piece)
            assert full.end(kill=False) != 0, "a full disk went unnoticed"
            at += 60
        found.spans.append((done - SETTLED, at + SETTLED))
        number += 1
        stream = Stream(model, folder / f"{number}.jsonl", at)
    return found


def outside(events: list[tuple[float, float]], spans: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return the events that touch no span, rounded to a millisecond."""
    kept = [(a, b) for a, b in events if all(b < start or a > end for start, end in spans)]
    return sorted((round(a, 3), round(b, 3)) for a, b in kept)


def audiogmm(*words: object, wait: float | None = None) -> int:
    """Run a command; after `wait` seconds it is killed."""
    process = subprocess.Popen(
        [sys.executable, "-m", "audiogmm", *map(str, words)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    try:
        return process.wait(wait)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()


def kill_batches(folder: Path, times: int, chance: random.Random) -> tuple[int, int]:
    """Kill batch commands, and run each again; how many were killed, and how many then left other bytes."""
    commands = {
        "train": ("train", folder / "in.jsonl", "--preset", "ambient", "-k", 2, "--passes", 9, "--tol", 0),
        "detect": ("detect", folder / "room.agmm", folder / "in.jsonl"),
        "score": ("score", folder / "room.agmm", folder / "in.jsonl"),
    }
    killed = other = 0
    whole: dict[str, dict[str, bytes]] = {}

    def contents(output: Path) -> dict[str, bytes]:
        files = [output] if output.is_file() else sorted(output.rglob("*"))
        return {path.name: path.read_bytes() for path in files if path.is_file()}

    for number in range(times):
        name = chance.choice(list(commands))
        output = folder / f"{name}.jsonl"
        options = ("--threads", 1, "--force", "-o", output)
        if name not in whole:
            start = time.monotonic()
            assert audiogmm(*commands[name], *options) == 0
            whole[name] = contents(output)
            length = time.monotonic() - start
        status = audiogmm(*commands[name], *options, wait=chance.uniform(0.3, 1) * length)
        killed += status < 0
        assert audiogmm(*commands[name], *options, "--resume") == 0, f"{name} {number}"
        other += contents(output) != whole[name]
    return killed, other


def soak(
    hours: float, n_faults: int, n_batches: int, seed: int = 0, share: float = 0.3
) -> tuple[Row, list[str]]:
    """Return the figures of both runs, and what was wrong."""
    chance, sound = random.Random(seed), Sound(seed, share)
    seconds = int(3600 * hours)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for number in range(3):
            soundfile.write(folder / f"{number}.wav", sound.noise[number], RATE)
        rows = (json.dumps({"audio_filepath": f"{number}.wav"}) + "\n" for number in range(3))
        (folder / "in.jsonl").write_text("".join(rows))
        model = train(folder / "in.jsonl", "ambient", n_components=4, covariance_type="diag")
        model.save(folder / "room.agmm")
        places = sorted(chance.sample(range(60, seconds - 60), n_faults))
        kinds = [KINDS[i % len(KINDS)] for i in range(n_faults)]
        chance.shuffle(kinds)
        plain = run(folder / "room.agmm", sound, folder / "plain", seconds, [])
        found = run(
            folder / "room.agmm", sound, folder / "faulted", seconds, list(zip(places, kinds, strict=True))
        )
        killed, other = kill_batches(folder, n_batches, chance)
        left = [str(path.relative_to(folder)) for path in folder.rglob(".*")]
        left += [path.name for path in folder.rglob("*") if path.name.endswith((".journal", ".checkpoint"))]
    expected, got = outside(plain.events, found.spans), outside(found.events, found.spans)
    growth = plain.memory[-1] - plain.memory[min(60, len(plain.memory) // 2)] if plain.memory else 0.0
    figures: Row = {
        "hours": hours,
        "events undisturbed": len(plain.events),
        "faults": dict(found.faults),
        "faulted seconds": round(sum(end - start for start, end in found.spans)),
        "events outside of faulted spans": len(expected),
        "lost": len(set(expected) - set(got)),
        "added": len(set(got) - set(expected)),
        "lines torn": plain.torn + found.torn,
        "growth in MiB": round(growth, 1),
        "batch commands killed": killed,
        "with other bytes afterwards": other,
        "files left": left,
    }
    wrong = [name for name in ("lost", "added", "lines torn", "with other bytes afterwards") if figures[name]]
    wrong += ["growth in MiB"] if growth > GROWTH else []
    return figures, wrong + (["files left"] if left else [])


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--hours", type=float, default=24.0)
    arguments.add_argument("--faults", type=int, default=60)
    arguments.add_argument("--batches", type=int, default=12)
    arguments.add_argument("--seed", type=int, default=0)
    given = arguments.parse_args()
    figures, wrong = soak(given.hours, given.faults, given.batches, given.seed)
    for name, figure in figures.items():
        print(f"{name}: {figure}")
    print(f"wrong: {', '.join(wrong) or 'nothing'}")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
