"""The loudest frames of a recording, for tests in which few or no frames are voiced."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from audiogmm.blocks import FrameBlock
from audiogmm.errors import AudioDataError
from audiogmm.types import BoolArray, FloatArray

if TYPE_CHECKING:
    from audiogmm.audio.recording import Recording

MIN_FRAMES = 10
"""With fewer voiced frames a test is short, and its loudest frames are scored: at least so many."""

SHARE = 0.1
"""Share of the frames that are scored where that is more."""


@dataclass(frozen=True)
class LoudestFrames:
    """A recording whose loudest frames are marked as voiced, in place of those that the detector marked.

    Rows of a feature matrix have no level: all are marked.
    """

    recording: Recording

    @property
    def id(self) -> str:
        """The recording's id."""
        return self.recording.id

    def __iter__(self) -> Iterator[FrameBlock]:
        if self.recording.entry.audio_filepath is None:
            yield from self.recording
            return
        marks: BoolArray | None = None
        for block in self.recording:
            if marks is None:
                marks = mark_loudest(self._levels(block), self.id)
            voiced = np.zeros(len(block), np.bool_)
            here = marks[block.start : block.start + len(block)]
            voiced[: len(here)] = here
            yield dataclasses.replace(block, voiced=voiced)

    def _levels(self, block: FrameBlock) -> FloatArray:
        """Energy of each frame, to the nearest hop, shape (n_frames,); samples are not held."""
        from audiogmm.audio.decode import open_audio

        clock = block.clock
        parts: list[tuple[int, FloatArray]] = []
        n = 0
        with open_audio(self.recording.entry, warn=lambda _: None) as audio:
            rate = audio.info.sample_rate
            for samples in audio:
                if len(samples):
                    hop = (np.arange(n, n + len(samples)) * clock.frame_rate / rate).astype(np.int64)
                    energy = np.asarray(samples, np.float64) ** 2
                    parts.append((int(hop[0]), np.bincount(hop - hop[0], energy).astype(np.float64)))
                    n += len(samples)
        hops = np.zeros(max(first + len(part) for first, part in parts))
        for first, part in parts:
            hops[first : first + len(part)] += part
        n_frames = clock.n_frames(round(n * clock.sample_rate / rate))
        span = max(1, round(clock.length / clock.hop))
        total = np.concatenate([[0.0], np.cumsum(np.pad(hops, (0, n_frames + span)))])
        levels: FloatArray = total[span : span + n_frames] - total[:n_frames]
        return levels


def mark_loudest(levels: FloatArray, name: str = "a recording") -> BoolArray:
    """Mark the loudest `SHARE` of the frames, at least `MIN_FRAMES`, and none of exact silence.

    Parameters
    ----------
    levels : ndarray of shape (n_frames,), float64
        Energies.
    name : str
        The recording, for the message.

    Raises
    ------
    AudioDataError
        If there is nothing but silence.

    Examples
    --------
    >>> mark_loudest(np.array([0.0, 2.0, 1.0])).tolist()
    [False, True, True]
    """
    n = max(MIN_FRAMES, int(np.ceil(SHARE * len(levels))))
    marks = np.zeros(len(levels), np.bool_)
    marks[np.argsort(-levels, kind="stable")[:n]] = True
    marks &= levels > 0
    if not marks.any():
        raise AudioDataError(
            f"{name}: {len(levels)} frames of digital silence",
            needed="a frame that holds sound",
            remedy="another recording",
        )
    return marks
