"""Two systems on the same trials."""

from __future__ import annotations

import numpy as np
import pytest

from audiogmm.errors import MismatchError
from audiogmm.evaluation.verification.bootstrap import TrialSet
from audiogmm.evaluation.verification.comparison import compare
from audiogmm.evaluation.verification.performance import measure_performance
from tests.evaluation.verification.trials import POINTS, QUICK, corpus


def test_two_systems_on_the_same_trials() -> None:
    scores, target, pairs = corpus(60)
    rng = np.random.default_rng(5)
    noise = rng.normal(size=len(scores))
    this = TrialSet(scores, target, pairs, POINTS)
    alike = TrialSet(scores + 0.02 * noise, target, pairs, POINTS)
    worse = TrialSet(scores + 1.5 * noise, target, pairs, POINTS)
    eer, *_ = compare(this, worse, QUICK)
    assert eer.first == this.measure()[0][0] and eer.second == worse.measure()[0][0]
    assert 0 < eer.low < eer.second - eer.first < eer.high and eer.p_value < 0.05
    eer, *_ = compare(worse, this, QUICK)
    assert eer.high < 0
    eer, *_ = compare(this, alike, QUICK)
    assert eer.low <= 0 <= eer.high and eer.p_value > 0.05
    # pairing is worth it: the difference is better known than either figure
    alone = measure_performance(this, QUICK)[0].eer
    assert eer.high - eer.low < 0.3 * (alone.high - alone.low)
    none = compare(this, this, QUICK)[0]
    assert (none.low, none.high, none.p_value) == (0.0, 0.0, 1.0)


def test_other_trials_cannot_be_compared() -> None:
    scores, target, pairs = corpus(10)
    this = TrialSet(scores, target, pairs, POINTS)
    with pytest.raises(MismatchError, match="different trials or operating points"):
        compare(this, TrialSet(scores, target, pairs, POINTS[:1]))
    shuffled = TrialSet(scores, np.roll(target, 1), pairs, POINTS)
    with pytest.raises(MismatchError, match="different trials"):
        compare(this, shuffled)
