"""Marginals of mixtures."""

from __future__ import annotations

import numpy as np

from audiogmm.mixture.gaussian import Mixture
from audiogmm.mixture.marginal import marginal


def test_a_marginal_keeps_weights_and_form() -> None:
    mixture = Mixture(
        [0.5, 0.5], np.random.default_rng(0).normal(size=(2, 3)), [[1.0, 2.0, 3.0], [2.0, 1.0, 0.5]], "diag"
    )
    assert marginal(mixture, np.eye(3)[:2], np.zeros(2)) == Mixture(
        mixture.weights, mixture.means[:, :2], [np.diag(c[:2]) for c in mixture.covariances], "full"
    )
