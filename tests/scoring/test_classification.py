"""The posterior of a class: the formula, by loops, and the same bytes however blocks are cut."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audiogmm.blocks import FrameBlock
from audiogmm.errors import MismatchError
from audiogmm.mixture.gaussian import Mixture
from audiogmm.mixture.store import Model
from audiogmm.scoring.classification import Classifier, ClassSums
from audiogmm.timeline import FrameClock
from tests.naive.scores import class_posteriors

CLOCK = FrameClock(8000, 80, 200)


def model_of(sizes: list[int], seed: int) -> Model:
    rng = np.random.default_rng(seed)
    K = sum(sizes)
    mixture = Mixture(rng.dirichlet(np.ones(K)), rng.normal(size=(K, 2)), rng.uniform(0.5, 2, (K, 2)), "diag")
    names = [f"class {i}" for i in range(len(sizes))]
    return Model(mixture, metadata={"classes": {"names": names, "components": sizes}})  # type: ignore[arg-type]


@settings(max_examples=20, deadline=None)
@given(
    sizes=st.lists(st.integers(1, 3), min_size=1, max_size=4),
    n=st.integers(1, 30),
    cut=st.integers(0, 30),
    voiced=st.sampled_from([0.0, 0.5, 1.0]),
    seed=st.integers(0, 99),
)
def test_posteriors_are_those_of_the_naive_twin(
    sizes: list[int], n: int, cut: int, voiced: float, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    model = model_of(sizes, seed)
    block = FrameBlock(rng.normal(size=(n, 2)).astype(np.float32), rng.random(n) < voiced, 0, CLOCK)
    whole, pieces = ClassSums(Classifier(model)), ClassSums(Classifier(model))
    whole.push(block)
    pieces.push(block.cut(0, cut))
    pieces.push(block.cut(cut, n))
    found = whole.result("a")
    assert found == pieces.result("a")
    counted = block.frames[block.voiced] if block.voiced.any() else block.frames
    expected = class_posteriors(counted, model.mixture, sizes)
    np.testing.assert_allclose(list(found.posteriors.values()), expected, atol=1e-9)
    assert found.posterior == max(found.posteriors.values()) == found.posteriors[found.label]
    assert found.n_frames == len(counted)


def test_a_model_without_classes_is_refused() -> None:
    model = Model(Mixture([1.0], [[0.0]], [1.0], "spherical"))
    with pytest.raises(MismatchError, match="the model has no classes; needed: a model trained on lab"):
        Classifier(model)
