"""The first seconds of a stream: they set what a front end leaves to training."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from audiogmm.audio.frontend.stream import FrameStream
from audiogmm.blocks import FrameBlock
from audiogmm.errors import AudioDataError
from audiogmm.runs.frontend_measurement import Energy, MeasureMoments, scale_of, standardized
from audiogmm.types import Samples, Seconds

if TYPE_CHECKING:
    from audiogmm.audio.frontend.frontend import FrontEnd


def is_open(frontend: FrontEnd) -> bool:
    """Return whether a front end leaves its scale, or its means and deviations, to training.

    Examples
    --------
    >>> from audiogmm.audio.frontend.frontend import FrontEnd
    >>> is_open(FrontEnd.preset("ambient")), is_open(FrontEnd.preset("speech"))
    (True, False)
    """
    return frontend.sample_scale == 0 or (frontend.cmvn == "global" and not frontend.cmvn_mean)


@dataclass
class ColdStart:
    """Keep the first seconds of a stream, from its first sample that is not zero.

    Parameters
    ----------
    seconds : Seconds
        How much to keep.
    sample_rate : int
        Of the samples, hertz.

    Attributes
    ----------
    skipped : int
        Samples of digital silence before the first sound.

    Examples
    --------
    >>> cold = ColdStart(0.5, 8000)
    >>> cold.push(np.zeros(8000, np.float32)), cold.push(np.ones(8000, np.float32))
    (8000, 4000)
    >>> cold.enough, cold.skipped
    (True, 8000)
    """

    seconds: Seconds
    sample_rate: int
    skipped: int = 0
    _pieces: list[Samples] = field(default_factory=list)
    _n_samples: int = 0

    @property
    def enough(self) -> bool:
        """Whether it is as long as it should be."""
        return self._n_samples >= self._wanted

    @property
    def _wanted(self) -> int:
        return max(1, round(self.seconds * self.sample_rate))

    def push(self, samples: Samples) -> int:
        """Take from the next samples what is missing; return how many were taken, skipped ones included."""
        taken = 0
        if not self._n_samples:
            sounding = np.flatnonzero(samples)
            taken = int(sounding[0]) if len(sounding) else len(samples)
            self.skipped += taken
        kept = samples[taken : taken + self._wanted - self._n_samples]
        if len(kept):
            self._pieces.append(kept.copy())
            self._n_samples += len(kept)
        return taken + len(kept)

    @property
    def samples(self) -> Samples:
        """What was kept, shape (n_samples,), float32."""
        return np.concatenate(self._pieces) if self._pieces else np.zeros(0, np.float32)

    def complete(self, frontend: FrontEnd) -> FrontEnd:
        """Return the front end with the scale, and the means and deviations, of this sound.

        Raises
        ------
        AudioDataError
            If there is no sound, or no voiced frame in it.
        """
        samples = self.samples
        if not len(samples):
            raise AudioDataError(
                f"{self.skipped / self.sample_rate:.3f} s of digital silence",
                needed="some sound to learn from",
                remedy="check the microphone, or the messages of the program that writes to it",
            )
        if frontend.sample_scale == 0:
            squares = np.square(samples.astype(np.float64))
            frontend = replace(frontend, sample_scale=scale_of(Energy(float(squares.sum()), len(samples))))
        if frontend.cmvn == "global" and not frontend.cmvn_mean:
            plain = FrameStream(frontend.without_global(), self.sample_rate)
            shard = _First(plain.push(samples) + plain.flush())
            frontend = standardized(frontend, MeasureMoments()(shard))
        return frontend


@dataclass(frozen=True)
class _First:
    """The first blocks of a stream, as a `Shard`."""

    blocks: list[FrameBlock]
    id: str = "the beginning of the stream"

    def __iter__(self) -> Iterator[FrameBlock]:
        if not self.blocks:
            raise AudioDataError(f"{self.id} is shorter than a frame", needed="a longer stream")
        return iter(self.blocks)
