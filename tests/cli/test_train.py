"""What `train` prints, and what it refuses before anything is written."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import soundfile

import audiogmm as ag
from audiogmm.anomaly.detector_calibration import calibrate_detector
from audiogmm.errors import ChoiceError, MismatchError
from audiogmm.reduce import LocalReducer
from audiogmm.training.frames.source import ArraySlice
from audiogmm.training.incremental import add_recordings
from tests.cli.calls import Audiogmm
from tests.cli.tables import manifest_row


def test_a_ledger_brings_the_figures_of_its_own_pass(table: Path, audiogmm: Audiogmm) -> None:
    Path("abc.jsonl").write_text("".join(map(manifest_row, "abc")))
    options = ["-k", 2, "--floor", 0.6, "--hold-out", 0, "--passes", 1]
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


def test_no_threshold_from_less_than_a_window(table: Path, audiogmm: Audiogmm) -> None:
    soundfile.write("short.wav", np.random.default_rng(0).normal(size=8_000) * 0.1, 16_000)
    done = audiogmm("train", "short.wav", "-o", "x.agmm", "-k", 1, "--preset", "ambient")
    assert done.status == 0, done.err
    assert re.search(r"\d+ voiced frames, less than one window", done.err)
    assert "`detect` needs a model of more audio, or other normal audio: audiogmm calibrate MODEL" in done.err
    assert "threshold" not in done.out
    assert ag.load("x.agmm").metadata.detector is None
    calm = ag.ScoreTrack("calm", np.zeros(50), np.ones(50, bool), ag.FrameClock(8000, 80, 200))
    with pytest.raises(
        MismatchError, match=r"50 voiced frames, less than one window of 0\.5 s.*more normal audio"
    ):
        calibrate_detector([calm])


def test_an_address_that_is_none(table: Path, audiogmm: Audiogmm) -> None:
    pytest.importorskip("distributed")
    done = audiogmm("train", "all.jsonl", "-o", "x.agmm", "--dask", "nonsense")
    assert done.status == 2
    assert "the Dask address 'nonsense'; needed: a host and a port, as in tcp://host:8786" in done.err


def test_classes_are_trained_and_scored(table: Path, audiogmm: Audiogmm) -> None:
    lines = [f'{{"features_filepath": "{name}.npy", "id": "{name}", "kind": "k{name}"}}\n' for name in "ab"]
    Path("ab.jsonl").write_text("".join(lines))
    done = audiogmm("train", "ab.jsonl", "--label", "kind", "--hold-out", 0, "-k", 2, "-o", "x.agmm")
    assert done.status == 0, done.err
    assert "classes: ka (2 components, " in audiogmm("info", "x.agmm").out
    assert "tables by class: " in audiogmm("score", "x.agmm", "ab.jsonl", "-o", "s").out
    refused = audiogmm("train", "ab.jsonl", "--label", "mood", "-o", "y.agmm")
    assert (refused.status, "no entry has the key 'mood'" in refused.err) == (1, True)
    assert "one of the keys kind" in refused.err
