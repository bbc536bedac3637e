"""Slow, obvious twins of scores, assignments, window scores and events."""

from __future__ import annotations

import itertools
import math

import numpy as np

from audiogmm.mixture.gaussian import Mixture


def window_scores(scores: np.ndarray, voiced: np.ndarray, half: int) -> np.ndarray:
    """Mean of the voiced scores within `half` frames of each frame; NaN where there is none."""
    means = []
    for i in range(len(scores)):
        chosen = [scores[j] for j in range(i - half, i + half + 1) if 0 <= j < len(scores) and voiced[j]]
        means.append(math.fsum(chosen) / len(chosen) if chosen else math.nan)
    return np.array(means)


def events(
    means: np.ndarray,
    shorts: np.ndarray,
    enter: float,
    release: float,
    typical: float,
    merge_gap: int,
    min_frames: int,
) -> list[tuple[int, int]]:
    """First and last low window of events in the window scores of a whole recording.

    `shorts` are the scores of windows as long as the gap that is bridged: a frame whose short window is
    typical ends a run, and parts events; and a run begins where the short window, too, is at the release.
    """
    normal_again = [merge_gap > 0 and not math.isnan(s) and s >= typical for s in shorts]
    low = [m <= release and not again for m, again in zip(means, normal_again, strict=True)]
    runs: list[tuple[int, int]] = []
    i = 0
    while i < len(means):
        if low[i] and (merge_gap == 0 or shorts[i] <= release):
            j = i
            while j + 1 < len(means) and low[j + 1]:
                j += 1
            if min(means[i : j + 1]) <= enter:
                runs.append((i, j))
            i = j + 1
        else:
            i += 1
    merged: list[tuple[int, int]] = []
    for first, last in runs:
        near = bool(merged) and first - merged[-1][1] - 1 <= merge_gap
        if near and not any(normal_again[merged[-1][1] + 1 : first]):
            merged[-1] = (merged[-1][0], last)
        else:
            merged.append((first, last))
    return [(first, last) for first, last in merged if last - first + 1 >= min_frames]


def edges(losses: np.ndarray, first: int, last: int, half: int, most: float) -> tuple[int, int]:
    """Change points of the losses of single frames around an event whose low windows are given."""

    def gain(i: int, j: int) -> float:
        total = max(0.0, math.fsum(min(losses[k], most) for k in range(i, j + 1)))
        return total * total / (j - i + 1)

    head = range(max(first - half, 0), min(first + half + 1, len(losses)))
    tail = range(max(last - half, 0), min(last + half + 1, len(losses)))
    if tail[0] <= head[-1] + 1:
        pairs = [(i, j) for i in range(head[0], tail[-1] + 1) for j in range(i, tail[-1] + 1)]
        best = max(pairs, key=lambda pair: gain(*pair))
        return best if gain(*best) > 0 else (head[0], tail[-1])
    start = max(head, key=lambda i: gain(i, head[-1]))
    end = max(tail, key=lambda j: gain(tail[0], j))
    return (
        start if gain(start, head[-1]) > 0 else head[0],
        end if gain(tail[0], end) > 0 else tail[-1],
    )


def segments(labels: np.ndarray, voiced: np.ndarray, bridge: int) -> list[tuple[int, int, int]]:
    """Component, first and last frame of the segments of one label with no longer gap than `bridge`."""
    found: list[tuple[int, int, int]] = []
    for t in range(len(labels)):
        if not voiced[t]:
            continue
        if found and found[-1][0] == labels[t] and t - found[-1][2] - 1 <= bridge:
            found[-1] = (found[-1][0], found[-1][1], t)
        else:
            found.append((int(labels[t]), t, t))
    return found


def best_segmentation(evidence: np.ndarray, cost: float) -> float:
    """The largest sum of evidence less `cost` a change, over all sequences of labels."""
    n, K = evidence.shape
    best = -np.inf
    for labels in itertools.product(range(K), repeat=n):
        total = sum(evidence[t, k] for t, k in enumerate(labels))
        total -= cost * sum(a != b for a, b in itertools.pairwise(labels))
        best = max(best, total)
    return best


def extend_sequences(best: np.ndarray, evidence: np.ndarray, cost: float) -> tuple[np.ndarray, np.ndarray]:
    """The best sums at the end of a window, less the largest; the label before each frame and label."""
    n, K = evidence.shape
    came_from = np.empty((n, K), np.int32)
    for t in range(n):
        top = best.argmax()
        changed = best[top] - cost
        came_from[t] = np.where(best >= changed, np.arange(K), top)
        best = np.maximum(best, changed) + evidence[t]
    return best - best.max(), came_from


def trace_sequence(came_from: np.ndarray, last: int) -> tuple[np.ndarray, int]:
    """The labels of a window whose last frame has the label `last`, and the label before it."""
    labels = np.empty(len(came_from), np.int32)
    for t in range(len(came_from) - 1, -1, -1):
        labels[t] = last
        last = int(came_from[t, last])
    return labels, last


def bhattacharyya(
    mean: np.ndarray, covariance: np.ndarray, mean2: np.ndarray, covariance2: np.ndarray
) -> float:
    """The distance of two Gaussians with full covariances, nats (Kailath 1967, eq. 61)."""
    middle = (covariance + covariance2) / 2
    d = mean - mean2
    sizes = np.linalg.det(middle) / np.sqrt(np.linalg.det(covariance) * np.linalg.det(covariance2))
    return float(d @ np.linalg.inv(middle) @ d / 8 + np.log(sizes) / 2)


def auc(scores: np.ndarray, truth: np.ndarray) -> float:
    """Share of pairs of an anomalous and a normal frame in which the anomalous one scores lower."""
    wins = 0.0
    pairs = 0
    for odd in scores[truth]:
        for normal in scores[~truth]:
            wins += 1.0 if odd < normal else 0.5 if odd == normal else 0.0
            pairs += 1
    return wins / pairs


def class_posteriors(frames: np.ndarray, mixture: Mixture, sizes: list[int]) -> list[float]:
    """The mean over frames of P(class | frame), of a mixture of diagonal Gaussians."""
    totals = [0.0] * len(sizes)
    for x in frames.astype(np.float64):
        densities = []
        for weight, mean, variance in zip(mixture.weights, mixture.means, mixture.covariances, strict=True):
            density = weight
            for value, m, v in zip(x, mean, variance, strict=True):
                density *= math.exp(-((value - m) ** 2) / (2 * v)) / math.sqrt(2 * math.pi * v)
            densities.append(density)
        first = 0
        for number, size in enumerate(sizes):
            totals[number] += sum(densities[first : first + size]) / sum(densities) / len(frames)
            first += size
    return totals
