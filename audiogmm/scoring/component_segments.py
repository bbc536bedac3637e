"""The segments of recordings that each component explains, and examples of what it sounds like."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from audiogmm.errors import MismatchError
from audiogmm.scoring.assignment import Assignment
from audiogmm.timeline import FrameClock, Segment
from audiogmm.types import Seconds

SHORTEST: Seconds = 0.5
"""An example that can be played is at least so long; around a shorter segment, the sound goes on."""

LONGEST: Seconds = 10.0
"""Of a longer segment, the example that can be played is the beginning."""


@dataclass(frozen=True, slots=True, order=True)
class ComponentSegment:
    """A segment of a recording whose voiced frames are all assigned to one component.

    Attributes
    ----------
    id : str
        The recording.
    segment : Segment
        Of its frames, by `FrameClock.span`: those of consecutive frames touch, and never overlap.
    component : int
        Which component.
    n_frames : int
        Voiced frames.
    mean_posterior : float
        Of these frames.
    """

    id: str
    segment: Segment
    component: int
    n_frames: int
    mean_posterior: float

    def to_json(self) -> list[float]:
        """Return it as a list of numbers, without the recording."""
        place = self.segment
        return [place.start, place.end, self.component, self.n_frames, self.mean_posterior]

    @classmethod
    def from_json(cls, id: str, values: list[float]) -> ComponentSegment:
        """Return the segment of the recording `id` that `to_json` made this of.

        Examples
        --------
        >>> found = ComponentSegment("a", Segment(0.1, 0.7), 3, 60, 0.9)
        >>> ComponentSegment.from_json("a", found.to_json()) == found
        True
        """
        start, end, component, n_frames, posterior = values
        return cls(id, Segment(start, end), int(component), int(n_frames), float(posterior))

    @property
    def excerpt(self) -> Segment:
        """What is played of it: the whole, with what lies around one under `SHORTEST`, of at most `LONGEST`.

        Examples
        --------
        >>> [ComponentSegment("a", Segment(1.0, end), 0, 9, 1.0).excerpt for end in (1.25, 99.0)]
        [Segment(start=0.875, end=1.375), Segment(start=1.0, end=11.0)]
        """
        room = max(0.0, SHORTEST - self.segment.duration) / 2
        start = max(0.0, self.segment.start - room)
        return Segment(start, min(self.segment.end + room, start + LONGEST))


@dataclass(slots=True)
class _Run:
    """A segment that may still grow: frame indices, and the sum of posteriors."""

    component: int
    first: int
    last: int
    n_frames: int
    mass: float


def find_segments(id: str, assignments: Iterable[Assignment], bridge: int = 5) -> Iterator[ComponentSegment]:
    """Merge frames of one label into segments.

    A segment is a maximal sequence of voiced frames with one label in which no gap of unvoiced frames is
    longer than `bridge`. Memory: the open segment.

    Parameters
    ----------
    id : str
        Name of the recording.
    assignments : iterable of Assignment
        Of one recording, in order, as `assign` or `segment_labels` gives them.
    bridge : int
        Longest gap, in frames, that does not end a segment.

    Yields
    ------
    ComponentSegment
        In order of time.
    """
    run: _Run | None = None
    clock: FrameClock | None = None
    for found in assignments:
        clock = found.clock
        for following in _runs(found, bridge):
            if (
                run is not None
                and run.component == following.component
                and following.first - run.last - 1 <= bridge
            ):
                run.last = following.last
                run.n_frames += following.n_frames
                run.mass += following.mass
                continue
            if run is not None:
                yield _segment(id, run, clock)
            run = following
    if run is not None and clock is not None:
        yield _segment(id, run, clock)


def _runs(found: Assignment, bridge: int) -> Iterator[_Run]:
    """Yield the segments within one window."""
    where = np.flatnonzero(found.voiced)
    if not len(where):
        return
    labels, frames = found.labels[where], where + found.start
    new = (np.diff(labels) != 0) | (np.diff(frames) - 1 > bridge)
    firsts = np.concatenate([[0], np.flatnonzero(new) + 1])
    lasts = np.concatenate([firsts[1:], [len(where)]]) - 1
    masses = np.add.reduceat(found.confidence[where], firsts)
    for first, last, mass in zip(firsts, lasts, masses, strict=True):
        yield _Run(
            int(labels[first]), int(frames[first]), int(frames[last]), int(last - first + 1), float(mass)
        )


def _segment(id: str, run: _Run, clock: FrameClock) -> ComponentSegment:
    place = clock.span(run.first, run.last)
    return ComponentSegment(id, place, run.component, run.n_frames, run.mass / run.n_frames)


def _typical(found: ComponentSegment) -> tuple[Any, ...]:
    """The higher, the more typical: the highest mean posterior among those that are long enough to hear."""
    return min(found.segment.duration, SHORTEST), found.mean_posterior, found.n_frames, found


def _long(found: ComponentSegment) -> tuple[Any, ...]:
    return found.segment.duration, found.mean_posterior, found


@dataclass
class ExampleSegments:
    """The most typical and the longest segments of each component over a corpus, in bounded memory.

    The most typical one has the highest mean posterior of those of at least `SHORTEST` seconds. Equal
    segments are ordered by recording and time, so the result does not depend on the order of arrival.

    Parameters
    ----------
    n_components : int
        K.
    top : int
        How many to keep of each component.

    Raises
    ------
    MismatchError
        On adding what was kept for another number of components.

    Examples
    --------
    >>> examples = ExampleSegments(n_components=1, top=2)
    >>> for length, name, posterior in ((3.0, "a", 0.9), (5.0, "b", 0.7), (0.1, "c", 1.0)):
    ...     examples.add(ComponentSegment(name, Segment(0.0, length), 0, 9, posterior))
    >>> [segment.id for segment in examples.of(0)]
    ['a', 'b']
    """

    n_components: int
    top: int = 5
    _heaps: list[tuple[list[Any], list[Any]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._heaps = [([], []) for _ in range(self.n_components)]

    def add(self, segment: ComponentSegment) -> None:
        """Keep the segment if it is among the most typical or the longest of its component."""
        keys: tuple[Callable[[ComponentSegment], tuple[Any, ...]], ...] = (_typical, _long)
        for heap, key in zip(self._heaps[segment.component], keys, strict=True):
            if len(heap) < self.top:
                heapq.heappush(heap, key(segment))
            elif self.top:
                heapq.heappushpop(heap, key(segment))

    def __iter__(self) -> Iterator[ComponentSegment]:
        """Yield each segment that is kept, once."""
        for heaps in self._heaps:
            yield from sorted({key[-1] for heap in heaps for key in heap})

    def merge(self, other: ExampleSegments) -> None:
        """Add what another one kept, of other recordings."""
        if other.n_components != self.n_components:
            raise MismatchError(
                f"segments of {other.n_components} components", needed=f"of {self.n_components} components"
            )
        for segment in other:
            self.add(segment)

    def of(self, component: int) -> list[ComponentSegment]:
        """Return up to `top` of one component: the most typical, the longest, and so on in turns."""
        typical, long = (sorted(heap, reverse=True) for heap in self._heaps[component])
        turns = (key[-1] for pair in zip(typical, long, strict=True) for key in pair)
        return list(dict.fromkeys(turns))[: self.top]
