"""A model of a steady sound in twelve bands, normal moments of it, and recordings of it that were changed."""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise

import numpy as np

from audiogmm.anomaly.bands import BandMap
from audiogmm.anomaly.explainer import EventExplainer
from audiogmm.anomaly.modulation import Modulation
from audiogmm.anomaly.moment import MomentCutter, MomentPlan
from audiogmm.anomaly.normal_moments import NormalMoments
from audiogmm.anomaly.ranges import Ranges
from audiogmm.blocks import FrameBlock
from audiogmm.mixture.gaussian import Mixture
from audiogmm.timeline import FrameClock

CLOCK = FrameClock(8000, 80, 200)
N_BANDS = 12
HERTZ = np.stack([np.arange(12) * 200.0, np.arange(1, 13) * 200.0, np.arange(2, 14) * 200.0], axis=1)
BANDS = BandMap(np.eye(N_BANDS, 2 * N_BANDS), np.zeros(N_BANDS), HERTZ, True)
"""Features are the levels of the bands themselves, and their deltas."""

TRACKS = np.vstack([BANDS.matrix.mean(axis=0), BANDS.grouped(3).matrix])
PLAN = MomentPlan(Modulation(TRACKS, 100.0), np.arange(N_BANDS), every_frame=True)


def mixture(form: str = "full") -> Mixture:
    """Two components: the strokes of the machine, and what is between them, 6 dB quieter."""
    level = np.full((N_BANDS, N_BANDS), 0.6) + np.eye(N_BANDS)
    whole = np.zeros((2 * N_BANDS, 2 * N_BANDS))
    whole[:N_BANDS, :N_BANDS] = level
    whole[N_BANDS:, N_BANDS:] = 0.5 * level
    full = np.stack([whole, 1.2 * whole])
    means = np.zeros((2, 2 * N_BANDS))
    means[1, :N_BANDS] = 6.0
    covariances = {"full": full, "diag": np.diagonal(full, axis1=1, axis2=2)}[form]
    return Mixture([0.5, 0.5], means, covariances, form)  # type: ignore[arg-type]


def sound(n: int, seed: int, rate: float = 2.0) -> np.ndarray:
    """Frames of the machine: `rate` strokes a second, half of the time each."""
    rng = np.random.default_rng(seed)
    phase = rng.uniform() + np.cumsum(np.full(n, rate / 100.0) * rng.normal(1, 0.05, n))
    static = rng.normal(0, 1, (n, N_BANDS)) + 0.77 * rng.normal(0, 1, (n, 1))
    static += 6.0 * (phase % 1 < 0.5)[:, None]
    deltas = 0.7 * (rng.normal(0, 1, (n, N_BANDS)) + 0.77 * rng.normal(0, 1, (n, 1)))
    return np.hstack([static, deltas]).astype(np.float32)


def rows(id: str, frames: np.ndarray, cuts: tuple[int, ...] = (), most: int = 500) -> object:
    """The normal moments of one recording, read in pieces."""
    windower = MomentCutter(PLAN, id, f"/normal/{id}.wav", True, most)
    for block in blocks(frames, cuts):
        windower.push(block, -np.abs(block.frames[:, 0]).astype(np.float64))
    return windower.flush()


def blocks(frames: np.ndarray, cuts: tuple[int, ...] = ()) -> list[FrameBlock]:
    """A recording in pieces."""
    bounds = sorted({0, *(cut for cut in cuts if cut < len(frames)), len(frames)})
    return [
        FrameBlock(frames[first:last], np.ones(last - first, bool), first, CLOCK)
        for first, last in pairwise(bounds)
    ]


@lru_cache
def moments() -> NormalMoments:
    """Of twelve recordings, with the log-likelihoods of the model as scores."""
    from audiogmm.mixture.evaluator import Evaluator

    evaluator, found = Evaluator(mixture()), []
    for i in range(12):
        windower = MomentCutter(PLAN, f"n{i}", f"/normal/n{i}.wav", True, 500)
        for block in blocks(sound(2000, 100 + i)):
            windower.push(block, evaluator.log_likelihood(block.frames))
        found.append(windower.flush())
    return NormalMoments.of(found)


@lru_cache
def explainer(with_moments: bool = True, form: str = "full") -> EventExplainer:
    """Of the model above."""
    level = BANDS.matrix.mean(axis=0)
    return EventExplainer(
        mixture(form), PLAN, Ranges.of_bands(BANDS), level, moments() if with_moments else None
    )


def columns_explainer() -> EventExplainer:
    """Of a model of three columns that are no bands."""
    model = Mixture([1.0], [[0.0, 1.0, 2.0]], [[1.0, 4.0, 9.0]], "diag")
    plan = MomentPlan(Modulation(np.eye(3), 1.0), np.arange(3), every_frame=False)
    return EventExplainer(model, plan, Ranges.of_columns(np.arange(3), 3))


FORMS = ("full", "tied", "diag", "spherical")


def a_mixture(form: str, K: int, D: int, seed: int) -> Mixture:
    rng = np.random.default_rng(seed)
    roots = rng.normal(0, 0.4, (K, D, D)) + np.eye(D)
    full = roots @ roots.transpose(0, 2, 1)
    covariances = {
        "full": full,
        "tied": full[0],
        "diag": np.diagonal(full, axis1=1, axis2=2),
        "spherical": full[:, 0, 0],
    }[form]
    weights = rng.uniform(0.2, 1.0, K)
    return Mixture(weights / weights.sum(), rng.normal(0, 2, (K, D)), covariances, form)  # type: ignore[arg-type]
