"""From the samples of a stream to frames: the first stage."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audiogmm.audio.frontend.resample import Resampler
from audiogmm.audio.frontend.stream import FrameStream
from audiogmm.blocks import FrameBlock
from audiogmm.telemetry.meter import count_done
from audiogmm.types import Samples, Seconds

if TYPE_CHECKING:
    from audiogmm.audio.frontend.frontend import FrontEnd


class FrameStage:
    """Turn samples into frames; audio below the front end's rate is resampled first.

    Parameters
    ----------
    frontend : FrontEnd
        Settings of the features.
    sample_rate : int
        Of the samples, hertz.
    at : Seconds
        Time of the first one.
    is_counted : bool
        Count frames and seconds: of one stage of an input.

    Attributes
    ----------
    clock : FrameClock
        Of the frames.

    Raises
    ------
    FrontEndError
        If the front end cannot stream.
    """

    def __init__(self, frontend: FrontEnd, sample_rate: int, at: Seconds, *, is_counted: bool = True) -> None:
        rate = max(sample_rate, frontend.sample_rate or sample_rate)
        self._resampler = Resampler(sample_rate, rate) if rate != sample_rate else None
        self._stream = FrameStream(frontend, rate, at)
        self.clock = self._stream.clock
        self._is_counted = is_counted

    def push(self, samples: Samples) -> list[FrameBlock]:
        """Take the next samples; give the blocks that they complete."""
        resampled = samples if self._resampler is None else self._resampler.push(samples)
        return self._counted(self._stream.push(resampled))

    def flush(self) -> list[FrameBlock]:
        """Give the rest."""
        blocks = [] if self._resampler is None else self._stream.push(self._resampler.flush())
        return self._counted(blocks + self._stream.flush())

    def _counted(self, blocks: list[FrameBlock]) -> list[FrameBlock]:
        return counted(blocks) if self._is_counted else blocks


def counted(blocks: list[FrameBlock]) -> list[FrameBlock]:
    """Return blocks whose frames and seconds are counted."""
    for block in blocks:
        count_done(frames=len(block), audio_seconds=len(block) / block.clock.frame_rate)
    return blocks
