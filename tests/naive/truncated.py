"""Posteriors on sets of components, from the definitions, in float64 (Forster and Luecke 2018)."""

from __future__ import annotations

import numpy as np

from tests.naive.mixture import log_likelihood, posteriors


def masked(joint: np.ndarray, sets: np.ndarray) -> np.ndarray:
    """The joint densities (n, K), minus infinity outside the sets (n, C)."""
    kept = np.full(joint.shape, -np.inf)
    for n, row in enumerate(sets):
        for k in row:
            if k >= 0:
                kept[n, k] = joint[n, k]
    return kept


def free_energy(joint: np.ndarray, sets: np.ndarray) -> np.ndarray:
    """log sum over the set, (n,)."""
    return log_likelihood(masked(joint, sets))


def truncated_posteriors(joint: np.ndarray, sets: np.ndarray) -> np.ndarray:
    """(n, K), zero outside the sets."""
    return posteriors(masked(joint, sets))


def leading(joint: np.ndarray, C: int) -> np.ndarray:
    """The C best components of each frame, the best first."""
    return np.argsort(-joint, axis=1, kind="stable")[:, :C].astype(np.int32)


def candidates(row: np.ndarray, neighbors: np.ndarray) -> list[int]:
    """A frame's components, then their neighbors, each once."""
    listed = [int(k) for k in row if k >= 0]
    for k in row:
        if k >= 0:
            listed += [int(j) for j in neighbors[k] if j >= 0 and j not in listed]
    return listed


def improved(joint: np.ndarray, sets: np.ndarray, neighbors: np.ndarray) -> np.ndarray:
    """The best of every frame's candidates, without one at random."""
    best = np.full(sets.shape, -1, np.int32)
    for n, row in enumerate(sets):
        listed = sorted(candidates(row, neighbors), key=lambda k: -joint[n, k])[: sets.shape[1]]
        best[n, : len(listed)] = listed
    return best


def distances(joint: np.ndarray, sets: np.ndarray, neighbors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(K, K): sums of log p(c, x) - log p(j, x) over frames whose best is c and that try j; and how many."""
    K = joint.shape[1]
    loss, tries = np.zeros((K, K)), np.zeros((K, K), int)
    for n, row in enumerate(sets):
        for j in candidates(row, neighbors)[1:]:
            loss[row[0], j] += joint[n, row[0]] - joint[n, j]
            tries[row[0], j] += 1
    return loss, tries


def nearest(loss: np.ndarray, tries: np.ndarray, doubt: float) -> list[list[int]]:
    """The components that were tried, of each component, the nearest first."""
    ranked = []
    for k in range(len(loss)):
        average = loss[k].sum() / max(tries[k].sum(), 1)
        known = [j for j in range(len(loss)) if tries[k, j]]
        means = {j: (loss[k, j] + doubt * average) / (tries[k, j] + doubt) for j in known}
        ranked.append(sorted(known, key=means.__getitem__))
    return ranked
