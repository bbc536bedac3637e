"""The stretches that each component claims most: what does it sound like?"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np

from audiogmm.errors import MismatchError
from audiogmm.scoring.posterior import Assignment
from audiogmm.timeline import FrameClock, Segment


@dataclass(frozen=True, slots=True, order=True)
class Claim:
    """A stretch of a recording that one component claims.

    Attributes
    ----------
    strength : float
        Sum of the component's posteriors over the frames that it claims, minus the number of frames in the
        gaps between: long, sure and unbroken stretches are strong.
    id : str
        The recording.
    segment : Segment
        From the start of the first frame to the end of the last one, seconds on the recording's clock.
    component : int
        Who claims it.
    n_frames : int
        Frames that it claims there, gaps not counted.
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
    """A claim that may still grow: frame indices, and the sum of posteriors."""

    first: int
    last: int
    n_frames: int
    mass: float


def claims(id: str, assignments: Iterable[Assignment], bridge: int = 5) -> Iterator[Claim]:
    """Merge runs of frames by their largest posterior into stretches, one component at a time.

    A stretch is a maximal sequence of voiced frames with one label in which no gap (frames of other labels,
    or unvoiced) is longer than `bridge` frames. State: one open stretch a component.

    Parameters
    ----------
    id : str
        Name of the recording.
    assignments : iterable of Assignment
        Of one recording, in order, as `assign` gives them.
    bridge : int
        Longest gap, in frames, that does not end a stretch.

    Yields
    ------
    Claim
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
                yield _claim(id, component, earlier, clock)
            open_runs[component] = run
    for component in sorted(open_runs):
        assert clock is not None
        yield _claim(id, component, open_runs[component], clock)


def _runs(found: Assignment, bridge: int) -> Iterator[tuple[int, _Run]]:
    """The stretches within one window, by component and time."""
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


def _claim(id: str, component: int, run: _Run, clock: FrameClock) -> Claim:
    gaps = run.last - run.first + 1 - run.n_frames
    segment = Segment(clock.start(run.first), clock.end(run.last))
    return Claim(run.mass - gaps, id, segment, component, run.n_frames, run.mass / run.n_frames)


@dataclass
class StrongestClaims:
    """The strongest claims of each component over a corpus of any size, in bounded memory.

    Equal claims are ordered by recording and time, so the result does not depend on the order of arrival.

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
    >>> best = StrongestClaims(n_components=1, top=1)
    >>> for strength, name in ((3.0, "a"), (5.0, "b"), (4.0, "c")):
    ...     best.add(Claim(strength, name, Segment(0.0, 1.0), 0, 6, 0.9))
    >>> [claim.id for claim in best.of(0)]
    ['b']
    """

    n_components: int
    top: int = 5
    _heaps: list[list[Claim]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._heaps = [[] for _ in range(self.n_components)]

    def add(self, claim: Claim) -> None:
        """Keep the claim if it is among the strongest of its component."""
        heap = self._heaps[claim.component]
        if len(heap) < self.top:
            heapq.heappush(heap, claim)
        elif self.top:
            heapq.heappushpop(heap, claim)

    def merge(self, other: StrongestClaims) -> None:
        """Add what another one kept, of other recordings."""
        if other.n_components != self.n_components:
            raise MismatchError(
                f"claims of {other.n_components} components", needed=f"of {self.n_components} components"
            )
        for heap in other._heaps:
            for claim in heap:
                self.add(claim)

    def of(self, component: int) -> list[Claim]:
        """The claims kept of one component, the strongest first."""
        return sorted(self._heaps[component], reverse=True)
