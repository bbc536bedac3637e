"""Posteriors of groups and of none of them, beside those of the joint Gaussians."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import logsumexp

from audiogmm.anomaly.kinds.likeness import Likeness
from audiogmm.anomaly.kinds.recognizer import _PRIOR_NONE, NONE, Recognizer
from tests.naive import kinds as naive

SIZE = 6


def examples(seed: int = 0, sizes: tuple[int, ...] = (9, 3, 1)) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    centers = random.normal(0, 4, (len(sizes), SIZE))
    vectors = [random.normal(center, 1, (n, SIZE)) for center, n in zip(centers, sizes, strict=True)]
    return np.concatenate(vectors), np.repeat([2, 5, 9], sizes)


def learned(vectors: np.ndarray, labels: np.ndarray) -> Recognizer:
    return Recognizer.learned(vectors, labels, Likeness.learned(vectors, np.eye(SIZE)))


def naive_posteriors(model: Recognizer, vectors: np.ndarray, labels: np.ndarray, x: np.ndarray) -> np.ndarray:
    points = (model.likeness.coordinates(vectors) - model.center) / model.within
    point = (model.likeness.coordinates(x[None])[0] - model.center) / model.within
    joint = []
    for group in model.groups:
        found = naive.log_likelihood(point, points[labels == group], model.between)
        joint.append(model.scale * found + np.log((1 - _PRIOR_NONE) / len(model.groups)))
    none = naive.log_likelihood(point, points[:0], model.between)
    joint.append(model.scale * none + np.log(_PRIOR_NONE) + model.offset)
    # the constant of the densities is the same for all
    return np.exp(np.array(joint) - logsumexp(joint))


def test_posteriors_are_those_of_the_joint_gaussians() -> None:
    vectors, labels = examples()
    model = learned(vectors, labels)
    others = np.random.default_rng(1).normal(0, 4, (8, SIZE))
    for x, found in zip(others, model.posteriors(others), strict=True):
        np.testing.assert_allclose(found, naive_posteriors(model, vectors, labels, x), rtol=1e-6, atol=1e-12)


def test_an_example_is_left_out_of_its_own_group() -> None:
    vectors, labels = examples()
    model = learned(vectors, labels)
    for i in (0, 9, 12):  # of nine, of three, the only one
        found = model.posteriors(vectors[i : i + 1], labels[i : i + 1])[0]
        rest = np.arange(len(labels)) != i
        wanted = naive_posteriors(model, vectors[rest], labels[rest], vectors[i])
        np.testing.assert_allclose(found, wanted, rtol=1e-6, atol=1e-12)


def test_an_example_of_none_is_left_out_of_nothing() -> None:
    vectors, labels = examples()
    model = learned(vectors, labels)
    plain = model.posteriors(vectors)
    np.testing.assert_array_equal(model.posteriors(vectors, np.full(len(vectors), NONE)), plain)


@pytest.mark.parametrize("seed", range(3))
def test_three_examples_of_a_kind_suffice_and_others_are_none(seed: int) -> None:
    random = np.random.default_rng(seed)
    centers = random.normal(0, 5, (6, SIZE))
    draw = lambda which, n: np.concatenate([random.normal(centers[k], 1, (n, SIZE)) for k in which])  # noqa: E731
    model = learned(draw(range(4), 3), np.repeat([1, 2, 3, 4], 3))
    again = [model.assign(x).group for x in draw(range(4), 10)]
    assert np.mean(again == np.repeat([1, 2, 3, 4], 10)) > 0.85
    known, unknown = (model.posteriors(draw(which, 20))[:, -1] for which in (range(4), (4, 5)))
    assert np.median(unknown) > 10 * np.median(known)


def test_rows_sum_to_one_far_from_everything() -> None:
    vectors, labels = examples()
    found = learned(vectors, labels).posteriors(np.full((2, SIZE), 1e6))
    np.testing.assert_allclose(found.sum(axis=1), 1.0)
    assert found[:, -1].min() > 0.99
