"""What `update` prints, and what it refuses before anything is written."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

import audiogmm as ag
from audiogmm.errors import ChoiceError, TrainingError
from audiogmm.mixture.movement import movement
from audiogmm.reduce import LocalReducer
from audiogmm.training import train_mixture
from audiogmm.training.frames.source import ArraySlice
from audiogmm.training.incremental import add_recordings
from tests.cli.calls import Audiogmm
from tests.cli.tables import manifest_row

FLOOR = 0.6
"""A share so large that it matters."""


@pytest.fixture
def model(table: Path, audiogmm: Audiogmm) -> Path:
    Path("abc.jsonl").write_text("".join(map(manifest_row, "abc")))
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
    Path("more.jsonl").write_text("".join(map(manifest_row, "abcde")))
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
