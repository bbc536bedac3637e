"""Scores learned in training and calibration: from what, scaled by what, and used by all commands."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from audiogmm.anomaly.learning.assembly import make_pipeline, make_scorer
from audiogmm.anomaly.learning.model_parts import (
    read_detector,
    read_learned_scores,
    score_names,
    scores_fingerprint,
)
from audiogmm.anomaly.stream import detect_events
from audiogmm.audio.frontend.frontend import FrontEnd
from audiogmm.errors import ChoiceError, MismatchError
from audiogmm.jobs.calibrate import calibrate
from audiogmm.jobs.detect import detect
from audiogmm.jobs.score import score
from audiogmm.jobs.train import train
from audiogmm.manifest import Entry, read_manifest
from audiogmm.mixture.store import Model, load
from audiogmm.synth import make_scenes, write_corpus

AMBIENT = FrontEnd.preset("ambient", n_mels=20, deltas=1)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[Entry], list[Entry]]:
    folder = tmp_path_factory.mktemp("scores")
    write_corpus(folder, (r for r in make_scenes(seed=2, train=8, test=4, duration=6.0) if r.site == "fan"))
    entries = {split: list(read_manifest(folder / f"{split}.jsonl")) for split in ("train", "test")}
    return entries["train"], entries["test"]


@pytest.fixture(scope="module")
def fused(corpus: tuple[list[Entry], list[Entry]]) -> Model:
    return train(corpus[0], AMBIENT, n_components=4, hold_out=0.5, scores="fusion", threads=1)


def test_all_commands_use_the_fusion_that_training_learned(
    corpus: tuple[list[Entry], list[Entry]], fused: Model
) -> None:
    odd = next(entry for entry in corpus[1] if entry.events)
    assert score_names(fused) == ["mean", "ratio", "quantile", "scales", "bands", "twfr", "posterior"]
    track = score(fused, odd, detector=True)
    detector = read_detector(fused)
    found = [replace(event, reasons=(), explanation=None) for event in detect(fused, odd)]
    assert found and found == detect_events(detector, track, odd.path)
    inside = [(e.start <= track.times) & (track.times < e.end) for e in odd.events]
    during = np.any(inside, axis=0)
    assert track.scores[during].mean() < -1 < np.median(track.scores[~during])
    assert make_pipeline(fused).scorer.latency == 50  # two seconds' window to either side at most


def test_detection_sees_the_odd_sounds_and_little_else(
    corpus: tuple[list[Entry], list[Entry]], fused: Model
) -> None:
    for entry in corpus[1]:
        for event in entry.events:
            assert any(found.segment.overlap(event) > 0 for found in detect(fused, entry))


def test_the_same_bytes_for_any_number_of_threads_and_workers(
    corpus: tuple[list[Entry], list[Entry]], fused: Model, tmp_path: Path
) -> None:
    again = train(corpus[0], AMBIENT, n_components=4, hold_out=0.5, scores="fusion", threads=3, workers=2)
    for number, model in enumerate((fused, again)):
        model.save(tmp_path / f"{number}.agmm")
    assert (tmp_path / "0.agmm").read_bytes() == (tmp_path / "1.agmm").read_bytes()


def test_scores_of_normal_audio_are_those_of_what_was_held_out(
    corpus: tuple[list[Entry], list[Entry]], fused: Model
) -> None:
    normal = read_detector(fused).normal
    assert normal.ids == tuple(sorted(entry.id for entry in corpus[0]))  # in turns
    learned = read_learned_scores(fused)
    assert learned is not None
    assert np.median(normal.scores) == pytest.approx(0, abs=0.35)  # deviates, and so is their mean
    assert len(learned.learned["posterior"]["windows"]) > 8 * 100 > 0  # learned again from all eight


def test_scores_are_scaled_by_recordings_that_they_did_not_learn_from(
    corpus: tuple[list[Entry], list[Entry]],
) -> None:
    plain = train(corpus[0][:4], AMBIENT, n_components=4, hold_out=0, threads=1)
    for names in ("mean", "ratio,scales", "twfr", "mean,posterior"):
        model = calibrate(plain, corpus[0][4:], scores=names, threads=1)
        assert len(read_detector(model).normal.ids) == 4, names  # each half by what the other one taught
        assert score_names(model) == names.split(",")
    assert "scores" not in calibrate(plain, corpus[0][4:], scores="mean", threads=1).metadata


def test_calibration_keeps_what_scores_have_learned(
    corpus: tuple[list[Entry], list[Entry]], fused: Model
) -> None:
    model = calibrate(fused, corpus[0][:3], threads=1)
    before, after = read_learned_scores(fused), read_learned_scores(model)
    assert before is not None and after is not None
    assert after.learned["twfr"]["means"].tobytes() == before.learned["twfr"]["means"].tobytes()
    assert after.group_scales[0].quantiles.tobytes() != before.group_scales[0].quantiles.tobytes()
    assert len(read_detector(model).normal.ids) == 3
    assert scores_fingerprint(model) != scores_fingerprint(fused) != ""
    assert scores_fingerprint(calibrate(model, corpus[0][:3], scores="mean", threads=1)) == ""


def test_auto_says_what_it_compared(corpus: tuple[list[Entry], list[Entry]], tmp_path: Path) -> None:
    train(corpus[0], AMBIENT, n_components=4, hold_out=0.5, scores="auto", threads=1).save(
        tmp_path / "m.agmm"
    )
    model = load(tmp_path / "m.agmm")
    chosen = model.metadata.scores["how_chosen"]
    assert chosen["recordings"] == 8 and set(chosen["misses"]) >= set(score_names(model))
    assert set(chosen["left_out"]) == set(chosen["misses"]) - set(score_names(model))
    assert all(0 <= miss <= 0.95 for miss in chosen["misses"].values())
    assert len(make_scorer(model).groups) == len(score_names(model))


def test_scores_are_refused_before_anything_is_read() -> None:
    with pytest.raises(ChoiceError, match="score 'men'"):
        train([Entry("/nowhere.wav", id="x")], AMBIENT, scores="men")
    with pytest.raises(ChoiceError, match=r"scores 'fusion' and nothing held out"):
        train([Entry("/nowhere.wav", id="x")], AMBIENT, scores="fusion", hold_out=0)


def test_a_background_needs_the_score_that_compares(
    corpus: tuple[list[Entry], list[Entry]], fused: Model
) -> None:
    with pytest.raises(ChoiceError, match="a background model for scales"):
        calibrate(fused, corpus[0], scores="scales", against=fused)
    with pytest.raises(ChoiceError, match="a background model and the detector's own scores"):
        score(fused, corpus[1][0], fused, detector=True)
    other = train(corpus[0], FrontEnd.preset("kaldi"), n_components=2, hold_out=0)
    with pytest.raises(MismatchError, match="different front ends"):
        calibrate(fused, corpus[0], scores="ratio", against=other)
    model = calibrate(fused, corpus[0], scores="ratio", against=fused, threads=1)
    assert np.abs(score(model, corpus[1][0], detector=True).scores).max() == 0  # of a model against itself


def test_frames_of_the_user_have_no_bands(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for i in range(6):
        np.save(tmp_path / f"{i}.npy", rng.normal(size=(300, 5)).astype(np.float32))
    entries = [Entry(None, features_filepath=str(tmp_path / f"{i}.npy"), id=str(i)) for i in range(6)]
    model = train(entries, n_components=2, hold_out=0.4, scores="fusion", threads=1)
    assert score_names(model) == ["mean", "ratio", "quantile", "scales", "posterior"]
    assert np.isfinite(score(model, entries[0], detector=True).scores).all()
    with pytest.raises(MismatchError, match="the score 'bands' and features that resolve 0 frequency bands"):
        train(entries, n_components=2, hold_out=0.4, scores="bands", threads=1)


def test_a_recording_in_pieces_scores_as_it_is_streamed(
    corpus: tuple[list[Entry], list[Entry]], fused: Model
) -> None:
    """Samples pushed in odd pieces give the bytes of the file."""
    samples, rate = soundfile.read(corpus[1][0].path, dtype="float32")
    frontend = FrontEnd.from_dict(fused.metadata.frontend)
    stream, scores = frontend.stream(rate), []
    scoring = make_scorer(fused).open("live")
    for first in range(0, len(samples), 3571):
        for block in stream.push(samples[first : first + 3571]):
            scores.append(scoring.push(block).scores)
    for block in stream.flush():
        scores.append(scoring.push(block).scores)
    scores.append(scoring.flush().scores)
    wanted = score(fused, corpus[1][0], detector=True).scores
    assert np.concatenate(scores).tobytes() == wanted.tobytes()
