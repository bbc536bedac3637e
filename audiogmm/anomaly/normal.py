"""The scores of normal audio, frame by frame: kept with the model, so that a detector can be set again."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audiogmm.errors import MismatchError, ModelFileError
from audiogmm.scoring.track import ScoreTrack
from audiogmm.timeline import FrameClock
from audiogmm.types import BoolArray, FloatArray, IntArray, Seconds
from audiogmm.words import amount

MOST_FRAMES = 2_000_000
"""Frames kept, 5 bytes each: five and a half hours at a hop of 10 ms."""

_NAMED = 3
"""Stretches left out that are named."""


@dataclass(frozen=True, eq=False)
class NormalScores:
    """Scores of normal recordings that the model was not trained on.

    When there are more than `MOST_FRAMES` frames, whole recordings are left out, those whose ids have the
    largest hashes: a sample that depends neither on the order nor on the content. A single recording that
    is longer than that is cut to its beginning.

    Attributes
    ----------
    ids : tuple of str
        The recordings, in order of their names.
    lengths : ndarray of shape (n_recordings,), int64
        Frames of each.
    scores : ndarray of shape (n_frames,), float32
        Their scores, one recording after the other, nats.
    voiced : ndarray of shape (n_frames,), bool
        Their marks.
    frame_rate : float
        Frames a second.
    n_seen : int
        Frames seen before any was left out.
    anomalous : tuple of (str, Seconds, Seconds)
        Recording, start and end of stretches that are not normal and count as unvoiced.

    Examples
    --------
    >>> track = ScoreTrack("a", np.array([1.0, 2.0]), np.ones(2, bool), FrameClock(8000, 80, 200))
    >>> normal = NormalScores.of([track])
    >>> normal.ids, normal.scores, normal.frame_rate
    (('a',), array([1., 2.], dtype=float32), 100.0)
    """

    ids: tuple[str, ...]
    lengths: NDArray[np.int64]
    scores: NDArray[np.float32]
    voiced: BoolArray
    frame_rate: float
    n_seen: int
    anomalous: tuple[tuple[str, Seconds, Seconds], ...] = ()

    @classmethod
    def of(cls, tracks: Iterable[ScoreTrack], most: int = MOST_FRAMES) -> NormalScores:
        """Collect tracks, one at a time, in bounded memory.

        Raises
        ------
        MismatchError
            If there is no track with a frame, or two have different frame rates.
        """
        kept: dict[str, tuple[NDArray[np.float32], BoolArray]] = {}
        n_kept = n_seen = 0
        frame_rate: float | None = None
        smallest_dropped: bytes | None = None
        for track in tracks:
            if not len(track):
                continue
            if frame_rate not in (None, track.clock.frame_rate):
                raise MismatchError(
                    f"{track.id} has {track.clock.frame_rate:g} frames a second, others {frame_rate:g}",
                    needed="normal recordings of one front end and sample rate",
                )
            if track.id in kept:
                raise MismatchError(f"two normal recordings named {track.id}", needed="a name for each")
            frame_rate = track.clock.frame_rate
            n_seen += len(track)
            if smallest_dropped is not None and _hash(track.id) > smallest_dropped:
                continue
            kept[track.id] = _single(track.scores[:most]), track.voiced[:most].copy()
            n_kept += len(kept[track.id][0])
            while n_kept > most:
                last = max(kept, key=_hash)
                smallest_dropped = _hash(last)
                n_kept -= len(kept.pop(last)[0])
        if frame_rate is None:
            raise MismatchError(
                "no normal recording with a frame", needed="at least one, to set a threshold by"
            )
        ids = tuple(sorted(kept))
        return cls(
            ids,
            np.array([len(kept[id][0]) for id in ids], dtype=np.int64),
            np.concatenate([kept[id][0] for id in ids]),
            np.concatenate([kept[id][1] for id in ids]),
            frame_rate,
            n_seen,
        )

    def tracks(self) -> Iterable[ScoreTrack]:
        """Return the recordings as tracks, on clocks that begin at 0."""
        clock = FrameClock.for_rows(self.frame_rate)
        ends = np.cumsum(self.lengths)
        for id, start, end in zip(self.ids, ends - self.lengths, ends, strict=True):
            yield ScoreTrack(id, self.scores[start:end].astype(np.float64), self.voiced[start:end], clock)

    def without(self, first: IntArray, last: IntArray) -> NormalScores:
        """Return the same with stretches of frames, counted through all recordings, marked as unvoiced."""
        voiced = self.voiced.copy()
        ends = np.cumsum(self.lengths)
        anomalous = list(self.anomalous)
        for start, stop in zip(first.tolist(), (last + 1).tolist(), strict=True):
            i = int(np.searchsorted(ends, start, side="right"))
            begins = int(ends[i] - self.lengths[i])
            start, stop = max(start, begins), min(stop, int(ends[i]))
            voiced[start:stop] = False
            seconds = ((start - begins) / self.frame_rate, (stop - begins) / self.frame_rate)
            anomalous.append((self.ids[i], *seconds))
        return replace(self, voiced=voiced, anomalous=tuple(anomalous))

    def omissions(self) -> list[str]:
        """Say in sentences what was left out: frames beyond `MOST_FRAMES`, and anomalous stretches."""
        sentences = []
        if self.n_seen > len(self.scores):
            sentences.append(f"Of {amount(self.n_seen, 'normal frame')}, {len(self.scores):,} are kept.")
        if self.anomalous:
            seconds = sum(end - start for _, start, end in self.anomalous)
            in_rows = self.frame_rate == 1.0  # rows of a table
            found = amount(seconds, "normal row") if in_rows else f"{seconds:.1f} s of normal audio"
            at = [
                f"row {start:.0f}" if in_rows else f"{start:.1f} s" for _, start, _ in self.anomalous[:_NAMED]
            ]
            places = ", ".join(f"{one[0]} at {place}" for one, place in zip(self.anomalous, at, strict=False))
            more = f" and {len(self.anomalous) - _NAMED} more" if len(self.anomalous) > _NAMED else ""
            sentences.append(
                f"{found} score so far below the rest that they count as anomalies "
                f"and are left out: {places}{more}."
            )
        return sentences

    def tensors(self) -> dict[str, np.ndarray]:
        """Return the arrays for a model file: ``normal/scores``, ``normal/voiced``, ``normal/lengths``."""
        return {
            "normal/scores": self.scores,
            "normal/voiced": self.voiced.astype(np.uint8),
            "normal/lengths": self.lengths,
        }

    @classmethod
    def from_tensors(
        cls,
        tensors: Mapping[str, np.ndarray],
        frame_rate: float,
        ids: Iterable[str],
        n_seen: int,
        anomalous: Iterable[Iterable[Any]] = (),
    ) -> NormalScores:
        """Undo `tensors`.

        Raises
        ------
        ModelFileError
            If an array is missing, or they do not fit each other.
        """
        try:
            scores, voiced, lengths = (tensors[f"normal/{name}"] for name in ("scores", "voiced", "lengths"))
        except KeyError as error:
            raise ModelFileError(
                f"the model lacks {error}", needed="the scores of normal audio", remedy="audiogmm calibrate"
            ) from error
        ids = tuple(ids)
        if not (len(scores) == len(voiced) == lengths.sum() and len(ids) == len(lengths)):
            raise ModelFileError(
                f"{len(scores)} normal scores, {len(voiced)} marks, {len(ids)} ids of {lengths.sum()}",
                needed="arrays of one length",
                remedy="audiogmm calibrate",
            )
        return cls(
            ids,
            lengths.astype(np.int64),
            scores.astype(np.float32),
            voiced.astype(np.bool_),
            frame_rate,
            n_seen,
            tuple((str(id), float(start), float(end)) for id, start, end in anomalous),
        )


def _hash(id: str) -> bytes:
    return hashlib.sha256(id.encode()).digest()


def _single(scores: FloatArray) -> NDArray[np.float32]:
    largest = float(np.finfo(np.float32).max)
    return np.clip(scores, -largest, largest).astype(np.float32)
