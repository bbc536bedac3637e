"""Adapting a calibration to enrolled speakers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from audiogmm.evaluation.verification.metrics import cllr
from audiogmm.verification.calibration import Calibration
from audiogmm.verification.recalibration import fit_shift, has_enough_trials, recalibrate


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 1000),
    prior=st.sampled_from([0.1, 0.5]),
    precision=st.sampled_from([(1e-3, 1e-3), (0.4, 0.1), (5.0, 0.01)]),
)
def test_the_shift_is_where_a_generic_optimizer_ends(
    seed: int, prior: float, precision: tuple[float, float]
) -> None:
    rng = np.random.default_rng(seed)
    target = np.arange(60) < 15
    llr = rng.normal(np.where(target, 2.0, -1.0), 2.0) * 3 + 4
    odds = np.log(prior / (1 - prior))

    def objective(theta: np.ndarray) -> float:
        moved = theta[0] * llr + theta[1] + odds
        lost = (
            prior * np.logaddexp(0, -moved[target]).mean()
            + (1 - prior) * np.logaddexp(0, moved[~target]).mean()
        )
        return float(lost + (precision[0] * (theta[0] - 1) ** 2 + precision[1] * theta[1] ** 2) / 2)

    wanted = minimize(objective, [1.0, 0.0], tol=1e-12)
    found = fit_shift(llr, target, prior=prior, precision=precision)
    assert objective(np.array(found)) <= wanted.fun + 1e-9
    np.testing.assert_allclose(found, wanted.x, rtol=1e-3, atol=1e-3)


def test_fewer_speakers_move_the_calibration_less() -> None:
    rng = np.random.default_rng(0)
    base, moves = Calibration(("raw", "space"), (3.0, 3.0), 5.0), []
    for n in (6, 60, 600):
        target = np.tile(np.arange(60) < 10, n)
        who = np.repeat([f"p{i}" for i in range(n)], 60).tolist()
        raw = rng.normal(np.where(target, 2.0, -2.0), 2.0)  # is the ratio itself
        llr = base.apply({"raw": raw, "space": np.zeros(len(raw))})
        found, about = recalibrate(base, llr, target, who)
        right = found.apply({"raw": raw, "space": np.zeros(len(raw))})
        moves.append(np.mean(np.abs(right - raw)))
        assert found.weights[0] == found.weights[1] == pytest.approx(3 * about["scale"])
        assert (found.n_targets, found.n_nontargets) == (10 * n, 50 * n)
        assert cllr(right[target], right[~target]) < cllr(llr[target], llr[~target]) - 0.3
    assert moves[0] > moves[1] > moves[2]
    assert moves[2] < 0.15


def test_few_trials_teach_nothing() -> None:
    who, target = np.repeat(list("abcde"), 50).tolist(), np.tile(np.arange(50) < 8, 5)
    assert has_enough_trials(who, target)
    assert not has_enough_trials([name if name != "e" else "d" for name in who], target)
    assert not has_enough_trials(who, np.tile(np.arange(50) < 5, 5))
    assert not has_enough_trials(who, np.tile(np.arange(50) < 11, 5))
