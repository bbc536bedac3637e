"""The contract of a covariance form: each method against the same of matrices, one for each component."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import get_args

import numpy as np
import pytest

import audiogmm
from audiogmm.errors import ChoiceError
from audiogmm.mixture.form import CovarianceForm
from audiogmm.mixture.forms import FORMS, form_of
from audiogmm.mixture.gaussian import Mixture
from audiogmm.mixture.movement import largest_change, movement
from audiogmm.types import CovarianceType

K, D, N = 4, 3, 50
RANDOM = np.random.default_rng(0)

pytestmark = pytest.mark.parametrize("form", FORMS.values(), ids=FORMS.keys())


def covariances_of(form: CovarianceForm, seed: int = 0) -> np.ndarray:
    """Some covariances of the form."""
    random = np.random.default_rng(seed)
    shape = form.shape(K, D)
    if not form.is_matrix:
        return random.uniform(0.5, 2.0, shape)
    factors = random.normal(size=(*shape[:-1], 2 * D))
    return factors @ factors.swapaxes(-1, -2) / (2 * D) + 0.1 * np.eye(D)


def matrices_of(form: CovarianceForm, covariances: np.ndarray) -> np.ndarray:
    """(K, D, D)."""
    return np.stack([form.matrix(covariances, k, D) for k in range(K)])


def frames_and_shares() -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(5)
    return random.normal(size=(N, D)) * [1, 2, 3] + 1, random.dirichlet(np.ones(K), N)


def test_the_table_names_every_type(form: CovarianceForm) -> None:
    assert set(FORMS) == set(get_args(CovarianceType))
    assert form_of(form.name) is form
    with pytest.raises(ChoiceError, match="covariance type 'banded'; needed: one of spherical, diag, tied"):
        form_of("banded")


def test_shapes_and_matrices_agree(form: CovarianceForm) -> None:
    covariances = covariances_of(form)
    assert covariances.shape == form.shape(K, D)
    assert form.is_matrix == (covariances.shape[-2:] == (D, D))
    assert form.shared == (len(covariances) != K)
    assert form.has_common_axes == (form.shared or not form.is_matrix)
    dense = matrices_of(form, covariances)
    np.testing.assert_allclose(form.variances(covariances, K, D), np.einsum("kdd->kd", dense))
    variances = np.array([1.0, 2.0, 4.0])
    broad = form.broaden(variances, K)
    assert broad.shape == form.shape(K, D)
    np.testing.assert_allclose(np.trace(form.matrix(broad, 1, D)), variances.sum())
    np.testing.assert_allclose(matrices_of(form, form.add(covariances, 0.5)), dense + 0.5 * np.eye(D))


def test_faults_are_found(form: CovarianceForm) -> None:
    covariances = covariances_of(form)
    assert form.fault(covariances) == ""
    assert "-" in form.fault(-covariances)


def test_factors_and_precisions_are_those_of_the_matrices(form: CovarianceForm) -> None:
    covariances = covariances_of(form)
    dense = matrices_of(form, covariances)
    inverse = np.linalg.inv(dense)
    factors = form.precision_factor(covariances)
    assert factors.shape == covariances.shape
    np.testing.assert_allclose(matrices_of(form, form.precision(factors)), inverse, atol=1e-12)
    np.testing.assert_allclose(form.covariance(factors), covariances)
    np.testing.assert_allclose(form.inverse(form.precision(factors)), covariances)
    halves = np.broadcast_to(form.half_log_precision(factors, K, D), (K,))
    np.testing.assert_allclose(halves, -0.5 * np.linalg.slogdet(dense)[1])
    vectors = RANDOM.normal(size=(K, D))
    applied = form.apply_precision(factors, vectors)
    np.testing.assert_allclose(applied, np.einsum("kij,kj->ki", inverse, vectors))
    matrix = RANDOM.normal(size=(2, D))
    np.testing.assert_allclose(form.project(covariances, matrix, K), matrix @ dense @ matrix.T, atol=1e-12)


def test_moments_shift_and_estimate(form: CovarianceForm) -> None:
    frames, shares = frames_and_shares()
    counts, first, second = shares.sum(axis=0), shares.T @ frames, form.moment(frames, shares)
    assert second.shape == form.second_shape(K, D)
    np.testing.assert_allclose(form.total(second, D).sum(), np.einsum("nd,nd->", frames, frames))
    delta = np.array([0.5, -1.0, 2.0])
    np.testing.assert_allclose(form.shift(second, first, counts, delta), form.moment(frames - delta, shares))
    means = first / counts[:, None]
    covariances = form.estimate(counts, means, second)
    np.testing.assert_allclose(form.expected(covariances, means, counts), second)
    whole = frames - frames.mean(axis=0)
    of_one = form.estimate(np.array([float(N)]), np.zeros((1, D)), form.moment(whole, np.ones((N, 1))))
    scatter = form.scatter(whole)
    np.testing.assert_allclose(scatter / N, of_one if form.shared else of_one[0], atol=1e-12)


def test_distances_from_moments_are_those_of_the_frames(form: CovarianceForm) -> None:
    frames, shares = frames_and_shares()
    covariances, means = covariances_of(form), RANDOM.normal(size=(K, D))
    inverse = np.linalg.inv(matrices_of(form, covariances))
    apart = frames[:, None] - means
    distances = np.einsum("nkd,kde,nke->nk", apart, inverse, apart)
    counts, first, second = shares.sum(axis=0), shares.T @ frames, form.moment(frames, shares)
    found = form.squared_distance(form.precision_factor(covariances), means, counts, first, second)
    assert found == pytest.approx((shares * distances).sum())


def test_components_are_taken_out_of_moments(form: CovarianceForm) -> None:
    frames, shares = frames_and_shares()
    counts, first, second = shares.sum(axis=0), shares.T @ frames, form.moment(frames, shares)
    covariances, gone = form.estimate(counts, first / counts[:, None], second), np.array([1, 3])
    without = form.without(second, first, counts, gone, covariances)
    stays = np.array([0, 2])
    if not form.shared:
        np.testing.assert_array_equal(without[gone], 0)
        np.testing.assert_array_equal(without[stays], second[stays])
    else:
        means = first[stays] / counts[stays, None]
        np.testing.assert_allclose(without, form.expected(covariances, means, counts[stays]))


def test_a_floor_raises_what_is_below_it_and_counts(form: CovarianceForm) -> None:
    covariances = covariances_of(form)
    floor = np.full(D, 0.9)
    floored, raised = form.floor(covariances, floor)
    dense = matrices_of(form, floored)
    assert np.linalg.eigvalsh(dense).min() >= 0.9 - 1e-12
    assert raised.shape == ((1 if form.shared else K), D)
    below = np.linalg.eigvalsh(matrices_of(form, covariances)) < 0.9
    assert raised.sum() == (below[0] if form.shared else below).sum()
    same, none = form.floor(covariances, np.zeros(D))
    np.testing.assert_array_equal(same, covariances)
    assert not none.any()


def test_components_are_kept_and_taken(form: CovarianceForm) -> None:
    one, two = covariances_of(form, 1), covariances_of(form, 2)
    dense = matrices_of(form, form.keep(one, two, np.array([2])))
    ours, theirs = matrices_of(form, one), matrices_of(form, two)
    np.testing.assert_array_equal(dense[[0, 1, 3]], ours[[0, 1, 3]])
    np.testing.assert_array_equal(dense[2], (ours if form.shared else theirs)[2])
    np.testing.assert_array_equal(
        matrices_of(form, form.take(one, np.array([3, 3, 0, 1]))), ours[[3, 3, 0, 1]]
    )


def test_the_longest_axis_is_that_of_the_matrix(form: CovarianceForm) -> None:
    covariances = covariances_of(form)
    axis = form.direction(covariances, 1, D)
    # along it, moments of a component and of its halves differ by no more than the component has
    values = np.linalg.eigvalsh(matrices_of(form, covariances)[1])
    length = axis @ axis
    assert 0 < length <= values.sum() + 1e-12
    if form.is_matrix:
        assert length == pytest.approx(values[-1])


def test_changes_are_free_of_scale_and_movement_is_their_norm(form: CovarianceForm) -> None:
    weights, means = np.full(K, 1 / K), RANDOM.normal(size=(K, D))
    covariances, later = covariances_of(form), covariances_of(form, 1)
    before = Mixture(weights, means, covariances, form.name)
    after = Mixture(np.array([0.1, 0.2, 0.3, 0.4]), means + 0.3, later, form.name)
    inverse = np.linalg.inv(matrices_of(form, covariances))
    change = matrices_of(form, later) - matrices_of(form, covariances)
    steps, ratios = form.relative_change(covariances, after.means - means, later - covariances)
    lengths = np.einsum("kd,kde,ke->k", after.means - means, inverse, after.means - means)
    np.testing.assert_allclose(np.einsum("kd,kd->k", steps, steps), lengths)
    sizes = np.broadcast_to(form.squared_size(ratios, D), (K,))
    np.testing.assert_allclose(sizes, np.einsum("kij,kji->k", inverse @ change, inverse @ change))
    shares = ((after.weights - weights) ** 2 / weights).sum()
    expected = np.sqrt((shares + weights @ (lengths + sizes / 2)) / D)
    assert movement(before, after) == pytest.approx(expected)
    assert movement(before, before) == largest_change(before, before) == 0
    assert largest_change(before, after) >= np.abs(after.weights - weights).max()
    unit = form.broaden(np.array([1e3, 1e3, 1e3]), K)  # the same in another unit of the features
    scaled = [Mixture(m.weights, m.means * 1e3**0.5, m.covariances * 1e3, form.name) for m in (before, after)]
    assert unit.shape == covariances.shape
    assert movement(*scaled) == pytest.approx(movement(before, after))
    assert largest_change(*scaled) == pytest.approx(largest_change(before, after))


def test_coordinates_without_constraints_go_there_and_back(form: CovarianceForm) -> None:
    covariances = covariances_of(form)
    there = form.unconstrained(covariances)
    assert there.shape == covariances.shape
    np.testing.assert_allclose(form.constrained(there), covariances)
    anywhere = np.tril(RANDOM.normal(size=there.shape)) if form.is_matrix else RANDOM.normal(size=there.shape)
    assert form.fault(form.constrained(anywhere)) == ""
    weights = form.coordinate_weights(covariances, np.full(K, 1 / K), D)
    assert np.broadcast_shapes(weights.shape, there.shape) == there.shape
    assert (weights > 0).all()


def test_noise_gets_the_covariance(form: CovarianceForm) -> None:
    covariances = covariances_of(form)
    noise = np.random.default_rng(3).standard_normal((200_000, D))
    colored = form.color(covariances, np.full(len(noise), 2), noise)
    np.testing.assert_allclose(np.cov(colored.T), form.matrix(covariances, 2, D), atol=0.03)


def test_kernels_have_room_for_the_moments(form: CovarianceForm) -> None:
    shape = form.accumulator_shape(K, 8)
    assert shape == ((0,) if form.shared else form.second_shape(K, 8))


def test_constants_of_stepwise_training_are_there(form: CovarianceForm) -> None:
    assert min(form.stepwise) >= 1
    assert form.frames_needed(D) in (1, D)


ASKED_HERE = ("mixture/variance_forms.py", "mixture/matrix_forms.py", "types.py")


def test_nobody_asks_for_a_form_by_name(form: CovarianceForm) -> None:
    """Whatever depends on the form is a method of it: a new one touches the table and the kernels alone."""
    root = Path(audiogmm.__file__).parent
    found = []
    for path in root.rglob("*.py"):
        place = path.relative_to(root).as_posix()
        if place in ASKED_HERE or place.split("/")[0] in ("kernels", "reporting", "synth"):
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            operands: list[ast.expr] = []
            if isinstance(node, ast.Compare):
                operands = [node.left, *node.comparators]
            elif isinstance(node, ast.Dict):
                operands = [key for key in node.keys if key is not None]
            names = [each for operand in operands for each in ast.walk(operand)]
            if any(isinstance(each, ast.Constant) and each.value == form.name for each in names):
                found.append(f"{place}:{node.lineno}")
    assert not [place for place in found if not place.startswith("training/settings.py")], found
