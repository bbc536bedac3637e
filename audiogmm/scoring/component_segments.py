"""The segments of recordings that each component explains best: examples of what it sounds like."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np

from audiogmm.errors import MismatchError
from audiogmm.scoring.assignment import Assignment
from audiogmm.timeline import FrameClock, Segment


@dataclass(frozen=True, slots=True, order=True)
class ComponentSegment:
    """A segment of a recording whose frames are assigned to one component.

    Attributes
    ----------
    strength : float
        Sum of the component's posteriors over its frames, minus the number of frames in the gaps between:
        long and unbroken segments of high posteriors are strong.
    id : str
        The recording.
    segment : Segment
        From the start of the first frame to the end of the last one, seconds on the recording's clock.
    component : int
        Which component.
    n_frames : int
        Frames assigned to it there, gaps not counted.
    mean_posterior : float
        Of these frames.
    """

    strength: float
    id: str
    segment: Segment
    component: int
    n_frames: int
    mean_posterior: float


@dataclass(slots=True)
class _Run:
    """A segment that may still grow: frame indices, and the sum of posteriors."""

    first: int
    last: int
    n_frames: int
    mass: float


def find_segments(id: str, assignments: Iterable[Assignment], bridge: int = 5) -> Iterator[ComponentSegment]:
    """Merge frames by their largest posterior into segments, for each component.

    A segment is a maximal sequence of voiced frames with one label in which no gap (frames of other labels,
    or unvoiced) is longer than `bridge` frames. Memory: one open segment a component.

    Parameters
    ----------
    id : str
        Name of the recording.
    assignments : iterable of Assignment
        Of one recording, in order, as `assign` gives them.
    bridge : int
        Longest gap, in frames, that does not end a segment.

    Yields
    ------
    ComponentSegment
        As each is closed; by component at the end.
    """
    open_runs: dict[int, _Run] = {}
    clock: FrameClock | None = None
    for found in assignments:
        clock = found.clock
        for component, run in _runs(found, bridge):
            earlier = open_runs.get(component)
            if earlier is not None and run.first - earlier.last - 1 <= bridge:
                earlier.last = run.last
                earlier.n_frames += run.n_frames
                earlier.mass += run.mass
                continue
            if earlier is not None:
                yield _segment(id, component, earlier, clock)
            open_runs[component] = run
    for component in sorted(open_runs):
        assert clock is not None
        yield _segment(id, component, open_runs[component], clock)


def _runs(found: Assignment, bridge: int) -> Iterator[tuple[int, _Run]]:
    """Yield the segments within one window, by component and time."""
    where = np.flatnonzero(found.voiced)
    if not len(where):
        return
    order = where[np.argsort(found.labels[where], kind="stable")]
    labels, frames = found.labels[order], order + found.start
    new = (np.diff(labels) != 0) | (np.diff(frames) - 1 > bridge)
    firsts = np.concatenate([[0], np.flatnonzero(new) + 1])
    lasts = np.concatenate([firsts[1:], [len(order)]]) - 1
    masses = np.add.reduceat(found.confidence[order], firsts)
    for first, last, mass in zip(firsts, lasts, masses, strict=True):
        run = _Run(int(frames[first]), int(frames[last]), int(last - first + 1), float(mass))
        yield int(labels[first]), run


def _segment(id: str, component: int, run: _Run, clock: FrameClock) -> ComponentSegment:
    gaps = run.last - run.first + 1 - run.n_frames
    place = Segment(clock.start(run.first), clock.end(run.last))
    return ComponentSegment(run.mass - gaps, id, place, component, run.n_frames, run.mass / run.n_frames)


@dataclass
class StrongestSegments:
    """The strongest segments of each component over a corpus of any size, in bounded memory.

    Equal segments are ordered by recording and time, so the result does not depend on the order of arrival.

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
    >>> best = StrongestSegments(n_components=1, top=1)
    >>> for strength, name in ((3.0, "a"), (5.0, "b"), (4.0, "c")):
    ...     best.add(ComponentSegment(strength, name, Segment(0.0, 1.0), 0, 6, 0.9))
    >>> [segment.id for segment in best.of(0)]
    ['b']
    """

    n_components: int
    top: int = 5
    _heaps: list[list[ComponentSegment]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._heaps = [[] for _ in range(self.n_components)]

    def add(self, segment: ComponentSegment) -> None:
        """Keep the segment if it is among the strongest of its component."""
        heap = self._heaps[segment.component]
        if len(heap) < self.top:
            heapq.heappush(heap, segment)
        elif self.top:
            heapq.heappushpop(heap, segment)

    def merge(self, other: StrongestSegments) -> None:
        """Add what another one kept, of other recordings."""
        if other.n_components != self.n_components:
            raise MismatchError(
                f"segments of {other.n_components} components", needed=f"of {self.n_components} components"
            )
        for heap in other._heaps:
            for segment in heap:
                self.add(segment)

    def of(self, component: int) -> list[ComponentSegment]:
        """Return the segments kept of one component, the strongest first."""
        return sorted(self._heaps[component], reverse=True)
