#!/usr/bin/env python
"""Time a pass of EM beside scikit-learn's and beside bare matrix products, in one run on the same frames.

    python scripts/bench_em.py                             # the table
    python scripts/bench_em.py diag:100000:1024 --repeats 40
    python scripts/bench_em.py --memory                    # what 1M frames and 1,024 components take

Frames are 60-dimensional cepstra with two deltas of `librispeech_bg` in the folder that AUDIOGMM_DATA
names, normalised a recording; or else drawn from a mixture. Everybody is timed from the same model,
reached after a few passes: a pass is E-step and M-step. Turns are taken in each round, and the best of the
rounds counts. The roofline is the two dense float32 matrix products of the job's shape, scores and moments,
by the BLAS of NumPy; for full covariances over the distinct products of two features. It is as fast as that
BLAS: its name is printed, and OPENBLAS_CORETYPE can slow it down.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import resource
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_info, threadpool_limits

from audiogmm.audio.frontend import FrontEnd
from audiogmm.audio.recording import recordings
from audiogmm.manifest import read_manifest
from audiogmm.mixture.evaluator import Evaluator
from audiogmm.mixture.gaussian import Mixture
from audiogmm.mixture.maximisation import maximise
from audiogmm.mixture.statistics import SufficientStats
from audiogmm.training.batch import EStep
from audiogmm.training.reduce import LocalReducer
from audiogmm.training.source import InMemory
from audiogmm.types import Frames

CASES = (
    "diag:200000:256",
    "diag:100000:1024",
    "diag:100000:4096",
    "full:50000:128",
    "tied:100000:256",
    "spherical:100000:256",
)
REGULARISED = 1e-6
"""scikit-learn's default `reg_covar`, given to everybody, and our floor."""


def speech(n_frames: int) -> Frames:
    """Frames of real speech, in a fixed random order, repeated where there are too few."""
    folder = os.environ.get("AUDIOGMM_DATA")
    if not folder:
        random = np.random.default_rng(0)
        centres = random.normal(size=(300, 60))
        return (centres[random.integers(300, size=n_frames)] + random.normal(size=(n_frames, 60))).astype(
            "f4"
        )
    frontend = FrontEnd.preset("speech", cmvn="utterance", cmvn_variance=True)
    entries = read_manifest(Path(folder) / "librispeech_bg.jsonl")
    blocks = (
        block.frames for recording in recordings(entries, frontend, sample_rate=16000) for block in recording
    )
    frames = np.concatenate(list(blocks))
    order = np.random.default_rng(0).permutation(len(frames))
    return np.ascontiguousarray(frames[np.resize(order, n_frames)])


def start(frames: Frames, n_components: int, covariance_type: str) -> Mixture:
    """Means at random frames, the covariance of all frames."""
    random = np.random.default_rng(1)
    sample = frames[:20_000].astype(np.float64)
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


def our_pass(mixture: Mixture, frames: Frames, threads: int) -> tuple[Mixture, SufficientStats]:
    """One pass, the way training does it."""
    with LocalReducer(threads) as reducer:
        stats = InMemory(frames).reduce(reducer, EStep(Evaluator(mixture)))
    return maximise(stats, previous=mixture, floor=REGULARISED, reg_covar=REGULARISED)[0], stats


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


def run(case: str, all_frames: Frames, repeats: int, passes: int, peers: bool) -> None:
    """Print the rows of one case."""
    covariance_type, n_frames, n_components = case.split(":")
    frames = all_frames[: int(n_frames)]
    mixture = start(frames, int(n_components), covariance_type)
    Evaluator(mixture).accumulate(frames[:64])  # compiles
    history = []
    for _ in range(passes):
        mixture, stats = our_pass(mixture, frames, 2)
        history.append(stats.log_likelihood / len(frames))
    kept = mixture.n_components - stats.skipped / len(frames)
    print(f"\n{case}: pass {passes}, {kept:.1f} components a frame kept, {history[-1]:.4f} nats a frame")

    roof = products(frames, mixture.n_components, covariance_type)
    turns: dict[str, tuple[Callable[[], object], int]] = {
        "roofline": (roof, 2),
        "roofline, one thread": (roof, 1),
        "audiogmm": (lambda: our_pass(mixture, frames, 2), 2),
        "audiogmm, one thread": (lambda: our_pass(mixture, frames, 1), 1),
    }
    best = dict.fromkeys(turns, np.inf)
    for _ in range(repeats):
        for name, (work, threads) in turns.items():
            with threadpool_limits(threads):
                best[name] = min(best[name], seconds(work))
    _, stats = our_pass(mixture, frames, 2)
    ours = stats.log_likelihood / len(frames)
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


def memory(n_frames: int, n_components: int) -> None:
    """Print by how much the process grows over one pass."""
    random = np.random.default_rng(0)
    frames = random.standard_normal((n_frames, 60), dtype=np.float32)
    mixture = start(frames, n_components, "diag")
    our_pass(mixture, frames[:4096], 2)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    our_pass(mixture, frames, 2)
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    print(f"{n_frames} frames, K={n_components}: peak memory {grown:.0f} MB over that of 4096 frames")


def main() -> None:
    """Parse, run, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("cases", nargs="*", default=CASES, help="covariance:frames:components")
    parser.add_argument("--repeats", type=int, default=20)
    parser.add_argument("--passes", type=int, default=8)
    parser.add_argument("--no-peers", action="store_true", help="scikit-learn takes its time")
    parser.add_argument("--memory", action="store_true", help="only measure memory")
    options = parser.parse_args()
    if options.memory:
        worker = multiprocessing.get_context("spawn").Process(target=memory, args=(1_000_000, 1024))
        worker.start()
        worker.join()
        return
    blas = {f"{lib['internal_api']} {lib.get('architecture', '')}" for lib in threadpool_info()}
    frames = speech(max(int(case.split(":")[1]) for case in options.cases))
    source = "librispeech_bg" if "AUDIOGMM_DATA" in os.environ else "drawn"
    print(f"{len(frames)} frames, {source}; BLAS of the roofline: {', '.join(sorted(blas))}")
    for case in options.cases:
        run(case, frames, options.repeats, options.passes, not options.no_peers)


if __name__ == "__main__":
    main()
