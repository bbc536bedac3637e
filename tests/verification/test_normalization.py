"""Score normalization against its formulas."""

from __future__ import annotations

import numpy as np
import pytest

from audiogmm.errors import ChoiceError
from audiogmm.verification.normalization import normalize


def naive_norm(method, s, m, t, impostors_of_model, impostors_of_test, of_cohort):
    """One score, as the papers have it."""
    z = (s[m, t] - np.mean(impostors_of_model[m])) / np.std(impostors_of_model[m], ddof=1)
    test = impostors_of_test[:, t]
    if method == "z":
        return z
    if method == "t":
        return (s[m, t] - test.mean()) / test.std(ddof=1)
    if method == "s":
        return (z + (s[m, t] - test.mean()) / test.std(ddof=1)) / 2
    if method == "as":
        high, low = np.sort(impostors_of_model[m])[-7:], np.sort(test)[-7:]
        return ((s[m, t] - high.mean()) / high.std(ddof=1) + (s[m, t] - low.mean()) / low.std(ddof=1)) / 2
    others = []
    for c in range(len(of_cohort)):
        row = np.delete(of_cohort[c], c)
        others.append((test[c] - row.mean()) / row.std(ddof=1))
    return (z - np.mean(others)) / np.std(others, ddof=1)


@pytest.mark.parametrize("method", ["z", "t", "zt", "s", "as"])
def test_normalization_is_the_formula(method):
    rng = np.random.default_rng(3)
    s, of_models, of_tests = rng.normal(size=(3, 4)), rng.normal(2, 3, (3, 25)), rng.normal(-1, 2, (25, 4))
    of_cohort = rng.normal(size=(25, 25))
    found = normalize(method, s, of_models=of_models, of_tests=of_tests, of_cohort=of_cohort, nearest=7)
    expected = [
        [naive_norm(method, s, m, t, of_models, of_tests, of_cohort) for t in range(4)] for m in range(3)
    ]
    np.testing.assert_allclose(found, expected, rtol=1e-10)


def test_a_small_cohort_and_an_unknown_method_are_refused():
    few = {"of_models": np.zeros((1, 7)), "of_tests": np.zeros((7, 1))}
    with pytest.raises(ChoiceError, match=r"as-norm with a cohort of 7; needed: at least 20"):
        normalize("as", np.zeros((1, 1)), **few)
    with pytest.raises(ChoiceError, match="'q'"):
        normalize("q", np.zeros((1, 1)), **few)
    assert normalize("none", np.ones((1, 1)), **few) == 1
