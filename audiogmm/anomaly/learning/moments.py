"""Learn normal moments from recordings."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from audiogmm.anomaly.bands import BandMap
from audiogmm.anomaly.counterfactual import covariance_of
from audiogmm.anomaly.learning.frontend_bands import band_maps
from audiogmm.anomaly.modulation import Modulation
from audiogmm.anomaly.moment import MomentCutter, MomentPlan, MomentRows
from audiogmm.anomaly.normal_moments import MOST_MOMENTS, NormalMoments
from audiogmm.blocks import Shard
from audiogmm.errors import AudioGMMError, MismatchError
from audiogmm.manifest.entry import STANDARD_INPUT
from audiogmm.mixture.gaussian import Mixture
from audiogmm.runs.holdout import Excerpt, rank
from audiogmm.runs.progress import Progress
from audiogmm.scoring.likelihood import score_blocks
from audiogmm.types import FloatArray
from audiogmm.words import SOUND, TABLE

if TYPE_CHECKING:
    from audiogmm.audio.frontend.frontend import FrontEnd
    from audiogmm.mixture.evaluator import Evaluator
    from audiogmm.reduce import Reducer

MOST_RECORDINGS = 200
"""Recordings in which normal moments are looked for: those whose names have the smallest hashes."""

GROUPS = 3
"""Tracks of low, middle and high bands whose modulation is measured, and of all bands together."""


def make_plan(frontend: FrontEnd | None, mixture: Mixture, frame_rate: float) -> MomentPlan:
    """Make the plan by which moments of the frames of a model are described."""
    n_static = mixture.n_features if frontend is None else frontend.n_static
    every_frame = frontend is not None and frontend.vad == "none"
    bands = next(iter(band_maps(frontend)), None)
    return MomentPlan(Modulation(_tracks(bands, mixture), frame_rate), np.arange(n_static), every_frame)


@dataclass(frozen=True)
class MomentsTask:
    """Describes the moments of a recording; runs in a thread or a worker process."""

    evaluator: Evaluator
    frontend: FrontEnd | None
    held_out: bool

    def __call__(self, shard: Shard) -> MomentRows | None:
        whole = shard.shard if isinstance(shard, Excerpt) else shard
        path = getattr(getattr(whole, "entry", None), "original_path", None)
        windower: MomentCutter | None = None
        for block, scores in score_blocks(self.evaluator, shard):
            if windower is None:
                plan = make_plan(self.frontend, self.evaluator.mixture, block.clock.frame_rate)
                named = "" if path in (None, STANDARD_INPUT) else path
                windower = MomentCutter(plan, shard.id, named, self.held_out, MOST_MOMENTS)
            windower.push(block, scores)
        return None if windower is None else windower.flush()


def learn_moments(
    evaluator: Evaluator,
    frontend: FrontEnd | None,
    parts: Iterable[tuple[Iterable[Shard], bool]],
    reducer: Reducer,
    on_error: Callable[[str, AudioGMMError], None] | None,
    progress: Progress,
) -> NormalMoments | None:
    """Describe moments of normal recordings; None if there are none.

    Parameters
    ----------
    evaluator : Evaluator
        Gives scores.
    frontend : FrontEnd or None
        Of the frames, with its sample rate.
    parts : iterable of (recordings, held_out)
        Normal recordings, and whether the evaluator's mixture has not seen them.
    reducer : Reducer
        Who reads.
    on_error : callable, optional
        Takes recordings that cannot be read; by default the first one raises.
    progress : Progress
        Shows how far it is.
    """
    terms = TABLE if frontend is None else SOUND
    progress.begin(f"describing normal {terms.material}", None, f"{terms.recording}s")

    def rows() -> Iterable[MomentRows | None]:
        for shards, held_out in parts:
            task = MomentsTask(evaluator, frontend, held_out)
            chosen = heapq.nsmallest(MOST_RECORDINGS, shards, key=lambda shard: rank(shard.id, 0))
            yield from reducer.map(chosen, task, on_error)

    try:
        return NormalMoments.of(rows())
    except MismatchError:
        return None
    finally:
        progress.end()


def _tracks(bands: BandMap | None, mixture: Mixture) -> FloatArray:
    """What modulation is measured of: levels of a few broad bands, or else the mixture's principal axes."""
    if bands is not None:
        tracks = bands.grouped(min(GROUPS, bands.n_bands)).matrix
        return np.vstack([bands.matrix.mean(axis=0), tracks]) if bands.absolute else tracks
    away = mixture.means - mixture.center
    total = np.einsum("k,ki,kj->ij", mixture.weights, away, away)
    for k, weight in enumerate(mixture.weights.tolist()):
        total += weight * covariance_of(mixture, k)
    axes: FloatArray = np.linalg.eigh(total)[1][:, ::-1][:, :GROUPS].T
    return axes
