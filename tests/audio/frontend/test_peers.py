"""The front end against librosa and kaldi-native-fbank."""

from __future__ import annotations

import kaldi_native_fbank as knf
import librosa
import numpy as np
import pytest

from audiogmm.audio.frontend.frontend import FrontEnd
from tests.naive import frontend as naive

RATES = (8000, 16000, 44100, 48000)
SIGNALS = ("speech", "music", "silence", "noise", "impulse", "tone")


def recording(name, rate, seconds=1.0):
    """A second of something, float32."""
    rng = np.random.default_rng(7)
    t = np.arange(int(rate * seconds)) / rate
    noise = rng.standard_normal(len(t))
    samples = {
        # glottal pulses through two resonances, in syllables, over a faint background
        "speech": 0.3 * speech_like(t, rate) + 1e-3 * noise,
        "music": sum(
            0.15 * np.sin(2 * np.pi * f * t) * np.exp(-3 * (t % 0.4)) for f in (220, 277.2, 329.6, 440)
        ),
        "silence": 0 * t,
        "noise": 0.1 * noise,
        "impulse": (np.arange(len(t)) == len(t) // 2) * 1.0,
        "tone": 0.9 * np.sin(2 * np.pi * 1000 * t),
    }[name]
    return samples.astype(np.float32)


def speech_like(t, rate):
    """A voice, more or less."""
    import scipy.signal

    pulses = np.diff(np.floor(np.cumsum(110 + 20 * np.sin(2 * np.pi * 2 * t)) / rate), prepend=0.0)
    for hertz, width in ((600, 80), (1400, 120), (2600, 200)):
        radius = np.exp(-np.pi * width / rate)
        pulses = scipy.signal.lfilter(
            [1 - radius], [1, -2 * radius * np.cos(2 * np.pi * hertz / rate), radius**2], pulses
        )
    return pulses / np.abs(pulses).max() * (np.sin(2 * np.pi * 3 * t) > -0.5)


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("name", SIGNALS)
def test_librosa_preset_is_librosa(name, rate):
    samples = recording(name, rate)
    found = FrontEnd.preset("librosa")(samples, rate)
    for dtype in (np.float64, np.float32):
        mel = librosa.feature.melspectrogram(y=samples.astype(dtype), sr=rate, center=False)
        expected = librosa.feature.mfcc(S=librosa.power_to_db(mel, top_db=None)).T
        assert found.shape == expected.shape
        assert np.abs(found - expected).max() < 1e-3


def kaldi(samples, rate):
    """compute-mfcc-feats --dither=0."""
    options = knf.MfccOptions()
    options.frame_opts.samp_freq = rate
    options.frame_opts.dither = 0
    extractor = knf.OnlineMfcc(options)
    extractor.accept_waveform(rate, (samples * 32768).tolist())
    extractor.input_finished()
    return np.stack([extractor.get_frame(i) for i in range(extractor.num_frames_ready)])


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("name", SIGNALS)
def test_kaldi_preset_is_kaldi(name, rate):
    samples = recording(name, rate)
    frontend = FrontEnd.preset("kaldi")
    found = frontend(samples, rate)
    twin, _, mel = naive.static_features(frontend, samples, rate)
    expected = kaldi(samples, rate)
    assert found.shape == expected.shape
    # where a band is nearly empty beside the loudest, the rounding of kaldi's float32 transform decides
    clear = np.all(mel > 1e-6 * mel.max(axis=1, keepdims=True), axis=1) | ~mel.any(axis=1)
    assert np.abs(found - expected)[clear].max(initial=0.0) < 1e-2
    assert np.abs(found - twin).max() < 1e-2
    assert clear.any() or name in ("music", "tone")


@pytest.mark.parametrize("use_energy", [False, True])
def test_logmel_is_kaldis_fbank(use_energy):
    samples = recording("noise", 16000)
    options = knf.FbankOptions()
    options.frame_opts.dither = 0
    options.use_energy = use_energy
    options.mel_opts.num_bins = 23
    extractor = knf.OnlineFbank(options)
    extractor.accept_waveform(16000, (samples * 32768).tolist())
    extractor.input_finished()
    expected = np.stack([extractor.get_frame(i) for i in range(extractor.num_frames_ready)])
    frontend = FrontEnd.preset("kaldi", feature="logmel", energy="raw" if use_energy else "none")
    assert np.abs(frontend(samples, 16000) - expected).max() < 1e-3
