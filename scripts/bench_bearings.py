#!/usr/bin/env python
"""How does a detector watch bearings that run to failure, beside a threshold on their level?

    AUDIOGMM_DATA=/path/to/data python scripts/bench_bearings.py [--bearings bearing_1_1,...] [--train ...]

A model is trained on the first fifth of each bearing's life (0.1 s of vibration each 10 s, `bearings.jsonl`
in the folder of data) with the defaults of `train --preset ambient`, and `detect` searches the rest as one
stream. Options behind `--train` and `--detect` go to the commands. Settings are chosen on `CHOSEN`; the other
bearings are for the report.

Printed of each bearing: the share of healthy life (20 to 50 %) in alarm; the alarms, joined where they are
less than 1 % of life apart; whether one of them that began before 85 % of life lasts to its end ("endless");
whether a new one begins in the last 15 %, and how long before the end; and the same of the level: its median
over five snapshots, above the highest of the first fifth.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from numpy.typing import NDArray

CHOSEN = ("bearing_1_1", "bearing_2_1", "bearing_3_1")
"""Bearings on which settings are chosen."""

TRAINED, HEALTHY, LATE = 0.2, (0.2, 0.5), 0.85
"""Shares of life: until where is trained, what counts as healthy, and from where a fault is to be told."""

JOINED = 0.01
"""Share of life by which two alarms are at least apart."""

SNAPSHOTS = 5
"""Snapshots whose median level is compared."""


@dataclass(frozen=True)
class Watch:
    """What an observer of one bearing said.

    Attributes
    ----------
    healthy : float
        Share of the snapshots of healthy life in alarm.
    alarms : int
        Alarms after the part that is trained on.
    endless : bool
        Whether one that begins before `LATE` lasts to the end of life.
    hours : float or None
        From the first new alarm after `LATE` to the end of life; None where there is none.
    """

    healthy: float
    alarms: int
    endless: bool
    hours: float | None

    @classmethod
    def of(cls, spans: Iterable[tuple[float, float]], times: NDArray[Any], life: NDArray[Any]) -> Watch:
        """Measure alarms, seconds since the start, over snapshots at `times`, shape (n,), with `life`."""
        total = float(times[-1])
        joined: list[list[float]] = []
        for start, end in sorted(spans):
            if joined and start - joined[-1][1] <= JOINED * total:
                joined[-1][1] = max(joined[-1][1], end)
            else:
                joined.append([start, end])
        in_alarm = np.zeros(len(times), bool)
        for start, end in joined:
            in_alarm |= (times >= start - 0.1) & (times <= end)
        healthy = (life >= HEALTHY[0]) & (life < HEALTHY[1])
        late = [start for start, _ in joined if start >= LATE * total]
        endless = any(start < LATE * total and end >= (1 - JOINED) * total for start, end in joined)
        hours = (total - late[0]) / 3600 if late else None
        return cls(float(in_alarm[healthy].mean()), len(joined), endless, hours)

    def __str__(self) -> str:
        warned = "no new alarm" if self.hours is None else f"new {60 * self.hours:6.1f} min before the end"
        end = "endless" if self.endless else "ends   "
        return f"healthy {100 * self.healthy:5.1f} %  alarms {self.alarms:3d}  {end}  {warned}"


def main() -> None:
    """Watch each bearing, and print what was said."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--bearings", default=",".join(CHOSEN), help="with commas, or all")
    parser.add_argument("--train", default="--preset ambient", help="options of `train`")
    parser.add_argument("--detect", default="", help="options of `detect`")
    arguments = parser.parse_args()
    data = Path(os.environ["AUDIOGMM_DATA"])
    by_bearing: dict[str, list[dict[str, Any]]] = {}
    for line in (data / "bearings.jsonl").read_text().splitlines():
        row = json.loads(line)
        row["audio_filepath"] = str(data / row["audio_filepath"])
        by_bearing.setdefault(row["bearing"], []).append(row)
    names = list(by_bearing) if arguments.bearings == "all" else arguments.bearings.split(",")
    found: dict[str, list[Watch]] = {"detector": [], "level": []}
    for name in names:
        rows = sorted(by_bearing[name], key=lambda row: row["time"])
        times, life = np.array([row["time"] for row in rows]), np.array([row["life"] for row in rows])
        with tempfile.TemporaryDirectory() as folder:
            spans = detected(rows, Path(folder), shlex.split(arguments.train), shlex.split(arguments.detect))
        for kind, alarms in (("detector", spans), ("level", loud(rows, times, life))):
            found[kind].append(Watch.of(alarms, times, life))
            print(f"{name:12s} {kind:9s} {found[kind][-1]}", flush=True)
    for kind, watched in found.items():
        hours = [one.hours for one in watched if one.hours is not None]
        median = f", median {60 * float(np.median(hours)):.1f} min before the end" if hours else ""
        healthy = 100 * float(np.mean([one.healthy for one in watched]))
        endless = sum(one.endless for one in watched)
        print(
            f"{kind:9s} healthy life in alarm {healthy:.1f} % (mean); endless {endless} of {len(watched)}; "
            f"new alarm in the last 15 % {len(hours)} of {len(watched)}{median}"
        )


def detected(
    rows: list[dict[str, Any]], folder: Path, train: list[str], detect: list[str]
) -> list[tuple[float, float]]:
    """Train on the first part of life, and return the events in the rest, seconds since the start."""
    parts: dict[str, list[dict[str, Any]]] = {"normal": [], "rest": []}
    for row in rows:
        parts["normal" if row["life"] < TRAINED else "rest"].append(row)
    for name, part in parts.items():
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in part))
    model, events = folder / "model.agmm", folder / "events.jsonl"
    run("train", folder / "normal.jsonl", "-o", model, "--stream", "bearing", *train)
    run("detect", model, folder / "rest.jsonl", "-o", events, "--stream", "bearing", "--no-reasons", *detect)
    lines = (json.loads(line) for line in events.read_text().splitlines())
    return [(event["time"], event["end_time"]) for event in lines]


def run(*arguments: object) -> None:
    """Call a command, and end with its message if it fails."""
    command = [sys.executable, "-m", "audiogmm", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(command)}\n{done.stderr}")


def loud(rows: list[dict[str, Any]], times: NDArray[Any], life: NDArray[Any]) -> list[tuple[float, float]]:
    """Return where the level is above all of the first part of life, seconds since the start."""
    samples, rate = soundfile.read(rows[0]["audio_filepath"], dtype="float32")
    first = [round(row["offset"] * rate) for row in rows]
    length = round(rows[0]["duration"] * rate)
    level = np.array([10 * np.log10(np.mean(np.square(samples[i : i + length])) + 1e-20) for i in first])
    padded = np.concatenate([np.full(SNAPSHOTS - 1, level[0]), level])
    usual = np.median(np.lib.stride_tricks.sliding_window_view(padded, SNAPSHOTS), axis=1)
    high = usual > usual[life < TRAINED].max()
    return [(float(time), float(time) + 0.1) for time in times[high & (life >= TRAINED)]]


if __name__ == "__main__":
    main()
