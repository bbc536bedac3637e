#!/usr/bin/env python
"""Compare stepwise EM with batch EM, pass by pass, from the same starts on the same frames of real speech.

    python scripts/bench_stepwise.py                            # four forms, three seeds, both orders
    python scripts/bench_stepwise.py diag --seeds 1 --frames 100000
    python scripts/bench_stepwise.py full --averaging 0.5 --batch 2048

Frames are those of `librispeech_bg` in the folder that AUDIOGMM_DATA names: the preset `speech` with two
deltas and sliding normalization, voiced ones.
"sorted" is the corpus as it lies there, one speaker after the other; "shuffled" its frames in random order.
A start has its means at random frames and the covariance of all frames. The log-likelihood per frame is that
of the mixture after so many passes, under all frames. The verdict says after how many passes of batch EM the
same is reached: wanted are 20 after two stepwise passes, and 40 after two exact ones more.
SQUAREM is batch EM extrapolated: lost passes count too. Constants were chosen on the starts 11 to 14.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Literal

import numpy as np

from audiogmm.audio.frontend.frontend import FrontEnd
from audiogmm.audio.recording import Recording
from audiogmm.manifest import read_manifest
from audiogmm.mixture.gaussian import Mixture
from audiogmm.reduce import LocalReducer
from audiogmm.training.frames.source import ArraySource
from audiogmm.training.schedule.batch import EM, Schedule, TrainingState
from audiogmm.training.schedule.convergence import Convergence
from audiogmm.training.schedule.monitor import Monitor
from audiogmm.training.schedule.squarem import SquaremSchedule
from audiogmm.training.schedule.steps import Stepwise
from audiogmm.training.schedule.stepwise import StepwiseSchedule
from audiogmm.types import CovarianceType, FloatArray, Frames

FORMS: tuple[CovarianceType, ...] = ("diag", "spherical", "tied", "full")
SHOWN = (1, 2, 3, 5, 10, 20, 40)


def speech(n_frames: int) -> Frames:
    """Voiced frames of real speech, recording after recording."""
    entries = read_manifest(Path(os.environ["AUDIOGMM_DATA"]) / "librispeech_bg.jsonl")
    frontend = FrontEnd.preset("speech", deltas=2, cmvn="sliding")
    parts = [
        block.frames[block.voiced]
        for entry in entries
        for block in Recording(entry, frontend, sample_rate=16000)
    ]
    return np.ascontiguousarray(np.concatenate(parts)[:n_frames])


def start(frames: Frames, n_components: int, form: CovarianceType, seed: int) -> Mixture:
    """Means at random frames, the covariance of all frames."""
    random = np.random.default_rng(seed)
    covariance = np.cov(frames[:: max(1, len(frames) // 50_000)].astype(np.float64).T)
    K, variances = n_components, np.diag(covariance)
    covariances = {
        "spherical": np.full(K, variances.mean()),
        "diag": np.tile(variances, (K, 1)),
        "tied": covariance,
        "full": np.tile(covariance, (K, 1, 1)),
    }[form]
    means = frames[random.choice(len(frames), K, replace=False)].astype(np.float64)
    return Mixture(np.full(K, 1 / K), means, covariances, form)


def curve(
    frames: Frames, mixture: Mixture, passes: int, how: Stepwise | Literal["em", "squarem"] = "em"
) -> tuple[FloatArray, FloatArray]:
    """Log-likelihood per frame after 0, 1, ... passes (NaN where not known), and the seconds they took.

    An exact pass reports the mixture that enters it, so one more is made than is shown.
    """
    floor = 1e-4 * frames.var(axis=0, dtype=np.float64)
    source, stop, still = ArraySource(frames), Convergence(tol=0), Monitor()
    with LocalReducer() as reducer:
        loop = (EM(floor), source, reducer, stop, passes + 1, still, 0.0)
        schedule = (
            StepwiseSchedule(*loop, how)
            if isinstance(how, Stepwise)
            else {"em": Schedule, "squarem": SquaremSchedule}[how](*loop)
        )
        *_, last = schedule.run(TrainingState(mixture))
    scores = [np.nan if report.stepwise else report.log_likelihood for report in last.history]
    return np.array(scores), np.cumsum([report.seconds for report in last.history])


def equal_to(batch: FloatArray, score: float) -> str:
    """After how many passes batch EM reaches a score; "not known" for NaN."""
    if not np.isfinite(score):
        return "not known"
    reached = np.flatnonzero(batch >= score)
    return f"{reached[0]}" if len(reached) else f"> {len(batch) - 1}"


def tell(name: str, batch: FloatArray, ours: FloatArray, took: FloatArray, passes: tuple[int, ...]) -> None:
    """One line: what was reached after so many passes, and when batch EM reaches it."""
    told = [
        f"{n} passes {ours[n]:.3f} (batch EM: {equal_to(batch, ours[n])}, {took[n - 1]:.1f} s)"
        for n in passes
    ]
    print(f"  {name:18s} {', '.join(told)}", flush=True)


def main() -> None:
    """Parse, run, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("forms", nargs="*", default=FORMS)
    parser.add_argument("--seeds", type=int, nargs="+", default=(1, 2, 3), help="starts")
    parser.add_argument("--frames", type=int, default=300_000)
    parser.add_argument("--components", type=int, default=128)
    parser.add_argument("--batch", type=int, default=None)
    parser.add_argument("--averaging", type=float, default=Stepwise().averaging)
    parser.add_argument("--exponent", type=float, default=Stepwise().exponent)
    options = parser.parse_args()
    ordered = speech(options.frames)
    shuffled = ordered[np.random.default_rng(0).permutation(len(ordered))]
    print(f"{len(ordered)} frames of {ordered.shape[1]}, K={options.components}")
    stepwise = Stepwise(exponent=options.exponent, batch=options.batch, averaging=options.averaging)
    for form in options.forms:
        for seed in options.seeds:
            mixture = start(ordered, options.components, form, seed)
            batch, took = curve(ordered, mixture, max(SHOWN))
            shown = "  ".join(f"{n}: {batch[n]:.3f}" for n in SHOWN)
            print(f"\n{form}, seed {seed}: batch EM {shown}  ({took[20]:.1f} s for 20 passes)")
            for name, frames in (("sorted", ordered), ("shuffled", shuffled)):
                ours, took = curve(frames, mixture, 5, stepwise)
                tell(f"stepwise, {name}", batch, ours, took, (2, 4, 5))
            ours, took = curve(ordered, mixture, 31, "squarem")
            tell("SQUAREM", batch, ours, took, (10, 20, 30))


if __name__ == "__main__":
    main()
