"""A small model, normal recordings of it, and every score learned from them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from audiogmm.anomaly.learning.assembly import make_score_context
from audiogmm.anomaly.learning.score_learning import learn_scores
from audiogmm.anomaly.scorers.learned import LearnedScores
from audiogmm.anomaly.scorers.score import NormalRecordings, ScoreContext
from audiogmm.anomaly.scorers.table import ScoreSpec, parse_scores
from audiogmm.audio.frontend.frontend import FrontEnd
from audiogmm.blocks import FrameBlock, Shard
from audiogmm.mixture.gaussian import Mixture
from audiogmm.reduce import LocalReducer
from audiogmm.timeline import FrameClock

CLOCK = FrameClock(8000, 80, 200)
FRONT_END = FrontEnd.preset("ambient", sample_rate=8000, sample_scale=1.0, n_mels=20, deltas=1)
D = FRONT_END.n_features()


@dataclass(frozen=True, eq=False)
class Frames:
    """A recording in memory."""

    id: str
    frames: np.ndarray
    voiced: np.ndarray
    cuts: tuple[int, ...] = ()

    def __iter__(self) -> Iterator[FrameBlock]:
        bounds = sorted({0, *(cut for cut in self.cuts if cut < len(self.frames)), len(self.frames)})
        for first, last in pairwise(bounds):
            yield FrameBlock(self.frames[first:last], self.voiced[first:last], first, CLOCK)


def mixture(form: str = "full", K: int = 3, seed: int = 0) -> Mixture:
    """A mixture of the front end's features."""
    rng = np.random.default_rng(seed)
    means = rng.normal(0, 1, (K, D))
    roots = rng.normal(0, 0.3, (K, D, D)) + np.eye(D)
    full = roots @ roots.transpose(0, 2, 1)
    covariances = {
        "full": full,
        "tied": full[0],
        "diag": np.diagonal(full, axis1=1, axis2=2),
        "spherical": full[:, 0, 0],
    }[form]
    return Mixture(np.full(K, 1 / K), means, covariances, form)  # type: ignore[arg-type]


def recordings(
    n: int = 6, n_frames: int = 400, model: Mixture | None = None, prefix: str = "r"
) -> list[Frames]:
    """Normal recordings, a tenth of whose frames are not voiced."""
    model = model or mixture()
    found = []
    for i in range(n):
        rng = np.random.default_rng(100 + i)
        frames = model.sample(n_frames, seed=i)[0].astype(np.float32)
        found.append(Frames(f"{prefix}{i}", frames, rng.random(n_frames) > 0.1))
    return found


def context(model: Mixture | None = None, **changes: object) -> ScoreContext:
    """What scores are made from."""
    return make_score_context(model or mixture(), FRONT_END, CLOCK.frame_rate, **changes)  # type: ignore[arg-type]


def learned(
    names: str | Sequence[ScoreSpec], model: Mixture | None = None, **changes: object
) -> LearnedScores:
    """Scores learned from four recordings and put on a scale by four others."""
    every = recordings(8, model=model)
    return learned_from(names, context(model), every[:4], every[4:], **changes)


def learned_from(
    names: str | Sequence[ScoreSpec],
    on: ScoreContext,
    fitted: Iterable[Shard],
    held_out: Iterable[Shard],
    **changes: object,
) -> LearnedScores:
    """Scores learned from some recordings and put on a scale by others."""
    specs = parse_scores(names) if isinstance(names, str) else tuple(names)
    with LocalReducer(1) as reducer:
        normal = NormalRecordings(fitted, held_out, reducer, None)
        (found,) = learn_scores(specs, [(on, normal)], **changes)  # type: ignore[arg-type]
        return found
