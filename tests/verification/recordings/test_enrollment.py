"""What enrollment keeps of recordings."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import audiogmm as ag


def test_a_speaker_keeps_the_ratio_of_each_recording(noisy_town: Path, tmp_path: Path) -> None:
    entries = list(ag.read_manifest(noisy_town / "people" / "train.jsonl"))
    gallery = ag.enroll(ag.load(noisy_town / "ubm.agmm"), entries[:3], tmp_path / "known")
    name = gallery.names[0]
    ratios = gallery[name].decibels
    assert len(ratios) == gallery[name].n_recordings == 3 and all(5 < ratio < 80 for ratio in ratios)
    assert gallery[name].signal_to_noise == pytest.approx(np.mean(ratios))
    old = replace(gallery[name], decibels=())
    gallery.add(old)
    assert math.isnan(gallery[name].signal_to_noise)
    both = old.plus(replace(gallery[name], decibels=(math.nan, 12.0, 14.0)))
    assert both.signal_to_noise == 13.0 and len(both.decibels) == 6
