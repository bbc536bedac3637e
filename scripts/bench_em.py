#!/usr/bin/env python
"""Time a pass of EM beside scikit-learn's and beside bare matrix products, in one run on the same frames.

    python scripts/bench_em.py                             # the table
    python scripts/bench_em.py diag:100000:1024 --repeats 40
    python scripts/bench_em.py --bounds                    # what bounds carried from pass to pass spare
    python scripts/bench_em.py --bounds 1024 4096 --frames 50000
    python scripts/bench_em.py --memory                    # what 1M frames and 1,024 components take

Frames are 60-dimensional cepstra with two deltas of `librispeech_bg` in the folder that AUDIOGMM_DATA
names, normalized a recording, in the order of the recordings: of each the same share, from its middle. Or
else they are drawn from a mixture. Everybody is timed from the same model, reached after `--passes` passes:
a pass is E-step and M-step. Turns are taken in each round, and the best of the rounds counts.

A pass of ours has, in every round, the bounds that all passes before it have left there in a training
from the start. A pass repeated under its own model would have the easiest of bounds, and is never timed.
The roofline is the two dense float32 matrix products of the job's shape, scores and moments,
by the BLAS of NumPy; for full covariances over the distinct products of two features. It is as fast as that
BLAS: its name is printed, and OPENBLAS_CORETYPE can slow it down.

`--bounds` trains for 24 passes at each size, with carried bounds whatever `LEAST_COMPONENTS` says, and times
some of the passes with and without, in turns.
"""

from __future__ import annotations

import argparse
import copy
import multiprocessing
import os
import resource
import time
import warnings
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_info, threadpool_limits

from audiogmm.audio.frontend.frontend import FrontEnd
from audiogmm.audio.recording import Recording
from audiogmm.manifest import read_manifest
from audiogmm.mixture import kernels
from audiogmm.mixture.carried_margins import MarginStore
from audiogmm.mixture.evaluator import Evaluator
from audiogmm.mixture.gaussian import Mixture
from audiogmm.mixture.maximization import maximize
from audiogmm.mixture.statistics import SufficientStats
from audiogmm.reduce import LocalReducer
from audiogmm.training.frames.packing import SLICE_ROWS
from audiogmm.training.frames.source import ArraySlice
from audiogmm.training.schedule.batch import ShardEStep
from audiogmm.types import Frames

CASES = (
    "diag:200000:256",
    "diag:100000:1024",
    "diag:100000:4096",
    "full:50000:128",
    "tied:100000:256",
    "spherical:100000:256",
)
SIZES = (256, 512, 1024, 2048, 4096)
SHOWN = (2, 3, 5, 9, 15, 24)
REGULARISED = 1e-6
"""scikit-learn's default `reg_covar`, given to everybody, and our floor."""


class Speech:
    """Frames of real speech, recording after recording; or drawn ones."""

    def __init__(self) -> None:
        folder = os.environ.get("AUDIOGMM_DATA")
        self.recordings: list[Frames] = []
        self.name = "librispeech_bg" if folder else "drawn"
        if folder:
            frontend = FrontEnd.preset("speech", deltas=2, cmvn="utterance", cmvn_variance=True)
            entries = read_manifest(Path(folder) / "librispeech_bg.jsonl")
            for entry in entries:
                recording = Recording(entry, frontend, sample_rate=16000)
                self.recordings.append(np.concatenate([block.frames for block in recording]))

    def frames(self, n_frames: int) -> Frames:
        """As many, evenly from all recordings; repeated from the first on where there are too few."""
        if not self.recordings:
            random = np.random.default_rng(0)
            centres = random.normal(size=(300, 60))
            noise = random.normal(size=(n_frames, 60))
            return (centres[random.integers(300, size=n_frames)] + noise).astype(np.float32)
        ends = np.cumsum([len(recording) for recording in self.recordings])
        share = min(1.0, n_frames / ends[-1])
        taken = np.diff(np.rint(share * ends).astype(int), prepend=0)
        windows = [
            recording[(len(recording) - n) // 2 :][:n]
            for recording, n in zip(self.recordings, taken, strict=True)
        ]
        return np.ascontiguousarray(np.resize(np.concatenate(windows), (n_frames, windows[0].shape[1])))


def start(frames: Frames, n_components: int, covariance_type: str) -> Mixture:
    """Means at random frames, the covariance of all frames."""
    random = np.random.default_rng(1)
    sample = frames[:: max(1, len(frames) // 20_000)].astype(np.float64)
    covariance = np.cov(sample.T)
    K, variances = n_components, np.diag(covariance)
    covariances = {
        "spherical": np.full(K, variances.mean()),
        "diag": np.tile(variances, (K, 1)),
        "tied": covariance,
        "full": np.tile(covariance, (K, 1, 1)),
    }[covariance_type]
    means = frames[random.choice(len(frames), K, replace=False)].astype(np.float64)
    return Mixture(np.full(K, 1 / K), means, covariances, covariance_type)


class Training:
    """A training of ours, whose passes can be taken again.

    Parameters
    ----------
    mixture : Mixture
        The start.
    frames : ndarray of shape (n, D)
        Not copied.
    carries : bool
        Whether a pass hands bounds to the next, as in `audiogmm.fit`.
    """

    def __init__(self, mixture: Mixture, frames: Frames, carries: bool = True) -> None:
        self.mixture, self.n_frames = mixture, len(frames)
        known = MarginStore()
        self.slices = [
            ArraySlice(str(at), frames[at : at + SLICE_ROWS], carried=known.of(at) if carries else None)
            for at in range(0, len(frames), SLICE_ROWS)
        ]

    def copy(self) -> Training:
        """To go on from here without moving this one."""
        other = copy.copy(self)
        other.slices = [
            replace(part, carried=None if part.carried is None else part.carried.copy())
            for part in self.slices
        ]
        return other

    def step(self, threads: int) -> SufficientStats:
        """One pass; returns what it added up."""
        with LocalReducer(threads) as reducer:
            stats = reducer.reduce(self.slices, ShardEStep(Evaluator(self.mixture)))
        assert stats is not None
        self.mixture, _ = maximize(stats, previous=self.mixture, floor=REGULARISED, reg_covar=REGULARISED)
        return stats

    @property
    def spared(self) -> float:
        """Share of the scores that the last pass did not look at."""
        looked, all_scores = np.sum([part.carried.looked for part in self.slices if part.carried], axis=0)
        return float(1 - looked / all_scores) if all_scores else 0.0


class Theirs:
    """A pass of scikit-learn from a given model."""

    def __init__(self, mixture: Mixture, frames: Frames, dtype: str) -> None:
        from sklearn.mixture import GaussianMixture
        from sklearn.mixture._gaussian_mixture import _compute_precision_cholesky

        self.frames = frames.astype(dtype)
        self.model = GaussianMixture(mixture.n_components, covariance_type=mixture.covariance_type)
        self.model.weights_, self.model.means_, self.model.covariances_ = (
            array.astype(dtype) for array in (mixture.weights, mixture.means, mixture.covariances)
        )
        self.model.precisions_cholesky_ = _compute_precision_cholesky(
            self.model.covariances_, mixture.covariance_type
        )
        self.kept = vars(self.model).copy()

    def __call__(self) -> float:
        vars(self.model).update(self.kept)
        log_likelihood, log_responsibilities = self.model._e_step(self.frames)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self.model._m_step(self.frames, log_responsibilities)
        return float(log_likelihood)


def products(frames: Frames, n_components: int, covariance_type: str) -> Callable[[], object]:
    """The two dense products of this shape: scores, then moments."""
    n, D = frames.shape
    n_terms = {"spherical": D + 1, "tied": D + 1, "diag": 2 * D, "full": D * (D + 3) // 2}[covariance_type]
    random = np.random.default_rng(0)
    terms = random.normal(size=(n, n_terms)).astype(np.float32)
    coefficients = random.normal(size=(n_terms, n_components)).astype(np.float32)
    scores = np.empty((n, n_components), np.float32)
    moments = np.empty((n_components, n_terms), np.float32)

    def both() -> None:
        np.dot(terms, coefficients, out=scores)
        np.dot(scores.T, terms, out=moments)

    return both


def seconds(work: Callable[[], object]) -> float:
    """Wall time of one call."""
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def timed_step(training: Training, threads: int) -> float:
    """Seconds of the next pass; the training itself stays where it is."""
    ahead = training.copy()
    return seconds(lambda: ahead.step(threads))


def run(case: str, speech: Speech, repeats: int, passes: int, peers: bool) -> None:
    """Print the rows of one case."""
    covariance_type, n_frames, n_components = case.split(":")
    frames = speech.frames(int(n_frames))
    training = Training(start(frames, int(n_components), covariance_type), frames)
    Evaluator(training.mixture).accumulate(frames[:64])  # compiles
    for _ in range(passes):
        training.step(2)
    mixture = training.mixture
    next_pass = training.copy()
    stats = next_pass.step(2)
    kept = mixture.n_components - stats.skipped / len(frames)
    ours = stats.log_likelihood / len(frames)
    print(
        f"\n{case}: pass {passes + 1}, {kept:.1f} components a frame kept, {ours:.4f} nats a frame, "
        f"{next_pass.spared:.0%} of scores spared by carried bounds"
    )

    roof = products(frames, mixture.n_components, covariance_type)
    turns: dict[str, tuple[Callable[[], float], int]] = {
        "roofline": (lambda: seconds(roof), 2),
        "roofline, one thread": (lambda: seconds(roof), 1),
        "audiogmm": (lambda: timed_step(training, 2), 2),
        "audiogmm, one thread": (lambda: timed_step(training, 1), 1),
    }
    best = dict.fromkeys(turns, np.inf)
    for _ in range(repeats):
        for name, (turn, threads) in turns.items():
            with threadpool_limits(threads):
                best[name] = min(best[name], turn())
    for dtype in ("float32", "float64") if peers else ():
        try:
            theirs = Theirs(mixture, frames, dtype)
            times = [seconds(theirs) for _ in range(3)]
        except ValueError as error:
            print(f"  scikit-learn {dtype}: {str(error).splitlines()[0]}")
            continue
        best[f"scikit-learn {dtype}"] = min(times)
        print(f"  log-likelihood a frame less scikit-learn {dtype}: {ours - theirs():+.2e}")
    for name, took in best.items():
        basis = best["roofline, one thread" if "one thread" in name else "roofline"]
        mine = best["audiogmm, one thread" if "one thread" in name else "audiogmm"]
        print(f"  {name:22s} {took:8.4f} s   {took / basis:7.2f} rooflines   {took / mine:7.2f} of ours")


def bounds(sizes: list[int], frames: Frames, covariance_type: str, threads: int, repeats: int) -> None:
    """Print what carried bounds spare at each size, pass by pass."""
    kernels.LEAST_COMPONENTS = 1  # type: ignore[attr-defined]
    print(
        f"{len(frames)} frames in recording order, {covariance_type}, {threads} threads; a pass: "
        "scores spared, microseconds a frame with carried bounds / without"
    )
    print("     K  " + "".join(f"{f'pass {number}':>19s}" for number in SHOWN) + "   mean of all")
    costs: dict[int, tuple[float, float]] = {}
    for K in sizes:
        mixture = start(frames, K, covariance_type)
        training = Training(mixture, frames)
        cells, shares = [], []
        Evaluator(mixture).accumulate(frames[:64])  # compiles
        for number in range(1, max(SHOWN) + 1):
            if number in SHOWN:
                plain = Training(training.mixture, frames, carries=False)
                took = [[timed_step(way, threads) for way in (training, plain)] for _ in range(repeats)]
                costs[K] = tuple(1e6 * np.min(took, axis=0) / len(frames))
            training.step(threads)
            shares.append(training.spared)
            if number in SHOWN:
                cells.append(f"{training.spared:.0%} {costs[K][0]:.2f}/{costs[K][1]:.2f}")
        row = "".join(f"{cell:>19s}" for cell in cells)
        print(f"{K:6d}  {row}   {np.mean(shares):.0%}", flush=True)
    for small, large in pairwise(sizes):
        ratios = [after / before for before, after in zip(costs[small], costs[large], strict=True)]
        print(
            f"{large / small:g} times the components, from {small} to {large}: a frame of pass {max(SHOWN)} "
            f"costs {ratios[0]:.2f} times as much with carried bounds, {ratios[1]:.2f} without"
        )


def memory(n_frames: int, n_components: int) -> None:
    """Print by how much the process grows over two passes."""
    random = np.random.default_rng(0)
    frames = random.standard_normal((n_frames, 60), dtype=np.float32)
    mixture = start(frames, n_components, "diag")
    Training(mixture, frames[:4096]).step(2)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    training = Training(mixture, frames)
    for _ in range(2):
        training.step(2)
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    print(f"{n_frames} frames, K={n_components}: peak memory {grown:.0f} MB over that of 4096 frames")


def main() -> None:
    """Parse, run, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("cases", nargs="*", default=CASES, help="covariance:frames:components")
    parser.add_argument("--repeats", type=int, default=None, help="rounds; 20, and 3 with --bounds")
    parser.add_argument("--passes", type=int, default=8)
    parser.add_argument("--bounds", type=int, nargs="*", metavar="K", help="measure carried bounds at sizes")
    parser.add_argument("--frames", type=int, default=100_000, help="of --bounds")
    parser.add_argument("--covariance", default="diag", choices=("diag", "spherical"), help="of --bounds")
    parser.add_argument("--threads", type=int, default=2, help="of --bounds")
    parser.add_argument("--no-peers", action="store_true", help="scikit-learn takes its time")
    parser.add_argument("--memory", action="store_true", help="only measure memory")
    options = parser.parse_args()
    if options.memory:
        worker = multiprocessing.get_context("spawn").Process(target=memory, args=(1_000_000, 1024))
        worker.start()
        worker.join()
        return
    speech = Speech()
    if options.bounds is not None:
        frames = speech.frames(options.frames)
        sizes = options.bounds or list(SIZES)
        bounds(sizes, frames, options.covariance, options.threads, options.repeats or 3)
        return
    blas = {f"{lib['internal_api']} {lib.get('architecture', '')}" for lib in threadpool_info()}
    print(f"frames: {speech.name}; BLAS of the roofline: {', '.join(sorted(blas))}")
    for case in options.cases:
        run(case, speech, options.repeats or 20, options.passes, not options.no_peers)


if __name__ == "__main__":
    main()
