"""Directions of most variance, of more rows than are compared at once."""

from __future__ import annotations

import numpy as np
import pytest

from audiogmm.training.frames.row_spool import RowSpool
from audiogmm.verification import directions
from audiogmm.verification.directions import condense, eigenvectors, project_columns
from audiogmm.verification.projection import learn_projection


def test_products_and_directions_are_those_of_all_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(directions, "_COLUMNS", 7)
    rows = np.random.default_rng(0).normal(size=(300, 40)) * np.linspace(3, 1, 40)
    with RowSpool() as spool:
        stored = spool.put(rows)
        values, vectors = eigenvectors(stored, 5)
        expected, axes = np.linalg.eigh(rows.T @ rows)
        np.testing.assert_allclose(values, expected[-5:])
        found = np.concatenate([part for _, part in project_columns(stored, vectors / np.sqrt(values))])
        np.testing.assert_allclose(np.abs(np.sum(found * axes[:, -5:], axis=0)), 1.0)


def test_condensed_rows_have_nearly_the_directions_of_all(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(1)
    vectors = rng.normal(size=(500, 80)) * 0.9 ** np.arange(80) + 5.0
    with RowSpool() as spool:
        rows = spool.put(vectors)
        exact = learn_projection(rows, 10).basis
        monkeypatch.setattr(directions, "MAX_ROWS", 60)
        monkeypatch.setattr(directions, "KEPT_ROWS", 30)
        assert len(condense(rows)) <= 60
        found = learn_projection(rows, 10).basis
    deviations = vectors - vectors.mean(axis=0)
    kept, most = (np.square(deviations @ basis).sum() for basis in (found, exact))
    assert 0.998 < kept / most < 1 + 1e-6
