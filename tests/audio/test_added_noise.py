"""Added noise has the level and the color asked for, however samples are cut."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

import audiogmm as ag
from audiogmm.audio.added_noise import AddedNoise, NoiseStream
from audiogmm.audio.recording import Recording
from audiogmm.errors import ChoiceError
from audiogmm.manifest import Entry
from audiogmm.verification.quality import SignalToNoise


@settings(max_examples=20, deadline=None)
@given(cuts=st.lists(st.integers(0, 2000), max_size=10), color=st.sampled_from([0.0, 0.7]))
def test_noise_does_not_depend_on_how_samples_are_cut(cuts: list[int], color: float) -> None:
    samples = np.random.default_rng(0).normal(0, 0.1, 2000).astype(np.float32)
    which = AddedNoise(10.0, color, seed=4)
    whole = NoiseStream(which, 0.01).push(samples)
    parts, places = NoiseStream(which, 0.01), sorted({0, 2000, *cuts})
    cut = [parts.push(samples[a:b]) for a, b in itertools.pairwise(places)]
    assert np.concatenate(cut).tobytes() == whole.tobytes()
    assert not np.array_equal(NoiseStream(replace(which, seed=5), 0.01).push(samples), whole)


def test_noise_has_the_level_and_the_color_asked_for() -> None:
    silence = np.zeros(200_000, np.float32)
    for color in (0.0, 0.9):
        added = NoiseStream(AddedNoise(20.0, color), power=1.0).push(silence)
        assert 10 * np.log10(np.mean(np.square(added))) == pytest.approx(-20.0, abs=0.3)
        neighbors = np.corrcoef(added[:-1], added[1:])[0, 1]
        assert neighbors == pytest.approx(color, abs=0.02)
    with pytest.raises(ChoiceError, match=r"a color of 1\.0.*under 1"):
        AddedNoise(3.0, 1.0)
    with pytest.raises(ChoiceError, match="ratio of inf dB"):
        AddedNoise(math.inf)


def test_a_recording_is_heard_through_noise(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    rng = np.random.default_rng(1)
    loud = np.repeat([0.2, 0.0002], 8000)
    soundfile.write(path, np.tile(rng.normal(0, 1, 16000) * loud, 2), 8000)
    plain = Recording(Entry(str(path), id="a"), ag.FrontEnd.preset("speech"), cache=tmp_path / "cache")
    found = {}
    for decibels in (None, 20.0, 10.0):
        heard = SignalToNoise()
        which = None if decibels is None else AddedNoise(decibels)
        for block in replace(plain, noise=which):
            heard.push(block.levels, block.voiced)
        found[decibels] = heard.decibels
    assert found[None] > 45
    assert found[20.0] == pytest.approx(24, abs=3)  # a recording of which half is speech
    assert found[10.0] == pytest.approx(14, abs=3)
    assert len(list((tmp_path / "cache").glob("frames/*/*"))) == 1, "noise is not kept"
