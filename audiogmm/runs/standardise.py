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
from audiogmm.runs.inputs import Inputs
from audiogmm.runs.progress import Progress, say_nothing
from audiogmm.training import Reducer
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


def with_scale(inputs: Inputs, reducer: Reducer, progress: Progress) -> Inputs:
    """The inputs with a front end whose `sample_scale` is settled, where it is one that leaves it open.

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
class Measure:
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


def with_global_statistics(inputs: Inputs, reducer: Reducer, progress: Progress) -> Inputs:
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
            plain.aside.describe("none of the recordings could be used"),
            needed="at least one with a voiced frame",
            remedy="audiogmm manifest check, which says what is wrong with each",
        )
    return replace(inputs, frontend=standardised(frontend, total))


def standardised(frontend: FrontEnd, moments: SufficientStats) -> FrontEnd:
    """The front end with the means and deviations of some frames, at least one."""
    shift = moments.first[0] / moments.n_frames
    deviation = np.sqrt(np.maximum(moments.second[0] / moments.n_frames - shift**2, 0))
    deviation[deviation == 0] = 1.0
    return frontend.with_global(moments.origin + shift, deviation)
