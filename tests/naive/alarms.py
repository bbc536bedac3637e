"""Slow, obvious twins of what an alarm budget rests on."""

from __future__ import annotations


def spells(first: list[int], peaks: list[float], n_frames: int, n_lowest: int, n_blocks: int) -> float:
    """Variance of counts in blocks beyond Poisson's, relative to the square of their sum."""
    lowest = sorted(range(len(peaks)), key=lambda i: (peaks[i], i))[:n_lowest]
    counts = [0] * n_blocks
    for i in lowest:
        counts[min(first[i] * n_blocks // n_frames, n_blocks - 1)] += 1
    mean = sum(counts) / n_blocks
    variance = sum((count - mean) ** 2 for count in counts) / (n_blocks - 1)
    return n_blocks * variance / len(lowest) ** 2 - 1 / len(lowest)
