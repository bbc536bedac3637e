"""A mixture of classes: each is that of its own frames, and the whole is a mixture."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from audiogmm.blocks import Shard
from audiogmm.errors import TrainingError
from audiogmm.mixture.evaluator import Evaluator
from audiogmm.mixture.forms import FORMS
from audiogmm.mixture.maximization import maximize
from audiogmm.reduce import LocalReducer
from audiogmm.training.classes import FRAMES_EACH, ClassResult, train_classes
from audiogmm.training.frames.labeled import LabeledShard
from audiogmm.training.frames.source import ArraySlice
from audiogmm.training.settings import MixtureSettings
from audiogmm.training.training import train_mixture
from audiogmm.types import CovarianceType

NAMES = ("low", "high")
SETTINGS = MixtureSettings(n_components=2, passes=8, tol=0.0)


def recordings() -> tuple[list[LabeledShard], np.ndarray, np.ndarray]:
    """Three recordings of 200 rows, of which rows 50 to 120 are high, and the last 30 have no label."""
    rng = np.random.default_rng(0)
    shards, frames, labels = [], [], []
    for i in range(3):
        y = np.zeros(200, int)
        y[50:120], y[170:] = 1, -1
        x = (rng.normal(size=(200, 2)) + 6 * (y == 1)[:, None]).astype(np.float32)
        shard: Shard = ArraySlice(f"r{i}", x)
        shards.append(LabeledShard(shard, ((0.0, 50.0, 0), (50.0, 120.0, 1), (120.0, 170.0, 0))))
        frames.append(x)
        labels.append(y)
    return shards, np.concatenate(frames), np.concatenate(labels)


def trained(form: CovarianceType = "diag", threads: int = 1) -> ClassResult:
    with LocalReducer(threads) as reducer:
        settings = replace(SETTINGS, covariance_type=form)
        return train_classes(recordings()[0], NAMES, settings=settings, reducer=reducer)


@pytest.mark.parametrize("form", FORMS)
def test_each_class_is_the_mixture_of_its_frames(form: CovarianceType) -> None:
    result, (_, frames, labels) = trained(form), recordings()
    assert result.sizes == (2, 2)
    assert result.class_frames == (300, 210)
    assert result.mixture.weights[:2].sum() == pytest.approx(300 / 510)
    for number, part in ((0, slice(0, 2)), (1, slice(2, 4))):
        own = train_mixture(
            [ArraySlice("own", frames[labels == number])],
            settings=replace(SETTINGS, covariance_type=form, floor=result.floor),
        )
        np.testing.assert_allclose(result.mixture.means[part], own.mixture.means, atol=1e-6)
        if form != "tied":
            np.testing.assert_allclose(result.mixture.covariances[part], own.mixture.covariances, atol=1e-6)
    assert result.statistics is not None
    again, _ = maximize(result.statistics, previous=result.mixture, floor=result.floor)
    np.testing.assert_allclose(again.weights, result.mixture.weights, atol=1e-12)
    np.testing.assert_allclose(again.means, result.mixture.means, atol=1e-12)
    np.testing.assert_allclose(again.covariances, result.mixture.covariances, atol=1e-9)


def test_the_likelihood_is_that_of_frames_and_labels() -> None:
    """By the formula, of the mixture before its last update; it never falls."""
    _, frames, labels = recordings()
    before = trained_with(SETTINGS.passes - 1).mixture
    joint = Evaluator(before).log_joint(frames[labels >= 0])
    own = np.where(labels[labels >= 0][:, None] == [0, 0, 1, 1], joint, -np.inf)
    result = trained()
    assert result.log_likelihood == pytest.approx(np.logaddexp.reduce(own, axis=1).mean(), abs=1e-6)
    assert all(report.gain is None or report.gain > -1e-9 for report in result.history)


def trained_with(passes: int) -> ClassResult:
    with LocalReducer(1) as reducer:
        return train_classes(
            recordings()[0], NAMES, settings=replace(SETTINGS, passes=passes), reducer=reducer
        )


def test_threads_change_no_byte() -> None:
    assert trained(threads=3).mixture.fingerprint == trained(threads=1).mixture.fingerprint


def test_a_class_of_few_frames_has_few_components_and_one_of_three_is_refused() -> None:
    shards, _, _ = recordings()
    few = [replace(shards[0], spans=((0.0, 50.0, 0), (50.0, 50.0 + FRAMES_EACH, 1)))]
    with LocalReducer(1) as reducer:
        result = train_classes(few, NAMES, settings=SETTINGS, reducer=reducer)
        assert result.sizes == (1, 1)
        three = [replace(shards[0], spans=((0.0, 50.0, 0), (50.0, 53.0, 1)))]
        with pytest.raises(
            TrainingError, match=r"class 'high' has 3 voiced frames, in r0; needed: at least 2"
        ):
            train_classes(three, NAMES, settings=SETTINGS, reducer=reducer)
        result = train_classes(three, NAMES, settings=SETTINGS, reducer=reducer, optional=["high"])
        assert result.sizes == (1, 0)
