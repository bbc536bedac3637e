"""What the estimator refuses, with values and a remedy; and what looks bad, and is not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from audiogmm import GaussianMixture

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

FORMS = ["full", "tied", "diag", "spherical"]
X = np.random.default_rng(0).normal(size=(20, 2))


def spoiled(value: float) -> np.ndarray:
    bad = X.copy()
    bad[3, 1] = value
    return bad


REFUSED: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "too few rows": ({"n_components": 30}, {"X": X}, "n_components = 30, n_samples = 20.*fewer components"),
    "too few rows with a weight": (
        {"n_components": 3},
        {"X": X, "sample_weight": np.r_[1.0, 1.0, np.zeros(18)]},
        "n_components = 3, n_samples = 2.*weight 0 do not count",
    ),
    "one row": ({}, {"X": X[:1]}, r"1 sample.*minimum of 2 is required.*\nTry: more rows"),
    "no rows": ({}, {"X": X[:0]}, r"0 sample\(s\) \(shape=\(0, 2\)\).*\nTry: skip an empty batch"),
    "NaN": ({}, {"X": spoiled(np.nan)}, r"(?s)contains NaN.*first is nan in row 3, column 1.*Try: drop"),
    "infinity": ({}, {"X": spoiled(-np.inf)}, r"(?s)infinity.*first is -inf in row 3, column 1.*Try: drop"),
    "negative sample weight": (
        {},
        {"X": X, "sample_weight": np.r_[np.ones(19), -2.0]},
        "Negative values.*row 19 has -2.*0 leaves a row out",
    ),
    "sample weights all 0": (
        {},
        {"X": X, "sample_weight": np.zeros(20)},
        "all 20 are 0.*leave sample_weight out",
    ),
    "sample weights of another length": ({}, {"X": X, "sample_weight": np.ones(7)}, r"\(7,\).*\(20,\)"),
    "NaN sample weight": ({}, {"X": X, "sample_weight": np.full(20, np.nan)}, "contains NaN"),
    "weights not normalized": (
        {"n_components": 2, "weights_init": [0.5, 0.25]},
        {"X": X},
        r"sum\(weights\) = 0.75000.*weights / weights.sum\(\)",
    ),
    "negative weights": (
        {"n_components": 2, "weights_init": [-0.5, 1.5]},
        {"X": X},
        r"max value -0.50000, min value 1.50000.*weights / weights.sum\(\)",
    ),
    "NaN weights": ({"n_components": 2, "weights_init": [np.nan, 1.0]}, {"X": X}, "contains NaN"),
    "weights of another length": (
        {"n_components": 2, "weights_init": [1.0]},
        {"X": X},
        r"'weights' should have the shape of \(2,\), but got \(1,\).*one entry for each component",
    ),
    "means of another shape": (
        {"n_components": 2, "means_init": np.ones((2, 3))},
        {"X": X},
        r"'means' should have the shape of \(2, 2\), but got \(2, 3\)",
    ),
    "negative precisions": (
        {"covariance_type": "diag", "precisions_init": [[1.0, -3.0]]},
        {"X": X},
        "'diag precision' should be positive, but got min value -3.*1 / variance",
    ),
    "indefinite precisions": (
        {"precisions_init": [[[1.0, 2.0], [2.0, 1.0]]]},
        {"X": X},
        "'full precision' should be symmetric, positive-definite, but that of component 0 .*eigenvalue is -1",
    ),
    "lopsided precisions": (
        {"covariance_type": "tied", "precisions_init": [[1.0, 0.5], [0.0, 1.0]]},
        {"X": X},
        "'tied precision' should be symmetric, positive-definite, but it is not symmetric .*differ by 0.5",
    ),
    "collapse": (
        {"n_components": 2, "reg_covar": 0},
        {"X": np.repeat([[0.0, 0.0], [1.0, 1.0]], 5, axis=0)},
        "ill-defined empirical covariance.*increase reg_covar.*reg_covar=0.*component 0",
    ),
    "unknown covariance type": ({"covariance_type": "block"}, {"X": X}, "'covariance_type'.*'block'"),
    "unknown start": ({"init_params": "best"}, {"X": X}, "'init_params'.*'best'"),
    "alpha": ({"alpha": 0.5}, {"X": X}, r"'alpha'.*\(0.5, 1.0\].*0.5"),
}


KEPT = {"too few rows", "too few rows with a weight", "one row"}
"""What `partial_fit` keeps until there are more."""


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
@pytest.mark.parametrize("case", REFUSED)
def test_bad_input_is_refused_with_values_and_a_remedy(case: str, method: str) -> None:
    settings, data, message = REFUSED[case]
    if method == "partial_fit" and case in KEPT:
        getattr(GaussianMixture(**settings), method)(**data)
        return
    with pytest.raises(ValueError, match=message):
        getattr(GaussianMixture(**settings), method)(**data)


@pytest.mark.parametrize(
    "method", ["predict", "predict_proba", "score", "score_samples", "bic", "partial_fit"]
)
def test_another_number_of_features_is_refused(method: str) -> None:
    fitted = GaussianMixture().fit(X)
    message = r"X has 3 features, but GaussianMixture is expecting 2 features as input.\nTry: the columns"
    with pytest.raises(ValueError, match=message):
        getattr(fitted, method)(np.ones((4, 3)))


def test_an_empty_batch_is_refused_and_forgotten() -> None:
    online = GaussianMixture(random_state=0).partial_fit(X)
    means = online.means_.copy()
    with pytest.raises(
        ValueError, match=r"0 sample\(s\).*minimum of 1 is required.*\nTry: skip an empty batch"
    ):
        online.partial_fit(X[:0])
    np.testing.assert_array_equal(online.means_, means)
    online.partial_fit(X[:1])  # one row is a batch


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_going_on_with_another_number_of_components_is_refused(method: str) -> None:
    fitted = GaussianMixture(2, warm_start=True, random_state=0).fit(X).set_params(n_components=3)
    with pytest.raises(ValueError, match=r"has 2 components of 2 features, but n_components=3.*Try: a clone"):
        getattr(fitted, method)(X)


def test_a_model_of_no_samples_is_refused() -> None:
    with pytest.raises(ValueError, match="Invalid value for 'n_samples': 0 "):
        GaussianMixture().fit(X).sample(0)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    "data",
    [
        X[:, :1],
        np.c_[X, np.full(20, 7.0)],
        np.repeat(X[:4], 5, axis=0),
        np.full((20, 2), 3.0),
        np.random.default_rng(1).normal(size=(12, 500)),
        (100 * X).astype(np.int16),
        np.asfortranarray(X),
        X[::2],
        X.astype(np.float32) + 1e6,
        1e-8 * X,
        X.tolist(),
    ],
    ids=[
        "D=1",
        "constant column",
        "duplicates",
        "constant",
        "D=500",
        "integers",
        "Fortran",
        "strided",
        "far",
        "tiny",
        "list",
    ],
)
@pytest.mark.parametrize("n_components", [1, 3])
@pytest.mark.filterwarnings("ignore:Number of distinct clusters")
def test_odd_data_is_taken(data: Any, n_components: int, form: str) -> None:
    fitted = GaussianMixture(n_components, covariance_type=form, random_state=0).fit(data).partial_fit(data)
    assert np.isfinite(fitted.score(data))
    assert np.isfinite(fitted.covariances_).all()
    assert fitted.predict_proba(data).sum(axis=1) == pytest.approx(np.ones(len(data)), rel=1e-6)
    assert np.isfinite(fitted.sample(3)[0]).all()


@pytest.mark.parametrize("form", FORMS)
def test_a_component_may_start_without_weight(form: str) -> None:
    start = {"weights_init": [0.0, 1.0], "means_init": [[0.0, 0.0], [1.0, 1.0]]}
    fitted = GaussianMixture(2, covariance_type=form, random_state=0, **start).fit(X)
    alone = GaussianMixture(1, covariance_type=form).fit(X)
    np.testing.assert_allclose(fitted.weights_, [0, 1], atol=1e-12)
    np.testing.assert_allclose(fitted.score_samples(X), alone.score_samples(X), rtol=1e-9)


@pytest.mark.parametrize("form", FORMS)
def test_read_only_rows_and_order_do_not_matter(form: str) -> None:
    frozen = X.copy()
    frozen.flags.writeable = False
    results = []
    for data in (X, frozen, np.asfortranarray(X)):
        fitted = GaussianMixture(2, covariance_type=form, random_state=0).fit(data)
        results.append(fitted.covariances_.tobytes() + fitted.score_samples(data).tobytes())
    assert len(set(results)) == 1
