"""Stepwise EM: against the formulas, faster than batch EM, in any order of the corpus, the same bytes."""

from __future__ import annotations

from array import array
from pathlib import Path
from typing import ClassVar, get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audiogmm.errors import ChoiceError
from audiogmm.mixture.expected import expected
from audiogmm.mixture.gaussian import Mixture
from audiogmm.mixture.maximisation import maximise
from audiogmm.mixture.statistics import SufficientStats
from audiogmm.training import LocalReducer, TrainingResult, train_mixture
from audiogmm.training.frames.shuffle import shuffled
from audiogmm.training.frames.source import SET_ASIDE, InMemory, Reread
from audiogmm.training.frames.spool import Spool
from audiogmm.training.result import TrainingInterrupted
from audiogmm.training.schedule import spider, steps
from audiogmm.training.schedule import stepwise as module
from audiogmm.training.schedule import stepwise_pass as walk
from audiogmm.training.schedule.monitor import Monitor, PassReport
from audiogmm.training.schedule.steps import Stepwise
from audiogmm.training.settings import MixtureSettings
from audiogmm.types import CovarianceType
from tests.naive.stepwise_pass import spider_pass, stepwise_pass
from tests.training.schedule.test_batch import start_from, train_from
from tests.training.shards import Recording, blobs, recordings

FORMS = get_args(CovarianceType)


@settings(max_examples=15, deadline=None)
@given(
    n=st.integers(30, 70),
    D=st.integers(1, 3),
    K=st.integers(1, 3),
    batch=st.integers(8, 30),
    seed=st.integers(0, 1000),
)
def test_a_pass_is_the_formula(n: int, D: int, K: int, batch: int, seed: int) -> None:
    frames = blobs(n, D, K, seed, spread=1.0)
    start = start_from(frames, K, "diag", seed)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(walk, "STARVED", 0.0)  # nobody is rescued: the formulas alone
        stepwise = Stepwise(1, batch=batch, averaging=0.0)
        options = {"algorithm": "stepwise", "stepwise": stepwise, "seed": seed}
        result = train_from(start, frames, passes=1, **options)
    order = np.random.SeedSequence([seed, module._TAG, 1])
    batches = [rows.copy() for rows in shuffled(InMemory(frames), batch, order)]
    parameters = (start.weights, start.means, start.covariances)
    constants = (steps.UNIT_EACH["diag"], steps.MEMORY["diag"], walk.EVENNESS)
    weights, means, variances = stepwise_pass(batches, parameters, 0.51, *constants, 1)
    np.testing.assert_allclose(result.mixture.weights, weights, rtol=1e-4)
    np.testing.assert_allclose(result.mixture.means, means, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(result.mixture.covariances, variances, rtol=1e-3, atol=1e-4)
    assert result.history[0].stepwise


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("ordered", [True, False])
def test_two_passes_go_further_than_six_of_batch_em(form: str, ordered: bool) -> None:
    frames = blobs(30_000, D=5, K=24, seed=2, spread=2.0)
    if ordered:  # as a corpus that is sorted by speaker
        frames = np.ascontiguousarray(frames[np.argsort(frames[:, 0])])
    start = start_from(frames, 24, form, seed=4)
    batch = train_from(start, frames, passes=7)
    ours = train_from(start, frames, passes=5, algorithm="stepwise", floor=1e-4)
    stepwise, exact = ours.history[:2], ours.history[2:]
    assert [report.stepwise for report in ours.history] == [True, True, False, False, False]
    assert exact[0].log_likelihood > batch.history[6].log_likelihood
    gains = [report.gain for report in exact]
    assert gains[0] is None
    assert all(gain is not None and gain > -1e-6 for gain in gains[1:])
    assert all(report.gain is None for report in stepwise)


@pytest.mark.parametrize("threads", [2, 7])
def test_the_same_bytes_for_any_number_of_threads(threads: int) -> None:
    shards = recordings(blobs(9000, K=6), 1000)
    options = {"n_components": 6, "algorithm": "stepwise", "passes": 3, "stepwise": Stepwise(batch=3000)}
    one = train_mixture(shards, reducer=LocalReducer(1), **options)  # type: ignore[arg-type]
    many = train_mixture(shards, reducer=LocalReducer(threads), **options)  # type: ignore[arg-type]
    assert one.mixture == many.mixture
    assert one.statistics == many.statistics
    assert one.statistics is not None
    assert one.statistics.n_frames == pytest.approx(9000)


def test_starved_components_are_fed_and_named() -> None:
    frames = blobs(6000, D=3, K=4, spread=6.0)
    start = start_from(frames, 4, "diag")
    means = start.means.copy()
    means[2] = 1e4
    far = type(start)(start.weights, means, start.covariances, "diag")
    result = train_from(far, frames, passes=2, algorithm="stepwise", floor=1e-4)
    assert 2 in result.history[0].rescued
    assert result.mixture.weights.min() > 0.02
    assert np.abs(result.mixture.means).max() < 100


def test_averaging_counts_every_frame_of_the_last_pass_once() -> None:
    frames = blobs(5000, K=3)
    start = start_from(frames, 3, "diag")
    last, half, whole = (
        train_from(start, frames, passes=2, algorithm="stepwise", stepwise=Stepwise(averaging=share))
        for share in (0.0, 0.5, 1.0)
    )
    for result in (last, half, whole):
        assert result.statistics is not None
        assert result.statistics.n_frames == pytest.approx(5000)
        np.testing.assert_allclose(result.mixture.means, last.mixture.means, atol=0.3)
    mean = frames.mean(axis=0, dtype=np.float64)
    centres = [result.mixture.weights @ result.mixture.means for result in (last, half, whole)]
    np.testing.assert_allclose(centres[2], mean, rtol=1e-5, atol=1e-5)  # of all frames
    assert np.abs(centres[0] - mean).max() > 1e-3  # of the last ones more than of others
    assert np.abs(centres[1] - mean).max() > 1e-3


class Impatient(Monitor):
    """Interrupts after a pass."""

    def __init__(self, after: int) -> None:
        self.after = after

    def on_pass(self, report: PassReport) -> None:
        if report.number == self.after:
            raise KeyboardInterrupt


def interrupted_after(number: int, start: Mixture, frames: np.ndarray, **options: object) -> TrainingResult:
    with pytest.raises(TrainingInterrupted) as raised:
        train_from(start, frames, passes=number + 5, monitor=Impatient(number), **options)
    assert raised.value.result is not None
    return raised.value.result


class Watched(spider.Spider):
    """Keeps where each epoch ended, before any pass has judged it."""

    ends: ClassVar[list[Mixture]] = []

    def end(self) -> tuple[Mixture, SufficientStats, tuple[int, ...], int]:
        ended = super().end()
        self.ends.append(ended[0])
        return ended


@settings(max_examples=12, deadline=None)
@given(n=st.integers(40, 80), D=st.integers(1, 3), K=st.integers(1, 3), seed=st.integers(0, 1000))
def test_an_epoch_of_spider_em_is_the_formula(n: int, D: int, K: int, seed: int) -> None:
    frames = blobs(n, D, K, seed, spread=1.0)
    start = start_from(frames, K, "diag", seed)
    options = {"algorithm": "stepwise", "stepwise": Stepwise(1, batch=16, variant="spider"), "seed": seed}
    Watched.ends.clear()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "Spider", Watched)
        one, anchor, two = (interrupted_after(number, start, frames, **options) for number in (1, 2, 3))
    assert two.mixture == anchor.mixture  # what no pass has confirmed is not the result
    assert two.statistics == anchor.statistics
    if anchor.history[1].rescued:
        return
    assert [(r.stepwise, r.e_steps) for r in two.history] == [(True, 1), (False, 1), (True, 2)]
    (end,) = Watched.ends
    order = np.random.SeedSequence([seed, module._TAG, 3])
    batches = [rows.copy() for rows in shuffled(InMemory(frames), 16, order)]
    before = (one.mixture.weights, one.mixture.means, one.mixture.covariances)
    (weights, means, variances), lost = spider_pass(frames, batches, before, spider.STEP, spider.KEPT)
    np.testing.assert_allclose(end.weights, weights, rtol=1e-3)
    np.testing.assert_allclose(end.means, means, rtol=1e-3, atol=1e-3)
    np.testing.assert_allclose(end.covariances, variances, rtol=1e-2, atol=1e-3)
    assert two.history[2].lost == lost


@pytest.mark.parametrize("form", FORMS)
def test_spider_em_goes_on_from_a_checkpoint_and_ends_in_exact_passes(form: str, tmp_path: Path) -> None:
    frames = blobs(6000, D=3, K=6, seed=2, spread=2.0)
    start = start_from(frames, 6, form, seed=1)
    options = {"algorithm": "stepwise", "stepwise": Stepwise(1, variant="spider"), "floor": 1e-4}
    whole = train_from(start, frames, passes=6, **options)
    assert [report.stepwise for report in whole.history] == [True, False, True, False, False, False]
    for number in (2, 3):  # the epoch is cut in two, and off what confirms it
        interrupted_after(number, start, frames, checkpoint=tmp_path / "c", **options)
    again = train_from(start, frames, passes=6, checkpoint=tmp_path / "c", **options)
    assert again.mixture == whole.mixture
    assert again.history == whole.history
    gains = [report.gain for report in whole.history]
    assert all(gain is not None and gain > -1e-6 for gain in gains[4:])
    assert whole.history[3].log_likelihood > whole.history[1].log_likelihood


@pytest.mark.parametrize(("form", "K", "D"), [("full", 32, 10), ("diag", 64, 24), ("tied", 32, 10)])
def test_variance_reduction_does_no_harm_to_few_frames_a_component(form: str, K: int, D: int) -> None:
    """Differences of moments ask for negative variances there, and floored ones are spikes."""
    random = np.random.default_rng(8)
    frames = blobs(3000, D, 40, seed=8, spread=1.0) @ np.linalg.qr(random.normal(size=(D, D)))[0]
    frames = (frames * np.geomspace(1, 0.02, D)).astype(np.float32)
    start = start_from(frames, K, form, seed=3)
    plain, ours = (
        train_from(
            start, frames, passes=8, floor=1e-4, algorithm="stepwise", stepwise=Stepwise(variant=variant)
        )
        for variant in ("plain", "spider")
    )
    assert ours.history[-1].log_likelihood > plain.history[-1].log_likelihood - 0.1
    assert ours.history[-1].floored <= plain.history[-1].floored
    assert not any(report.rescued for report in ours.history[3:])
    steps_of_an_epoch = -(-3000 // max(256, 3000 // steps.FEWEST_STEPS))
    assert 0 <= ours.history[3].lost <= steps_of_an_epoch
    if form == "full":
        assert ours.history[3].lost > 0  # the data are as hard as they claim


class Astray(spider.Spider):
    """An epoch that ends far off."""

    def end(self) -> tuple[Mixture, SufficientStats, tuple[int, ...], int]:
        mixture, *rest = super().end()
        off = Mixture(mixture.weights, mixture.means + 3, mixture.covariances, mixture.covariance_type)
        return (off, *rest)  # type: ignore[return-value]


@pytest.mark.parametrize("form", FORMS)
def test_an_epoch_that_lost_likelihood_is_taken_back(form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "Spider", Astray)
    frames = blobs(4000, D=3, K=4, seed=2)
    start = start_from(frames, 4, form, seed=1)
    options = {"algorithm": "stepwise", "stepwise": Stepwise(1, variant="spider"), "floor": 1e-4}
    anchor = interrupted_after(2, start, frames, **options)
    judged = interrupted_after(4, start, frames, **options)
    assert [report.fell_back for report in judged.history] == [False, False, False, True]
    assert judged.mixture == anchor.mixture
    assert judged.statistics == anchor.statistics
    assert judged.history[3].log_likelihood == anchor.history[1].log_likelihood
    after = train_from(start, frames, passes=6, **options)
    assert after.history[4].gain is not None
    assert after.history[4].gain > 0


@pytest.mark.parametrize(
    ("passes", "stepwise", "words"),
    [
        (2, Stepwise(5), r"passes=2 with stepwise passes=5; needed: at least 5 .*--passes 5.*at most 2"),
        (1, None, r"passes=1 with stepwise passes=2; needed: at least 2 .*--passes 2, or .*at most 1"),
        (
            3,
            Stepwise(1, variant="spider"),
            r"passes=3 with stepwise passes=1 and .*needed: at least 4 .*--passes 4, or no",
        ),
        (
            4,
            Stepwise(2, variant="spider"),
            r"passes=4 with stepwise passes=2 .*--passes 5, or --stepwise-passes of at most 1",
        ),
    ],
)
def test_stopping_before_the_last_step_is_refused(passes: int, stepwise: Stepwise | None, words: str) -> None:
    with pytest.raises(ChoiceError, match=words):
        MixtureSettings(n_components=2, algorithm="stepwise", passes=passes, stepwise=stepwise)
    MixtureSettings(n_components=2, algorithm="stepwise", passes=0, stepwise=stepwise)  # the start itself
    least = (stepwise or Stepwise()).least_passes
    MixtureSettings(n_components=2, algorithm="stepwise", passes=least, stepwise=stepwise)


@pytest.mark.parametrize("form", FORMS)
def test_what_a_mixture_expects_gives_it_back(form: str) -> None:
    mixture = train_from(start_from(blobs(2000), 4, form), blobs(2000), passes=2).mixture
    again, _ = maximise(expected(mixture, 50.0))
    np.testing.assert_allclose(again.weights, mixture.weights)
    np.testing.assert_allclose(again.means, mixture.means, atol=1e-10)
    np.testing.assert_allclose(again.covariances, mixture.covariances, rtol=1e-9, atol=1e-10)


def numbered(n: int) -> np.ndarray:
    return np.arange(n, dtype=np.float32)[:, None]


@settings(max_examples=30, deadline=None)
@given(
    n=st.integers(1, 500),
    batch=st.integers(1, 90),
    block=st.integers(1, 50),
    window=st.integers(1, 200),
    seed=st.integers(0, 99),
)
def test_every_frame_comes_once(n: int, batch: int, block: int, window: int, seed: int) -> None:
    order = np.random.SeedSequence(seed)
    sizes, rows = [], []
    for frames in shuffled(InMemory(numbered(n)), batch, order, block, window):
        sizes.append(len(frames))
        rows.extend(frames[:, 0].tolist())
    assert sorted(rows) == list(range(n))
    assert all(size == batch for size in sizes[:-1])


def test_a_batch_draws_from_all_over_the_corpus_and_a_spool_gives_the_same(tmp_path: Path) -> None:
    frames = numbered(200_000)
    order = np.random.SeedSequence(1)
    batches = [rows[:, 0].copy() for rows in shuffled(InMemory(frames), 1000, order)]
    for rows in batches:
        counts, _ = np.histogram(rows, bins=10, range=(0, len(frames)))
        assert counts.min() > 40  # 100 expected of each tenth
    with Spool(tmp_path / "spool", 1 << 30) as spool:
        spool.append(frames)
        for ours, theirs in zip(shuffled(spool, 1000, order), batches, strict=True):
            np.testing.assert_array_equal(ours[:, 0], theirs)


def test_recordings_that_are_read_anew_come_in_order_and_the_bad_are_set_aside() -> None:
    frames = numbered(300)
    bad = Recording("bad", frames[:100], block=10, fails_at=20)
    shards = [Recording("a", frames[:100]), bad, Recording("c", frames[200:])]
    heard: list[str] = []
    source = Reread(shards, array("q", [100, 100, 100]), lambda name, error: heard.append(name))
    rows = np.concatenate([r.copy() for r in shuffled(source, 64, np.random.SeedSequence(0), window=50)])
    assert heard == ["bad"]
    assert list(source.counts) == [100, SET_ASIDE, 100]
    assert set(range(100)) | set(range(200, 300)) == set(rows[:, 0].astype(int))
    result = train_mixture(
        recordings(blobs(4000), 500), n_components=4, algorithm="stepwise", passes=3, max_spool_bytes=0
    )
    assert not result.spooled
    assert result.passes == 3


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"passes": 0}, "passes=0"),
        ({"batch": 0}, "batch=0"),
        ({"exponent": 0.5}, "exponent=0.5"),
        ({"exponent": 1.1}, "exponent=1.1"),
        ({"averaging": -0.1}, r"averaging=-0.1"),
        ({"variant": "fast"}, r"variant='fast'; needed: one of plain, spider"),
    ],
)
def test_settings_outside_their_range_are_refused(options: dict[str, float], words: str) -> None:
    with pytest.raises(ChoiceError, match=words):
        Stepwise(**options)  # type: ignore[arg-type]


def test_settings_of_stepwise_em_for_another_algorithm_are_refused() -> None:
    with pytest.raises(ChoiceError, match=r"stepwise EM for algorithm 'em'"):
        train_mixture(recordings(blobs(100), 100), n_components=2, stepwise=Stepwise())
