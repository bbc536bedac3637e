"""Accelerated EM: never downhill, further in as many passes, and honest about lost ones."""

from __future__ import annotations

from typing import get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audiogmm.errors import ChoiceError
from audiogmm.mixture.gaussian import Mixture
from audiogmm.training import train_mixture
from audiogmm.training.schedule import squarem as module
from audiogmm.training.schedule.squarem import extrapolate
from audiogmm.types import CovarianceType
from tests.naive.squarem import step_of
from tests.training.schedule.test_batch import start_from, train_from
from tests.training.shards import blobs, recordings

FORMS = get_args(CovarianceType)


@pytest.mark.parametrize("form", FORMS)
@settings(max_examples=6, deadline=None)
@given(D=st.integers(1, 4), K=st.integers(1, 6), seed=st.integers(0, 1000))
def test_the_likelihood_never_falls(form: str, D: int, K: int, seed: int) -> None:
    frames = blobs(600, D, K, seed, spread=0.7)
    result = train_from(start_from(frames, K, form, seed), frames, passes=20, floor=1e-3, accelerate=True)
    scores = [report.log_likelihood for report in result.history]
    exempt = [bool(report.rescued) for report in result.history[:-1]]
    rises = np.diff(scores)
    assert all(rise >= -1e-6 * abs(scores[0]) or free for rise, free in zip(rises, exempt, strict=True))


@pytest.mark.parametrize("form", FORMS)
def test_as_far_as_twice_the_passes(form: str) -> None:
    frames = blobs(8000, D=4, K=8, seed=1, spread=0.8)
    start = start_from(frames, 8, form)
    plain = train_from(start, frames, passes=46, floor=1e-4)
    ours = train_from(start, frames, passes=31, floor=1e-4, accelerate=True)
    assert ours.history[30].log_likelihood > plain.history[45].log_likelihood


def test_a_lost_pass_is_told_and_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    frames = blobs(3000, D=2, K=4, spread=1.0)
    start = start_from(frames, 4, "diag")
    plain = train_from(start, frames, passes=3)

    def astray(first: Mixture, second: Mixture, third: Mixture, *_: object) -> tuple[Mixture, float]:
        return Mixture(third.weights, third.means + 9.0, third.covariances, "diag"), 2.0

    monkeypatch.setattr(module, "extrapolate", astray)
    ours = train_from(start, frames, passes=4, accelerate=True)
    assert [report.fell_back for report in ours.history] == [False, False, True, False]
    assert ours.history[2].log_likelihood == ours.history[1].log_likelihood
    assert ours.history[3].log_likelihood == pytest.approx(plain.history[2].log_likelihood, rel=1e-12)
    assert ours.mixture == plain.mixture
    stopped = train_from(start, frames, passes=2, accelerate=True)  # no extrapolation is left unconfirmed
    assert stopped.mixture == train_from(start, frames, passes=2).mixture


@pytest.mark.parametrize("form", FORMS)
def test_the_step_length_is_the_formula(form: str) -> None:
    frames = blobs(500, D=3, K=3, seed=4, spread=1.0)
    start = start_from(frames, 3, form)
    points = [train_from(start, frames, passes=n).mixture for n in (1, 2, 3)]
    found = extrapolate(*points, reach=1e9, floor=np.full(3, 1e-6))
    assert found is not None
    assert found[1] == pytest.approx(step_of(*points), rel=1e-6)
    limited = extrapolate(*points, reach=1.25, floor=np.full(3, 1e-6))
    assert limited is not None
    assert limited[1] == 1.25


def test_no_step_from_a_standstill_and_none_from_an_emptied_component() -> None:
    same = Mixture([0.5, 0.5], [[0.0], [1.0]], [[1.0], [1.0]], "diag")
    assert extrapolate(same, same, same, 4.0, np.zeros(1)) is None
    one, two, three = (Mixture([1.0, 0.0], [[m], [1.0]], [[1.0], [1.0]], "diag") for m in (0.0, 4.0, 6.0))
    found = extrapolate(one, two, three, 4.0, np.zeros(1))
    assert found is not None
    assert found[0].weights.tolist() == [1.0, 0.0]


@pytest.mark.parametrize("algorithm", ["kmeans", "stepwise"])
def test_only_batch_em_is_accelerated(algorithm: str) -> None:
    with pytest.raises(ChoiceError, match=f"acceleration of algorithm '{algorithm}'"):
        train_mixture(recordings(blobs(99), 99), n_components=2, algorithm=algorithm, accelerate=True)  # type: ignore[arg-type]
