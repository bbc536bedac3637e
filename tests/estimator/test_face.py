"""What scikit-learn's class has, ours has, and its attributes are of the same types and shapes."""

from __future__ import annotations

import inspect
import warnings
from typing import Any, get_args

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.mixture import GaussianMixture as Theirs

from audiogmm import GaussianMixture
from audiogmm.types import CovarianceType

FORMS = get_args(CovarianceType)


def signature(function: Any) -> dict[str, inspect.Parameter]:
    return dict(inspect.signature(function).parameters)


def public_functions(kind: type) -> set[str]:
    return {
        name for name in dir(kind) if not name.startswith("__") and inspect.isfunction(getattr(kind, name))
    }


PUBLIC = sorted(name for name in public_functions(Theirs) if not name.startswith("_"))


def test_parameters_are_theirs_then_ours() -> None:
    theirs, ours = signature(Theirs.__init__), signature(GaussianMixture.__init__)
    assert list(ours)[: len(theirs)] == list(theirs)
    for name, parameter in theirs.items():
        assert (ours[name].kind, ours[name].default) == (parameter.kind, parameter.default), name
    assert set(Theirs().get_params()) <= set(GaussianMixture().get_params())


@pytest.mark.parametrize("name", PUBLIC)
def test_methods_take_what_theirs_take(name: str) -> None:
    theirs, ours = signature(getattr(Theirs, name)), signature(getattr(GaussianMixture, name))
    assert list(ours)[: len(theirs)] == list(theirs)
    for place, parameter in theirs.items():
        assert (ours[place].kind, ours[place].default) == (parameter.kind, parameter.default), place
    for place in list(ours)[len(theirs) :]:  # what ours has besides never has to be given
        assert ours[place].default is not inspect.Parameter.empty, place


def test_properties_and_private_names_that_others_build_on() -> None:
    assert "_n_parameters" in public_functions(GaussianMixture)
    for name in ("n_features_in_", "feature_names_in_"):
        assert not hasattr(GaussianMixture(), name)


def described(value: Any) -> tuple[Any, ...]:
    """The type; of arrays and their scalars, the type and shape of what is in them."""
    if isinstance(value, np.ndarray | np.generic):
        return type(value), value.dtype, value.shape
    if isinstance(value, list):
        return list, len(value), {described(one) for one in value}
    return (type(value),)


def attributes(fitted: Any) -> dict[str, Any]:
    return {name: value for name, value in vars(fitted).items() if name.endswith("_") and name[0] != "_"}


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64])
@pytest.mark.parametrize("form", FORMS)
def test_attributes_after_a_fit_are_of_their_types(form: str, dtype: type) -> None:
    X = (10 * np.random.default_rng(0).normal(size=(80, 3))).astype(dtype)
    pair = [kind(2, covariance_type=form, random_state=0, max_iter=200) for kind in (Theirs, GaussianMixture)]
    for one in pair:
        one.fit(X)
    theirs, ours = (attributes(one) for one in pair)
    assert set(ours) >= set(theirs)
    assert {n: described(ours[n]) for n in theirs} == {n: described(theirs[n]) for n in theirs}
    assert ours["lower_bound_"] == ours["lower_bounds_"][-1]


def answers(fitted: Any, X: np.ndarray) -> dict[str, Any]:
    with warnings.catch_warnings():
        if isinstance(fitted, Theirs) and not isinstance(fitted, GaussianMixture):
            # their float32 covariances are symmetric or not by what the processor's product rounds
            warnings.filterwarnings("ignore", "covariance is not symmetric", RuntimeWarning)
        samples, labels = fitted.sample(7)
    return {
        "predict": fitted.predict(X),
        "predict_proba": fitted.predict_proba(X),
        "score_samples": fitted.score_samples(X),
        "score": fitted.score(X),
        "aic": fitted.aic(X),
        "bic": fitted.bic(X),
        "samples": samples,
        "labels": labels,
    }


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("form", FORMS)
def test_answers_are_of_their_types(form: str, dtype: type) -> None:
    X = np.random.default_rng(0).normal(size=(80, 3)).astype(dtype)
    theirs, ours = (
        answers(kind(2, covariance_type=form, random_state=0, max_iter=200).fit(X), X)
        for kind in (Theirs, GaussianMixture)
    )
    assert {n: described(ours[n]) for n in theirs} == {n: described(theirs[n]) for n in theirs}


def test_a_clone_is_unfitted_and_equal_in_settings() -> None:
    one = GaussianMixture(
        2, covariance_type="tied", random_state=3, means_init=np.zeros((2, 3)), warm_start=True
    )
    X = np.random.default_rng(0).normal(size=(80, 3))
    twin = clone(one.fit(X))
    assert attributes(twin) == {}
    assert {n: repr(v) for n, v in twin.get_params().items()} == {
        n: repr(v) for n, v in one.get_params().items()
    }
    assert repr(one) == repr(
        Theirs(**{n: getattr(one, n) for n in signature(Theirs.__init__) if n != "self"})
    )
