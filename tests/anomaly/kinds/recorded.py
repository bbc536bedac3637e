"""Sounds of a few kinds, each a little different every time."""

from __future__ import annotations

import numpy as np

RATE = 16000


def sound(kind: str, seed: int, seconds: float = 1.2, level: float | None = None) -> np.ndarray:
    """A hiss, a hum, clicks, or a siren; by default at any level."""
    random, n = np.random.default_rng(seed), round(seconds * RATE)
    time = np.arange(n) / RATE
    level = 0.05 * 2.0 ** random.uniform(-2, 2) if level is None else level
    if kind == "hiss":
        return level * random.normal(size=n)
    if kind == "hum":
        tone = sum(np.sin(2 * np.pi * 110 * k * random.uniform(0.98, 1.02) * time) / k for k in range(1, 9))
        return level * (tone + 0.01 * random.normal(size=n))
    if kind == "siren":
        sweep = 1500 + 500 * np.sin(2 * np.pi * random.uniform(2.8, 3.2) * time)
        return level * (np.sin(2 * np.pi * np.cumsum(sweep) / RATE) + 0.01 * random.normal(size=n))
    clicks = (np.arange(n) % round(RATE / random.uniform(7, 9)) < 40) * random.normal(size=n)
    return level * (10 * clicks + 0.01 * random.normal(size=n))


def day(
    kinds: list[str], seed: int, level: float = 0.2, quiet: float = 4.0
) -> tuple[np.ndarray, list[float]]:
    """A room with sounds of these kinds, so many seconds apart; and where each begins."""
    random, parts, starts, at = np.random.default_rng(seed), [], [], 0
    for i, kind in enumerate(kinds):
        gap = round(quiet * RATE)
        parts += [np.zeros(gap), sound(kind, seed=1000 * seed + i, level=level)]
        starts.append((at + gap) / RATE)
        at += gap + len(parts[-1])
    samples = np.concatenate([*parts, np.zeros(round(quiet * RATE))])
    return samples + random.normal(0, 0.003, len(samples)), starts
