"""Recordings of background speakers: the voiced frames that are kept of each to learn a back end from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from audiogmm.training.frames.row_spool import Rows, RowSpool
from audiogmm.types import BoolArray, Frames, Samples
from audiogmm.verification.quality import SignalToNoise


@dataclass(frozen=True)
class BackgroundRecording:
    """The voiced frames that are kept of a recording.

    Attributes
    ----------
    id : str
        The recording's.
    speaker : str
    kind : str
        Speakers of one kind (such as a sex) are compared with each other; "" where it is not known.
    frames : ndarray of shape (n, n_features), float32
    frame_rate : float
        Frames a second.
    levels : ndarray of shape (m,), float32, or None
        Power of all frames up to the last one kept, voiced or not, decibels; None where it is not known.
    voiced : ndarray of shape (m,), bool, or None
        Which of them are the n; None where all are.
    """

    id: str
    speaker: str
    kind: str
    frames: Frames
    frame_rate: float
    levels: Samples | None = None
    voiced: BoolArray | None = None

    @property
    def n_frames(self) -> int:
        """Number of voiced frames."""
        return len(self.frames)

    def load(self) -> BackgroundRecording:
        """Return it: it is in memory."""
        return self

    @property
    def decibels(self) -> float:
        """The signal-to-noise ratio; NaN where levels are not known."""
        ratio = SignalToNoise()
        ratio.push(self.levels, self._voiced())
        return ratio.decibels

    def frame_index(self, n: int) -> int:
        """Return the index of the n-th voiced frame among all; their number if there is none."""
        places = np.flatnonzero(self._voiced())
        return int(places[n]) if n < len(places) else len(self._voiced())

    def count_voiced_before(self, place: int) -> int:
        """Return how many voiced frames lie before an index among all."""
        return int(np.count_nonzero(self._voiced()[:place]))

    def part(self, first: int, last: int) -> BackgroundRecording:
        """Return the voiced frames from `first` up to `last`, and what lies between them.

        Examples
        --------
        >>> voiced = np.array([False, True, True, False, True])
        >>> recording = BackgroundRecording("a", "ann", "", np.zeros((3, 1), np.float32), 100.0, None, voiced)
        >>> recording.part(1, 3).voiced.tolist(), len(recording.part(0, 1).frames)
        ([True, False, True], 1)
        """
        start, stop = (0 if first <= 0 else self.frame_index(first)), self.frame_index(last)
        return replace(
            self,
            frames=self.frames[first:last],
            levels=None if self.levels is None else self.levels[start:stop],
            voiced=None if self.voiced is None else self.voiced[start:stop],
        )

    def _voiced(self) -> BoolArray:
        return np.ones(len(self.frames), np.bool_) if self.voiced is None else self.voiced


@dataclass(frozen=True, eq=False)
class StoredRecording:
    """A `BackgroundRecording` whose frames are in a spool; each array is one row of it."""

    id: str
    speaker: str
    kind: str
    n_frames: int
    frame_rate: float
    frames: Rows
    levels: Rows | None
    voiced: Rows | None

    @classmethod
    def of(cls, recording: BackgroundRecording, spool: RowSpool) -> StoredRecording:
        """Put a recording into a spool."""
        return cls(
            recording.id,
            recording.speaker,
            recording.kind,
            recording.n_frames,
            recording.frame_rate,
            spool.put(recording.frames[None]),
            None if recording.levels is None else spool.put(recording.levels[None]),
            None if recording.voiced is None else spool.put(recording.voiced[None]),
        )

    def load(self) -> BackgroundRecording:
        """Read it."""
        return BackgroundRecording(
            self.id,
            self.speaker,
            self.kind,
            self.frames.read().reshape(self.n_frames, -1),
            self.frame_rate,
            None if self.levels is None else self.levels.read()[0],
            None if self.voiced is None else self.voiced.read()[0],
        )


AnyRecording = BackgroundRecording | StoredRecording
"""One in memory, or in a spool."""


def concatenate(recordings: Sequence[BackgroundRecording]) -> BackgroundRecording:
    """Return recordings of one speaker as one, one after the other."""
    if len(recordings) == 1:
        return recordings[0]
    levels = [recording.levels for recording in recordings if recording.levels is not None]
    return replace(
        recordings[0],
        frames=np.concatenate([recording.frames for recording in recordings]),
        levels=np.concatenate(levels) if len(levels) == len(recordings) else None,
        voiced=np.concatenate([recording._voiced() for recording in recordings]),
    )
