"""The best sequence of components, by dynamic programming with a cost for each change (Viterbi 1967)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from audiogmm.kernels.policy import kernel
from audiogmm.types import FloatArray


@kernel
def extend_sequences(
    evidence: FloatArray, cost: float, best: FloatArray, came_from: NDArray[np.int32]
) -> None:
    """Extend the best sequence that ends in each label by the frames of a window.

    Parameters
    ----------
    evidence : ndarray of shape (n_frames, n_labels), float64
        IN. What each label gains in each frame.
    cost : float
        IN. Of a change of label.
    best : ndarray of shape (n_labels,), float64
        INOUT. Sums of the best sequences; less their maximum at the end.
    came_from : ndarray of shape (n_frames, n_labels), int32
        OUT. The label before; the same where it is as good as another.
    """
    n_labels = len(best)
    for t in range(len(evidence)):
        top = 0
        for k in range(1, n_labels):
            if best[k] > best[top]:
                top = k
        changed = best[top] - cost
        for k in range(n_labels):
            if best[k] >= changed:
                came_from[t, k] = k
                best[k] += evidence[t, k]
            else:
                came_from[t, k] = top
                best[k] = changed + evidence[t, k]
    largest = best[0]
    for k in range(1, n_labels):
        largest = max(largest, best[k])
    for k in range(n_labels):
        best[k] -= largest


@kernel
def trace_sequence(came_from: NDArray[np.int32], last: int, labels: NDArray[np.int32]) -> int:
    """Follow the best sequence back from the label of the last frame.

    Parameters
    ----------
    came_from : ndarray of shape (n_frames, n_labels), int32
        IN. See `extend_sequences`.
    last : int
        IN. Label of the last frame.
    labels : ndarray of shape (n_frames,), int32
        OUT. Of the frames.

    Returns
    -------
    int
        The label before the first frame.
    """
    for t in range(len(came_from) - 1, -1, -1):
        labels[t] = last
        last = came_from[t, last]
    return last
