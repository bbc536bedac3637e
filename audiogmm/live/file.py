"""A recording as a source: read from beginning to end, as fast as possible."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass

from audiogmm.audio.decoders.opening import open_decoder
from audiogmm.audio.mixdown import Mixdown
from audiogmm.errors import AudioDataError
from audiogmm.live.arrival import Arrival, Ended, Opened, Sound
from audiogmm.live.source import WaitPolicy
from audiogmm.manifest.entry import display_name
from audiogmm.reading import reading
from audiogmm.types import Seconds

BLOCK = 65536
"""Samples of each channel in a read."""


@dataclass
class File:
    """A recording of any format that can be decoded, or a URL.

    Parameters
    ----------
    name : str
        Path or URL, as the user typed it.
    channel : int or None
        The channel to read, from 0; None: the mean of all.

    Raises
    ------
    AudioFileError
        While iterating: if it is missing, damaged, not audio, or has no such channel.
    AudioDataError
        While iterating: if it holds no samples, or one that is NaN or infinite.
    """

    name: str
    channel: int | None = None
    drops: bool = False

    @property
    def queued(self) -> Seconds:
        """0: a file waits to be read."""
        return 0.0

    def arrivals(self, waiting: WaitPolicy) -> Iterator[Arrival]:
        """See `Source`."""
        with reading(display_name(self.name)), closing(open_decoder(self.name)) as decoder:
            info = decoder.info
            mixdown = Mixdown(self.name, info.sample_rate, info.channels, self.channel, decoder.ceiling)
            yield Opened(0.0, info.sample_rate, info.channels, info.format)
            while not waiting.stop.is_set and len(interleaved := decoder.read(BLOCK)):
                yield Sound(mixdown.mono(interleaved))
            reason = "the input ended"
            if waiting.stop.is_set:
                reason = waiting.stop.reason
            elif not mixdown.n_samples:
                raise AudioDataError(
                    f"{self.name} has zero length: a header and no samples", needed="at least one frame"
                )
            elif decoder.promised is not None and mixdown.n_samples < decoder.promised:
                reason = (
                    f"the input ended after {mixdown.n_samples} of the {decoder.promised} samples that its "
                    "header states"
                )
            yield Ended(reason, notes=(*decoder.notes, *mixdown.notes))
