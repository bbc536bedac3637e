"""Reasons from end to end: moments learned by train and calibrate, events explained by detect."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

import audiogmm as ag
from audiogmm.anomaly.learning.assembly import make_explainer
from audiogmm.anomaly.learning.model_parts import with_moments
from audiogmm.anomaly.learning.moments import learn_moments
from audiogmm.anomaly.normal_moments import PREFIX
from audiogmm.audio.frontend.frontend import FrontEnd
from audiogmm.cli.main import main
from audiogmm.manifest import Entry
from audiogmm.mixture.evaluator import Evaluator
from audiogmm.mixture.gaussian import Mixture
from audiogmm.mixture.store import Model
from audiogmm.reduce import LocalReducer
from audiogmm.runs.progress import Silent
from audiogmm.synth.sites import make_background
from audiogmm.timeline import FrameClock
from tests.anomaly.scored import Frames

RATE = 16_000


def write(folder: Path, name: str, samples: np.ndarray) -> Entry:
    path = folder / f"{name}.wav"
    soundfile.write(path, samples.astype(np.float32), RATE, subtype="PCM_16")
    return Entry(audio_filepath=str(path), id=name, duration=len(samples) / RATE)


def fan(seed: int) -> np.ndarray:
    return make_background("fan", 8 * RATE, np.random.default_rng(seed))


@pytest.fixture(scope="module")
def normal(tmp_path_factory: pytest.TempPathFactory) -> list[Entry]:
    folder = tmp_path_factory.mktemp("fan")
    return [write(folder, f"fan{i}", fan(i)) for i in range(8)]


@pytest.fixture(scope="module")
def model(normal: list[Entry]) -> Model:
    return ag.train(normal, FrontEnd.preset("ambient"), n_components=4, passes=10, hold_out=0.25)


@pytest.fixture(scope="module")
def whistling(tmp_path_factory: pytest.TempPathFactory) -> Entry:
    samples = fan(99)
    time = np.arange(2 * RATE) / RATE
    samples[3 * RATE : 5 * RATE] += 0.01 * np.sin(2 * np.pi * 2500 * time)
    return write(tmp_path_factory.mktemp("odd"), "odd", samples)


def test_train_learns_moments_and_detect_gives_reasons(model: Model, whistling: Entry) -> None:
    moments = make_explainer(model).moments
    assert moments is not None and len(moments) == 8 * 15  # 8 s less the last, short one
    assert 0 < moments.held_out.sum() < len(moments)
    (event,) = ag.detect(model, whistling)
    assert event.explanation is not None and event.explanation["kind"] == "colour"
    named = event.explanation["bands"][0]
    assert named["low_hz"] < 2500 < named["high_hz"] and named["tone"]
    assert event.reasons[0].startswith("spectrum: a tone at about 2,")
    assert event.reasons[2].startswith("nearest normal sound: fan")
    assert Path(event.explanation["nearest"][0]["audio_filepath"]).name.startswith("fan")
    assert event.start <= event.explanation["worst"][0]["time"] <= event.end


def test_calibrate_learns_moments_anew(model: Model, normal: list[Entry]) -> None:
    plain = with_moments(model, None)
    assert not any(name.startswith(PREFIX) for name in plain.tensors) and plain.metadata.moments is None
    again = ag.calibrate(plain, normal[:3])
    moments = make_explainer(again).moments
    assert moments is not None and moments.ids == ("fan0", "fan1", "fan2") and moments.held_out.all()


def test_a_model_without_moments_gives_reasons_without_comparison(model: Model, whistling: Entry) -> None:
    (event,) = ag.detect(with_moments(model, None), whistling)
    assert len(event.reasons) == 2 and "nearest" not in (event.explanation or {})


def test_moments_survive_the_file(model: Model, whistling: Entry, tmp_path: Path) -> None:
    model.save(tmp_path / "m.agmm")
    assert ag.detect(ag.load(tmp_path / "m.agmm"), whistling) == ag.detect(model, whistling)


def test_reasons_can_be_switched_off(model: Model, whistling: Entry, tmp_path: Path) -> None:
    model.save(tmp_path / "m.agmm")
    rows = []
    for name, more in (("with", []), ("without", ["--no-reasons"])):
        call = ["detect", tmp_path / "m.agmm", whistling.path, "-o", tmp_path / f"{name}.jsonl", *more]
        with pytest.raises(SystemExit, match=r"^0$"):
            main([str(part) for part in call])
        rows.append(json.loads((tmp_path / f"{name}.jsonl").read_text()))
    explained = {name: rows[0].pop(name) for name in ("reasons", "explanation")}
    assert len(explained["reasons"]) == 3 and rows[0] == rows[1]


def test_workers_and_threads_learn_the_same(normal: list[Entry], model: Model) -> None:
    from audiogmm.runs.aside import Aside
    from audiogmm.runs.inputs import open_inputs
    from audiogmm.runs.progress import say_nothing

    found = []
    for threads, workers in ((1, 0), (3, 0), (1, 2)):
        inputs = open_inputs(normal, model=model, aside=Aside(strict=True), say=say_nothing)
        with LocalReducer(threads, workers) as reducer:
            found.append(
                learn_moments(
                    Evaluator(model.mixture), inputs.frontend, [(inputs, True)], reducer, None, Silent()
                )
            )
    for other in found[1:]:
        for name, tensor in found[0].tensors().items():
            np.testing.assert_array_equal(other.tensors()[name], tensor)
        assert other.metadata() == found[0].metadata()


@pytest.mark.parametrize(
    ("frontend", "absolute"),
    [
        (FrontEnd.preset("speech", sample_rate=8000), False),
        (FrontEnd.preset("kaldi", sample_rate=8000), False),
        (FrontEnd.preset("librosa", sample_rate=22050, n_mels=40), True),
        (FrontEnd.preset("ambient", sample_rate=8000, feature="logmel", cmvn="none", n_mels=20), True),
        (FrontEnd.preset("speech", sample_rate=8000, cmvn="warping"), None),
    ],
)
def test_every_front_end_can_be_explained(frontend: FrontEnd, absolute: bool | None) -> None:
    D = frontend.n_features()
    mixture = Mixture(np.full(2, 0.5), np.random.default_rng(0).normal(size=(2, D)), np.ones((2, D)), "diag")
    model = Model(mixture, metadata={"frontend": frontend.to_dict(), "sample_rate": frontend.sample_rate})
    explainer = make_explainer(model)
    assert (explainer.ranges.bands is None) == (absolute is None)
    assert (explainer.level is not None) == (explainer.ranges.whole is not None) == bool(absolute)
    explaining = explainer.open(frontend.clock(frontend.sample_rate or 0))
    recording = Frames("a", np.float32(2 * mixture.sample(400)[0]), np.ones(400, bool), (50,))
    for block in recording:
        explaining.push(replace(block, clock=frontend.clock(frontend.sample_rate or 0)))
    reasons, found = explaining.explain(100, 300)
    assert found["kind"] in ("level", "colour", "rhythm") and len(reasons) == 2
    named = found["columns" if absolute is None else "bands"]
    if absolute is not None:
        low, high = frontend.band(frontend.rate(frontend.sample_rate or 0))
        assert all(low <= band["low_hz"] < band["high_hz"] <= high for band in named)
    if frontend.cmvn == "warping":
        assert all(0 <= column["column"] < D for column in named)


def test_columns_of_tables_are_named() -> None:
    mixture = Mixture([1.0], [np.zeros(4)], [np.ones(4)], "diag")
    rows = np.random.default_rng(0).normal(size=(200, 4)).astype(np.float32)
    clock = FrameClock.for_rows()

    class Rows(Frames):
        def __iter__(self):
            return (replace(block, clock=clock) for block in super().__iter__())

    table = Rows("table", rows, np.ones(200, bool))
    with LocalReducer(1) as reducer:
        moments = learn_moments(Evaluator(mixture), None, [([table], True)], reducer, None, Silent())
    assert moments is not None and moments.frame_rate == 1.0 and len(moments) == 200
    model = Model(mixture, metadata={"frontend": None, "sample_rate": None})
    explaining = make_explainer(with_moments(model, moments)).open(clock)
    odd = rows.copy()
    odd[70, 2] += 12
    for block in Rows("odd", odd, np.ones(200, bool), (33, 71)):
        explaining.push(block)
    reasons, found = explaining.explain(70, 70)
    assert found["columns"][0]["column"] == 2 and found["columns"][0]["deviations"] > 9
    assert found["nearest"][0]["id"] == "table" and found["nearest"][0]["audio_filepath"] is None
    assert "column 2 is 1" in reasons[0] and "rhythm" not in found
