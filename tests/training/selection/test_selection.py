"""Candidates trained side by side are those trained alone, and judged by the formulas."""

from __future__ import annotations

from typing import get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.mixture import GaussianMixture

from audiogmm.errors import ChoiceError, TrainingError
from audiogmm.mixture.evaluator import Evaluator
from audiogmm.mixture.expected import joint_log_likelihood
from audiogmm.mixture.forms import form_of
from audiogmm.mixture.gaussian import Mixture
from audiogmm.mixture.splitting import grow_mixture
from audiogmm.reduce import LocalReducer
from audiogmm.training import train_mixture
from audiogmm.training.criteria import assignment_entropy, bic, effective_bic
from audiogmm.training.selection import starts as selection_starts
from audiogmm.training.selection.candidates import Candidate
from audiogmm.training.selection.held_out import HeldOutScores
from audiogmm.training.selection.selection import SelectionMonitor, train_candidates
from audiogmm.types import CovarianceType
from tests.naive import selection as naive
from tests.training.shards import blobs, recordings

FORMS = get_args(CovarianceType)


def start_of(frames: np.ndarray, candidate: Candidate, seed: int = 0) -> Mixture:
    """Frames as means, the variances of all frames."""
    random = np.random.default_rng([seed, candidate.n_components])
    K, form = candidate.n_components, candidate.covariance_type
    means = frames[random.choice(len(frames), K, replace=False)].astype(np.float64)
    covariances = form_of(form).broaden(frames.var(axis=0, dtype=np.float64), K)
    return Mixture(random.dirichlet(np.full(K, 5.0)), means, covariances, form)


@pytest.mark.parametrize("spooled", [True, False])
def test_each_candidate_is_what_it_is_alone_to_the_byte(spooled: bool) -> None:
    frames = blobs(20_000, D=4, K=5, seed=1, spread=1.5)
    shards = recordings(frames, 1500)
    options = {"passes": 12, "tol": 3e-3, "max_spool_bytes": 8 << 30 if spooled else 0}
    candidates = [Candidate(form, K) for form in (*FORMS, "kmeans") for K in (2, 5)]
    found = {
        threads: train_candidates(
            shards,
            None,
            candidates,
            start=lambda c: start_of(frames, c),
            reducer=LocalReducer(threads),
            **options,  # type: ignore[arg-type]
        )
        for threads in (1, 3)
    }
    for one, other in zip(found[1].candidates, found[3].candidates, strict=True):
        alone = train_mixture(
            shards,
            n_components=one.candidate.n_components,
            covariance_type=one.candidate.covariance_type,
            algorithm="kmeans" if one.candidate.form == "kmeans" else "em",
            init=start_of(frames, one.candidate),
            **options,  # type: ignore[arg-type]
        )
        assert one.mixture == other.mixture == alone.mixture, one.candidate
        assert (one.passes, one.converged) == (alone.passes, alone.converged)
        assert one.log_likelihood == alone.log_likelihood
        assert (one.bic, one.aic, one.n_parameters) == (alone.bic, alone.aic, alone.n_parameters)
        assert one.bic_effective == other.bic_effective
    assert len({one.passes for one in found[1].candidates}) > 2  # they drop out one by one
    assert found[1].passes == max(one.passes for one in found[1].candidates)


def test_the_recordings_are_read_as_often_for_one_candidate_as_for_five() -> None:
    reads = []
    for sizes in ([3], [1, 2, 3, 4, 5]):
        shards = recordings(blobs(3000, seed=2), 500)
        candidates = [Candidate("diag", K) for K in sizes]
        train_candidates(shards, None, candidates, passes=4, tol=0, max_spool_bytes=0)
        reads.append(len(shards[0].reads))
    assert reads[0] == reads[1]


@pytest.mark.parametrize("form", FORMS)
def test_bic_and_aic_are_scikit_learns_and_icl_adds_its_entropy(form: CovarianceType) -> None:
    frames = blobs(4000, D=3, K=3, seed=5, spread=1.0)
    start = start_of(frames, Candidate(form, 3))
    (one,) = train_candidates(
        recordings(frames, 900), None, [Candidate(form, 3)], passes=1, start=lambda _: start
    ).candidates
    peer = GaussianMixture(3, covariance_type=form)
    peer.weights_, peer.means_, peer.covariances_ = start.weights, start.means, start.covariances
    peer.precisions_cholesky_ = form_of(form).precision_factor(start.covariances)
    X = frames.astype(np.float64)
    assert one.bic == pytest.approx(peer.bic(X), rel=1e-9)
    assert one.aic == pytest.approx(peer.aic(X), rel=1e-9)
    shares = peer.predict_proba(X)
    entropy = -float(np.sum(shares * np.log(np.where(shares > 0, shares, 1))))
    assert one.icl == pytest.approx(peer.bic(X) + 2 * entropy, rel=1e-6)


@pytest.mark.parametrize("form", FORMS)
@settings(max_examples=20, deadline=None)
@given(n=st.integers(1, 40), D=st.integers(1, 4), K=st.integers(1, 4), seed=st.integers(0, 1000))
def test_the_entropy_is_in_the_moments(form: CovarianceType, n: int, D: int, K: int, seed: int) -> None:
    frames = blobs(max(n, K), D, K, seed, spread=1.0).astype(np.float64)
    random = np.random.default_rng(seed)
    root = random.normal(size=(K, D, D))
    full = root @ root.swapaxes(1, 2) + 0.3 * np.eye(D)
    covariances = {
        "full": full,
        "tied": full[0],
        "diag": np.einsum("kdd->kd", full),
        "spherical": full[:, 0, 0],
    }[form]
    mixture = Mixture(random.dirichlet(np.ones(K)), 5 + random.normal(size=(K, D)), covariances, form)
    statistics = Evaluator(mixture, threshold=0).accumulate(frames)
    parameters = (mixture.weights, mixture.means, mixture.covariances, form)
    shares, totals = naive.posteriors(frames, *parameters)
    expected = naive.entropy(shares)
    size = abs(totals).sum()
    assert assignment_entropy(statistics, mixture) == pytest.approx(expected, abs=1e-9 * size + 1e-9)
    assert joint_log_likelihood(statistics, mixture) == pytest.approx(totals.sum() - expected, rel=1e-8)


@pytest.mark.parametrize("form", ["diag", "spherical", "full"])
def test_every_criterion_finds_the_number_of_clusters_that_there_are(form: str) -> None:
    frames = blobs(6000, D=4, K=4, seed=8, spread=6.0)
    shards = recordings(frames, 250)
    sizes = [Candidate(form, K) for K in (1, 2, 3, 4, 5, 6, 8)]
    judged = train_candidates(shards[4:], shards[:4], sizes).candidates
    assert min(judged, key=lambda one: one.bic).candidate.n_components == 4
    assert min(judged, key=lambda one: one.icl or 0).candidate.n_components == 4
    assert min(judged, key=lambda one: one.bic_effective or 0).candidate.n_components == 4
    best = max(judged, key=lambda one: one.held_out.mean if one.held_out else 0)
    four = judged[3]
    assert best.held_out is not None and four.held_out is not None
    difference = best.held_out.minus(four.held_out)
    assert difference.mean <= 2 * (difference.error or 0)
    assert (four.time or 0) < 1.3  # independent frames


def test_where_clusters_overlap_icl_asks_for_fewer_than_bic() -> None:
    random = np.random.default_rng(0)
    frames = np.concatenate(
        [random.normal(0, 1, (4000, 2)), random.normal(0, 2, (4000, 2)), random.normal(30, 1, (4000, 2))]
    ).astype(np.float32)
    candidates = [Candidate("spherical", K) for K in (1, 2, 3, 4)]
    judged = train_candidates(recordings(frames, 500), None, candidates, tol=1e-6, passes=400).candidates
    assert min(judged, key=lambda one: one.bic).candidate.n_components == 3
    assert min(judged, key=lambda one: one.icl or 0).candidate.n_components == 2


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000), n=st.integers(2, 9))
def test_held_out_scores_are_the_formula(seed: int, n: int) -> None:
    random = np.random.default_rng(seed)
    totals, counts = random.normal(-300, 50, n), random.integers(1, 9, n).astype(np.float64)
    scores = HeldOutScores(totals, counts)
    assert scores.error == pytest.approx(naive.ratio_error(totals, counts), rel=1e-12)
    assert HeldOutScores(totals[:1], counts[:1]).error is None


@pytest.mark.parametrize("spooled", [True, False])
def test_each_held_out_recording_gets_the_score_of_its_own_frames(spooled: bool) -> None:
    frames = blobs(12_000, seed=3)
    shards = recordings(frames[:2000], 500)
    held = [*recordings(frames[2000:11_500], 1900), *recordings(frames[11_500:], 7)]
    (one,) = train_candidates(
        shards, held, [Candidate("diag", 3)], passes=3, max_spool_bytes=8 << 30 if spooled else 0
    ).candidates
    evaluator = Evaluator(one.mixture)
    assert one.held_out is not None
    assert one.held_out.counts.tolist() == [len(shard.frames) for shard in held]
    expected = [evaluator.log_likelihood(shard.frames).sum() for shard in held]
    np.testing.assert_allclose(one.held_out.totals, expected, rtol=1e-12)


def test_what_is_finished_survives_ctrl_c() -> None:
    frames = blobs(5000, K=6, seed=4, spread=1.0)

    class Stops(SelectionMonitor):
        def on_candidates(self, number: int, finished: int, n: int) -> None:
            if finished:
                raise KeyboardInterrupt

    candidates = [Candidate("diag", K) for K in (1, 6)]
    found = train_candidates(recordings(frames, 500), None, candidates, tol=1e-7, monitor=Stops())
    assert [one.candidate for one in found.candidates] == [candidates[0]]
    assert found.missing == (candidates[1],)

    class StopsAtOnce(SelectionMonitor):
        def on_candidates(self, number: int, finished: int, n: int) -> None:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_candidates(recordings(frames, 500), None, candidates[1:], tol=1e-7, monitor=StopsAtOnce())


def test_what_cannot_be_compared_is_refused() -> None:
    shards = recordings(blobs(40), 20)
    with pytest.raises(ChoiceError, match="no candidate"):
        train_candidates(shards, None, [])
    with pytest.raises(TrainingError, match=r"40 frames for 64 components.*at most 40"):
        train_candidates(shards, None, [Candidate("diag", K) for K in (2, 64)])


@pytest.mark.parametrize("init", ["k-means++", "random", "split"])
def test_every_way_to_start_reaches_every_size(init: str) -> None:
    candidates = [Candidate(form, K) for form in ("tied", "kmeans") for K in (1, 3, 7)]
    found = train_candidates(recordings(blobs(900), 300), None, candidates, init=init, passes=2)  # type: ignore[arg-type]
    assert [one.mixture.n_components for one in found.candidates] == [1, 3, 7, 1, 3, 7]


def test_a_larger_candidate_grows_from_the_next_smaller_one(monkeypatch: pytest.MonkeyPatch) -> None:
    grown: list[tuple[int, int]] = []

    def heard(mixture: Mixture, size: int) -> Mixture:
        grown.append((mixture.n_components, size))
        return grow_mixture(mixture, size)

    monkeypatch.setattr(selection_starts, "grow_mixture", heard)
    train_candidates(recordings(blobs(900), 300), None, [Candidate("diag", K) for K in (3, 8, 16)], passes=1)
    assert grown == [(1, 2), (2, 3), (3, 6), (6, 8), (8, 16)]


def test_bic_of_dependent_frames_is_the_formula() -> None:
    assert effective_bic(-100.0, 5, 1000.0, 4.0) == pytest.approx(200 + 4 * 5 * np.log(250), rel=1e-12)
    assert effective_bic(-100.0, 5, 1000.0, 1.0) == bic(-100.0, 5, 1000.0)
