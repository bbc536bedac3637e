"""What training measures once: the level of its audio, and every feature's mean and deviation."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from audiogmm.audio.frontend.frontend import FrontEnd
from audiogmm.jobs.train import train
from audiogmm.manifest import Entry
from audiogmm.runs.frontend_measurement import LEVEL


def entries(folder: Path, gain: float) -> list[Entry]:
    rng = np.random.default_rng(0)
    found = []
    for i in range(3):
        samples = gain * rng.normal(size=16000) * (1 + i)
        path = folder / f"{gain}-{i}.wav"
        soundfile.write(path, samples, 8000, subtype="FLOAT")
        found.append(Entry(str(path), id=f"{i}"))
    return found


def test_the_training_frames_have_mean_0_and_deviation_1(tmp_path: Path) -> None:
    found = entries(tmp_path, 0.01)
    model = train(found, FrontEnd.preset("ambient"), n_components=1, hold_out=0)
    frontend = FrontEnd.from_dict(model.metadata.frontend)
    samples = [soundfile.read(entry.path, dtype="float32")[0] for entry in found]
    frames = np.concatenate([frontend(x, 8000) for x in samples]).astype(np.float64)
    np.testing.assert_allclose(frames.mean(axis=0), 0, atol=1e-5)
    np.testing.assert_allclose(frames.std(axis=0), 1, rtol=1e-4)
    level = np.sqrt(np.mean(np.square(np.concatenate(samples).astype(np.float64))))
    assert frontend.sample_scale == pytest.approx(LEVEL / level, rel=1e-3)


def test_a_quiet_microphone_gives_the_same_model(tmp_path: Path) -> None:
    near, far = (
        train(entries(tmp_path, gain), FrontEnd.preset("ambient"), n_components=2, hold_out=0)
        for gain in (0.05, 0.05 / 1024)
    )
    np.testing.assert_allclose(near.means, far.means, rtol=1e-2, atol=2e-3)
    np.testing.assert_allclose(near.covariances, far.covariances, rtol=1e-2, atol=2e-3)
