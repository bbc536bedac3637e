"""The latency that `info` states is the sum of all stages, the detector's among them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile

from audiogmm.anomaly.learning.model_parts import read_detector
from audiogmm.audio.frontend.frontend import FrontEnd
from audiogmm.jobs.calibrate import calibrate
from audiogmm.jobs.info import info
from audiogmm.jobs.train import train
from audiogmm.manifest import Entry


def test_latency_is_the_sum_of_the_stages(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", np.random.default_rng(0).normal(size=40000) * 0.1, 8000)
    entry = Entry(str(tmp_path / "a.wav"), id="a")
    plain = train([entry], FrontEnd.preset("kaldi", deltas=1), n_components=2, hold_out=0)
    plain.save(tmp_path / "plain.agmm")
    latency = info(tmp_path / "plain.agmm").about["latency"]
    assert latency["steady_frames"] == latency["stages"]["deltas"] == 2
    model = calibrate(plain, [entry])
    model.save(tmp_path / "calibrated.agmm")
    after = info(tmp_path / "calibrated.agmm").about["latency"]
    detector = read_detector(model).latency
    assert detector > 0
    assert after["steady_frames"] == 2 + detector
    assert after["worst_frames"] == latency["worst_frames"] + detector
    assert after["steady_seconds"] == (2 + detector) / 100
