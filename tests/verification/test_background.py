"""Parts of background recordings."""

from __future__ import annotations

import math

import numpy as np

from audiogmm.verification.background import BackgroundRecording, concatenate
from audiogmm.verification.recordings.background_reader import LabeledRecording, read_frames
from tests.verification.blocks import Blocks


def test_a_part_of_a_voice_has_what_lies_between_its_frames() -> None:
    whole = read_frames(LabeledRecording("ann", "", Blocks(50)), 2, 1)
    n = len(whole.frames)
    parts = [whole.part(0, 40), whole.part(40, 90), whole.part(90, n)]
    again = concatenate(parts)
    for name in ("frames", "levels", "voiced"):
        np.testing.assert_array_equal(getattr(again, name), getattr(whole, name))
    assert parts[1].voiced[0] and parts[1].voiced.sum() == 50
    bare = BackgroundRecording("a", "ann", "", whole.frames, 100.0)
    assert math.isnan(bare.decibels) and len(bare.part(3, 9).frames) == 6
