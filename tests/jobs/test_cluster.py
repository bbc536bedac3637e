"""What `cluster` writes: every frame's components, and the sound of each claim, cut where it lies."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from audiogmm.audio.frontend.frontend import FrontEnd
from audiogmm.jobs.cluster import CONTEXT, cluster_to_folder
from audiogmm.jobs.train import train
from audiogmm.manifest import Entry
from audiogmm.mixture.evaluator import Evaluator

RATE = 8000


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    """A low tone, a high one, and the low one again, two seconds each; every sample tells its second."""
    t = np.arange(6 * RATE) / RATE
    tone = np.sin(2 * np.pi * np.where((t // 2) == 1, 3000, 300) * t)
    noise = np.random.default_rng(0).normal(size=len(t))
    path = tmp_path / "tones.wav"
    soundfile.write(path, 0.3 * tone + 0.01 * noise, RATE)
    return path


def test_each_claim_is_cut_where_it_lies(recording: Path, tmp_path: Path) -> None:
    model = train([Entry(str(recording), id="tones")], FrontEnd.preset("kaldi"), n_components=2, hold_out=0)
    model.save(tmp_path / "m.agmm")
    cluster_to_folder(tmp_path / "m.agmm", str(recording), tmp_path / "out", examples=1)
    rows = [json.loads(line) for line in (tmp_path / "out" / "components.jsonl").read_text().splitlines()]
    high = min(rows, key=lambda row: row["weight"])
    (claim,) = high["segments"]
    assert (claim["start"], claim["end"]) == (pytest.approx(2.0, abs=0.1), pytest.approx(4.0, abs=0.1))
    samples, rate = soundfile.read(tmp_path / "out" / claim["sound"])
    whole, _ = soundfile.read(recording)
    first = round((claim["start"] - CONTEXT) * RATE)
    assert rate == RATE
    assert len(samples) == pytest.approx((claim["end"] - claim["start"] + 2 * CONTEXT) * RATE, abs=1)
    np.testing.assert_allclose(samples, whole[first : first + len(samples)], atol=1e-4)


def test_the_soft_assignment_is_the_posterior(recording: Path, tmp_path: Path) -> None:
    frontend = FrontEnd.preset("kaldi")
    model = train([Entry(str(recording), id="tones")], frontend, n_components=5, hold_out=0)
    model.save(tmp_path / "m.agmm")
    cluster_to_folder(tmp_path / "m.agmm", str(recording), tmp_path / "out", examples=0, min_posterior=0.9999)
    with np.load(tmp_path / "out" / "tones.npz") as file:
        found = dict(file)
    samples = soundfile.read(recording, dtype="float32")[0]
    posteriors = Evaluator(model.mixture).posteriors(frontend(samples, RATE))
    assert np.array_equal(found["component"], posteriors.argmax(axis=1))
    starts = found["soft_start"]
    assert (np.diff(starts) >= 1).all(), "the largest posterior of a frame is always kept"
    for i in range(len(posteriors)):
        row = slice(starts[i], starts[i + 1])
        expected = np.flatnonzero((posteriors[i] >= 0.9999) | (np.arange(5) == posteriors[i].argmax()))
        assert found["soft_component"][row].tolist() == expected.tolist()
        np.testing.assert_allclose(found["soft_posterior"][row], posteriors[i][expected])
    assert (posteriors.max(axis=1) < 0.9999).any()
