"""Ratios of many models of one background: against formulas, alone and together, near and far."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from audiogmm.errors import ChoiceError, MismatchError, MixtureError
from audiogmm.mixture.evaluator import Evaluator
from audiogmm.mixture.gaussian import Mixture
from audiogmm.verification.adaptation import Adaptation
from audiogmm.verification.ratio import RatioScorer
from tests.naive import ratio as naive

FORMS = ("spherical", "diag", "tied", "full")


def background_of(rng: np.random.Generator, form: str, K: int, D: int, *, spread: float = 2.0) -> Mixture:
    root = rng.normal(size=(K, D, D)) * 0.3 + np.eye(D)
    full = root @ root.swapaxes(1, 2) + 0.2 * np.eye(D)
    covariances = {
        "spherical": rng.uniform(0.3, 2, K),
        "diag": rng.uniform(0.3, 2, (K, D)),
        "tied": full[0],
        "full": full,
    }[form]
    return Mixture(rng.dirichlet(np.ones(K)), rng.normal(size=(K, D)) * spread, covariances, form)


def adapted(rng: np.random.Generator, background: Mixture, settings: Adaptation, n: int) -> Mixture:
    frames = rng.normal(size=(n, background.n_features)) + rng.normal(size=background.n_features)
    return settings(background, Evaluator(background).accumulate(frames.astype(np.float32)))


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    shape=st.tuples(st.integers(1, 9), st.integers(1, 18)),
    form=st.sampled_from(FORMS),
    adapt=st.sampled_from([("means",), ("means", "weights"), ("means", "variances")]),
    n=st.tuples(st.sampled_from([1, 2, 17]), st.sampled_from([1, 5, 40])),
    dtype=st.sampled_from([np.float32, np.float64]),
)
def test_ratios_are_those_of_the_formulas(
    seed: int, shape: tuple[int, int], form: str, adapt: tuple[str, ...], n: tuple[int, int], dtype: type
) -> None:
    rng = np.random.default_rng(seed)
    background = background_of(rng, form, *shape)
    models = [adapted(rng, background, Adaptation.of(adapt), 60) for _ in range(n[0])]
    frames = (rng.normal(size=(n[1], shape[1])) * 2).astype(dtype)
    exact = RatioScorer(background, models).scores(frames)
    top = RatioScorer(background, models, "top", 3).scores(frames)
    linear = RatioScorer(background, models, "linear").scores(frames)
    for m, model in enumerate(models[:2]):
        assert exact[m] == pytest.approx(naive.exact(frames, background, model), abs=1e-6)
        assert top[m] == pytest.approx(naive.top(frames, background, model, 3), abs=2e-5, rel=2e-5)
        assert linear[m] == pytest.approx(naive.linear(frames, background, model), abs=2e-5, rel=2e-5)


@pytest.mark.parametrize("scoring", ["exact", "top", "linear"])
def test_a_score_does_not_depend_on_its_company(scoring: str) -> None:
    rng = np.random.default_rng(1)
    background = background_of(rng, "diag", 40, 20)
    models = [adapted(rng, background, Adaptation(), 300) for _ in range(35)]
    frames = rng.normal(size=(1100, 20)).astype(np.float32)
    scorer = RatioScorer(background, models, scoring)
    together = scorer.totals(frames)
    assert scorer.totals(frames, [34, 3, 3]).tolist() == together[[34, 3, 3]].tolist()
    assert RatioScorer(background, models[33:34], scoring).totals(frames)[0] == together[33]
    assert len(scorer.totals(frames, [])) == 0


def test_top_of_all_components_is_exact_where_models_are_near() -> None:
    rng = np.random.default_rng(2)
    background = background_of(rng, "diag", 12, 5, spread=0.5)
    models = [adapted(rng, background, Adaptation(), 200) for _ in range(3)]
    frames = rng.normal(size=(200, 5)).astype(np.float32)
    exact = RatioScorer(background, models).scores(frames)
    np.testing.assert_allclose(RatioScorer(background, models, "top", 12).scores(frames), exact, atol=1e-5)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([30.0, 1e3, 1e6]), st.sampled_from([1e-12, 1.0, 1e12]))
@example(0, 1e6, 1e-12)
def test_far_and_narrow_models_are_evaluated_the_plain_way(seed: int, far: float, scale: float) -> None:
    """Exponentials of thousands of nats, variances of any size: what overflows is found, and done again."""
    rng = np.random.default_rng(seed)
    K, D = 5, 4
    means = rng.normal(size=(K, D)) * np.sqrt(scale)
    background = Mixture(np.full(K, 1 / K), means, np.full((K, D), scale), "diag")
    moved = means + far * np.sqrt(scale) * rng.normal(size=(K, D))
    models = [
        Mixture(np.full(K, 1 / K), moved, np.full((K, D), scale), "diag"),
        Mixture(np.full(K, 1 / K), means, np.full((K, D), scale * 1e-3), "diag"),
    ]
    frames = np.concatenate([means, moved])
    top = RatioScorer(background, models, "top", 2).scores(frames)
    for m, model in enumerate(models):
        expected = naive.top(frames, background, model, 2)
        assert top[m] == pytest.approx(expected, rel=1e-3, abs=1e-3)
    exact = RatioScorer(background, models).scores(frames)
    for m, model in enumerate(models):
        assert exact[m] == pytest.approx(naive.exact(frames, background, model), rel=1e-6, abs=1e-6)


def test_full_covariances_that_were_adapted_have_no_shift() -> None:
    rng = np.random.default_rng(3)
    background = background_of(rng, "full", 4, 3)
    models = [adapted(rng, background, Adaptation(variances=True), 100), background]
    frames = rng.normal(size=(50, 3)).astype(np.float32)
    found = RatioScorer(background, models, "top", 4).scores(frames)
    assert found[0] == pytest.approx(naive.top(frames, background, models[0], 4), abs=1e-6)
    assert found[1] == pytest.approx(0, abs=1e-12)


def test_what_does_not_fit_is_named() -> None:
    background = Mixture([0.5, 0.5], [[0.0], [1.0]], [[1.0], [1.0]], "diag")
    other = Mixture([1.0], [[0.0]], [[1.0]], "diag")
    for scoring in ("exact", "top", "linear"):
        with pytest.raises(MismatchError, match="1 components, 1 features, diag; needed: 2 components"):
            RatioScorer(background, [other], scoring)
    with pytest.raises(ChoiceError, match="scoring='fast'; needed: one of exact, top, linear"):
        RatioScorer(background, [], "fast")  # type: ignore[arg-type]
    with pytest.raises(ChoiceError, match="the 0 best components"):
        RatioScorer(background, [], "top", 0)
    with pytest.raises(MixtureError, match="frame 1 has the value nan"):
        RatioScorer(background, [background], "top").scores(np.array([[0.0], [np.nan]], np.float32))
