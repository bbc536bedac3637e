"""The calibration that enrollment learns: recordings left out, and what it does to scores that were off."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import audiogmm as ag
from audiogmm.evaluation.verification.metrics import cllr, min_cllr
from audiogmm.reduce import LocalReducer
from audiogmm.runs.aside import Aside
from audiogmm.runs.inputs import open_inputs
from audiogmm.synth import write_corpus
from audiogmm.synth.corpus import make_speakers
from audiogmm.verification.backend import read_backend, with_backend
from audiogmm.verification.normalization import NORMALIZATIONS
from audiogmm.verification.recordings.gallery_calibration import find_calibration
from audiogmm.verification.recordings.leave_one_out import leave_one_out


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Background voices and a model that knows them, with a calibration that is far off; six others."""
    folder = tmp_path_factory.mktemp("town")
    write_corpus(folder / "background", make_speakers(seed=3, count=24, train=1, test=0, duration=6.0))
    write_corpus(folder / "people", make_speakers(seed=4, count=6, train=8, test=4, duration=3.0))
    frontend = ag.FrontEnd.preset("speech")
    entries = ag.read_manifest(folder / "background" / "train.jsonl")
    model = ag.train(entries, frontend, n_components=16, passes=4, seed=0, speakers="yes")
    backend = read_backend(model)
    assert backend is not None
    calibration = backend.calibrations["none"]
    assert calibration is not None
    off = replace(
        calibration,
        weights=tuple(2 * weight for weight in calibration.weights),
        offset=2 * calibration.offset + 4,
    )
    with_backend(model, replace(backend, calibrations={"none": off})).save(folder / "ubm.agmm")
    return folder


def losses(gallery: ag.Gallery, manifest: Path, normalization: str = "none") -> tuple[float, float]:
    """Cllr and its minimum over all trials of a manifest."""
    trials = [(name, entry) for entry in ag.read_manifest(manifest) for name in gallery.names]
    scores = np.array([found.score for found in ag.verify(gallery, trials, normalization=normalization)])
    target = np.array([name == entry.speaker for name, entry in trials])
    return cllr(scores[target], scores[~target]), min_cllr(scores[target], scores[~target])


def test_enrollment_corrects_the_calibration_of_the_background(town: Path, tmp_path: Path) -> None:
    model, test = ag.load(town / "ubm.agmm"), town / "people" / "test.jsonl"
    entries = list(ag.read_manifest(town / "people" / "train.jsonl"))
    gallery = ag.enroll(model, entries, tmp_path / "known", threads=1)
    learned = gallery.calibrations.learned
    assert (learned["method"], learned["speakers"]) == ("leave-one-out", 6)
    assert (learned["targets"], learned["nontargets"]) == (48, 240)
    after, least = losses(gallery, test)

    content = (gallery.folder / "calibration.json").read_bytes()
    for how in ({"threads": 3}, {"workers": 1}):
        again = ag.enroll(model, entries, tmp_path / str(how), **how)
        assert (again.folder / "calibration.json").read_bytes() == content

    one = [entry for entry in entries if entry.id.endswith("_0")]
    alone = ag.enroll(model, one, tmp_path / "alone")
    backend = read_backend(alone.background)
    assert backend is not None
    assert alone.calibration == backend.calibrations["none"]
    assert alone.calibrations.learned["method"] == "background"
    gallery.calibrate(alone.calibration)
    before, _ = losses(gallery, test)
    assert before > 0.4 > 2 * after
    assert after < least + 0.06  # six speakers

    more = ag.enroll(model, entries, alone.folder)
    assert more.calibrations.learned["method"] == "leave-one-out"
    kept = json.loads((more.folder / "calibration.json").read_text())
    ag.enroll(model, entries[:1], alone.folder)  # too few to learn from: what was learned stays
    assert json.loads((more.folder / "calibration.json").read_text()) == kept


def test_others_are_of_the_same_kind(town: Path, tmp_path: Path) -> None:
    model = ag.load(town / "ubm.agmm")
    entries = [
        replace(entry, extra={"sex": "f" if entry.speaker in ("speaker_0", "speaker_1") else "m"})
        for entry in ag.read_manifest(town / "people" / "train.jsonl")
    ]
    gallery = ag.enroll(with_backend(model, None), entries, tmp_path / "known")
    assert gallery.calibration is None  # 2 x 8 and 4 x 8 x 3 false claims
    entries = [replace(entry, extra={}) for entry in entries]
    gallery = ag.enroll(with_backend(model, None), entries, gallery.folder)
    assert gallery.calibration is not None  # of plain ratios, without a back end
    assert gallery.calibration.names == ("raw",)
    rounds = ag.enroll(with_backend(model, None), entries, tmp_path / "rounds", iterations=2)
    assert rounds.calibration is None


def test_a_trial_is_that_of_a_gallery_without_the_recording(town: Path, tmp_path: Path) -> None:
    model = ag.load(town / "ubm.agmm")
    entries = [
        e for e in ag.read_manifest(town / "people" / "train.jsonl") if e.id.endswith(("_0", "_1", "_2"))
    ]
    gallery = ag.enroll(model, entries, tmp_path / "all", share_channel=False)
    inputs = open_inputs(entries, model=model, aside=Aside(), say=lambda _: None, again=True)
    found = leave_one_out(gallery, inputs, gallery.names, 100, LocalReducer(1))
    assert np.flatnonzero(found.target).tolist() == list(range(0, 18 * 6, 6))
    for i in (0, 7, 17):
        rest = [entry for entry in entries if entry.id != entries[i].id]
        without = ag.enroll(model, rest, tmp_path / str(i), share_channel=False)
        name = entries[i].speaker
        others = [other for other in gallery.names if other != name]
        trials = [(other, entries[i]) for other in (name, *others)]
        wanted, rows = ag.verify(without, trials), slice(6 * i, 6 * i + 6)
        assert found.speakers[rows] == [name] * 6
        np.testing.assert_allclose(found.scored.raw[rows], [v.raw for v in wanted], rtol=1e-6, atol=1e-9)
        np.testing.assert_allclose(found.scored.space[rows], [v.space for v in wanted], rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(found.scored.voiced[rows], [v.voiced_seconds for v in wanted])
        np.testing.assert_allclose(
            found.scored.enrolled[rows], [without[other].voiced_seconds for other in (name, *others)]
        )


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As `town`, with background voices enough for a cohort; what it teaches of any score is far off."""
    folder = tmp_path_factory.mktemp("city")
    write_corpus(folder / "background", make_speakers(seed=3, count=28, train=1, test=0, duration=6.0))
    write_corpus(folder / "people", make_speakers(seed=4, count=6, train=8, test=12, duration=3.0))
    entries = ag.read_manifest(folder / "background" / "train.jsonl")
    frontend = ag.FrontEnd.preset("speech")
    model = ag.train(entries, frontend, n_components=16, passes=4, seed=0, speakers="yes")
    backend = read_backend(model)
    assert backend is not None and set(backend.calibrations) == set(NORMALIZATIONS)
    off = {
        how: replace(right, weights=tuple(2 * w for w in right.weights), offset=2 * right.offset + 4)
        for how, right in backend.calibrations.items()
    }
    with_backend(model, replace(backend, calibrations=off)).save(folder / "ubm.agmm")
    return folder


@pytest.mark.parametrize("how", ["z", "t", "zt", "s", "as"])
def test_normalized_scores_are_calibrated_too(city: Path, tmp_path: Path, how: str) -> None:
    model, test = ag.load(city / "ubm.agmm"), city / "people" / "test.jsonl"
    backend = read_backend(model)
    assert backend is not None
    entries = list(ag.read_manifest(city / "people" / "train.jsonl"))
    gallery = ag.enroll(model, entries, tmp_path / "known")
    after, least = losses(gallery, test, how)
    assert after < least + 0.08  # 72 target trials of 6 speakers: the least is of a map fitted to them
    plain, learned = gallery.calibration, find_calibration(gallery, how)
    assert plain is not None and learned is not None
    assert learned == gallery.calibrations.normalized[how] != plain

    gallery.calibrate(plain)  # nothing is known of how: the background's holds
    assert find_calibration(gallery, how) == backend.calibrations[how]
    before, _ = losses(gallery, test, how)
    assert before > 0.4 > 2 * after
    gallery.calibrate(plain, {"method": "leave-one-out"})  # as an earlier version kept it
    assert find_calibration(gallery, how) is None
    gallery.calibrate(plain, {"method": "leave-one-out"}, {how: learned})
    assert find_calibration(gallery, how) == learned
