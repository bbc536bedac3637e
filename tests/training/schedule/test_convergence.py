"""When training stops, and what it says of it."""

from __future__ import annotations

from typing import get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audiogmm.errors import ChoiceError, TrainingError
from audiogmm.mixture.forms import form_of
from audiogmm.mixture.gaussian import Mixture
from audiogmm.mixture.movement import movement
from audiogmm.training import train_mixture
from audiogmm.training.schedule.convergence import Convergence
from audiogmm.training.schedule.monitor import PassReport
from audiogmm.types import CovarianceType
from tests.training.shards import blobs, recordings


def report(**changes: object) -> PassReport:
    return PassReport(
        **({"number": 5, "n_frames": 10, "log_likelihood": -1.0, "gain": 1.0, "movement": 1.0} | changes)
    )  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("rules", "changes", "expected"),
    [
        ((1e-3, 1e-4), {}, ""),
        ((1e-3, 1e-4), {"gain": 9e-4}, "likelihood"),
        ((1e-3, 1e-4), {"gain": -1e-9}, "likelihood"),
        ((1e-3, 1e-4), {"gain": None}, ""),
        ((1e-3, 1e-4), {"movement": 9e-5}, "parameters"),
        ((1e-3, 1e-4), {"gain": None, "movement": 9e-5}, "parameters"),
        ((1e-3, 1e-4), {"gain": 0.0, "rescued": (3,)}, ""),
        ((0.0, 1e-4), {"gain": -1.0, "movement": 0.0}, ""),
        ((1e-3, 0.0), {"movement": 0.0}, ""),
    ],
)
def test_the_rules(rules: tuple[float, float], changes: dict[str, object], expected: str) -> None:
    assert Convergence(*rules).reached(report(**changes)) == expected


@pytest.mark.parametrize("value", [-1.0, float("nan"), float("inf")])
def test_impossible_tolerances_are_refused(value: float) -> None:
    with pytest.raises(ChoiceError, match=f"tol={value}"):
        Convergence(tol=value)


def test_training_ends_by_either_rule_or_by_its_passes() -> None:
    shards = recordings(blobs(3000), 1000)
    assert train_mixture(shards, n_components=4, passes=60).converged == "likelihood"
    assert train_mixture(shards, n_components=4, passes=500, tol=1e-15).converged == "parameters"
    full = train_mixture(shards, n_components=4, passes=30, tol=0)
    assert (full.converged, full.passes) == ("", 30)
    assert train_mixture(shards, n_components=4, passes=2, tol=1e-15).converged == ""


@settings(max_examples=30, deadline=None)
@given(
    form=st.sampled_from(get_args(CovarianceType)),
    K=st.integers(1, 4),
    D=st.integers(1, 4),
    seed=st.integers(0, 99),
)
def test_movement_is_free_of_scale(form: str, K: int, D: int, seed: int) -> None:
    random = np.random.default_rng(seed)

    def mixture() -> Mixture:
        broad = form_of(form).broaden(random.uniform(0.5, 2, size=D), K)
        return Mixture(random.dirichlet(np.ones(K)), random.normal(size=(K, D)), broad, form)  # type: ignore[arg-type]

    def scaled(m: Mixture) -> Mixture:
        factor = 1000.0
        return Mixture(m.weights, factor * m.means + 5, factor**2 * m.covariances, m.covariance_type)

    before, after = mixture(), mixture()
    assert movement(before, before) == 0
    assert movement(before, after) > 0
    assert movement(scaled(before), scaled(after)) == pytest.approx(movement(before, after), rel=1e-6)


@pytest.mark.parametrize("form", get_args(CovarianceType))
def test_movement_counts_deviations(form: CovarianceType) -> None:
    """Every mean moved by one standard deviation is a movement of 1, in any form; so is it for the others."""
    broad = form_of(form).broaden(np.full(3, 4.0), 2)
    before = Mixture([0.5, 0.5], np.zeros((2, 3)), broad, form)
    assert movement(before, Mixture([0.5, 0.5], np.full((2, 3), 2.0), broad, form)) == pytest.approx(1)
    wider = Mixture([0.5, 0.5], np.zeros((2, 3)), 1.2 * broad, form)
    assert movement(before, wider) == pytest.approx(0.2 / np.sqrt(2))
    heavier = Mixture([0.6, 0.4], np.zeros((2, 3)), broad, form)
    assert movement(before, heavier) == pytest.approx(np.sqrt(0.04 / 3))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_components": 0}, "n_components=0"),
        ({"seed": -1}, "seed=-1"),
        ({"passes": -1}, "passes=-1"),
        ({"restarts": 0}, "restarts=0"),
        ({"max_spool_bytes": -1}, "max_spool_bytes=-1"),
        ({"algorithm": "vbem"}, "algorithm='vbem'; needed: one of em, stepwise, kmeans"),
        ({"covariance_type": "ful"}, "'ful'"),
        ({"init": "kmeans"}, r"init='kmeans'; needed: one of k-means\+\+, random, split, or a mixture"),
        ({"init": "split", "restarts": 2}, "restarts=2 from split"),
        ({"floor": -0.1}, "-0.1"),
        ({"floor": np.ones(2)}, "3 finite variances"),
    ],
)
def test_choices_are_checked(options: dict[str, object], message: str) -> None:
    with pytest.raises(ChoiceError, match=message):
        train_mixture(recordings(blobs(100), 50), **({"n_components": 2} | options))  # type: ignore[arg-type]


def test_fewer_frames_than_components_names_both() -> None:
    with pytest.raises(TrainingError, match=r"5 frames for 8 components.*n_components of at most 5"):
        train_mixture(recordings(blobs(5), 5), n_components=8)
    assert train_mixture(recordings(blobs(8), 4), n_components=8).mixture.n_components == 8
