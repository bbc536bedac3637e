"""Trials of speakers whose scores are drawn."""

from __future__ import annotations

import numpy as np

from audiogmm.evaluation.intervals import Draws
from audiogmm.verification.decision import OperatingPoint

POINTS = (OperatingPoint(0.3), OperatingPoint(0.05, cost_miss=10.0))


QUICK = Draws(replicates=300)


def corpus(
    n_speakers: int, seed: int = 0, gap: float = 4.0, spread: float = 1.0, recordings: int = 1
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Scores, targets and speakers of all models against all recordings; targets differ by speaker."""
    rng = np.random.default_rng(seed)
    own, common = rng.normal(size=(2, n_speakers)) * spread
    model, test = (a.ravel() for a in np.indices((n_speakers, n_speakers * recordings)))
    speaker = test // recordings
    target = model == speaker
    llr = rng.normal(size=len(model)) + common[model] * 0.7 + np.where(target, gap + own[model], 0)
    return llr - gap / 2, target, np.column_stack([model, speaker])
