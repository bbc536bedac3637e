"""What `update` and its neighbours say, and what they refuse before anything is written."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
import soundfile

import audiogmm as ag
from audiogmm.anomaly.detector_calibration import calibrate_detector
from audiogmm.errors import ChoiceError, MismatchError, TrainingError
from audiogmm.mixture.movement import movement
from audiogmm.training import LocalReducer, train_mixture
from audiogmm.training.frames.source import ArraySlice
from audiogmm.training.incremental import add_recordings
from tests.cli.calls import Audiogmm

FLOOR = 0.6
"""A share so large that it matters."""


@pytest.fixture
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Feature files a to d, e without a frame, one.npy; a manifest a letter, and `all.jsonl` of a to d."""
    monkeypatch.chdir(tmp_path)
    random = np.random.default_rng(0)
    for name, n in (*((name, 400) for name in "abcd"), ("e", 0), ("one", 3)):
        centres = random.normal(size=(max(n, 1), 2)) + 3 * random.integers(0, 2, (max(n, 1), 1))
        np.save(f"{name}.npy", centres[:n].astype(np.float32))
    for name in "abcde":
        Path(f"{name}.jsonl").write_text(row(name))
    Path("all.jsonl").write_text("".join(map(row, "abcd")))
    return tmp_path


def row(name: str) -> str:
    return json.dumps({"features_filepath": f"{name}.npy", "id": name}) + "\n"


@pytest.fixture
def model(table: Path, audiogmm: Audiogmm) -> Path:
    Path("abc.jsonl").write_text("".join(map(row, "abc")))
    options = ["-k", 2, "--floor", FLOOR, "--hold-out", 0, "--ledger"]
    done = audiogmm("train", "abc.jsonl", "-o", "was.agmm", *options)
    assert done.status == 0, done.err
    return table / "was.agmm"


def test_the_distance_is_to_a_model_with_the_same_floor(model: Path, audiogmm: Audiogmm) -> None:
    done = audiogmm(
        "update", model, "d.jsonl", "-o", "new.agmm", "--compare-with", "all.jsonl", "--workers", 1, "--json"
    )
    assert done.status == 0, done.err
    distance = done.json["distance"]
    new = ag.load("new.agmm")
    anew = train_mixture(
        [ArraySlice(name, np.load(f"{name}.npy")) for name in "abcd"],
        n_components=2,
        init=new.mixture,
        floor=np.array(new.metadata.training["floor"]),
        tol=1e-5,
        passes=100,
    )
    assert distance["movement"] == pytest.approx(movement(new.mixture, anew.mixture), rel=1e-6, abs=1e-9)
    assert distance["trained_anew"] == pytest.approx(anew.log_likelihood)


def test_bad_recordings_to_compare_with_are_set_aside(model: Path, audiogmm: Audiogmm) -> None:
    Path("more.jsonl").write_text("".join(map(row, "abcde")))
    done = audiogmm("update", model, "d.jsonl", "-o", "new.agmm", "--compare-with", "more.jsonl")
    assert done.status == 3
    assert "1 input was set aside" in done.err
    assert "e.npy has no rows" in done.err
    assert "trained again from here" in done.out


@pytest.mark.parametrize("missing", ["gone.jsonl", "empty.jsonl"])
def test_what_to_compare_with_is_looked_for_first(model: Path, audiogmm: Audiogmm, missing: str) -> None:
    Path("empty.jsonl").touch()
    done = audiogmm("update", model, "d.jsonl", "-o", "new.agmm", "--compare-with", missing)
    assert done.status == 1
    assert missing in done.err
    assert not list(Path().glob("new.agmm*"))


def test_a_comparison_that_fails_says_that_the_model_is_there(model: Path, audiogmm: Audiogmm) -> None:
    done = audiogmm("update", model, "d.jsonl", "-o", "new.agmm", "--compare-with", "e.jsonl")
    assert done.status == 1
    assert "new.agmm is written, but cannot be compared: " in done.err
    assert ag.load("new.agmm").metadata.updates[0]["n_recordings"] == 1


@pytest.mark.parametrize("option", ["--remove", "--reweight"])
def test_only_what_is_added_makes_the_past_forgotten(model: Path, audiogmm: Audiogmm, option: str) -> None:
    done = audiogmm("update", model, "a.jsonl", "-o", "new.agmm", option, "--forget", 0.3)
    assert done.status == 2
    assert f"--forget 0.3 and {option}; needed: recordings that are added" in done.err
    with pytest.raises(ChoiceError, match=rf"--forget 0\.3 and {option}; needed: recordings that are added"):
        ag.update(ag.load(model), "a.jsonl", **{option[2:]: True}, forget=0.3)


def test_a_silent_recording_is_not_said_to_have_changed() -> None:
    start = ag.Mixture([1.0], [[0.0, 0.0]], [[1.0, 1.0]], "diag")
    silent = ArraySlice("e", np.empty((0, 2), np.float32))
    with LocalReducer(1) as reducer, pytest.raises(TrainingError) as refused:
        add_recordings(start, None, [silent], floor=np.zeros(2), reducer=reducer)
    assert str(refused.value).startswith("e has no voiced frame; needed: at least one")
    assert "first pass" not in str(refused.value)


def test_a_ledger_brings_the_figures_of_its_own_pass(model: Path, audiogmm: Audiogmm) -> None:
    options = ["-k", 2, "--floor", FLOOR, "--hold-out", 0, "--passes", 1]
    for name, more in (("plain", []), ("kept", ["--ledger"]), ("pruned", ["--ledger", "--ledger-keep", 0.4])):
        done = audiogmm("train", "abc.jsonl", "-o", f"{name}.agmm", *options, *more)
        assert done.status == 0, done.err
        assert ("and the exact pass of the ledger" in done.out) == (name != "plain")
    plain = ag.load("plain.agmm")
    shards = [ArraySlice(name, np.load(f"{name}.npy")) for name in "abc"]
    floor = np.array(plain.metadata.training["floor"])
    with LocalReducer(1) as reducer:
        entered = add_recordings(plain.mixture, None, shards, floor=floor, reducer=reducer)
    assert entered.statistics.log_likelihood == pytest.approx(entered.log_likelihood)
    mean = entered.statistics.log_likelihood / 1200
    for name in ("kept", "pruned"):
        told = ag.load(f"{name}.agmm").metadata.training
        assert told["log_likelihood"] == pytest.approx(mean)
        assert told["bic"] == pytest.approx(-2 * mean * 1200 + 9 * np.log(1200))
        assert told["aic"] == pytest.approx(-2 * mean * 1200 + 2 * 9)
    assert plain.metadata.training["log_likelihood"] != pytest.approx(mean, rel=1e-9)


def test_settings_of_stepwise_em_are_refused_by_name(table: Path, audiogmm: Audiogmm) -> None:
    done = audiogmm("train", "all.jsonl", "-o", "x.agmm", "--batch", 3, "--averaging", 0.5)
    assert done.status == 2
    assert "stepwise EM for algorithm 'em': batch=3, averaging=0.5; needed: algorithm 'stepwise'" in done.err
    with pytest.raises(ChoiceError, match=r"stepwise EM for algorithm 'em': batch=3"):
        ag.train("all.jsonl", batch=3)


def test_an_approximation_is_refused_as_it_was_written(table: Path, audiogmm: Audiogmm) -> None:
    done = audiogmm("train", "all.jsonl", "-o", "x.agmm", "--approximate", "truncated:0")
    assert done.status == 2
    assert "approximation 'truncated:0': C=0; needed: at least 1; try: top:30 or truncated:5" in done.err


def test_a_recording_too_short_to_hold_a_part_out(table: Path, audiogmm: Audiogmm) -> None:
    done = audiogmm("select", "one.npy", "-o", "x.csv", "-k", "1")
    assert done.status == 2
    assert "the only recording, has 3 frames" in done.err
    assert "--hold-out 0" in done.err
    assert audiogmm("select", "one.npy", "-o", "x.csv", "-k", "1", "--hold-out", 0).status == 0


def test_no_threshold_from_less_than_a_window(table: Path, audiogmm: Audiogmm) -> None:
    soundfile.write("short.wav", np.random.default_rng(0).normal(size=16_000) * 0.1, 16_000)
    done = audiogmm("train", "short.wav", "-o", "x.agmm", "-k", 1, "--preset", "ambient")
    assert done.status == 0, done.err
    assert re.search(r"\d+ voiced frames, less than one window", done.err)
    assert "`detect` needs a model of more audio, or `calibrate` with other normal audio" in done.err
    assert "threshold" not in done.out
    assert ag.load("x.agmm").metadata.detector is None
    calm = ag.ScoreTrack("calm", np.zeros(50), np.ones(50, bool), ag.FrameClock(8000, 80, 200))
    with pytest.raises(
        MismatchError, match=r"50 voiced frames, less than one window of 0\.5 s.*more normal audio"
    ):
        calibrate_detector([calm])


def test_one_is_singular(table: Path, audiogmm: Audiogmm) -> None:
    done = audiogmm("train", "a.jsonl", "-o", "x.agmm", "-k", 1, "--passes", 1, "--hold-out", 0)
    assert "1 table (" in done.out
    assert "1 component, diag" in done.out
    assert "after 1 pass (" in done.out
    told = [done, audiogmm("update", "x.agmm", "b.jsonl", "-o", "y.agmm")]
    told.append(audiogmm("score", "x.agmm", "a.jsonl", "-o", "scores"))
    for ran in told:
        assert ran.status == 0, ran.err
        assert not re.search(r"\b1 (recordings|tables|frames|rows|components|passes)\b", ran.out), ran.out
    refused = audiogmm("train", "e.jsonl", "-o", "z.agmm", "-k", 1)
    assert "the only recording was set aside because: " in refused.err


def test_an_address_that_is_none(table: Path, audiogmm: Audiogmm) -> None:
    pytest.importorskip("distributed")
    done = audiogmm("train", "all.jsonl", "-o", "x.agmm", "--dask", "nonsense")
    assert done.status == 2
    assert "the Dask address 'nonsense'; needed: a host and a port, as in tcp://host:8786" in done.err


def test_an_update_of_nothing_that_can_be_used_says_why(workshop: Path, audiogmm: Audiogmm) -> None:
    few = ["-k", 2, "--passes", 2, "--hold-out", 0, "--preset", "ambient"]
    done = audiogmm("train", "train.jsonl", "-o", "m.agmm", *few)
    assert done.status == 0, done.err
    Path("broken.wav").write_bytes(b"RIFF no audio at all")
    for name, *words in (("update", "m.agmm", "broken.wav"), ("train", "broken.wav", "-k", 2)):
        done = audiogmm(name, *words, "-o", f"{name}.agmm")
        assert done.status == 1
        assert "broken: " in done.err and "not audio that can be read" in done.err, done.err
        assert not Path(f"{name}.agmm").exists()
