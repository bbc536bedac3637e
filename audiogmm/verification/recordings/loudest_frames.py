"""The loudest frames of a recording, where the activity detector heard few or none."""

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

FEW = 10
"""Voiced frames under which a test is short: the loudest frames are taken instead, at least so many."""

SHARE = 0.1
"""Share of the frames that are taken where that is more."""


@dataclass(frozen=True)
class Loudest:
    """A recording in which the loudest frames are marked, instead of those that the detector marked.

    Rows of a feature matrix have no level: they are all taken.
    """

    recording: Recording

    @property
    def id(self) -> str:
        """The recording's."""
        return self.recording.id

    def __iter__(self) -> Iterator[FrameBlock]:
        if self.recording.entry.audio_filepath is None:
            yield from self.recording
            return
        marks: BoolArray | None = None
        for block in self.recording:
            if marks is None:
                marks = loudest(self._levels(block), self.id)
            here = np.zeros(len(block), np.bool_)
            there = marks[block.start : block.start + len(block)]
            here[: len(there)] = there
            yield dataclasses.replace(block, voiced=here)

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


def loudest(levels: FloatArray, name: str = "a recording") -> BoolArray:
    """Mark the loudest `SHARE` of the frames, and at least `FEW`; never one of exact silence.

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
    >>> loudest(np.array([0.0, 2.0, 1.0])).tolist()
    [False, True, True]
    """
    n = max(FEW, int(np.ceil(SHARE * len(levels))))
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
