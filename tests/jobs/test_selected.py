"""Which candidate a selection recommends."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from audiogmm.jobs.selected import Selection, find_knee
from audiogmm.mixture.gaussian import Mixture
from audiogmm.training.selection.candidates import Candidate, TrainedCandidate
from audiogmm.training.selection.held_out import HeldOutScores
from audiogmm.training.selection.selection import SelectionResult


def trained(K: int, held: Any = None, **values: float) -> TrainedCandidate:
    """A candidate with these figures."""
    scores = None if held is None else HeldOutScores(np.array(held, float), np.full(len(held), 10.0))
    mixture = Mixture(np.full(K, 1 / K), np.arange(K)[:, None], np.ones(K), "spherical")
    figures: dict[str, Any] = {"bic": 5.0, "aic": 5.0, "bic_effective": 5.0, "icl": 5.0, "time": 2.0} | values
    return TrainedCandidate(
        candidate=Candidate("spherical", K),
        mixture=mixture,
        passes=3,
        converged="likelihood",
        n_parameters=mixture.n_parameters,
        log_likelihood=-1.0,
        held_out=scores,
        **figures,
    )


def selection(*candidates: TrainedCandidate, **options: Any) -> Selection:
    held = [len(one.held_out.totals) for one in candidates if one.held_out]
    return Selection(
        SelectionResult(candidates, (), 100, 10, sum(held), max(held, default=0), 3, np.ones(1)), **options
    )


def test_the_smallest_within_one_standard_error_is_recommended() -> None:
    best = [-10.0, -30.0, -50.0]  # recordings differ far more than models do
    near = [-11.0, -30.0, -50.0]  # behind by 1/30, error of that 1/30
    far = [-11.0, -31.2, -51.1]
    chosen = selection(trained(2, far), trained(4, near), trained(8, best), trained(16, best))
    assert chosen.chosen["held-out"] == Candidate("spherical", 8)
    assert chosen.recommended.candidate == Candidate("spherical", 4)
    behind, error = chosen.behind(chosen.recommended)
    assert behind == pytest.approx(1 / 30) and error == pytest.approx(1 / 30)
    assert "smallest within one standard error" in chosen.why and "spherical 8" in chosen.why
    assert selection(trained(2, far), trained(8, best)).recommended.candidate.n_components == 8


def test_one_recording_gives_no_standard_error() -> None:
    chosen = selection(trained(2, [-10.1]), trained(4, [-10.0]))
    assert chosen.recommended.candidate.n_components == 4
    assert "one table gives no standard error" in chosen.why
    assert chosen.warning == "4 is the largest size tried: larger ones may be better still"


@pytest.mark.parametrize("by", ["bic", "bic-effective", "aic", "icl"])
def test_each_criterion_may_recommend(by: Any) -> None:
    low = {by.replace("-", "_"): 1.0}
    chosen = selection(trained(2, [-1, -2]), trained(4, [-3, -4], **low), trained(8, [-3, -4]), by=by)
    assert chosen.recommended.candidate.n_components == 4
    assert chosen.why.startswith("the lowest")
    assert not chosen.warning
    assert [row["chosen_by"] for row in chosen.rows()][1] == [by]


def test_without_held_out_recordings_effective_bic_recommends() -> None:
    chosen = selection(trained(2, bic_effective=3.0), trained(4, bic=1.0))
    assert "held-out" not in chosen.chosen
    assert chosen.recommended.candidate.n_components == 2
    assert next(iter(chosen.rows()))["n_effective"] == 50.0


def test_a_knee_needs_a_bend() -> None:
    assert find_knee({1: 8.0, 2: 4.0, 4: 2.0, 8: 1.0}) is None
    assert find_knee({1: 8.0, 2: 4.0}) is None
    assert find_knee({1: 100.0, 2: 10.0, 4: 9.0, 8: 8.0}) == 2
