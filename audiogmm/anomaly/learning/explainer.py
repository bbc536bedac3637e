"""The explainer of a model: its bands as data, and the normal moments that it learns and keeps."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from audiogmm.anomaly.bands import BandMap
from audiogmm.anomaly.counterfactual import covariance_of
from audiogmm.anomaly.explanation import EventExplainer
from audiogmm.anomaly.learning.frontend_bands import mel_bands
from audiogmm.anomaly.modulation import Modulation
from audiogmm.anomaly.normal_moments import MOST_MOMENTS, PREFIX, NormalMoments
from audiogmm.anomaly.normal_window import Windower, WindowPlan, WindowRows
from audiogmm.anomaly.ranges import Ranges
from audiogmm.blocks import Shard
from audiogmm.errors import AudioGMMError, MismatchError
from audiogmm.mixture.gaussian import Mixture
from audiogmm.runs.holdout import Excerpt, rank
from audiogmm.runs.progress import Progress
from audiogmm.scoring.likelihood import score_blocks
from audiogmm.types import FloatArray

if TYPE_CHECKING:
    from audiogmm.audio.frontend.frontend import FrontEnd
    from audiogmm.mixture.evaluator import Evaluator
    from audiogmm.mixture.store import Model
    from audiogmm.reduce import Reducer

MOST_RECORDINGS = 200
"""Recordings in which normal moments are looked for: those whose names have the smallest hashes."""

GROUPS = 3
"""Tracks of low, middle and high bands whose movements are measured, beside that of all bands."""


def make_explainer(model: Model) -> EventExplainer:
    """What says why events are anomalous, from a model, its front end and its normal moments.

    Without moments (models of earlier versions, or trained with nothing held out) there is no comparison.
    """
    from audiogmm.runs.frontends import read_frontend

    frontend = read_frontend(model)
    moments = None
    if model.metadata.moments is not None:
        moments = NormalMoments.from_parts(model.metadata.moments, model.tensors)
    bands = _bands(frontend)
    rate = _frame_rate(model, frontend)
    plan = plan_of(frontend, bands, model.mixture, rate)
    if moments is not None:  # what moved when they were learnt: the mixture may have been another one
        plan = replace(plan, modulation=Modulation(moments.tracks, rate))
    if bands is None:
        ranges, level = Ranges.of_columns(plan.static, model.mixture.n_features), None
    else:
        ranges = Ranges.of_bands(bands)
        level = bands.matrix.mean(axis=0) if bands.absolute else None
    return EventExplainer(model.mixture, plan, ranges, level, moments)


def with_moments(model: Model, moments: NormalMoments | None) -> Model:
    """The same model with other normal moments, or without any."""
    if moments is None:
        return model.with_part("moments", PREFIX, None)
    return model.with_part("moments", PREFIX, moments.metadata(), moments.tensors())


def plan_of(
    frontend: FrontEnd | None, bands: BandMap | None, mixture: Mixture, frame_rate: float
) -> WindowPlan:
    """How moments of the frames of a model are described."""
    n_static = mixture.n_features if frontend is None else frontend.n_static
    every_frame = frontend is not None and frontend.vad == "none"
    return WindowPlan(Modulation(_tracks(bands, mixture), frame_rate), np.arange(n_static), every_frame)


@dataclass(frozen=True)
class MomentsTask:
    """Describes the moments of a recording; runs in a thread or a worker process."""

    evaluator: Evaluator
    frontend: FrontEnd | None
    held_out: bool

    def __call__(self, shard: Shard) -> WindowRows | None:
        whole = shard.shard if isinstance(shard, Excerpt) else shard
        path = getattr(getattr(whole, "entry", None), "path", None)
        windower: Windower | None = None
        for block, scores in score_blocks(self.evaluator, shard):
            if windower is None:
                plan = plan_of(
                    self.frontend,
                    _bands(self.frontend),
                    self.evaluator.mixture,
                    block.clock.frame_rate,
                )
                windower = Windower(plan, shard.id, path or "", self.held_out, MOST_MOMENTS)
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
    """Look for normal moments in recordings; None if there are none.

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
        Who listens.
    """
    progress.begin("describing normal sound", None, "recordings")

    def rows() -> Iterable[WindowRows | None]:
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


def _bands(frontend: FrontEnd | None) -> BandMap | None:
    if frontend is None or frontend.sample_rate is None:
        return None
    return mel_bands(frontend, frontend.sample_rate)


def _frame_rate(model: Model, frontend: FrontEnd | None) -> float:
    for kept in (model.metadata.moments, model.metadata.detector):
        if kept is not None:
            return float(kept["frame_rate"])
    return 1.0 if frontend is None else frontend.clock(model.metadata.required_sample_rate).frame_rate


def _tracks(bands: BandMap | None, mixture: Mixture) -> FloatArray:
    """What is heard moving: levels of few broad bands, or else the longest axes of the whole mixture."""
    if bands is not None:
        tracks = bands.grouped(min(GROUPS, bands.n_bands)).matrix
        return np.vstack([bands.matrix.mean(axis=0), tracks]) if bands.absolute else tracks
    away = mixture.means - mixture.centre
    total = np.einsum("k,ki,kj->ij", mixture.weights, away, away)
    for k, weight in enumerate(mixture.weights.tolist()):
        total += weight * covariance_of(mixture, k)
    axes: FloatArray = np.linalg.eigh(total)[1][:, ::-1][:, :GROUPS].T
    return axes
