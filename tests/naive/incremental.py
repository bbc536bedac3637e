"""Incremental EM from the formulas: a diagonal mixture of the summed posteriors of recordings."""

from __future__ import annotations

import numpy as np

from tests.naive.stepwise_pass import expectation


def total_of(
    recordings: list[tuple[np.ndarray, tuple[np.ndarray, np.ndarray, np.ndarray], float]], keep: float = 0.0
):
    """Weights, means, variances from (frames, the mixture that gave their posteriors, weight).

    Components with at most the share `keep` of a recording's frames get nothing of it.
    """
    s0 = s1 = s2 = 0.0
    for frames, mixture, weight in recordings:
        h0, h1, h2 = expectation(frames, *mixture)
        n = weight * len(frames)
        alive = h0 > keep
        h0, h1, h2 = h0 * alive, h1 * alive[:, None], h2 * alive[:, None]
        s0, s1, s2 = s0 + n * h0, s1 + n * h1, s2 + n * h2
    with np.errstate(invalid="ignore"):  # NaN for a component that got nothing of any recording
        means = s1 / s0[:, None]
        return s0 / s0.sum(), means, s2 / s0[:, None] - means**2
