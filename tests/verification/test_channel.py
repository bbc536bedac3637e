"""The channel that recordings share."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from audiogmm.mixture.gaussian import Mixture
from audiogmm.verification.background import BackgroundRecording
from audiogmm.verification.channel import estimate_offset


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_a_shared_channel_is_found(seed):
    rng = np.random.default_rng(seed)
    background = Mixture([0.3, 0.7], rng.normal(0, 4, (2, 3)), rng.uniform(0.5, 2, (2, 3)), "diag")
    wanted = rng.normal(0, 1, 3)
    voices = []
    for person in range(3):
        which = rng.choice(2, size=3000, p=background.weights)
        frames = background.means[which] + wanted
        frames = frames + rng.normal(size=frames.shape) * np.sqrt(background.covariances[which])
        voices.append(BackgroundRecording(f"{person}", f"p{person}", "", frames.astype(np.float32), 100.0))
    found = estimate_offset(background, voices)
    # the exact stationary point of the likelihood, by a slow twin
    frames = np.concatenate([voice.frames for voice in voices]).astype(np.float64)

    def likelihood(offset):
        joint = np.log(background.weights) - 0.5 * (
            np.square(frames[:, None] - background.means - offset) / background.covariances
            + np.log(background.covariances)
        ).sum(axis=2)
        return np.logaddexp.reduce(joint, axis=1).mean()

    assert likelihood(found) > likelihood(np.zeros(3)) - 1e-9
    assert likelihood(found) > likelihood(wanted) - 0.05
