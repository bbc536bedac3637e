"""scikit-learn's own tests of its mixture, run on our class, and its checks of any estimator.

Their test modules are loaded anew with our class in the place of theirs. What cannot pass is in `CANNOT`,
each with its reason.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from types import ModuleType

import numpy as np
import pytest
import sklearn.mixture
from sklearn.utils.estimator_checks import check_estimator

from audiogmm import GaussianMixture

pytestmark = [  # a warning that a fit did not converge is what many of their tests are about
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
]

CANNOT = {
    "test_gaussian_mixture_all_init_does_not_estimate_gaussian_parameters": (
        "counts the calls of a private function of theirs, which our EM does not call; "
        "test_estimator_numbers holds the same of ours"
    ),
    "test_gaussian_mixture_array_api_compliance": (
        "asks for results in the arrays of torch, cupy and others; our kernels take and give NumPy's. "
        "(Its NumPy cases pass where SCIPY_ARRAY_API is set.)"
    ),
    "test_gaussian_mixture_raises_where_array_api_not_implemented": (
        "asks that k-means starts are refused under array_api_dispatch; ours work there"
    ),
}


def theirs_on_ours(name: str) -> ModuleType:
    """A fresh copy of a test module of theirs, in which GaussianMixture is ours."""
    spec = importlib.util.find_spec(f"sklearn.mixture.tests.{name}")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    swapped = pytest.MonkeyPatch()
    swapped.setattr(sklearn.mixture, "GaussianMixture", GaussianMixture)
    try:
        spec.loader.exec_module(module)
    finally:
        swapped.undo()
    assert module.GaussianMixture is GaussianMixture
    return module


def functions_of(module: ModuleType) -> dict[str, Callable[..., None]]:
    return {name: test for name, test in vars(module).items() if name.startswith("test_")}


THEIRS = functions_of(theirs_on_ours("test_mixture")) | functions_of(theirs_on_ours("test_gaussian_mixture"))
globals().update({name: test for name, test in THEIRS.items() if name not in CANNOT})


@pytest.fixture(params=[np.float32, np.float64], ids=["float32", "float64"])
def global_dtype(request: pytest.FixtureRequest) -> type:
    """Theirs runs float64 alone unless an environment variable asks for more."""
    return request.param


@pytest.fixture
def global_random_seed() -> int:
    return 42


def test_what_cannot_pass_is_still_there() -> None:
    assert set(CANNOT) <= set(THEIRS)
    assert len(THEIRS) > 35


def test_every_check_of_an_estimator_passes() -> None:
    results = check_estimator(GaussianMixture(), on_skip=None)
    assert {result["status"] for result in results} <= {"passed", "skipped"}
    assert not any(result["expected_to_fail"] for result in results)
