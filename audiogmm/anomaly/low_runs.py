"""The low runs of normal audio, from which its events at any threshold follow."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from audiogmm.anomaly.smoothing import smooth
from audiogmm.scoring.track import ScoreTrack
from audiogmm.types import BoolArray, FloatArray, IntArray


@dataclass(frozen=True, eq=False)
class LowRuns:
    """Stretches of windows at or under the release threshold, of many recordings.

    Attributes
    ----------
    first, last : ndarray of shape (n_runs,), int64
        Their frames, counted through all recordings.
    lowest : ndarray of shape (n_runs,), float64
        Their lowest window scores.
    apart : ndarray of shape (n_runs,), bool
        Whether the run is separate from the one before it: in another recording, or after scores that were
        typical for as long as the gap that is bridged.

    Examples
    --------
    >>> runs = LowRuns(np.array([0, 40, 95]), np.array([20, 60, 99]), np.array([-9.0, -7.0, -8.0]),
    ...                np.array([True, False, False]))
    >>> [runs.events(threshold, merge_gap=35, min_duration=10).peaks for threshold in (-7.0, -8.0)]
    [array([-9.]), array([-9.])]
    """

    first: IntArray
    last: IntArray
    lowest: FloatArray
    apart: BoolArray

    @classmethod
    def of(
        cls, tracks: Iterable[ScoreTrack], half: int, merge_gap: int, release: float, typical: float
    ) -> LowRuns:
        """Find the runs of whole tracks, as `EventStream` does.

        Parameters
        ----------
        tracks : iterable of ScoreTrack
            Of normal recordings.
        half, merge_gap : int
            Frames on either side of a window, and of the longest gap that is bridged.
        release, typical : float
            Window scores at or under which a run goes on, and at or over which it is over.
        """
        parts, n = [_empty()], 0
        for track in tracks:
            means = smooth(track, half)
            means = np.where(np.isnan(means), typical, means)
            shorts = smooth(track, merge_gap // 2)
            low, normal, may_begin = low_frames(means, shorts, release, typical, merge_gap)
            edges = np.diff(np.concatenate([[False], trim_starts(low, may_begin), [False]]).astype(np.int8))
            first, last = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1) - 1
            n_normal = np.concatenate([[0], np.cumsum(normal)])
            apart = np.ones(len(first), np.bool_)
            apart[1:] = n_normal[first[1:]] > n_normal[last[:-1] + 1]
            bounds = np.stack([first, last + 1], axis=1).ravel()
            lowest = np.minimum.reduceat(np.append(means, np.inf), bounds)[::2] if len(first) else np.empty(0)
            parts.append(cls(first + n, last + n, lowest, apart))
            n += len(means)
        columns = zip(*((p.first, p.last, p.lowest, p.apart) for p in parts), strict=True)
        return cls(*(np.concatenate(column) for column in columns))

    def events(self, threshold: float, merge_gap: int, min_duration: int) -> NormalEvents:
        """Find the events at a threshold, as a detector does.

        Parameters
        ----------
        threshold : float
            At or under which a run is an event, or part of one.
        merge_gap, min_duration : int
            Frames.
        """
        chosen = np.flatnonzero(self.lowest <= threshold)
        if not len(chosen):
            return NormalEvents(self.first[chosen], self.last[chosen], self.lowest[chosen])
        first, last = self.first[chosen], self.last[chosen]
        n_apart = np.cumsum(self.apart)[chosen]
        new = np.ones(len(chosen), np.bool_)
        new[1:] = (first[1:] - last[:-1] - 1 > merge_gap) | (np.diff(n_apart) > 0)
        starts = np.flatnonzero(new)
        ends = np.append(starts[1:], len(chosen)) - 1
        kept = last[ends] - first[starts] + 1 >= min_duration
        peaks: FloatArray = np.minimum.reduceat(self.lowest[chosen], starts)
        return NormalEvents(first[starts][kept], last[ends][kept], peaks[kept])


@dataclass(frozen=True, eq=False)
class NormalEvents:
    """Events of normal audio: false alarms, by time.

    Attributes
    ----------
    first, last : ndarray of shape (n_events,), int64
        Frames of their outermost low windows, counted through all recordings.
    peaks : ndarray of shape (n_events,), float64
        Their lowest window scores.
    """

    first: IntArray
    last: IntArray
    peaks: FloatArray

    def __len__(self) -> int:
        return len(self.peaks)


def low_frames(
    means: FloatArray, shorts: FloatArray, release: float, typical: float, merge_gap: int
) -> tuple[BoolArray, BoolArray, BoolArray]:
    """Find which frames may be in a low run, which are normal again, and at which a run may begin.

    Parameters
    ----------
    means, shorts : ndarray of shape (n,), float64
        Scores of the windows around each frame, and of windows as long as the gap that is bridged, nats.
    release, typical : float
        Nats.
    merge_gap : int
        Frames; where no gap is bridged, short windows are not used.
    """
    low = means <= release
    if not merge_gap:
        return low, np.zeros(len(means), np.bool_), low.copy()
    normal: BoolArray = shorts >= typical  # never where there is a NaN
    return low & ~normal, normal, low & (shorts <= release)


def trim_starts(low: BoolArray, may_begin: BoolArray) -> BoolArray:
    """Cut each stretch of `low` to begin at the first frame at which it may.

    Examples
    --------
    >>> low, may_begin = np.array([1, 1, 1, 0, 1, 1], bool), np.array([0, 1, 0, 0, 0, 0], bool)
    >>> trim_starts(low, may_begin).astype(int)
    array([0, 1, 1, 0, 0, 0])
    """
    n_begun = np.cumsum(low & may_begin)
    before = np.where(low, 0, n_begun)  # as many as there were when the stretch had not begun
    return low & (n_begun > np.maximum.accumulate(before))


def _empty() -> LowRuns:
    nothing = np.empty(0, np.int64)
    return LowRuns(nothing, nothing, np.empty(0), np.empty(0, np.bool_))
