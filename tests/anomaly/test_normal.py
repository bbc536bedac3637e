"""The scores of normal audio that a detector keeps."""

from __future__ import annotations

import numpy as np
import pytest

from audiogmm.anomaly.detector import Detector
from audiogmm.anomaly.normal import NormalScores
from tests.anomaly.tracks import normal_scores, track


@pytest.mark.parametrize("most", [700, 1500, 2000, 3000, 4500])
def test_what_is_kept_of_much_normal_audio_depends_on_names_only(most: int) -> None:
    rng = np.random.default_rng(most)
    tracks = [track(normal_scores(int(n)), f"room_{i}") for i, n in enumerate(rng.integers(20, 600, 20))]
    kept = NormalScores.of(tracks, most=most)
    assert 0 < kept.lengths.sum() <= most
    assert kept.n_seen == sum(map(len, tracks))
    for _ in range(5):
        again = NormalScores.of([tracks[i] for i in rng.permutation(20)], most=most)
        assert again.ids == kept.ids
        np.testing.assert_array_equal(again.scores, kept.scores)
    frames = f"Of {kept.n_seen:,} normal frames, {len(kept.scores):,} are kept"
    assert frames in Detector(kept).note


def test_a_single_endless_recording_gives_its_beginning() -> None:
    kept = NormalScores.of([track(normal_scores(5000))], most=1000)
    np.testing.assert_array_equal(kept.scores, normal_scores(5000)[:1000].astype(np.float32))


def test_absurd_scores_are_kept_finite() -> None:
    assert np.isfinite(NormalScores.of([track(np.array([-1e300, -40.0]))]).scores).all()
