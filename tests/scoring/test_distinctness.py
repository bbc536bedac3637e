"""How distinct components are: the formula, all forms, and what comes first."""

from __future__ import annotations

import numpy as np
import pytest

from audiogmm.mixture.forms import FORMS, form_of
from audiogmm.mixture.gaussian import Mixture
from audiogmm.scoring.distinctness import log_coefficients, measure_distinctness
from audiogmm.types import CovarianceType
from tests.naive.scores import bhattacharyya


@pytest.mark.parametrize("form", FORMS)
def test_every_form_agrees_with_the_naive_twin(form: CovarianceType) -> None:
    rng = np.random.default_rng(0)
    K, D = 4, 3
    roots = rng.normal(size=(K, D, D)) / 2 + np.eye(D)
    matrices = roots @ roots.swapaxes(1, 2)
    variances = rng.uniform(0.5, 2, (K, D))
    covariances = {"full": matrices, "tied": matrices[0], "diag": variances, "spherical": variances[:, 0]}[
        form
    ]
    mixture = Mixture(rng.dirichlet(np.ones(K)), rng.normal(size=(K, D)), covariances, form)
    full = [form_of(form).matrix(mixture.covariances, k, D) for k in range(K)]
    distances = [
        [bhattacharyya(mixture.means[i], full[i], mixture.means[j], full[j]) for j in range(K)]
        for i in range(K)
    ]
    found = np.array([log_coefficients(mixture, k) for k in range(K)])
    np.testing.assert_allclose(found, -np.array(distances), atol=1e-12)
    for k, value in enumerate(measure_distinctness(mixture)):
        others = [j for j in range(K) if j != k]
        overlap = sum(mixture.weights[j] * np.exp(-distances[k][j]) for j in others)
        assert value == pytest.approx(-np.log(overlap / mixture.weights[others].sum()))


def test_a_rare_sound_comes_before_duplicates_of_the_background() -> None:
    """Also one that two components share: by the nearest component, it would be last."""
    background = np.random.default_rng(1).normal(0, 0.2, (5, 4))
    rare = np.array([[6.0, 0, 0, 0], [6.1, 0, 0, 0]])
    mixture = Mixture([0.196] * 5 + [0.01] * 2, np.r_[background, rare], np.ones((7, 4)), "diag")
    found = measure_distinctness(mixture)
    assert set(np.argsort(-found)[:2]) == {5, 6}
    assert found[:5].max() < 0.5 < 3 < found[5:].min()


def test_one_component_or_one_without_weight_is_apart() -> None:
    assert measure_distinctness(Mixture([1.0], [[0.0]], [1.0], "spherical")).tolist() == [np.inf]
    found = measure_distinctness(Mixture([1.0, 0.0], [[0.0], [0.0]], [1.0, 1.0], "spherical"))
    assert found.tolist() == [np.inf, np.inf]
