"""From the estimator to a model and back: the same likelihoods, for every covariance form."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas
import pytest
import soundfile
from sklearn.exceptions import NotFittedError

import audiogmm as ag
from audiogmm.errors import ChoiceError, MismatchError
from audiogmm.mixture.forms import FORMS

RATE = 8000
FRONTEND = ag.FrontEnd.preset("kaldi")


def sound(seed: int) -> np.ndarray:
    return (0.1 * np.random.default_rng(seed).standard_normal(2 * RATE)).astype(np.float32)


@pytest.fixture(scope="module", name="X")
def frames_of_noise() -> np.ndarray:
    return np.concatenate([FRONTEND(sound(seed), RATE) for seed in range(3)])


@pytest.mark.parametrize("form", FORMS)
def test_there_and_back(form: str, X: np.ndarray, tmp_path: Path) -> None:
    gmm = ag.GaussianMixture(3, covariance_type=form, random_state=0, max_iter=200).fit(X)
    gmm.to_model(FRONTEND, sample_rate=RATE).save(tmp_path / "a.agmm")
    model = ag.load(tmp_path / "a.agmm")
    soundfile.write(tmp_path / "a.wav", sound(9), RATE, subtype="FLOAT")
    frames = FRONTEND(sound(9), RATE)
    scores = ag.score(model, ag.Entry(audio_filepath=str(tmp_path / "a.wav"), id="a")).scores
    np.testing.assert_allclose(scores, gmm.score_samples(frames.astype(np.float64)), rtol=1e-6)

    back = model.to_estimator()
    np.testing.assert_allclose(back.score_samples(frames.astype(np.float64)), scores, rtol=1e-6)
    np.testing.assert_allclose(back.predict_proba(frames), gmm.predict_proba(frames), atol=1e-5)
    assert back.get_params()["covariance_type"] == form and back.n_features_in_ == 13
    assert (back.n_iter_, back.converged_) == (gmm.n_iter_, gmm.converged_)
    again = back.to_model(FRONTEND, sample_rate=RATE)
    assert again.fingerprint == model.fingerprint
    assert back.partial_fit(frames).lower_bound_ < 0  # it goes on from what it was estimated from


def test_a_trained_model_as_an_estimator(tmp_path: Path) -> None:
    for seed in range(4):
        soundfile.write(tmp_path / f"{seed}.wav", sound(seed), RATE)
    entries = [ag.Entry(audio_filepath=str(tmp_path / f"{seed}.wav"), id=str(seed)) for seed in range(4)]
    model = ag.train(entries, FRONTEND, n_components=2)
    gmm = model.to_estimator()
    expected = ag.score(model, entries[0]).scores
    samples, _ = soundfile.read(tmp_path / "0.wav", dtype="float32")
    np.testing.assert_allclose(
        gmm.score_samples(FRONTEND(samples, RATE).astype(np.float64)), expected, rtol=1e-6
    )
    assert gmm.lower_bound_ == pytest.approx(model.metadata.training["log_likelihood"])


def test_a_model_goes_on_to_be_updated_and_described(X: np.ndarray, tmp_path: Path) -> None:
    model = ag.GaussianMixture(2, covariance_type="diag", random_state=0).fit(X).to_model()
    assert model.metadata.frontend is None and model.metadata.seed == 0
    block = ag.FrameBlock(X, np.ones(len(X), bool), 0, ag.FrameClock(RATE, 80, 200))
    assert ag.update(model, [block]).statistics.n_frames == pytest.approx(2 * len(X))
    model.save(tmp_path / "a.agmm")
    from audiogmm.jobs.info import info

    assert "2 components of 13 features" in "\n".join(info(tmp_path / "a.agmm").lines())


def test_what_does_not_belong_together_is_refused(X: np.ndarray) -> None:
    gmm = ag.GaussianMixture(2, covariance_type="diag", random_state=0).fit(X)
    with pytest.raises(ChoiceError, match="a front end without a sample rate"):
        gmm.to_model(FRONTEND)
    with pytest.raises(MismatchError, match=r"a front end of 40 features at 8000 Hz; needed: 13, as X had"):
        gmm.to_model(ag.FrontEnd.preset("speech"), sample_rate=RATE)
    with pytest.raises(NotFittedError):
        ag.GaussianMixture().to_model()


def test_columns_keep_their_names_there_and_back(tmp_path: Path) -> None:
    rows = np.random.default_rng(0).normal([0.0, 5.0, 50.0], 1.0, (200, 3))
    frame = pandas.DataFrame(rows, columns=["a", "b", "c"])
    gmm = ag.GaussianMixture(2, covariance_type="diag", random_state=0).fit(frame)
    gmm.to_model().save(tmp_path / "a.agmm")
    model = ag.load(tmp_path / "a.agmm")
    assert model.metadata.columns == ["a", "b", "c"]
    expected = ag.score(model, frame).scores
    np.testing.assert_allclose(expected, gmm.score_samples(frame), rtol=1e-6)
    np.testing.assert_array_equal(ag.score(model, frame[["c", "a", "b"]]).scores, expected)
    back = model.to_estimator()
    assert list(back.feature_names_in_) == ["a", "b", "c"] and back.to_model().metadata.columns
    with pytest.raises(ValueError, match="feature names"):
        back.predict(frame[["c", "a", "b"]])
    unnamed = ag.GaussianMixture(2, covariance_type="diag", random_state=0).fit(rows).to_model()
    assert unnamed.metadata.columns == [] and not hasattr(unnamed.to_estimator(), "feature_names_in_")
