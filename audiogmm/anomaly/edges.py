"""Where an event begins and ends, to the frame: change points of the scores of single frames."""

from __future__ import annotations

import numpy as np

from audiogmm.types import FloatArray

CLIP = 4.0
"""The loss of a frame is limited to this many times that of the event's lowest window."""


def refine(losses: FloatArray, most: float) -> tuple[int, int]:
    """Find the stretch that differs most from its surroundings: first and last index.

    Of all stretches it is the one for which a change of the mean from 0 to another one and back is likeliest:
    the one with the largest (sum of losses)^2 / length among those that lose anything (Olshen et al. 2004,
    circular binary segmentation, with a known mean outside). Frames beyond half of the stretch's own mean
    loss are thereby in it.

    Parameters
    ----------
    losses : ndarray of shape (n,), float64
        Typical score less the score of each frame, nats; 0 where the frame does not count.
    most : float
        Larger losses count as this: a single click must not hide the rest.

    Returns
    -------
    first, last : int
        The whole where no frame loses anything.

    Examples
    --------
    >>> refine(np.array([0.1, -0.2, 3.0, 2.5, 3.5, 0.3, -0.1]), 100.0)
    (2, 4)
    """
    sums = np.concatenate([[0.0], np.cumsum(np.minimum(losses, most))])
    totals = np.maximum(sums[None, 1:] - sums[:-1, None], 0.0)  # [i, j]: of losses[i : j + 1]
    lengths = np.arange(1, len(sums))[None, :] - np.arange(len(sums) - 1)[:, None]
    gains = np.where(lengths > 0, np.square(totals) / np.maximum(lengths, 1), -1.0)
    if not gains.max() > 0:
        return 0, len(losses) - 1
    first, last = np.unravel_index(int(np.argmax(gains)), gains.shape)
    return int(first), int(last)


def refine_start(losses: FloatArray, most: float) -> int:
    """Find the first index of the stretch that differs most among those that reach to the end.

    Examples
    --------
    >>> refine_start(np.array([0.1, -0.2, 3.0, 2.5, 3.5]), 100.0)
    2
    """
    backwards = np.minimum(losses, most)[::-1]
    totals = np.maximum(np.cumsum(backwards), 0.0)
    gains = np.square(totals) / np.arange(1, len(losses) + 1)
    return len(losses) - 1 - int(np.argmax(gains)) if gains.max() > 0 else 0
