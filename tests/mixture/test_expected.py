"""The likelihood of statistics is that of the frames that they were taken of, in more than one dimension."""

from __future__ import annotations

import numpy as np
import pytest

from audiogmm.mixture.evaluator import Evaluator
from audiogmm.mixture.expected import joint_log_likelihood
from audiogmm.mixture.forms import FORMS
from audiogmm.mixture.gaussian import Mixture
from audiogmm.mixture.statistics import SufficientStats
from audiogmm.types import CovarianceType

COVARIANCES = {
    "spherical": [2.0],
    "diag": [[1.0, 2.0, 3.0]],
    "full": [np.diag([1.0, 2.0, 3.0]) + 0.5],
    "tied": np.diag([1.0, 2.0, 3.0]) + 0.5,
}


@pytest.mark.parametrize("form", list(FORMS))
def test_moments_of_one_component_give_the_likelihood_of_its_frames(form: CovarianceType) -> None:
    frames = np.random.default_rng(0).normal(size=(50, 3))
    mixture = Mixture([1.0], [[0.5, 0.0, -0.5]], COVARIANCES[form], form)
    stats = SufficientStats.measure(frames, origin=np.ones(3), covariance_type=form)
    wanted = Evaluator(mixture, float64=True).log_likelihood(frames).sum()
    assert joint_log_likelihood(stats, mixture) == pytest.approx(wanted, rel=1e-9)
