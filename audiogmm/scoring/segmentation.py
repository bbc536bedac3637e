"""Labels that stay: the sequence of components that explains frames best with few changes."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from audiogmm.kernels.estep.sequences import extend_sequences, trace_sequence
from audiogmm.scoring.assignment import Assignment
from audiogmm.types import FloatArray, Seconds

INTERRUPTION: Seconds = 0.2
"""What interrupts a segment of sound is at least so long."""

CERTAIN = 0.01
"""A frame is certain that a label is wrong where its posterior is no more than this."""


def segment_labels(assignments: Iterable[Assignment], shortest: Seconds) -> Iterator[Assignment]:
    """Replace the labels of single frames by those of the best segmentation, in bounded memory.

    The labels maximize the sum of their log posteriors (no less than that of `CERTAIN`) less a cost for each
    change of label, by dynamic programming (Viterbi 1967). The cost is that of certain frames over half of
    `shortest`: what interrupts a label is longer than `shortest` if its frames are certain, and still longer
    if they are not; what lies between two different labels is longer than half of it. Unvoiced frames have no
    evidence. A window is decided once the next one is known, as they come from `assign`, so that the labels
    have the same bytes however the blocks were cut.

    Parameters
    ----------
    assignments : iterable of Assignment
        Of one recording, in order.
    shortest : Seconds
        Of what interrupts a label; 0 leaves the labels as they are.

    Yields
    ------
    Assignment
        With other labels, and the posteriors of these as the confidence.

    Examples
    --------
    >>> from audiogmm.timeline import FrameClock
    >>> p = np.array([0.9, 0.9, 0.2, 0.9, 0.1, 0.1, 0.1, 0.1])
    >>> found = Assignment(0, FrameClock(8000, 80, 200), np.ones(8, bool), np.c_[p, 1 - p],
    ...                    (p < 0.5).astype(np.int32), p, np.zeros(8))
    >>> [next(segment_labels([found], shortest)).labels.tolist() for shortest in (0.0, 0.02)]
    [[0, 0, 1, 0, 1, 1, 1, 1], [0, 0, 0, 0, 1, 1, 1, 1]]
    """
    if shortest <= 0:
        yield from assignments
        return
    best: FloatArray | None = None
    waiting: deque[tuple[Assignment, NDArray[np.int32]]] = deque()
    for found in assignments:
        evidence = 1 - np.log(np.maximum(found.posteriors, CERTAIN)) / np.log(CERTAIN)
        evidence[~found.voiced] = 0.0
        if best is None:
            best = np.zeros(evidence.shape[1])
        came_from = np.empty(evidence.shape, np.int32)
        cost = shortest * found.clock.frame_rate / 2
        extend_sequences(np.ascontiguousarray(evidence), cost, best, came_from)
        waiting.append((found, came_from))
        if len(waiting) == 2:
            yield _decided(*_traced(waiting, int(best.argmax()))[0])
            waiting.popleft()
    for found, labels in _traced(waiting, int(best.argmax())) if best is not None else ():
        yield _decided(found, labels)


def _traced(
    windows: Iterable[tuple[Assignment, NDArray[np.int32]]], last: int
) -> list[tuple[Assignment, NDArray[np.int32]]]:
    """Follow the labels back through windows from the label of their last frame."""
    found: list[tuple[Assignment, NDArray[np.int32]]] = []
    for window, came_from in reversed(list(windows)):
        labels = np.empty(len(came_from), np.int32)
        last = trace_sequence(came_from, last, labels)
        found.append((window, labels))
    return found[::-1]


def _decided(found: Assignment, labels: NDArray[np.int32]) -> Assignment:
    confidence = np.take_along_axis(found.posteriors, labels[:, None].astype(np.intp), axis=1)[:, 0]
    return replace(found, labels=labels, confidence=confidence)
