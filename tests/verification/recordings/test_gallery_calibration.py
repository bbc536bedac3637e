"""From a background that names its speakers to calibrated scores, through the jobs."""

from __future__ import annotations

import csv
import dataclasses
from pathlib import Path

import numpy as np
import pytest

import audiogmm as ag
from audiogmm.errors import ChoiceError, MismatchError, TrainingError
from audiogmm.evaluation.verification.metrics import cllr, min_cllr
from audiogmm.jobs.enroll import enroll_to_folder
from audiogmm.jobs.trained_files import train_to_file
from audiogmm.jobs.verify import verify_to_file
from audiogmm.mixture.store import Model
from audiogmm.verification.backend import read_backend
from audiogmm.verification.channel import original_fingerprint, shift_means
from audiogmm.verification.gallery import Gallery
from audiogmm.verification.quality import noise

RATE = 8000
FRONTEND = ag.FrontEnd.preset("speech", n_mfcc=8, deltas=0)


def speak(rng, formants, seconds):
    """Pulses of a varying pitch through the speaker's own resonances."""
    n = int(seconds * RATE)
    source = rng.normal(0, 1, n)
    spectrum = np.fft.rfft(source)
    f = np.fft.rfftfreq(n, 1 / RATE)
    gain = sum(np.exp(-0.5 * ((f - center) / 250) ** 2) for center in formants) + 0.05
    sound = np.fft.irfft(spectrum * gain, n)
    swell = 0.02 + np.abs(np.sin(np.arange(n) / RATE * 9))
    return (0.1 * swell * sound / sound.std()).astype(np.float32)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    """Recordings of 28 background speakers, two of each of six others, and a list of trials."""
    import soundfile

    folder = tmp_path_factory.mktemp("corpus")
    rng = np.random.default_rng(0)
    lines = {"background": [], "people": []}
    rows = []
    for person in range(34):
        formants = rng.uniform([300, 900, 2000], [900, 2000, 3600])
        name = f"p{person}"
        known = person < 28
        for take, seconds in enumerate((5.0,) if known else (4.0, 2.5)):
            path = folder / f"{name}_{take}.wav"
            soundfile.write(path, speak(rng, formants, seconds), RATE)
            if known or take == 0:
                which = "background" if known else "people"
                lines[which].append(f'{{"audio_filepath": "{path.name}", "speaker": "{name}"}}')
            else:
                rows += [(f"p{m}", path.name, int(m == person)) for m in range(28, 34)]
    for which, content in lines.items():
        (folder / f"{which}.jsonl").write_text("\n".join(content) + "\n")
    with (folder / "trials.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("model", "audio_filepath", "target"), *rows])
    return folder


@pytest.fixture(scope="module")
def known(corpus):
    """The gallery of the six, and the background model's file."""
    train_to_file(
        str(corpus / "background.jsonl"), corpus / "ubm.agmm", FRONTEND, n_components=8, passes=5, hold_out=0
    )
    enroll_to_folder(corpus / "ubm.agmm", str(corpus / "people.jsonl"), corpus / "known")
    return Gallery(corpus / "known")


def scores(known: Gallery, corpus: Path, name: str, **options) -> list[dict[str, str]]:
    verify_to_file(known.folder, str(corpus / "trials.csv"), corpus / name, force=True, **options)
    with (corpus / name).open(newline="") as file:
        return list(csv.DictReader(file))


def test_the_way_from_a_background_to_calibrated_scores(corpus, known):
    assert known.calibration is not None
    qualities = ("log_voiced_seconds", "log_enrolled_seconds", "noise", "noise*raw", "noise*space")
    assert known.calibration.names == ("raw", "space", *qualities)
    rows = scores(known, corpus, "scores.csv")
    own = np.array([row["target"] == "1" for row in rows])
    llr = np.array([float(row["score"]) for row in rows])
    assert llr[own].mean() > 0 > llr[~own].mean()
    assert {row["decision"] for row in rows} <= {"accept", "reject"} and all(row["space"] for row in rows)
    columns = {"raw": [float(row["raw"]) for row in rows], "space": [float(row["space"]) for row in rows]}
    columns["log_voiced_seconds"] = np.log([float(row["voiced_seconds"]) for row in rows])
    columns["log_enrolled_seconds"] = np.log([known[row["model"]].voiced_seconds for row in rows])
    enrolled = [known[row["model"]].signal_to_noise for row in rows]
    columns["noise"] = noise([float(row["snr"]) for row in rows], enrolled)
    np.testing.assert_allclose(llr, known.calibration.apply(columns), atol=2e-3)
    again = scores(known, corpus, "again.csv", threads=3)
    assert again == rows


@pytest.mark.parametrize("method", ["z", "t", "zt", "s", "as"])
def test_scores_are_normalized_by_the_background(corpus, known, method):
    rows = scores(known, corpus, f"{method}.csv", normalization=method)
    plain = scores(known, corpus, "scores.csv")
    assert [row["raw"] for row in rows] == [row["raw"] for row in plain]
    assert [row["space"] for row in rows] != [row["space"] for row in plain]
    assert all(row["decision"] for row in rows), "it is calibrated too"
    own = np.array([row["target"] == "1" for row in rows])
    llr = np.array([float(row["score"]) for row in rows])
    assert cllr(llr[own], llr[~own]) < min_cllr(llr[own], llr[~own]) + 0.1
    space = np.array([float(row["space"]) for row in rows])
    assert cllr(space[own], space[~own]) > cllr(llr[own], llr[~own]), "deviations are no ratios"


def test_a_small_cohort_is_refused(corpus, known, tmp_path):
    enroll_to_folder(corpus / "ubm.agmm", str(corpus / "people.jsonl"), tmp_path / "known")
    gallery = Gallery(tmp_path / "known")
    tensors = gallery.background.tensors
    few = {"speakers.cohort": tensors["speakers.cohort"][:7]}
    small = dataclasses.replace(gallery.background, tensors=tensors | few)
    gallery.replace_background(small)
    with pytest.raises(ChoiceError, match="as-norm with a cohort of 7") as caught:
        scores(gallery, corpus, "refused.csv", normalization="as")
    assert "at least 20" in str(caught.value)


def test_without_speakers_there_is_no_back_end(corpus, tmp_path):
    source = str(corpus / "background.jsonl")
    settings = {"n_components": 2, "passes": 1, "hold_out": 0}
    plain = ag.train(source, FRONTEND, speakers="no", **settings)
    assert read_backend(plain) is None
    few = str(corpus / "people.jsonl")
    assert read_backend(ag.train(few, FRONTEND, **settings)) is None
    with pytest.raises(TrainingError, match="from 6 speakers") as caught:
        ag.train(few, FRONTEND, speakers="yes", **settings)
    assert "at least 20" in str(caught.value)
    with pytest.raises(TrainingError, match="28 speakers, 0 of them"):
        ag.train(source, FRONTEND, compensation="nap", **settings)
    plain.save(tmp_path / "plain.agmm")
    result = enroll_to_folder(tmp_path / "plain.agmm", few, tmp_path / "plain")
    assert "no back end" in result.enrollment.note and result.enrollment.gallery.calibration is None
    result = enroll_to_folder(tmp_path / "plain.agmm", few, tmp_path / "plain", background=source)
    assert not result.enrollment.note and Gallery(tmp_path / "plain").calibration is not None


def test_a_calibration_for_other_models_is_not_kept(corpus, known, tmp_path):
    result = enroll_to_folder(corpus / "ubm.agmm", str(corpus / "people.jsonl"), tmp_path / "known", tau=3.0)
    assert "'tau': 3.0" in result.enrollment.note and result.enrollment.gallery.calibration is None


def test_speakers_are_enrolled_in_the_channel_that_they_share(corpus, known):
    model = ag.load(corpus / "ubm.agmm")
    assert known.fingerprint != model.fingerprint == known.origin == original_fingerprint(known.background)
    offset = np.array(known.background.metadata.moved["offset"])
    np.testing.assert_allclose(known.background.means, model.means + offset)
    # the model as it was trained is known again; another one is not
    result = enroll_to_folder(corpus / "ubm.agmm", str(corpus / "people.jsonl"), known.folder)
    assert result.enrollment.n_before == 6 and result.enrollment.gallery.fingerprint == known.fingerprint
    other = Model(shift_means(model, offset + 1).mixture, metadata=model.metadata)
    with pytest.raises(MismatchError, match=other.fingerprint[:12]):
        Gallery.create(known.folder, other)
