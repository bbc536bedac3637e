"""The front end against its slow, obvious twin."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audiogmm.audio.frontend.cmvn import SlidingCmvn, UtteranceMoments
from audiogmm.audio.frontend.context import Deltas
from audiogmm.audio.frontend.frontend import FrontEnd
from audiogmm.audio.frontend.vad import EnergyVad
from tests.naive import frontend as naive

DRAWS = settings(max_examples=30, deadline=None)


def signal(n, seed=0, pause=True):
    """Colored noise in bursts, with a stretch of exact silence."""
    rng = np.random.default_rng(seed)
    samples = np.cumsum(rng.standard_normal(n)) * 0.01 + rng.standard_normal(n) * 0.05
    samples *= 0.2 + np.sin(np.arange(n) / 900.0) ** 2
    if pause:
        samples[n // 3 : n // 3 + 700] = 0.0
    return samples.astype(np.float32)


@pytest.mark.parametrize("rate", [8000, 16000, 44100])
@pytest.mark.parametrize("preset", ["speech", "ambient", "librosa", "kaldi"])
def test_presets_match_the_twin(preset, rate):
    frontend = FrontEnd.preset(preset, deltas=0, cmvn="none", vad="none")
    samples = signal(rate)
    expected, _, _ = naive.static_features(frontend, samples, rate)
    assert np.allclose(frontend(samples, rate), expected, rtol=1e-6, atol=2e-5)


@DRAWS
@given(
    length=st.integers(9, 260),
    hop=st.integers(1, 300),
    extra=st.integers(0, 60),
    n=st.integers(0, 2000),
    options=st.fixed_dictionaries(
        {
            "window": st.sampled_from(["hann", "hamming", "povey", "blackman", "rectangular"]),
            "window_periodic": st.booleans(),
            "remove_dc": st.booleans(),
            "preemphasis": st.sampled_from([0.0, 0.97]),
            "sample_scale": st.sampled_from([1.0, 32768.0]),
            "spectrum": st.sampled_from(["power", "magnitude"]),
            "mel_scale": st.sampled_from(["htk", "slaney"]),
            "mel_triangles": st.sampled_from(["hertz", "mel"]),
            "mel_norm": st.sampled_from(["none", "slaney"]),
            "log_scale": st.sampled_from(["ln", "db"]),
            "feature": st.sampled_from(["mfcc", "logmel"]),
            "energy": st.sampled_from(["none", "raw", "windowed"]),
            "lifter": st.sampled_from([0.0, 22.0]),
        }
    ),
)
def test_any_settings_match_the_twin(length, hop, extra, n, options):
    frontend = FrontEnd(
        length_unit="samples",
        frame_length=length,
        hop_length=hop,
        n_fft=length + extra,
        n_mels=3,
        n_mfcc=3,
        fmin=0.0,
        fmax=0.0,
        include_c0=True,
        deltas=0,
        cmvn="none",
        vad="none",
        log_floor=1e-10,
        **options,
    )
    samples = signal(n)
    found = frontend(samples, 8000)
    expected, _, _ = naive.static_features(frontend, samples, 8000)
    assert len(found) == len(expected)
    if len(found):
        # in bands where the spectrum cancels, the last digits of either transform decide
        assert np.allclose(found, expected, rtol=1e-5, atol=1e-3)


@DRAWS
@given(n=st.integers(1, 40), width=st.integers(1, 20), order=st.integers(1, 3), window=st.integers(1, 3))
def test_deltas_match_the_twin(n, width, order, window):
    rows = np.random.default_rng(n).standard_normal((n, width)).astype(np.float32)
    stage = Deltas(width, order, window)
    found = np.concatenate([stage.push(rows), stage.flush()])
    assert np.allclose(found, naive.with_deltas(rows, order, window), atol=1e-6)


@DRAWS
@given(
    n=st.integers(1, 60),
    width=st.integers(1, 20),
    window=st.integers(1, 30),
    variance=st.booleans(),
    causal=st.booleans(),
)
def test_sliding_normalisation_matches_the_twin(n, width, window, variance, causal):
    rows = np.random.default_rng(n).standard_normal((n, width)).astype(np.float32) + 5
    stage = SlidingCmvn(width, window, variance, causal)
    found = np.concatenate([stage.push(rows), stage.flush()])
    # a window of one or two rows has a variance of nearly nothing, by which the rounding is divided
    assert np.allclose(
        found, naive.normalized(rows, window, variance, causal), atol=1e-3 if variance else 1e-5
    )


@DRAWS
@given(
    n=st.integers(1, 120),
    window=st.integers(1, 50),
    before=st.integers(0, 3),
    after=st.integers(0, 5),
    silent=st.floats(0, 1),
)
def test_the_detector_matches_the_twin(n, window, before, after, silent):
    rng = np.random.default_rng(n)
    levels = (rng.choice([-70.0, -30.0], n) + 4 * rng.standard_normal(n)).astype(np.float32)
    levels[rng.random(n) < silent] = -np.inf
    detector = EnergyVad(window, 6.0, 30.0, before, after)
    found = np.concatenate([detector.push(levels), detector.flush()])
    assert np.array_equal(found, naive.marked(levels, window, 6.0, 30.0, before, after))


def test_levels_of_the_stream_are_those_of_the_twin():
    frontend = FrontEnd.preset("speech", vad_window=0.4)
    samples = signal(16000)
    _, levels, _ = naive.static_features(frontend, samples, 16000)
    stream = frontend.stream(16000)
    voiced = np.concatenate([block.voiced for block in stream.push(samples) + stream.flush()])
    assert np.array_equal(voiced, naive.marked(levels, 40, frontend.vad_margin, frontend.vad_depth, 2, 5))
    assert 0 < voiced.sum() < len(voiced)


def test_moments_survive_a_large_mean():
    rows = np.random.default_rng(0).standard_normal((1000, 3)).astype(np.float32) + 4096
    moments = UtteranceMoments(3)
    for start in range(0, 1000, 77):
        moments.push(rows[start : start + 77])
    assert np.allclose(moments.mean, rows.astype(np.float64).mean(axis=0), rtol=1e-14)
    assert np.allclose(moments.deviation, rows.astype(np.float64).std(axis=0), rtol=1e-10)


@pytest.mark.parametrize("variance", [False, True])
def test_utterance_normalisation_is_that_of_the_whole_recording(variance):
    frontend = FrontEnd.preset("speech", cmvn="utterance", cmvn_variance=variance)
    plain = FrontEnd.preset("speech", cmvn="none")(signal(16000), 16000).astype(np.float64)
    expected = plain - plain.mean(axis=0)
    if variance:
        expected /= plain.std(axis=0)
    assert np.allclose(frontend(signal(16000), 16000), expected, atol=1e-5)
