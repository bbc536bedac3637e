"""Synthetic channels."""

from __future__ import annotations

import numpy as np

from audiogmm.audio.channels import channel_offsets
from audiogmm.audio.frontend.frontend import FrontEnd


def test_channels_move_static_features_alone() -> None:
    frontend = FrontEnd(cmvn="none", deltas=1, sample_rate=8000)
    offsets = channel_offsets(frontend, 50)
    assert offsets is not None and offsets.shape == (50, 40)
    assert np.abs(offsets[:, :20]).max() > 1 and not offsets[:, 20:].any()
    rng = np.random.default_rng(0)
    audio = rng.normal(0, 0.1, 16000).astype(np.float32)
    louder = frontend(3 * audio, 8000)[5:-5] - frontend(audio, 8000)[5:-5]
    np.testing.assert_allclose(louder, 0, atol=1e-3)  # a flat response adds to c0 alone, which is not kept
