"""Which piece of a recording is drawn, and that its curve lies where its sound does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from audiogmm.anomaly.learning.assembly import make_scorer
from audiogmm.anomaly.learning.model_parts import read_detector
from audiogmm.audio.frontend.frontend import FrontEnd
from audiogmm.audio.recording import Recording
from audiogmm.jobs.calibrate import calibrate
from audiogmm.jobs.train import train
from audiogmm.manifest import Entry
from audiogmm.reporting.run import pictures as plot

RATE = 8000


@pytest.mark.parametrize(
    ("odd", "offset", "start"), [(20.0, 0.0, 15.0), (39.0, 0.0, 30.0), (20.0, 3.0, 15.0)]
)
def test_a_long_recording_is_drawn_around_its_severest_event(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, odd: float, offset: float, start: float
) -> None:
    rng = np.random.default_rng(0)
    samples = rng.normal(size=40 * RATE) * 0.05
    soundfile.write(tmp_path / "normal.wav", samples[: 20 * RATE], RATE)
    at = slice(round((odd - 0.5) * RATE), round((odd + 0.5) * RATE))
    samples[at] = 0.2 * np.sin(np.arange(RATE) * 0.7)[: len(samples[at])]
    soundfile.write(tmp_path / "odd.wav", samples, RATE)
    entry = Entry(str(tmp_path / "normal.wav"), id="normal")
    model = train([entry], FrontEnd.preset("kaldi"), n_components=2, hold_out=0)
    model = calibrate(model, [entry])
    drawn: list[Any] = []
    monkeypatch.setattr(
        "audiogmm.reporting.picture.draw_picture", lambda picture, path, force: drawn.append(picture)
    )
    monkeypatch.setattr(plot, "LONGEST", 10.0)
    recording = Recording(
        Entry(str(tmp_path / "odd.wav"), id="odd", offset=offset), FrontEnd.preset("kaldi", sample_rate=RATE)
    )
    plot.draw_recording(recording, make_scorer(model), read_detector(model), tmp_path / "x.png")
    (picture,) = drawn
    assert picture.clock.offset == pytest.approx(start, abs=0.5)
    first = round(picture.clock.offset * RATE)
    np.testing.assert_allclose(picture.samples, samples[first : first + len(picture.samples)], atol=1e-4)
    lowest = picture.clock.center(int(picture.scores.argmin()))
    assert lowest == pytest.approx(odd, abs=0.6)
    assert any(event.start < odd < event.end for event in picture.events)
