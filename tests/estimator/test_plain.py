"""Small mixtures in NumPy: the numbers of the kernels, chosen by size alone, and nothing to compile."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import get_args

import numpy as np
import pytest

from audiogmm.errors import MixtureError
from audiogmm.estimator.plain import LARGE, SMALL_MODEL, SMALL_PASS, PlainEvaluator, is_small, terms_of
from audiogmm.mixture.evaluator import Evaluator
from audiogmm.mixture.forms import form_of
from audiogmm.mixture.gaussian import Mixture
from audiogmm.types import CovarianceType

FORMS = get_args(CovarianceType)


def mixture_of(form: CovarianceType, K: int = 5, D: int = 4) -> Mixture:
    """A random mixture, one of whose components has no weight."""
    rng = np.random.default_rng(K)
    factors = rng.normal(size=(K, D, D)) / 2
    full = factors @ factors.swapaxes(1, 2) + np.eye(D) / 2
    shapes = {
        "full": full,
        "tied": full[0],
        "diag": rng.uniform(0.5, 2, (K, D)),
        "spherical": rng.uniform(0.5, 2, K),
    }
    weights = np.append(rng.uniform(0.5, 1, K - 1), 0.0)
    return Mixture(weights / weights.sum(), rng.normal(size=(K, D)) * 3, shapes[form], form)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("weighted", [False, True])
def test_it_gives_what_the_kernels_give(form: CovarianceType, weighted: bool) -> None:
    mixture = mixture_of(form)
    rng = np.random.default_rng(1)
    frames = rng.normal(size=(301, 4)) * 3
    weights = rng.uniform(0, 2, 301) if weighted else None
    plain, fast = PlainEvaluator(mixture), Evaluator(mixture, 1e-12)
    ours, theirs = plain.accumulate(frames, weights), fast.accumulate(frames, weights)
    for name in ("origin", "counts", "first", "second", "n_frames", "log_likelihood"):
        np.testing.assert_allclose(getattr(ours, name), getattr(theirs, name), rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(plain.log_likelihood(frames), fast.log_likelihood(frames), rtol=1e-9)
    np.testing.assert_allclose(plain.log_joint(frames), fast.log_joint(frames), rtol=1e-12)
    np.testing.assert_allclose(plain.posteriors(frames), fast.posteriors(frames), rtol=1e-9)


@pytest.mark.parametrize("form", FORMS)
def test_a_row_does_not_depend_on_the_rows_around_it(form: CovarianceType) -> None:
    evaluator = PlainEvaluator(mixture_of(form, K=9))
    frames = np.random.default_rng(2).normal(size=(40_000, 4))
    for evaluate in (evaluator.log_likelihood, evaluator.log_joint, evaluator.posteriors):
        whole = evaluate(frames)
        for rows in (slice(0, 1), slice(14_000, 15_000), slice(39_993, None)):
            assert whole[rows].tobytes() == evaluate(frames[rows]).tobytes()


@pytest.mark.parametrize("form", FORMS)
def test_large_blocks_are_compiled_and_give_the_same_bytes(form: CovarianceType) -> None:
    evaluator = PlainEvaluator(mixture_of(form, K=40, D=9))
    frames = np.random.default_rng(3).normal(size=(3001, 9))
    assert len(frames) * terms_of(evaluator.mixture) > LARGE
    few = np.concatenate([evaluator.log_joint(rows) for rows in np.array_split(frames, 30)])
    assert evaluator.log_joint(frames).tobytes() == few.tobytes()


def test_sizes_alone_decide() -> None:
    mixture = mixture_of("diag", K=SMALL_MODEL // 4, D=4)
    assert is_small(mixture)
    assert is_small(mixture, SMALL_PASS // SMALL_MODEL)
    assert not is_small(mixture, SMALL_PASS // SMALL_MODEL + 1)
    assert not is_small(mixture_of("diag", K=SMALL_MODEL // 4 + 1, D=4))
    assert form_of("full").n_parameters(1, 10) == 55  # the terms of one distance
    assert not is_small(mixture_of("full", K=SMALL_MODEL // 55 + 1, D=10))


def test_it_refuses_what_the_kernels_refuse() -> None:
    evaluator = PlainEvaluator(mixture_of("full"))
    with pytest.raises(MixtureError, match="frame 1 has the value nan in feature 2"):
        evaluator.log_likelihood(np.array([[0.0] * 4, [0.0, 0.0, np.nan, 0.0]]))
    with pytest.raises(MixtureError, match="shape"):
        evaluator.accumulate(np.zeros((2, 3)))


FIT = """
import warnings
import numpy as np
import audiogmm as ag
from numba.core.dispatcher import Dispatcher
def refuse(dispatcher, *_):
    raise AssertionError(f"{dispatcher.py_func.__name__} is compiled")
Dispatcher.compile = refuse
for dtype in (np.float32, np.float64):
    X = np.random.default_rng(0).normal(size=(1000, 5)).astype(dtype)
    for form in ("full", "tied", "diag", "spherical"):
        gmm = ag.GaussianMixture(3, covariance_type=form, random_state=0, max_iter=3, tol=0.1).fit(X)
        gmm.partial_fit(X)
        gmm.predict_proba(X), gmm.predict(X), gmm.score(X), gmm.score_samples(X), gmm.bic(X), gmm.sample(3)
"""


def test_a_small_fit_compiles_nothing(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", FIT],
        capture_output=True,
        text=True,
        env={**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)},
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert not list(tmp_path.rglob("*.nbc"))
