#!/usr/bin/env python
"""What a selection over sizes costs beside training its largest model alone: seconds, and the ratio.

    python scripts/bench_select.py [FRAMES.npy] [--frames N] [--repeats N]

FRAMES.npy holds a matrix of frames, one row each; synthetic ones without it. Sizes 8, 16, ..., 256, diagonal;
the runs are interleaved, and the best of each counts.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import numpy as np

from audiogmm.training import train_mixture
from audiogmm.training.frames.source import ArraySlice
from audiogmm.training.selection.candidates import Candidate
from audiogmm.training.selection.selection import train_candidates

SIZES = (8, 16, 32, 64, 128, 256)


def frames_of(path: str | None) -> np.ndarray:
    """The frames of a file, or 100,000 that are drawn around 400 centres."""
    if path is not None:
        return np.load(path).astype(np.float32)
    random = np.random.default_rng(0)
    centres = random.normal(size=(400, 60))
    noise = random.normal(size=(100_000, 60))
    return (centres[random.integers(400, size=100_000)] + 0.7 * noise).astype(np.float32)


def main() -> None:
    """Time each run, and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("frames", nargs="?")
    parser.add_argument("--frames", type=int, dest="n_frames", help="only the first so many")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--runs", type=int, default=5, help="only the first so many rows of the table")
    options = parser.parse_args()
    frames = frames_of(options.frames)[: options.n_frames]
    shards = [ArraySlice(str(first), frames[first : first + 2000]) for first in range(0, len(frames), 2000)]
    diag = [Candidate("diag", size) for size in SIZES]
    kmeans = [Candidate("kmeans", size) for size in SIZES]
    runs: dict[str, Callable[[], object]] = {
        "K=256 alone, split": lambda: train_mixture(shards, n_components=256, init="split", passes=100),
        "K=256 alone, k-means++": lambda: train_mixture(shards, n_components=256, passes=100),
        "select 8..256": lambda: train_candidates(shards, None, diag),
        "select 8..256, k-means++ starts": lambda: train_candidates(shards, None, diag, init="k-means++"),
        "select 8..256, k-means beside": lambda: train_candidates(shards, None, [*diag, *kmeans]),
    }
    best = dict.fromkeys(runs, float("inf"))
    for _ in range(options.repeats):
        for name, run in list(runs.items())[: options.runs]:
            began = time.perf_counter()
            run()
            best[name] = min(best[name], time.perf_counter() - began)
    print(f"{len(frames):,} frames of {frames.shape[1]} features")
    base = [best[name] for name in list(runs)[:2]]
    for name, seconds in list(best.items())[: options.runs]:
        ratios = " and ".join(f"{seconds / of:.2f}" for of in base)
        print(f"{name:32} {seconds:7.2f} s, {ratios} of K=256 alone")


if __name__ == "__main__":
    main()
