"""Global normalisation: mean and deviation of every feature, measured once, kept in the front end."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from audiogmm.blocks import Shard
from audiogmm.errors import AudioDataError, TrainingError
from audiogmm.jobs.inputs import Inputs
from audiogmm.jobs.progress import Progress
from audiogmm.mixture.statistics import SufficientStats
from audiogmm.training import LocalReducer
from audiogmm.training.packing import packed


@dataclass(frozen=True)
class Measure:
    """Moments of the voiced frames of a recording; runs in a thread or a worker process."""

    def __call__(self, shard: Shard) -> SufficientStats:
        total: SufficientStats | None = None
        for rows in packed(shard):  # windows of one size, so that the sums do not depend on the blocks
            frames = rows.astype(np.float64)
            origin = frames[0] if total is None else total.origin
            part = SufficientStats.measure(frames, origin=origin, covariance_type="diag")
            total = part if total is None else total + part
        if total is None:
            raise AudioDataError(
                f"{shard.id} has no voiced frame",
                needed="at least one",
                remedy="another recording, or a front end without VAD",
            )
        return total


def with_global_statistics(inputs: Inputs, reducer: LocalReducer, progress: Progress) -> Inputs:
    """The inputs with a front end that normalises, where it is one that does so globally; others as they are.

    Raises
    ------
    TrainingError
        If no recording has a voiced frame.
    """
    frontend = inputs.frontend
    if frontend is None or frontend.cmvn != "global" or frontend.cmvn_mean:
        return inputs
    plain = replace(inputs, frontend=frontend.without_global())
    progress.begin("measuring means and deviations", None, "recordings")
    total = reducer.reduce(plain, Measure(), plain.refuse, lambda _: progress.advance(1))
    progress.end()
    if total is None or not total.n_frames:
        raise TrainingError(
            "no recording with a voiced frame",
            needed="at least one",
            remedy="audiogmm manifest check names why",
        )
    shift = total.first[0] / total.n_frames
    deviation = np.sqrt(np.maximum(total.second[0] / total.n_frames - shift**2, 0))
    deviation[deviation == 0] = 1.0
    return replace(inputs, frontend=frontend.with_global(total.origin + shift, deviation))
