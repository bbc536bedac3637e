"""The proven bounds, attacked: drawn models and frames must never get past them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from audiogmm.kernels.estep import diagonal, tiles
from audiogmm.kernels.estep.dots import DOTS, LARGEST, dot_block, quantize
from audiogmm.kernels.estep.full import FullScreen
from audiogmm.kernels.estep.screens import GROUP, PANEL, TRIANGLES, score_block, triangle_block
from audiogmm.kernels.policy import kernel
from audiogmm.mixture import quantization, triangulation
from audiogmm.mixture.evaluator import Evaluator
from audiogmm.mixture.gaussian import Mixture
from tests.mixture.test_evaluator_exact import FORMS, cases, draw


@kernel
def float_bounds(screen, tile):
    for g in range(len(screen.start) // GROUP):
        score_block(
            tile.terms, screen.n_terms, screen.coefficients, g * GROUP * screen.n_terms, screen.start,
            screen.slack, g * GROUP, tile.upper, tile.lower,
        )  # fmt: skip


@kernel
def integer_bounds(dots, tile):
    room = tile.quantized
    n_pairs = len(room.pairs) // PANEL
    quantize(tile.terms, dots.per_step, tile.lower, room)
    for g in range(len(dots.limits) // (3 * GROUP)):
        dot_block(
            room.pairs, n_pairs, dots.coefficients, g * n_pairs * GROUP, dots.limits, g * 3 * GROUP,
            g * GROUP, room.spread, tile.upper, tile.lower,
        )  # fmt: skip


@kernel
def triangle_bounds(screen, n_features, tile):
    n_rows = screen.n_rows
    if n_rows > n_features:
        for lane in range(PANEL):
            tile.terms[n_rows * PANEL + lane] = tile.terms[n_features * PANEL + lane]
            tile.terms[n_features * PANEL + lane] = 0
    n_groups = len(screen.limits) // (4 * TRIANGLES)
    stride = len(screen.coefficients) // n_groups
    for g in range(n_groups):
        triangle_block(
            tile.terms, n_rows, screen.coefficients, g * stride, screen.limits, g * 4 * TRIANGLES,
            g * TRIANGLES, tile.upper, tile.lower,
        )  # fmt: skip


def panel_of(mixture, frames):
    """The evaluator's parts, and a tile whose first panel holds the frames."""
    prepared = Evaluator(mixture)._kernels
    tile = prepared._tile(frames)
    tiles.center(frames, 0, len(frames), prepared.origin, tile)
    rows = tile.centered
    squares = mixture.covariance_type == "diag" and mixture.n_features > 1
    if mixture.covariance_type == "tied":
        diagonal.whiten(frames, 0, len(frames), prepared.origin, prepared._components.factor, tile.points)
        rows = tile.points
    tiles.panel_terms(rows, 0, mixture.n_features, squares, tile)
    return prepared, tile


def assert_bounds(case, prepared, tile, mixture, frames, widen_lower, widen_upper, seen):
    active = prepared._active
    true = Evaluator(mixture).log_joint(frames)[:, active]
    upper = tile.upper.reshape(-1, PANEL)[: len(active), : len(frames)].T.astype(np.float64)
    lower = tile.lower[: len(frames)].astype(np.float64)
    # the float64 scores themselves, and x - mean, are rounded too: more where frames are far away
    resolution = 1e-12 * (1 + np.abs(true)) * (1e4 if case[5] == "offset" else 1)
    assert np.all((upper / widen_upper >= true - resolution)[seen])
    assert np.all((lower * widen_lower <= true.max(axis=1) + resolution.max(axis=1))[seen])


@settings(max_examples=50, deadline=None)
@given(cases)
def test_float32_bounds_hold(case):
    mixture, frames = draw(*case)
    frames = np.ascontiguousarray(frames[:PANEL])
    prepared, tile = panel_of(mixture, frames)
    near = ~np.isnan(tile.lower[: len(frames)])
    screen = prepared._screen
    if isinstance(screen, FullScreen):
        triangle_bounds(screen, mixture.n_features, tile)
        assert_bounds(case, prepared, tile, mixture, frames, screen.widen, 1.0, near)
    else:
        float_bounds(screen, tile)
        assert_bounds(case, prepared, tile, mixture, frames, screen.widen_lower, screen.widen_upper, near)


@pytest.mark.skipif(not DOTS, reason="this CPU has no instruction for pairs of 16-bit integers")
@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(case=cases)
def test_integer_bounds_hold(case, monkeypatch):
    mixture, frames = draw(*case)
    if mixture.covariance_type == "full":
        return
    monkeypatch.setattr(quantization, "WIDEST", 1e30)  # of use or not, they must hold
    frames = np.ascontiguousarray(frames[:PANEL])
    prepared, tile = panel_of(mixture, frames)
    integer_bounds(prepared._screen.dots, tile)
    within = tile.quantized.largest[: len(frames)] <= LARGEST
    assert_bounds(case, prepared, tile, mixture, frames, 1.0, 1.0, within)


@pytest.mark.parametrize("form", FORMS)
def test_bounds_are_tight_where_a_model_is_well_behaved(form):
    mixture, _ = draw(1, form, 30, 40, 1, "plain", np.float32)
    frames = mixture.sample(PANEL, seed=0)[0].astype(np.float32)
    true = Evaluator(mixture).log_joint(frames).max(axis=1)
    prepared, tile = panel_of(mixture, frames)
    if form == "full":
        triangle_bounds(prepared._screen, mixture.n_features, tile)
    else:
        float_bounds(prepared._screen, tile)
    assert np.all(true - tile.lower < 1)
    prepared, tile = panel_of(mixture, frames)
    if form != "full" and len(prepared._screen.dots.limits):
        integer_bounds(prepared._screen.dots, tile)
        assert np.all((true - tile.lower)[tile.quantized.largest <= LARGEST] < 6)


def test_integers_look_first_where_they_are_of_use():
    means = np.random.default_rng(0).normal(size=(30, 40))
    close = Mixture(np.full(30, 1 / 30), means, np.ones((30, 40)), "diag")
    apart = Mixture(np.full(30, 1 / 30), 100 * means, np.ones((30, 40)), "diag")
    assert (len(Evaluator(close)._kernels._screen.dots.limits) > 0) == DOTS
    assert len(Evaluator(apart)._kernels._screen.dots.limits) == 0


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("trick", ["plain", "far frames"])
def test_both_looks_lead_to_the_same_result(form, trick, monkeypatch):
    monkeypatch.setattr(quantization, "WIDEST", 1e30)
    mixture, frames = draw(2, form, 30, 20, 400, trick, np.float32)
    first = Evaluator(mixture)
    monkeypatch.setattr(quantization, "DOTS", False)
    monkeypatch.setattr(triangulation, "DOTS", False)
    second = Evaluator(mixture)
    np.testing.assert_allclose(first.log_likelihood(frames), second.log_likelihood(frames), atol=1e-7)
    a, b = first.accumulate(frames), second.accumulate(frames)
    np.testing.assert_allclose(a.counts, b.counts, atol=1e-7 * 30 * 400)
    assert abs(a.skipped - b.skipped) <= 0.05 * 30 * 400
