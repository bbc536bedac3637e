"""Slow, obvious twins of scores, assignments, window scores and events."""

from __future__ import annotations

import math

import numpy as np


def window_scores(scores: np.ndarray, voiced: np.ndarray, half: int) -> np.ndarray:
    """Mean of the voiced scores within `half` frames of each frame; NaN where there is none."""
    means = []
    for i in range(len(scores)):
        chosen = [scores[j] for j in range(i - half, i + half + 1) if 0 <= j < len(scores) and voiced[j]]
        means.append(math.fsum(chosen) / len(chosen) if chosen else math.nan)
    return np.array(means)


def events(
    means: np.ndarray, enter: float, release: float, merge_gap: int, min_frames: int
) -> list[tuple[int, int]]:
    """First and last frames of events in the window scores of a whole recording."""
    runs: list[tuple[int, int]] = []
    i = 0
    while i < len(means):
        if means[i] <= release:
            j = i
            while j + 1 < len(means) and means[j + 1] <= release:
                j += 1
            if min(means[i : j + 1]) <= enter:
                runs.append((i, j))
            i = j + 1
        else:
            i += 1
    merged: list[tuple[int, int]] = []
    for first, last in runs:
        if merged and first - merged[-1][1] - 1 <= merge_gap:
            merged[-1] = (merged[-1][0], last)
        else:
            merged.append((first, last))
    return [(first, last) for first, last in merged if last - first + 1 >= min_frames]


def claims(labels: np.ndarray, voiced: np.ndarray, bridge: int) -> list[tuple[int, int, int]]:
    """Component, first and last frame of the stretches in which no gap is longer than `bridge`."""
    found = []
    for component in sorted(set(labels.tolist())):
        frames = [t for t in range(len(labels)) if voiced[t] and labels[t] == component]
        start = None
        for i, t in enumerate(frames):
            if start is None:
                start = t
            if i + 1 == len(frames) or frames[i + 1] - t - 1 > bridge:
                found.append((component, start, t))
                start = None
    return found


def auc(scores: np.ndarray, truth: np.ndarray) -> float:
    """Share of pairs of an anomalous and a normal frame in which the anomalous one scores lower."""
    wins = 0.0
    pairs = 0
    for odd in scores[truth]:
        for normal in scores[~truth]:
            wins += 1.0 if odd < normal else 0.5 if odd == normal else 0.0
            pairs += 1
    return wins / pairs
