"""Speakers of whom all is known, for tests of what is learned from them."""

from __future__ import annotations

import numpy as np

from audiogmm.mixture.gaussian import Mixture
from audiogmm.verification.background import BackgroundRecording


def mixture(K: int = 4, D: int = 3, seed: int = 0) -> Mixture:
    rng = np.random.default_rng(seed)
    weights = rng.dirichlet(np.full(K, 5.0))
    return Mixture(weights, rng.normal(0, 3, (K, D)), rng.uniform(0.5, 2.0, (K, D)), "diag")


def people(
    n: int, recordings: int = 1, seconds: float = 12.0, D: int = 3, seed: int = 1
) -> list[BackgroundRecording]:
    """Recordings of speakers who differ by an offset of all frames, and recordings by a smaller one."""
    rng = np.random.default_rng(seed)
    background, found = mixture(D=D), []
    for person in range(n):
        own = rng.normal(0, 0.7, (4, D))
        for take in range(recordings):
            which = rng.choice(4, size=int(100 * seconds), p=background.weights)
            frames = (background.means + own)[which] + rng.normal(0, 0.15, D)
            frames = frames + rng.normal(size=frames.shape) * np.sqrt(background.covariances[which])
            found.append(
                BackgroundRecording(f"{person}-{take}", f"p{person}", "", frames.astype(np.float32), 100.0)
            )
    return found
