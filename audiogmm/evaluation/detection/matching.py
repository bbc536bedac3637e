"""Events found against events that there were: matched, or touching, or second by second.

Matching and activity are as the library sed_eval has them by default (Mesaros, Heittola and Virtanen 2016,
"Metrics for Polyphonic Sound Event Detection", sections 3 and 4).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from audiogmm.errors import ChoiceError
from audiogmm.timeline import Segment
from audiogmm.types import BoolArray, FloatArray, Seconds


@dataclass(frozen=True, slots=True)
class Collars:
    """How far an event found may be off and still be right.

    Attributes
    ----------
    collar : Seconds
        Of the onset; of the offset too, unless the next is more.
    offset_share : float
        Of the true event's length: its offset may be missed by that much.

    Raises
    ------
    ChoiceError
        If one is out of range.
    """

    collar: Seconds = 0.5
    offset_share: float = 0.5

    def __post_init__(self) -> None:
        if not 0 < self.collar < math.inf:
            raise ChoiceError(f"a collar of {self.collar} s", needed="more than 0 s")
        if not 0 <= self.offset_share <= 1:
            raise ChoiceError(f"an offset share of {self.offset_share}", needed="a share from 0 to 1")


def bounds(events: Sequence[Segment]) -> tuple[FloatArray, FloatArray]:
    """Return starts and ends, each of shape (n_events,), seconds."""
    return np.array([e.start for e in events], float), np.array([e.end for e in events], float)


def n_matched(
    found: Sequence[Segment], truth: Sequence[Segment], collars: Collars, *, offsets: bool = True
) -> int:
    """Count the pairs of an event found and a true one that can be made, with no event in two pairs.

    The two of a pair begin within the collar of each other, and (with `offsets`) end within the collar or
    within the share of the true event's length, whichever is more. The number is the largest possible, by a
    maximum matching of a bipartite graph.

    Examples
    --------
    >>> truth = [Segment(1.0, 2.0), Segment(1.4, 2.4)]
    >>> n_matched([Segment(1.3, 2.3), Segment(1.8, 2.6)], truth, Collars(0.5))  # the first would do for both
    2
    >>> late = [Segment(1.3, 9.9)]
    >>> n_matched(late, truth, Collars(0.5)), n_matched(late, truth, Collars(0.5), offsets=False)
    (0, 1)
    """
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import maximum_bipartite_matching

    if not (found and truth):
        return 0
    starts, ends = bounds(sorted(found))
    true_starts, true_ends = bounds(truth)
    # a little wider than the collar, since start + collar rounds; the comparison below decides
    first = np.searchsorted(starts, true_starts - collars.collar - 1e-6, side="left")
    last = np.searchsorted(starts, true_starts + collars.collar + 1e-6, side="right")
    rows = np.repeat(np.arange(len(truth)), last - first)
    columns = np.arange(len(rows)) - np.repeat(np.cumsum(last - first) - (last - first), last - first)
    columns += np.repeat(first, last - first)
    good = np.abs(true_starts[rows] - starts[columns]) <= collars.collar
    if offsets:
        reach = np.maximum(collars.collar, collars.offset_share * (true_ends - true_starts))
        good &= np.abs(true_ends[rows] - ends[columns]) <= reach[rows]
    edges = rows[good].astype(np.int32), columns[good].astype(np.int32)  # all that scipy before 1.15 matches
    graph = csr_array((np.ones(len(edges[0]), np.int8), edges), shape=(len(truth), len(found)))
    return int(np.count_nonzero(maximum_bipartite_matching(graph) >= 0))


def active(events: Sequence[Segment], n_segments: int, length: Seconds, start: Seconds = 0.0) -> BoolArray:
    """Mark the segments of a recording that an event reaches into, shape (n_segments,).

    Parameters
    ----------
    events : sequence of Segment
        On the recording's clock.
    n_segments : int
        From `start` on.
    length : Seconds
        Of a segment.
    start : Seconds
        Where the first begins.

    Examples
    --------
    >>> active([Segment(0.9, 2.0)], 4, 1.0)
    array([ True,  True, False, False])
    """
    marks = np.zeros(n_segments, dtype=np.bool_)
    for event in events:
        first = math.floor((event.start - start) / length)
        marks[max(first, 0) : max(math.ceil((event.end - start) / length), 0)] = True
    return marks


def n_segments(duration: Seconds, length: Seconds) -> int:
    """Count the segments of a recording; the last may be cut short.

    Examples
    --------
    >>> n_segments(10.0, 1.0), n_segments(10.2, 1.0)
    (10, 11)
    """
    return math.ceil(round(duration, 6) / length)


def union(events: Sequence[Segment]) -> list[Segment]:
    """Join overlapping events; return what they cover, in order.

    Examples
    --------
    >>> union([Segment(3.0, 4.0), Segment(0.0, 1.0), Segment(0.5, 2.0)])
    [Segment(start=0.0, end=2.0), Segment(start=3.0, end=4.0)]
    """
    joined: list[Segment] = []
    for event in sorted(events):
        if joined and event.start <= joined[-1].end:
            joined[-1] = Segment(joined[-1].start, max(joined[-1].end, event.end))
        else:
            joined.append(event)
    return joined


def covered(events: Sequence[Segment], edges: FloatArray) -> FloatArray:
    """Compute the seconds between two edges that events cover, shape (n_edges - 1,).

    Examples
    --------
    >>> covered([Segment(0.5, 1.25), Segment(1.0, 1.5)], np.array([0.0, 1.0, 2.0]))
    array([0.5, 0.5])
    """
    starts, ends = bounds(union(events))
    lengths = np.append(0.0, np.cumsum(ends - starts))
    # seconds covered before a time: the stretches that ended, and the part of the one that goes on
    began = np.searchsorted(starts, edges, side="right")
    inside = np.zeros(len(edges))
    some = began > 0
    last = began[some] - 1
    inside[some] = np.minimum(edges[some], ends[last]) - starts[last] + lengths[last]
    return np.diff(inside)


def touching(found: Sequence[Segment], truth: Sequence[Segment]) -> BoolArray:
    """Mark the events found that overlap a true one, shape (n_found,).

    Examples
    --------
    >>> touching([Segment(0.0, 1.0), Segment(1.5, 2.0), Segment(3.0, 9.0)], [Segment(1.0, 4.0)])
    array([False,  True,  True])
    """
    starts, ends = bounds(found)
    true_starts, true_ends = bounds(union(truth))
    if not len(true_starts):
        return np.zeros(len(found), dtype=np.bool_)
    first = np.searchsorted(true_ends, starts, side="right")  # the first true one not over by then
    there = first < len(true_starts)
    marks: BoolArray = there & (true_starts[np.minimum(first, len(true_starts) - 1)] < ends)
    return marks


def delays(found: Sequence[Segment], truth: Sequence[Segment]) -> FloatArray:
    """Compute the delay from each true onset to the first event found that overlaps it, (n_true,), seconds.

    NaN where none does. Negative where that event began before the onset.

    Examples
    --------
    >>> delays([Segment(2.5, 3.0), Segment(2.2, 2.4)], [Segment(2.0, 4.0), Segment(7.0, 8.0)])
    array([0.2, nan])
    """
    times = np.full(len(truth), np.nan)
    if not (found and truth):
        return times
    starts, ends = bounds(sorted(found))
    true_starts, true_ends = bounds(truth)
    first = np.searchsorted(np.maximum.accumulate(ends), true_starts, side="right")
    there = first < len(starts)
    start = starts[np.minimum(first, len(starts) - 1)]
    there &= start < true_ends
    times[there] = start[there] - true_starts[there]
    return times
