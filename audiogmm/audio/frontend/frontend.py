"""The front end: samples in, frames out, as its settings say."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from audiogmm.audio.frontend.cmvn import GlobalCmvn, UtteranceMoments
from audiogmm.audio.frontend.latency import Latency, latency_of
from audiogmm.audio.frontend.settings import FrontEndSettings
from audiogmm.audio.frontend.stream import FrameStream
from audiogmm.blocks import FrameBlock
from audiogmm.reprs import short_repr
from audiogmm.types import Frames, Samples, Seconds


@dataclass(frozen=True)
class FrontEnd(FrontEndSettings):
    """A front end: its settings are those of `FrontEndSettings`, by default those of the preset `speech`.

    Examples
    --------
    >>> frontend = FrontEnd.preset("kaldi")
    >>> frontend(np.zeros(16000, np.float32), 16000).shape
    (98, 13)
    >>> frontend.difference(FrontEnd.preset("kaldi", n_mels=40))
    ['n_mels: 23 != 40']
    >>> FrontEnd.preset("speech", cmvn="sliding", deltas=2).latency.steady
    153
    """

    __repr__ = short_repr

    @property
    def latency(self) -> Latency:
        """Frames that each stage waits for, at `sample_rate` (16 kHz where that is None)."""
        return self.latency_at(self.sample_rate or 16000)

    def latency_at(self, sample_rate: int) -> Latency:
        """Return the frames that each stage waits for, for recordings of this rate."""
        return latency_of(self, self.clock(sample_rate))

    def stream(self, sample_rate: int, offset: Seconds = 0.0) -> FrameStream:
        """Open a stream that takes mono samples at `sample_rate` and gives blocks of frames.

        Parameters
        ----------
        sample_rate : int
            Of the samples, hertz.
        offset : Seconds
            Time of the first sample on the recording's clock.

        Raises
        ------
        MismatchError
            If `sample_rate` is below the front end's.
        FrontEndError
            If the front end normalizes over the whole recording, or by global statistics that it does not
            have.
        """
        return FrameStream(self, sample_rate, offset)

    def two_passes(
        self, open_chunks: Callable[[], Iterable[Samples]], sample_rate: int, offset: Seconds = 0.0
    ) -> Iterator[FrameBlock]:
        """Yield blocks normalized over the whole recording (`cmvn="utterance"`), which is read twice.

        Parameters
        ----------
        open_chunks : callable
            Gives the recording's chunks of mono samples from the start, at each call.
        sample_rate : int
            Of the samples, hertz.
        offset : Seconds
            Of the first sample.
        """
        plain = dataclasses.replace(self, cmvn="none")
        moments = UtteranceMoments(self.n_features())
        for block in plain.stream(sample_rate, offset).blocks(open_chunks()):
            moments.push(block.frames)
        scale = 1.0 / moments.deviation if self.cmvn_variance else np.ones(self.n_features())
        normalize = GlobalCmvn(moments.mean, scale)
        for block in plain.stream(sample_rate, offset).blocks(open_chunks()):
            yield dataclasses.replace(block, frames=normalize.push(block.frames))

    def __call__(self, samples: Samples, sample_rate: int) -> Frames:
        """Return all frames of a recording that is in memory.

        Parameters
        ----------
        samples : array_like of shape (n_samples,)
            Mono, full scale is 1.0; converted to float32.
        sample_rate : int
            Hertz.

        Returns
        -------
        ndarray of shape (n_frames, n_features), float32

        Raises
        ------
        AudioDataError
            If a sample is not finite.
        """
        if self.cmvn == "utterance":
            blocks = list(self.two_passes(lambda: [samples], sample_rate))
        else:
            stream = self.stream(sample_rate)
            blocks = stream.push(samples) + stream.flush()
        if not blocks:
            return np.empty((0, self.n_features()), np.float32)
        return np.concatenate([block.frames for block in blocks])
