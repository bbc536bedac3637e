"""Reading background recordings: which, how much of each, and from which blocks."""

from __future__ import annotations

import pytest

from audiogmm.verification.quality import FLOOR_SHARE, STEP
from audiogmm.verification.recordings.background_reader import (
    LabeledRecording,
    read_frames,
    select_recordings,
    share_memory,
)
from tests.naive import quality as naive
from tests.verification.blocks import Blocks
from tests.verification.voices import people


def test_memory_is_shared_among_speakers() -> None:
    plan = share_memory({f"p{i}": 1 for i in range(5000)}, 8)
    assert len(plan) == 1000 and set(share_memory({f"p{i}": 1 for i in range(5000)}, 8)) == set(plan)
    samples = [LabeledRecording("ann", "", voice) for voice in people(20, seconds=0.6)]
    assert len(list(select_recordings(samples))) == 7  # every third of 20
    assert sum(sample.max_bytes for sample in select_recordings(samples)) <= 192 << 20


@pytest.mark.parametrize("most", [60, 1000])
def test_what_is_kept_of_a_voice_does_not_depend_on_blocks(most: int) -> None:
    found = [
        read_frames(LabeledRecording("ann", "", Blocks(length), max_bytes=8 * most), 2, 1)
        for length in (300, 7, 1)
    ]
    assert len(found[0].frames) == min(most, Blocks(1).voiced.sum())
    for other in found[1:]:
        for part in ("frames", "levels", "voiced"):
            if most == 60:  # what lies behind the last frame kept is not heard
                assert getattr(other, part).tobytes() == getattr(found[0], part).tobytes()
    assert found[0].voiced.sum() == len(found[0].frames)
    assert found[0].decibels == pytest.approx(
        naive.signal_to_noise(found[0].levels.tolist(), found[0].voiced.tolist(), FLOOR_SHARE), abs=STEP
    )
