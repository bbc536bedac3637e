"""The learner: its scores are those of frames that it had not seen, and are bounded."""

from __future__ import annotations

import numpy as np

from audiogmm.anomaly.scorer import FrameScores
from audiogmm.live.stream.learner import LatestScores


def test_the_latest_scores_do_not_grow() -> None:
    latest = LatestScores(most=1000)
    rng = np.random.default_rng(0)
    everything = rng.standard_normal(5000).astype(np.float32)
    for piece in np.split(everything, np.sort(rng.integers(0, 5000, 9))):
        latest.push(FrameScores(piece.astype(np.float64), np.ones(len(piece), bool)))
    np.testing.assert_array_equal(latest.last(10**6)[0], everything[-1000:])
    assert latest.n_seen == 5000
