"""Training from beginning to end: what is refused before anything is read, and what a model is made from."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

import audiogmm as ag
from audiogmm.cli.main import main
from audiogmm.errors import ChoiceError, TrainingError
from audiogmm.jobs.train_settings import TrainSettings
from audiogmm.jobs.trained_files import train_to_file
from audiogmm.runs.progress import Silent


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"hold_out": 0.6}, r"hold_out=0\.6; needed: at least 0 \(none\) and at most 0\.5"),
        ({"n_components": 0}, "n_components=0; needed: at least 1"),
        ({"scores": "loudness"}, "loudness"),
        ({"scores": "fusion", "hold_out": 0}, "scores 'fusion' and nothing held out"),
        ({"ledger_keep": 0.1}, r"--ledger-keep 0\.1 without a ledger"),
        ({"ledger_keep": 1.0, "ledger": True}, "keep"),
        ({"dask": "tcp://x", "workers": 2}, "--dask tcp://x and --workers 2"),
        ({"batch": 3}, "settings of stepwise EM for algorithm 'em': batch=3"),
        (
            {"approximate": "truncated:5", "accelerate": True},
            "approximation truncated.* for accelerated EM",
        ),
        ({"algorithm": "kmeans", "covariance_type": "full"}, "k-means with covariance type 'full'"),
    ],
)
def test_settings_are_checked_where_they_are_made(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ChoiceError, match=message):
        TrainSettings(**settings)


def test_a_keyword_that_there_is_not_names_the_nearest() -> None:
    with pytest.raises(
        TypeError, match=r"train\(\) has no keyword 'n_component'; did you mean 'n_components'"
    ):
        ag.train("gone.jsonl", n_component=4)


@pytest.fixture
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A table of rows around two points, in the working folder."""
    rng = np.random.default_rng(0)
    np.save(tmp_path / "rows.npy", rng.normal([[0, 0], [8, 8]], 1, (300, 2, 2)).reshape(-1, 2).astype("f4"))
    monkeypatch.chdir(tmp_path)
    return "rows.npy"


def test_a_model_to_start_from_may_be_a_file(table: str) -> None:
    model = ag.train(table, n_components=2, passes=3)
    model.save("first.agmm")
    settings: dict[str, Any] = {"passes": 1, "hold_out": 0}
    of_file = ag.train(table, start=Path("first.agmm"), **settings)
    assert of_file.fingerprint == ag.train(table, start=model, **settings).fingerprint


def test_from_is_the_former_name_of_start(table: str) -> None:
    ag.train(table, n_components=2, passes=3).save("first.agmm")
    for option in ("--start", "--from"):
        with pytest.raises(SystemExit, match="0"):
            main(["train", table, "-o", f"{option[2:]}.agmm", option, "first.agmm", "--passes", "1"])
    assert Path("start.agmm").read_bytes() == Path("from.agmm").read_bytes()


def test_the_same_standard_input_gives_the_same_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wav = io.BytesIO()
    soundfile.write(wav, np.random.default_rng(0).normal(size=32_000) * 0.1, 16_000, format="WAV")
    for name in ("a", "b"):  # each from a temporary file of another name
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(wav.getvalue())))
        train_to_file("-", tmp_path / name, ag.FrontEnd.preset("ambient"), n_components=1, passes=1)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


@pytest.mark.parametrize(("passes", "why"), [(50, "converged: "), (1, "stopped at --passes 1 before it")])
def test_the_closing_lines_say_why_it_ended(table: str, tmp_path: Path, passes: int, why: str) -> None:
    result = train_to_file(table, tmp_path / "m.agmm", n_components=2, passes=passes, hold_out=0)
    (line,) = [line for line in result.lines() if "nats" in line]
    assert f"({why}" in line


def test_nothing_voiced_is_said_of_the_recording(tmp_path: Path) -> None:
    """Of one recording the parts that train are several shards: here those around the one that is voiced."""
    sound = np.zeros(10 * 16000)
    sound[40000:60000:4000] = 1e-4
    soundfile.write(tmp_path / "a.wav", sound, 16000)
    message = r"the only recording was set aside because: a: none of \d+ frames is voiced.*--preset ambient"
    with pytest.raises(TrainingError, match=message):
        train_to_file(str(tmp_path / "a.wav"), tmp_path / "a.agmm", n_components=1)


def test_too_few_frames_for_the_components_are_noted() -> None:
    progress = Silent()
    ag.train(np.random.default_rng(0).normal(size=(108, 2)), n_components=11, hold_out=0, progress=progress)
    assert "11 components from 108 rows: at most 2 are supported; try -k 2" in progress.messages
    sound, progress = np.random.default_rng(0).normal(size=16000) * 0.1, Silent()
    frontend = ag.FrontEnd.preset("ambient")
    settings: Any = {"n_components": 11, "sample_rate": 16000, "cold_start": 0.5, "covariance_type": "diag"}
    ag.learn(sound, frontend=frontend, progress=progress, **settings)
    assert "11 components from 98 voiced frames: at most 1 is supported; try -k 1" in progress.messages
