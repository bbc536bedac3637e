"""A room that was trained on, and sound with something foreign in it."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import soundfile

from audiogmm.audio.frontend.frontend import FrontEnd
from audiogmm.jobs.train import train
from audiogmm.manifest import Entry
from audiogmm.mixture.store import Model
from audiogmm.synth.sites import make_background
from tests.live.streams import noise

RATE = 16000


def room(seconds: float, seed: int = 0) -> np.ndarray:
    """A fan, as 16 bits hold it, float32."""
    sound = make_background("fan", round(seconds * RATE), np.random.default_rng(seed))
    return (np.clip(np.round(sound * 32768), -32768, 32767) / 32768).astype(np.float32)


def with_whistles(seconds: float, at: tuple[float, ...], seed: int = 1, length: float = 0.8) -> np.ndarray:
    """The same with whistles at some times."""
    sound = room(seconds, seed)
    for begin in at:
        first = round(begin * RATE)
        n = min(round(length * RATE), len(sound) - first)
        whistle = 0.08 * np.sin(2 * np.pi * 1700 * np.arange(n) / RATE)
        sound[first : first + n] += np.round(whistle * 32768).astype(np.float32) / 32768
    return sound


def bursts(seconds: float) -> np.ndarray:
    """A gain that is low for half of each second, so that an activity detector finds something to do."""
    loud = np.arange(round(seconds * RATE)) % RATE < RATE // 2
    return np.where(loud, 1.0, 0.05).astype(np.float32)


def model(preset: str = "ambient") -> Model:
    """A model of the room, with its detector; the same one each time."""
    return _trained(preset)


@cache
def _trained(preset: str) -> Model:
    with TemporaryDirectory() as folder:
        entries = []
        for seed in range(10, 16):
            path = Path(folder) / f"{seed}.wav"
            soundfile.write(path, room(6.0, seed) * (bursts(6.0) if preset == "speech" else 1), RATE)
            entries.append(Entry(audio_filepath=str(path), id=str(seed)))
        frontend = FrontEnd.preset(preset)
        return train(entries, frontend, n_components=2, passes=5)


def saved(folder: Path, preset: str = "ambient") -> Path:
    """The same in a file."""
    path = folder / "room.agmm"
    model(preset).save(path, force=True)
    return path


__all__ = ["RATE", "bursts", "model", "noise", "room", "saved", "with_whistles"]
