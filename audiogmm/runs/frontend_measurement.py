"""What training measures once and keeps in the front end: the level, and means and deviations."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from audiogmm.audio.decode import open_audio
from audiogmm.audio.recording import Recording
from audiogmm.blocks import Shard
from audiogmm.errors import AudioDataError, TrainingError
from audiogmm.mixture.statistics import SufficientStats
from audiogmm.reduce import Reducer
from audiogmm.runs.inputs import Inputs
from audiogmm.runs.progress import Progress, say_nothing
from audiogmm.training.frames.packing import pack_frames

if TYPE_CHECKING:
    from audiogmm.audio.frontend.frontend import FrontEnd

LEVEL = 10 ** (-25 / 20)
"""Root mean square to which `sample_scale` brings the training audio: -25 dB, where the floor of the preset
`ambient` was chosen."""


@dataclass(frozen=True)
class Energy:
    """Sum of squared samples of a recording, and how many there are."""

    squares: float
    samples: int

    def __add__(self, other: Energy) -> Energy:
        return Energy(self.squares + other.squares, self.samples + other.samples)


@dataclass(frozen=True)
class MeasureEnergy:
    """Decodes a recording and adds up its energy; runs in a thread or a worker process."""

    def __call__(self, recording: Recording) -> Energy:
        total = Energy(0.0, 0)
        with open_audio(recording.entry, warn=say_nothing) as stream:
            for samples in stream:
                squares = np.square(samples.astype(np.float64))
                total = total + Energy(float(squares.sum()), len(samples))
        return total


def needs_measuring(frontend: FrontEnd | None) -> bool:
    """Whether a front end leaves something open that is measured on the training audio."""
    return frontend is not None and (frontend.sample_scale == 0 or _is_open(frontend))


def measure_scale(inputs: Inputs, reducer: Reducer, progress: Progress) -> Inputs:
    """Settle the `sample_scale` of a front end that leaves it open.

    Whether the microphone was near or far, the training audio then has one level, and the floor under the
    logarithm lies as far below it. The scale is part of the model: later recordings keep their own level.
    """
    frontend = inputs.frontend
    if frontend is None or frontend.sample_scale != 0:
        return inputs
    progress.begin("measuring the level", None, "recordings")
    total = reducer.reduce(inputs, MeasureEnergy(), inputs.refuse, lambda _: progress.advance(1))
    progress.end()
    scale = scale_of(total or Energy(0.0, 0))
    return replace(inputs, frontend=replace(frontend, sample_scale=scale))


def measure_frontend(inputs: Inputs, reducer: Reducer, progress: Progress) -> Inputs:
    """Settle the scale of a front end, and the statistics of its global normalization.

    Raises
    ------
    TrainingError
        If no recording has a voiced frame.
    """
    inputs = measure_scale(inputs, reducer, progress)
    frontend = inputs.frontend
    if frontend is None or not _is_open(frontend):
        return inputs
    plain = replace(inputs, frontend=frontend.without_global())
    progress.begin("measuring means and deviations", None, "recordings")
    total = reducer.reduce(plain, MeasureMoments(), plain.refuse, lambda _: progress.advance(1))
    progress.end()
    if total is None or not total.n_frames:
        raise TrainingError(
            plain.aside.describe("none of the recordings could be used"),
            needed="at least one with a voiced frame",
            remedy="audiogmm manifest check, which says what is wrong with each",
        )
    return replace(inputs, frontend=standardized(frontend, total))


def _is_open(frontend: FrontEnd) -> bool:
    """Whether the statistics of global normalization are still to be measured."""
    return frontend.cmvn == "global" and not frontend.cmvn_mean


def scale_of(energy: Energy) -> float:
    """What brings audio of this energy to `LEVEL`, to four digits; 1 for digital silence.

    Examples
    --------
    >>> scale_of(Energy(1.0, 100)), scale_of(Energy(0.0, 0))
    (0.5623, 1.0)
    """
    if energy.squares == 0:
        return 1.0
    return float(f"{LEVEL / np.sqrt(energy.squares / energy.samples):.4g}")


@dataclass(frozen=True)
class MeasureMoments:
    """Moments of the voiced frames of a recording; runs in a thread or a worker process."""

    def __call__(self, shard: Shard) -> SufficientStats:
        total: SufficientStats | None = None
        for rows in pack_frames(shard):  # windows of one size, so that the sums do not depend on the blocks
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


def standardized(frontend: FrontEnd, moments: SufficientStats) -> FrontEnd:
    """The front end with the means and deviations of some frames, at least one."""
    shift = moments.first[0] / moments.n_frames
    deviation = np.sqrt(np.maximum(moments.second[0] / moments.n_frames - shift**2, 0))
    deviation[deviation == 0] = 1.0
    return frontend.with_global(moments.origin + shift, deviation)
