"""Starts of candidates of many sizes: each grows from the next smaller one of its form."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from audiogmm.mixture.gaussian import Mixture
from audiogmm.mixture.splitting import grow_mixture
from audiogmm.training.schedule.batch import EM, KMeans
from audiogmm.training.seeding import FrameSample, Init, single_gaussian
from audiogmm.training.selection.candidates import Candidate
from audiogmm.training.starts import SPLIT_PASSES, Initializer, short_run

SETTLING_PASSES = 20
"""Passes over the sample, at most, of a start that is a candidate's: cheaper there than over all frames."""


def find_starts(
    candidates: Sequence[Candidate], sample: FrameSample, *, init: Init, seed: int, threads: int
) -> Callable[[Candidate], Mixture]:
    """Find the start of each candidate.

    Parameters
    ----------
    candidates : sequence of Candidate
        All candidates.
    sample : FrameSample
        Frames to start from.
    init : {"split", "k-means++", "random"}
        By splitting, sizes of a form are grown from one Gaussian by splitting and training on the sample in
        turn (Linde, Buzo and Gray 1980), one after the other; the other methods start each candidate by
        itself, as `train_mixture` does.
    seed : int
        Of all starts.
    threads : int
        Does not change the result.

    Returns
    -------
    callable
        Candidate to mixture.
    """
    found: dict[Candidate, Mixture] = {}
    for form in dict.fromkeys(candidate.form for candidate in candidates):
        sizes = sorted({c.n_components for c in candidates if c.form == form})
        method = (KMeans if form == "kmeans" else EM)(sample.floor)
        covariance_type = Candidate(form, 1).covariance_type
        if init == "split":
            mixture = single_gaussian(sample, covariance_type)
            for size in sizes:
                mixture = _grown(mixture, size, method, sample, threads)
                found[Candidate(form, size)] = mixture
            continue
        for size in sizes:
            starter = Initializer(init, size, covariance_type, method, threads)
            found[Candidate(form, size)] = starter.best(sample, seed, 1)[0]
    return found.__getitem__


def _grown(mixture: Mixture, size: int, method: EM | KMeans, sample: FrameSample, threads: int) -> Mixture:
    """Split and train a mixture in turn until it has `size` components, and train it there."""
    while mixture.n_components < size:
        mixture = grow_mixture(mixture, min(2 * mixture.n_components, size))
        if mixture.n_components < size:
            mixture = short_run(method, mixture, sample, SPLIT_PASSES, threads).mixture
    return short_run(method, mixture, sample, SETTLING_PASSES, threads, tol=1e-3).mixture
