#!/usr/bin/env python
"""How fast, steady and prompt is `audiogmm stream`?

    python scripts/bench_stream.py [--hours 24] [--model MODEL]

Pipes hours of sound into `audiogmm stream MODEL -` as fast as possible, the stream on one core and the writer
on another. The sound is synthesized as it is written: minutes of a machine, rotated and at varying levels,
with anomalies in some of them, so that there are events. Prints the speed against real time (by the clock,
and by CPU time, which counts on a busy machine), resident memory by hour and in the last hour against the
first, and the time that a chunk of 10, 50 or 100 ms takes, from its samples to the last line that they cause.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import numpy as np

RATE = 16_000
MINUTES = 8
"""Minutes of sound that are synthesized; the stream repeats them."""


def main() -> None:
    """Train a model unless one is given, then measure."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--hours", type=float, default=24.0)
    parser.add_argument("--model", type=Path, default=None)
    parser.add_argument("--emit", default="events")
    arguments = parser.parse_args()
    minutes = sound(np.random.default_rng(0), MINUTES)
    with tempfile.TemporaryDirectory() as folder:
        model = arguments.model or trained(minutes[: MINUTES // 2], Path(folder))
        long(model, minutes, arguments.hours, arguments.emit)
        prompt(model, minutes)


def sound(rng: np.random.Generator, n: int) -> list[np.ndarray]:
    """Synthesize minutes of a machine, float64, with an anomaly in every second one of the later half."""
    from audiogmm.synth.sites import make_background

    found = []
    for i in range(n):
        minute = make_background("fan", 60 * RATE, rng)
        if i >= n // 2 and i % 2:
            at = rng.integers(10 * RATE, 50 * RATE)
            minute[at : at + RATE] += 0.1 * np.sin(2 * np.pi * 1300 * np.arange(RATE) / RATE)
        found.append(minute)
    return found


def trained(minutes: list[np.ndarray], folder: Path) -> Path:
    """Train a model of the preset `ambient`."""
    import soundfile

    for i, minute in enumerate(minutes):
        for j in range(0, len(minute), 10 * RATE):
            soundfile.write(folder / f"{i}-{j // RATE}.wav", minute[j : j + 10 * RATE], RATE)
    entries = [{"audio_filepath": path.name, "duration": 10} for path in sorted(folder.glob("*.wav"))]
    (folder / "train.jsonl").write_text("".join(json.dumps(entry) + "\n" for entry in entries))
    model = folder / "model.agmm"
    call = [sys.executable, "-m", "audiogmm", "train", folder / "train.jsonl", "--preset", "ambient"]
    subprocess.run([*map(str, call), "-o", str(model)], check=True, capture_output=True)
    return model


def bytes_of(minutes: list[np.ndarray], hours: float) -> Iterator[bytes]:
    """Yield the stream, a minute at a time: rotated, at varying levels, 16 bit."""
    rng = np.random.default_rng(1)
    pieces = [(minute * 32767).astype(np.float32) for minute in minutes]
    for _ in range(round(hours * 60)):
        minute = np.roll(pieces[rng.integers(len(pieces))], rng.integers(60 * RATE))
        whole = np.clip(minute * np.float32(rng.uniform(0.8, 1.1)), -32768, 32767).astype("<i2")
        yield whole.tobytes()


def long(model: Path, minutes: list[np.ndarray], hours: float, emit: str) -> None:
    """Measure the speed, and memory by the hour."""
    cores = sorted(os.sched_getaffinity(0))
    call = [sys.executable, "-m", "audiogmm", "stream", str(model), "-", "--raw", f"s16le:{RATE}:1"]
    process = subprocess.Popen(
        [*call, "--emit", emit, "--heartbeat", "60"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        preexec_fn=lambda: os.sched_setaffinity(0, cores[:1]),
    )
    assert process.stdin is not None and process.stdout is not None
    stdin, stdout = process.stdin, process.stdout
    if len(cores) > 1:
        os.sched_setaffinity(0, cores[1:])

    def write() -> None:
        for piece in bytes_of(minutes, hours):
            stdin.write(piece)
        stdin.close()

    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    writer = threading.Thread(target=write)
    memory: dict[int, list[float]] = defaultdict(list)
    counts: dict[str, int] = defaultdict(int)
    began = None
    writer.start()
    for text in stdout:
        line = json.loads(text)
        counts[line["type"]] += 1
        if line["type"] == "start":
            began = time.perf_counter()
        elif line["type"] == "heartbeat":
            memory[int((line["time"] - 1) // 3600)].append(resident(process.pid))
    writer.join()
    process.wait()
    assert began is not None and process.returncode == 0
    seconds = time.perf_counter() - began
    os.sched_setaffinity(0, cores)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    busy = after.ru_utime + after.ru_stime - used.ru_utime - used.ru_stime
    print(f"CPU time {busy:.1f} s, with start-up: {hours * 3600 / busy:,.0f} x real time")
    print(f"{hours:g} h of sound in {seconds:.1f} s: {hours * 3600 / seconds:,.0f} x real time on one core")
    print("lines: " + ", ".join(f"{name} {n:,}" for name, n in sorted(counts.items())))
    by_hour = {hour: float(np.mean(values)) for hour, values in sorted(memory.items())}
    for hour, size in by_hour.items():
        if hour in (0, len(by_hour) - 1) or hour % 4 == 0:
            print(f"resident memory in hour {hour + 1}: {size:.1f} MB")
    first, last = by_hour[min(by_hour)], by_hour[max(by_hour)]
    print(f"last hour against first: {100 * (last / first - 1):+.2f} %")


def resident(pid: int) -> float:
    """Return the resident memory of a process, MB."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def prompt(model: Path, minutes: list[np.ndarray]) -> None:
    """Measure the time of a chunk, from its samples to its lines."""
    from audiogmm.live.outlet import text_of
    from audiogmm.live.stream.pipeline import AnalysisPipeline
    from audiogmm.live.stream.plan import StreamPlan
    from audiogmm.live.stream.settings import StreamSettings
    from audiogmm.live.stream.sources import InputIdentity
    from audiogmm.mixture.store import load
    from audiogmm.runs.progress import Silent

    plan = StreamPlan.of(load(model), StreamSettings(("events", "scores")), Silent())
    print(f"latency, as audiogmm info prints it: {1000 * plan.latency:.0f} ms")
    samples = np.concatenate(minutes[-2:]).astype(np.float32)
    for milliseconds in (10, 50, 100):
        pipeline = AnalysisPipeline(plan, InputIdentity("bench", "bench", None), dict, lambda _: None)
        pipeline.begin(RATE, 0.0)
        step, costs = RATE * milliseconds // 1000, []
        for at in range(0, len(samples), step):
            began = time.perf_counter()
            for line in pipeline.push(samples[at : at + step]):
                text_of(line.row("bench"))
            costs.append(1000 * (time.perf_counter() - began))
        median, most = np.percentile(costs, [50, 99])
        print(
            f"a chunk of {milliseconds} ms takes: median {median:.2f} ms, 99 % {most:.2f} ms, "
            f"longest {max(costs):.1f} ms"
        )


if __name__ == "__main__":
    main()
