#!/usr/bin/env python
"""Train large mixtures on a few components a frame, beside exact EM from the same start, on the same frames.

    python scripts/bench_truncated.py                                # K=2048 and 4096, truncated:5
    python scripts/bench_truncated.py 1024 --approximate top:30 --passes 30

Frames are those of `bench_em.py`: 263,569 of `librispeech_bg` in the folder that AUDIOGMM_DATA names. Both
trainings begin at random frames with the variances of all frames, and make the same passes, of which the
first few are exact in both. They take turns pass by pass, with the roofline between them: two dense float32
matrix products of the shape of a pass, by NumPy's BLAS. A pass counts with its M-step; the best one counts.
The pass that chooses the sets costs an exact one besides, once; it is printed apart.
"""

from __future__ import annotations

import argparse

import numpy as np
from bench_em import Speech, products, seconds, start
from threadpoolctl import threadpool_limits

from audiogmm.mixture.evaluator import Evaluator
from audiogmm.mixture.floor import RELATIVE_FLOOR
from audiogmm.reduce import LocalReducer
from audiogmm.training.frames.source import ArraySource
from audiogmm.training.schedule.approximation import EXACT_PASSES, Approximation
from audiogmm.training.schedule.batch import EM, Schedule, TrainingState
from audiogmm.training.schedule.convergence import Convergence
from audiogmm.training.schedule.monitor import Monitor, PassReport
from audiogmm.training.schedule.truncated import TruncatedSchedule
from audiogmm.types import Frames

WARM_UP = 4096
"""Frames of the run that compiles."""


def trainings(
    frames: Frames, n_components: int, form: str, approximation: Approximation, passes: int
) -> tuple[TrainingState, Schedule, TruncatedSchedule]:  # type: ignore[type-arg]
    """The start, exact EM, and approximate EM."""
    method = EM(RELATIVE_FLOOR * frames.var(axis=0, dtype=np.float64))
    loop = (ArraySource(frames), LocalReducer(), Convergence(tol=0), passes, Monitor())
    truncated = TruncatedSchedule(
        method,
        *loop,
        approximation=approximation,
        seed=0,
        exact_passes=min(EXACT_PASSES, passes - 2),
        beside=None,
    )
    return TrainingState(start(frames, n_components, form)), Schedule(method, *loop), truncated


def best(reports: list[PassReport]) -> float:
    """Seconds of the best pass."""
    return min(report.seconds for report in reports)


def run(
    frames: Frames, n_components: int, form: str, approximation: Approximation, passes: int, rounds: int
) -> None:
    """Print what one size came to."""
    begin, exact, truncated = trainings(frames, n_components, form, approximation, passes)
    roof = products(frames, n_components, form)
    threads, roofs = exact.reducer.threads, []  # type: ignore[attr-defined]
    turns = exact.run(begin), truncated.run(begin)
    for _ in range(passes):
        theirs, ours = (next(turn) for turn in turns)
        if len(roofs) < rounds:
            with threadpool_limits(threads):
                roofs.append(seconds(roof))
    next(turns[1], None)  # comes to its end, where it measures
    loss = truncated.loss
    assert loss is not None
    approximate = [report for report in ours.history if report.free_energy]
    chosen, rest = approximate[0], approximate[1:]
    exact_seconds, pass_seconds, roofline = best(list(theirs.history)), best(rest), min(roofs)
    evaluator = Evaluator(theirs.mixture)
    parts = LocalReducer().map(
        list(exact.source._slices()), lambda part: float(evaluator.log_likelihood(part.frames).sum())
    )
    reached = sum(parts) / len(frames)
    lost = (reached - loss.log_likelihood) / abs(reached)
    tried = n_components * np.mean([1 - report.skipped for report in rest])
    print(f"\n{form}, K={n_components}, {len(frames)} frames, {passes} passes; {loss.approximation}")
    print(f"  roofline        {roofline:7.3f} s")
    print(f"  exact pass      {exact_seconds:7.3f} s   {exact_seconds / roofline:6.3f} rooflines")
    print(
        f"  truncated pass  {pass_seconds:7.3f} s   {pass_seconds / roofline:6.3f} rooflines   "
        f"{pass_seconds / exact_seconds:6.3f} exact passes   {tried:.1f} joint evaluations a frame"
    )
    print(f"  choosing sets   {chosen.seconds:7.3f} s   (once, its pass included)")
    print(f"  exact log-likelihood after exact EM         {reached:9.4f} nats a frame")
    print(
        f"  exact log-likelihood after approximate EM   {loss.log_likelihood:9.4f}   loss {100 * lost:+.3f} %"
    )
    print(f"  free energy of that                         {loss.free_energy:9.4f}")


def main() -> None:
    """Parse, run, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("components", nargs="*", type=int, default=[2048, 4096])
    parser.add_argument("--frames", type=int, default=263_569)
    parser.add_argument("--covariance", choices=["diag", "spherical", "tied", "full"], default="diag")
    parser.add_argument("--approximate", default="truncated:5", help="as of `audiogmm train`")
    parser.add_argument("--passes", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=20, help="of the roofline, at most one a pass")
    options = parser.parse_args()
    approximation = Approximation.parse(options.approximate)
    frames = Speech().frames(options.frames)
    for exact_or_not in trainings(frames[:WARM_UP], 16, options.covariance, approximation, 3)[1:]:
        for _ in exact_or_not.run(TrainingState(start(frames[:WARM_UP], 16, options.covariance))):
            pass  # compiles
    for n_components in options.components:
        run(frames, n_components, options.covariance, approximation, options.passes, options.rounds)


if __name__ == "__main__":
    main()
