"""Assignments, and the segments of each component."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audiogmm.blocks import FrameBlock, reblock
from audiogmm.errors import MismatchError
from audiogmm.mixture.evaluator import Evaluator
from audiogmm.mixture.gaussian import Mixture
from audiogmm.scoring import assignment
from audiogmm.scoring.assignment import ComponentTally, assign
from audiogmm.scoring.component_segments import ComponentSegment, ExampleSegments, find_segments
from audiogmm.scoring.likelihood import score_blocks, score_shard
from audiogmm.timeline import FrameClock, Segment
from tests.naive import scores as naive

CLOCK = FrameClock(8000, 80, 200)
K, D, N = 5, 3, 400


class Recording:
    """A shard whose blocks are cut at will."""

    def __init__(self, frames: np.ndarray, voiced: np.ndarray, cuts: list[int]) -> None:
        self.id = "a"
        self.frames, self.voiced = frames, voiced
        self.bounds = [0, *sorted(cuts), len(frames)]

    def __iter__(self) -> Iterator[FrameBlock]:
        for first, last in pairwise(self.bounds):
            frames = np.ascontiguousarray(self.frames[first:last])
            yield FrameBlock(frames, self.voiced[first:last], first, CLOCK)


@pytest.fixture(scope="module")
def model() -> Evaluator:
    rng = np.random.default_rng(1)
    return Evaluator(
        Mixture(np.full(K, 1 / K), 1.5 * rng.normal(size=(K, D)), 0.5 + rng.random((K, D)), "diag")
    )


@pytest.fixture(scope="module")
def other() -> Evaluator:
    return Evaluator(Mixture([1.0], np.zeros((1, D)), np.ones((1, D)), "diag"))


def recording(cuts: list[int]) -> Recording:
    rng = np.random.default_rng(2)
    path = np.cumsum(rng.normal(size=(N, D)), axis=0) * 0.3
    return Recording(path.astype(np.float32), rng.random(N) < 0.9, cuts)


cuts = st.lists(st.integers(0, N), max_size=10)


@settings(max_examples=25, deadline=None)
@given(cuts=cuts)
def test_scores_do_not_depend_on_the_blocks(model: Evaluator, other: Evaluator, cuts: list[int]) -> None:
    whole = score_shard(model, recording([]), against=other)
    pieces = score_shard(model, recording(cuts), against=other)
    assert whole.scores.tobytes() == pieces.scores.tobytes()
    assert len(whole) == N


def test_a_ratio_is_the_difference_of_two_likelihoods(model: Evaluator, other: Evaluator) -> None:
    ratio = score_shard(model, recording([]), against=other).scores
    alone = score_shard(model, recording([])).scores
    np.testing.assert_allclose(ratio, alone - score_shard(other, recording([])).scores, atol=1e-12)


def test_blocks_pass_through_unchanged(model: Evaluator) -> None:
    starts = [block.start for block, _ in score_blocks(model, recording([10, 30]))]
    assert starts == [0, 10, 30]


@settings(max_examples=25, deadline=None)
@given(cuts=cuts, n=st.integers(1, 50))
def test_blocks_are_cut_anew_at_multiples(cuts: list[int], n: int) -> None:
    shard = recording(cuts)
    blocks = list(reblock(shard, n))
    assert [block.start for block in blocks] == list(range(0, N, n))
    assert all(len(block) == n for block in blocks[:-1])
    np.testing.assert_array_equal(np.concatenate([block.frames for block in blocks]), shard.frames)
    np.testing.assert_array_equal(np.concatenate([block.voiced for block in blocks]), shard.voiced)


@settings(max_examples=20, deadline=None)
@given(cuts=cuts)
def test_assignments_do_not_depend_on_the_blocks(model: Evaluator, cuts: list[int]) -> None:
    for whole, pieces in zip(assign(model, recording([])), assign(model, recording(cuts)), strict=True):
        assert whole.posteriors.tobytes() == pieces.posteriors.tobytes()
        assert whole.entropy.tobytes() == pieces.entropy.tobytes()


def test_an_assignment_is_what_the_formulas_say(model: Evaluator) -> None:
    (found,) = assign(model, recording([]))
    p = model.posteriors(recording([]).frames)
    np.testing.assert_array_equal(found.labels, p.argmax(axis=1))
    np.testing.assert_array_equal(found.confidence, p.max(axis=1))
    expected = -(p * np.log(np.maximum(p, 1e-300))).sum(axis=1)
    np.testing.assert_allclose(found.entropy, expected, atol=1e-12)


def test_a_tally_counts_the_voiced_frames(model: Evaluator, monkeypatch: pytest.MonkeyPatch) -> None:
    (found,) = assign(model, recording([]))
    whole = ComponentTally.of(found)
    monkeypatch.setattr(assignment, "STEP", 64)
    parts = ComponentTally.zero(K)
    for part in assign(model, recording([])):
        parts = parts + ComponentTally.of(part)
    voiced = recording([]).voiced
    for tally in (whole, parts):
        assert tally.n_frames == voiced.sum() == tally.hard.sum()
        np.testing.assert_allclose(tally.weights.sum(), 1.0)
        for k in range(K):
            mine = voiced & (found.labels == k)
            np.testing.assert_allclose(tally.weights[k], found.posteriors[voiced, k].mean())
            if mine.any():
                np.testing.assert_allclose(tally.mean_posterior[k], found.confidence[mine].mean())
                np.testing.assert_allclose(tally.mean_entropy[k], found.entropy[mine].mean())
            else:
                assert np.isnan(tally.mean_posterior[k])


@pytest.mark.parametrize("step", [1, 7, 64, 1024])
@pytest.mark.parametrize("bridge", [0, 1, 5])
def test_segments_agree_with_their_naive_twin(
    model: Evaluator, monkeypatch: pytest.MonkeyPatch, step: int, bridge: int
) -> None:
    shard = recording([])
    (found,) = assign(model, shard)
    monkeypatch.setattr(assignment, "STEP", step)
    got = list(find_segments("a", assign(model, shard), bridge))
    expected = naive.segments(found.labels, shard.voiced, bridge)
    assert len(expected) >= 10
    assert [(c.component, c.segment) for c in got] == [
        (k, CLOCK.span(first, last)) for k, first, last in expected
    ]
    for claim, (_, first, last) in zip(got, expected, strict=True):
        mine = [t for t in range(first, last + 1) if shard.voiced[t]]
        assert claim.n_frames == len(mine)
        assert claim.mean_posterior == pytest.approx(found.confidence[mine].mean())


@settings(max_examples=25, deadline=None)
@given(lengths=st.lists(st.tuples(st.integers(1, 9), st.integers(0, 3)), max_size=30), seed=st.integers(0, 5))
def test_examples_do_not_depend_on_the_order(lengths: list[tuple[int, int]], seed: int) -> None:
    all_of_them = [
        ComponentSegment(f"r{i}", Segment(0, n / 8), i % 2, n, p / 3) for i, (n, p) in enumerate(lengths)
    ]
    whole, shuffled = ExampleSegments(2, top=3), ExampleSegments(2, top=3)
    for claim in all_of_them:
        whole.add(claim)
    half = ExampleSegments(2, top=3)
    for i in np.random.default_rng(seed).permutation(len(all_of_them)):
        (half if i % 3 else shuffled).add(all_of_them[i])
    shuffled.merge(half)
    for k in range(2):
        mine = [each for each in all_of_them if each.component == k]
        assert whole.of(k) == shuffled.of(k)
        assert len(whole.of(k)) == min(3, len(mine))
        if mine:
            first = whole.of(k)[0]
            audible = [each for each in mine if each.n_frames >= 4] or [first]
            assert first.mean_posterior == max(each.mean_posterior for each in audible)
            assert max(each.n_frames for each in mine) in [each.n_frames for each in whole.of(k)[:2]]


def test_segments_of_another_model_are_refused() -> None:
    with pytest.raises(MismatchError, match="segments of 3 components; needed: of 2 components"):
        ExampleSegments(2).merge(ExampleSegments(3))
