"""Metrics of detection from their definitions, in obvious loops."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

from audiogmm.timeline import Segment


def fits(found: Segment, true: Segment, collar: float, share: float, offsets: bool) -> bool:
    """Whether an event found is near enough to a true one."""
    reach = max(collar, share * (true.end - true.start))
    onset = abs(true.start - found.start) <= collar
    return onset and (not offsets or abs(true.end - found.end) <= reach)


def most_pairs(
    found: Sequence[Segment], truth: Sequence[Segment], collar: float, share: float, offsets: bool = True
) -> int:
    """The largest number of pairs, by trying every way to pair the first true event."""
    if not truth:
        return 0
    first, rest = truth[0], truth[1:]
    best = most_pairs(found, rest, collar, share, offsets)
    for i, event in enumerate(found):
        if fits(event, first, collar, share, offsets):
            others = [*found[:i], *found[i + 1 :]]
            best = max(best, 1 + most_pairs(others, rest, collar, share, offsets))
    return best


def active(events: Sequence[Segment], n: int, length: float) -> list[bool]:
    """Whether segment k holds any part of an event."""
    return [
        any(math.floor(e.start / length) <= k < math.ceil(e.end / length) for e in events) for k in range(n)
    ]


def covered(events: Sequence[Segment], start: float, end: float) -> float:
    """Seconds between two times that lie in an event: every piece between neighboring bounds is asked."""
    cuts = sorted({start, end, *(t for e in events for t in (e.start, e.end) if start < t < end)})
    return sum(
        (b - a) for a, b in itertools.pairwise(cuts) if any(e.start <= a and b <= e.end for e in events)
    )


def overlap(a: Segment, b: Segment) -> bool:
    """Whether two events share some time, or one without length lies inside the other."""
    return a.start < b.end and b.start < a.end


def delays(found: Sequence[Segment], truth: Sequence[Segment]) -> list[float]:
    """From each onset to the first start of what overlaps it; NaN where nothing does."""
    times = []
    for true in truth:
        starts = [event.start for event in found if overlap(event, true)]
        times.append(min(starts) - true.start if starts else math.nan)
    return times


def untouched(found: Sequence[Segment], truth: Sequence[Segment]) -> int:
    """Events found that overlap no true one."""
    return sum(not any(overlap(event, true) for true in truth) for event in found)
