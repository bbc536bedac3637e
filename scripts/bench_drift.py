#!/usr/bin/env python
"""Are steady sounds left alone, and changes and slow faults told? On synthesized levels of bands.

    python scripts/bench_drift.py [--seeds 100] [--hours 200] [--runs 5]

Levels wander as `audiogmm.synth.wandering` has it; each monitor learns from 12 hours of other such levels.

Printed: false verdicts on steady sound beside the stated rate; the share of seeds in which a fault that
grows by 0.1 dB an hour in three bands for a week is called rising before it reaches 3 dB, and in which the
level that counts as normal stays within 1 dB of where it was in those bands; and the share in which a load
(6 dB), another microphone (a tilt of -6 to +6 dB) and a codec (25 dB less in the upper third) are called
changed for good within ten minutes.
"""

from __future__ import annotations

import argparse
from collections import Counter

import numpy as np

from audiogmm.anomaly.bands import BandMap
from audiogmm.anomaly.drift.baseline import DriftBaseline
from audiogmm.anomaly.drift.change import Change
from audiogmm.anomaly.drift.level_block import LevelBlock
from audiogmm.anomaly.drift.monitor import DriftMonitor
from audiogmm.anomaly.drift.settings import DriftSettings
from audiogmm.synth.wandering import STEP, wandering_levels
from audiogmm.types import FloatArray

BANDS = 12
RATE, WEEK, BEFORE = 0.1, 168, 3.0  # decibels an hour, hours, decibels
CHANGES = {
    "load (6 dB)": np.full(BANDS, 6.0),
    "microphone (tilt of 12 dB)": np.linspace(-6.0, 6.0, BANDS),
    "codec (upper third gone)": np.r_[np.zeros(8), np.full(4, -25.0)],
}
EDGES = np.linspace(20.0, 8000.0, BANDS + 2)
MAP = BandMap(np.eye(BANDS), np.zeros(BANDS), np.stack([EDGES[:-2], EDGES[1:-1], EDGES[2:]], axis=1), True)


def learned(seed: int) -> DriftBaseline:
    """Learn a baseline from half a day of steady sound."""
    baseline = DriftBaseline.learn([wandering_levels(seed, 12.0, BANDS)], MAP, DriftSettings())
    assert baseline is not None
    return baseline


def watch(baseline: DriftBaseline, levels: FloatArray) -> tuple[DriftMonitor, list[Change]]:
    """Watch levels; return the monitor and what it said."""
    monitor = DriftMonitor(baseline)
    blocks = (LevelBlock(i, STEP * i, STEP * (i + 1), row) for i, row in enumerate(levels))
    return monitor, [change for block in blocks if (change := monitor.push(block)) is not None]


def steady(seed: int, hours: float) -> Counter[str]:
    """Count the verdicts on steady sound."""
    found = watch(learned(10_000 + seed), wandering_levels(seed, hours, BANDS))[1]
    return Counter(change.verdict for change in found)


def growing(seed: int) -> tuple[float | None, float]:
    """Watch a fault that grows; return its size when it was called rising first, and how far normal moved."""
    levels = wandering_levels(20_000 + seed, float(WEEK), BANDS)
    levels[:, 2:5] += RATE * (STEP / 3600 * np.arange(len(levels)))[:, None]
    baseline = learned(30_000 + seed)
    monitor, found = watch(baseline, levels)
    told = [RATE * change.at / 3600 for change in found if change.verdict == "rising"]
    moved = float(np.abs(monitor.state.anchor - baseline.levels)[2:5].max())
    return (told[0] if told else None), moved


def stepping(seed: int, shift: FloatArray) -> Change | None:
    """Change the sound for good after an hour; return the first thing said of it."""
    levels = wandering_levels(40_000 + seed, 2.0, BANDS)
    levels[360:] += shift
    found = watch(learned(50_000 + seed), levels)[1]
    return next((change for change in found if change.at > 3600), None)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seeds", type=int, default=100)
    parser.add_argument("--hours", type=float, default=200.0)
    parser.add_argument("--runs", type=int, default=5, help="of so many hours of steady sound")
    given = parser.parse_args()
    counts: Counter[str] = sum((steady(seed, given.hours) for seed in range(given.runs)), Counter())
    stated = given.runs * given.hours / DriftSettings().hours
    print(
        f"steady sound, {given.runs} x {given.hours:g} h: {counts['changed']} changed, {counts['rising']} "
        f"rising, {counts['transient']} transient; stated: at most {stated:g} departures"
    )
    grown = [growing(seed) for seed in range(given.seeds)]
    in_time = sum(size is not None and size < BEFORE for size, _ in grown)
    sizes = [size for size, _ in grown if size is not None]
    kept = sum(moved < 1.0 for _, moved in grown)
    print(
        f"{RATE:g} dB an hour for a week: rising before {BEFORE:g} dB in {in_time} of {given.seeds} "
        f"(median {np.median(sizes):.2f} dB, latest {max(sizes):.2f} dB); normal stayed in {kept}"
    )
    for name, shift in CHANGES.items():
        found = [stepping(seed, shift) for seed in range(given.seeds)]
        right = [one for one in found if one and one.verdict == "changed" and one.at - 3600 <= 600]
        print(f"{name}: changed for good within 10 min in {len(right)} of {given.seeds}")


if __name__ == "__main__":
    main()
