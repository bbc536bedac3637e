"""A speaker with recordings more and less."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audiogmm.errors import MismatchError
from audiogmm.mixture.evaluator import Evaluator
from audiogmm.verification.adaptation import Adaptation
from audiogmm.verification.speaker import Speaker
from tests.verification.voices import mixture


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), tau=st.sampled_from([0.0, 4.0, 16.0]), variances=st.booleans())
def test_a_recording_left_out_was_never_enrolled(seed: int, tau: float, variances: bool) -> None:
    rng, background = np.random.default_rng(seed), mixture(seed=seed)
    adaptation = Adaptation(tau=tau, weights=True, variances=variances)
    evaluator = Evaluator(background)

    def enrolled(names: str) -> Speaker:
        frames = np.concatenate([takes[name] for name in names])
        stats = evaluator.accumulate(frames)
        return Speaker("ann", "f", stats, tuple(names), len(frames) / 100, tuple(names))

    takes = {name: rng.normal(0, 3, (rng.integers(20, 60), 3)) for name in "abc"}
    left, never = enrolled("abc").without(enrolled("b")), enrolled("ac")
    assert (left.recordings, left.marks) == (never.recordings, never.marks)
    assert left.voiced_seconds == pytest.approx(never.voiced_seconds)
    one, other = (speaker.adapted(background, adaptation) for speaker in (left, never))
    for part in ("weights", "means", "covariances"):
        np.testing.assert_allclose(getattr(one, part), getattr(other, part), rtol=1e-5, atol=1e-6)
    with pytest.raises(MismatchError, match="'ann' without b"):
        never.without(enrolled("b"))
    with pytest.raises(MismatchError, match="enrolled once"):
        enrolled("abb").without(enrolled("b"))
