"""Foreign sounds, mixed into a background without a change of its level."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from audiogmm.synth.noise import SAMPLE_RATE, colored_noise, fade_gain, rms
from audiogmm.synth.voice import make_speech
from audiogmm.timeline import Segment
from audiogmm.types import FloatArray

_FADE = 0.03  # seconds over which a foreign sound fades in and out
_ENVELOPE = 0.02  # seconds over which levels are compared: a frame of 25 ms must not be louder than before


def _tone(n: int, rng: np.random.Generator) -> FloatArray:
    """A beep, or several in a row."""
    time = np.arange(n) / SAMPLE_RATE
    beat = np.clip(3 * np.sin(2 * np.pi * rng.uniform(2, 6) * time) + 1.5, 0, 1)
    return beat * np.sin(2 * np.pi * rng.uniform(600, 3000) * time)


def _chirp(n: int, rng: np.random.Generator) -> FloatArray:
    """A squeal that glides by up to two octaves."""
    octaves = rng.uniform(0.7, 2.0) * rng.choice([-1, 1]) * np.linspace(0, 1, n)
    return np.sin(2 * np.pi * np.cumsum(rng.uniform(800, 1800) * 2**octaves) / SAMPLE_RATE)


def _clicks(n: int, rng: np.random.Generator) -> FloatArray:
    """A rattle: ringing clicks."""
    train = np.zeros(n)
    train[rng.choice(n, size=max(4, round(n / SAMPLE_RATE * rng.uniform(20, 45))), replace=False)] = 1.0
    time = np.arange(round(0.02 * SAMPLE_RATE)) / SAMPLE_RATE
    ring = np.exp(-time / 0.004) * np.sin(2 * np.pi * rng.uniform(2000, 5000) * time)
    return np.convolve(train, ring)[:n]


def _hiss(n: int, rng: np.random.Generator) -> FloatArray:
    """Noise in a narrow band: a leak."""
    low = rng.uniform(1500, 4500)
    return colored_noise(n, rng, slope=0.0, band=(low, low * rng.uniform(1.3, 1.7)))


def _call(n: int, rng: np.random.Generator) -> FloatArray:
    """A voice."""
    return make_speech(n, rng, rng.uniform(110, 260), rng.uniform(0.85, 1.15), 0.03)


FOREIGN: dict[str, Callable[[int, np.random.Generator], FloatArray]] = {
    "tone": _tone,
    "chirp": _chirp,
    "clicks": _clicks,
    "hiss": _hiss,
    "voice": _call,
}
"""Foreign sounds by name: (n_samples, generator) -> samples of shape (n_samples,), of any level."""


def add_foreign_sounds(
    background: FloatArray, rng: np.random.Generator
) -> tuple[FloatArray, list[Segment], list[str]]:
    """Add one or two foreign sounds to a background, and bring it back to its level.

    Parameters
    ----------
    background : ndarray of shape (n_samples,), float64
        At least 5 s; a second sound needs 8 s.
    rng : Generator
        Draws kinds, places, lengths (0.8 to 2 s) and levels (3 dB under to 7 dB over the background).

    Returns
    -------
    mixture : ndarray of shape (n_samples,), float64
        Its power over any 20 ms is that of the background.
    events : list of Segment
        Where the sounds are, seconds.
    sounds : list of str
        What they are.
    """
    mixture = background.copy()
    events: list[Segment] = []
    sounds: list[str] = []
    count = int(rng.integers(1, 3)) if len(background) >= 8 * SAMPLE_RATE else 1
    share = len(background) // count
    for part in range(count):
        n = round(rng.uniform(0.8, 2.0) * SAMPLE_RATE)
        start = part * share + int(rng.integers(SAMPLE_RATE // 2, share - n - SAMPLE_RATE // 2))
        kind = str(rng.choice(list(FOREIGN)))
        sound = FOREIGN[kind](n, rng)
        gain = 10 ** (rng.uniform(-3, 7) / 20) * rms(background[start : start + n]) / rms(sound)
        mixture[start : start + n] += gain * fade_gain(n, _FADE) * sound
        events.append(Segment(start / SAMPLE_RATE, (start + n) / SAMPLE_RATE))
        sounds.append(kind)
    return mixture * np.sqrt(_power(background) / _power(mixture)), events, sounds


def _power(samples: FloatArray) -> FloatArray:
    """Mean square around every sample, never zero."""
    from scipy.ndimage import uniform_filter1d

    size = round(_ENVELOPE * SAMPLE_RATE)
    return np.asarray(uniform_filter1d(np.square(samples), size, mode="nearest")) + 1e-12
