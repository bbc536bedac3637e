"""Approximate EM: its free energy never falls, all components make it exact, and it says what it lost."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audiogmm.errors import ChoiceError, ModelFileError, TrainingError
from audiogmm.mixture.evaluator import Evaluator
from audiogmm.mixture.gaussian import Mixture
from audiogmm.reduce import LocalReducer
from audiogmm.training import Monitor, TrainingInterrupted, checkpoint_file, train_mixture
from audiogmm.training.schedule import truncated as module
from audiogmm.training.schedule.approximation import EXACT_PASSES, Approximation, ApproximationLoss
from audiogmm.types import CovarianceType
from tests.naive import mixture as naive
from tests.naive import truncated as twin
from tests.training.schedule.test_batch import start_from, train_from
from tests.training.shards import blobs, recordings

FORMS = get_args(CovarianceType)
KINDS = st.sampled_from(["top:1", "top:3", "top:2:3", "truncated:1:2", "truncated:3:3", "truncated:2:1"])


@pytest.mark.parametrize("form", FORMS)
@settings(max_examples=8, deadline=None)
@given(kind=KINDS, D=st.integers(1, 4), K=st.integers(1, 12), seed=st.integers(0, 1000))
def test_the_free_energy_never_falls(form: str, kind: str, D: int, K: int, seed: int) -> None:
    frames = blobs(600, D, K, seed, spread=0.8)
    result = train_from(
        start_from(frames, K, form, seed),
        frames,
        passes=12,
        floor=1e-3,
        approximation=Approximation.parse(kind),
    )
    energies = [report.log_likelihood for report in result.history]
    assert all(report.free_energy for report in result.history)
    exempt = [bool(report.rescued) for report in result.history[:-1]]
    rises = np.diff(energies)
    assert all(rise >= -1e-6 * abs(energies[0]) or free for rise, free in zip(rises, exempt, strict=True))
    assert result.loss is not None
    assert result.loss.free_energy >= energies[-1] - 1e-6 * abs(energies[0]) or result.history[-1].rescued
    assert result.loss.free_energy <= result.loss.log_likelihood + 1e-6 * abs(energies[0])


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("kind", ["top:5", "truncated:9:2"])
def test_all_components_are_exact_em(form: str, kind: str) -> None:
    frames = blobs(2000, D=3, K=5, seed=2, spread=1.0)
    start = start_from(frames, 5, form)
    exact = train_from(start, frames, passes=6)
    ours = train_from(start, frames, passes=6, approximation=Approximation.parse(kind))
    np.testing.assert_allclose(
        [report.log_likelihood for report in ours.history],
        [report.log_likelihood for report in exact.history],
        rtol=1e-6,
    )
    np.testing.assert_allclose(ours.mixture.means, exact.mixture.means, atol=1e-3)
    assert ours.loss is not None
    assert ours.loss.free_energy == pytest.approx(ours.loss.log_likelihood, rel=1e-6)


@pytest.mark.parametrize("form", FORMS)
def test_a_pass_of_top_c_is_the_naive_one(form: str) -> None:
    frames = blobs(300, D=2, K=6, seed=5, spread=1.5)
    start = start_from(frames, 6, form)
    result = train_from(start, frames, passes=1, floor=1e-9, approximation=Approximation("top", 2))
    joint = naive.log_joint(frames, start.weights, start.means, start.covariances, form)
    gamma = twin.truncated_posteriors(joint, twin.leading(joint, 2))
    counts = gamma.sum(axis=0)
    np.testing.assert_allclose(result.mixture.weights, counts / 300, rtol=1e-5)
    np.testing.assert_allclose(result.mixture.means, gamma.T @ frames / counts[:, None], rtol=1e-4, atol=1e-5)
    energy = twin.free_energy(joint, twin.leading(joint, 2)).mean()
    assert result.history[0].log_likelihood == pytest.approx(energy, rel=1e-6)


def test_truncated_em_searches_and_comes_near_exact_em() -> None:
    frames = blobs(6000, D=6, K=60, seed=3, spread=1.5)
    start = start_from(frames, 60, "diag")
    fixed = train_from(start, frames, passes=25, floor=1e-2, approximation=Approximation("top", 1))
    ours = train_from(start, frames, passes=25, floor=1e-2, approximation=Approximation("truncated", 3, 4))
    exact = train_from(start, frames, passes=25, floor=1e-2)
    reached = [Evaluator(result.mixture).log_likelihood(frames).mean() for result in (fixed, ours, exact)]
    assert reached[0] + 0.1 < reached[1]
    assert reached[1] == pytest.approx(reached[2], rel=0.01)
    assert ours.loss is not None
    assert ours.loss.log_likelihood == pytest.approx(reached[1], rel=1e-9)
    assert ours.log_likelihood == ours.loss.log_likelihood
    assert 3 < ours.loss.evaluations <= 3 * 4 + 1
    assert ours.loss.evaluations == pytest.approx(60 * (1 - ours.history[-1].skipped))


def test_the_first_passes_from_scratch_are_exact() -> None:
    frames = blobs(3000, D=3, K=8, spread=1.0)
    common: dict[str, Any] = {"n_components": 8, "passes": EXACT_PASSES + 2, "tol": 0.0}
    exact = train_mixture(recordings(frames, 500), **common)
    ours = train_mixture(recordings(frames, 500), approximation=Approximation("truncated", 2), **common)
    flags = [report.free_energy for report in ours.history]
    assert flags == [False] * EXACT_PASSES + [True] * 2
    assert ours.history[:EXACT_PASSES] == exact.history[:EXACT_PASSES]
    assert ours.history[EXACT_PASSES].gain is None  # a free energy after a log-likelihood
    assert ours.history[EXACT_PASSES + 1].gain is not None
    few = train_mixture(
        recordings(frames, 500), approximation=Approximation("top", 2), n_components=8, passes=2
    )
    assert few.loss is not None
    assert few.loss.free_energy < few.loss.log_likelihood


def test_the_same_bytes_for_any_number_of_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ROWS_MOST", 1000)
    frames = blobs(7000, D=4, K=20, seed=6, spread=1.0)
    start = start_from(frames, 20, "diag")
    one, two, seven = (
        train_from(
            start,
            frames,
            passes=4,
            approximation=Approximation("truncated", 3, 3),
            reducer=LocalReducer(threads),
        )
        for threads in (1, 2, 7)
    )
    assert one.mixture == two.mixture == seven.mixture
    assert one.loss == two.loss == seven.loss
    other = train_from(start, frames, passes=4, approximation=Approximation("truncated", 3, 3), seed=1)
    assert other.mixture != one.mixture


def test_what_is_tried_at_random_is_never_tried_by_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ROWS_EACH", 0)
    monkeypatch.setattr(module, "SLICE_ROWS", 1000)
    search, keys = module.TruncatedEvaluator.search, []

    def heard(self: Any, frames: Any, sets: Any, neighbors: Any, key: int) -> Any:
        keys.append(key)
        return search(self, frames, sets, neighbors, key)

    monkeypatch.setattr(module.TruncatedEvaluator, "search", heard)
    frames = blobs(2500, D=2, K=6, seed=1)
    for seed in (0, 1, 128):
        train_from(
            start_from(frames, 6, "diag"),
            frames,
            passes=3,
            approximation=Approximation("truncated", 2),
            seed=seed,
        )
    assert len(keys) == len(set(keys)) >= 2 * 3  # every slice, pass and seed has its own


@pytest.mark.parametrize(("every", "times"), [(0, 1), (1, 6), (2, 3), (4, 2)])
def test_top_c_is_chosen_as_often_as_asked(monkeypatch: pytest.MonkeyPatch, every: int, times: int) -> None:
    choose, chosen = module.TruncatedSchedule._choose, []

    def heard(self: Any, mixture: Mixture, state: Any) -> None:
        chosen.append(mixture)
        choose(self, mixture, state)

    monkeypatch.setattr(module.TruncatedSchedule, "_choose", heard)
    train_mixture(
        recordings(blobs(600, D=2, K=6), 200),
        n_components=6,
        passes=EXACT_PASSES + 6,
        tol=0.0,
        approximation=Approximation("top", 2, every=every),
    )
    assert len(chosen) == times


@pytest.mark.parametrize("kind", ["truncated:2:3", "top:2:3"])
@pytest.mark.parametrize("stop", [EXACT_PASSES - 1, EXACT_PASSES, EXACT_PASSES + 1, EXACT_PASSES + 3])
def test_resumed_training_gives_the_same_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, stop: int
) -> None:
    class Stop(Monitor):
        def on_stage(self, stage: str, number: int, n_frames: int | None) -> None:
            if stage == "pass" and number == stop + 1:
                raise KeyboardInterrupt

    monkeypatch.setattr(checkpoint_file, "SHARE", np.inf)
    frames = blobs(3000, D=3, K=12, seed=2, spread=0.8)
    common: dict[str, Any] = {
        "n_components": 12,
        "passes": EXACT_PASSES + 5,
        "tol": 0.0,
        "approximation": Approximation.parse(kind),
    }
    whole = train_mixture(recordings(frames, 500), **common)
    path = tmp_path / "run.checkpoint"
    with pytest.raises(TrainingInterrupted):
        train_mixture(recordings(frames, 500), checkpoint=path, monitor=Stop(), **common)
    resumed = train_mixture(recordings(frames, 500), checkpoint=path, **common)
    assert resumed.mixture == whole.mixture
    assert resumed.history == whole.history
    assert resumed.loss == whole.loss
    again = train_mixture(recordings(frames, 500), checkpoint=path, **common)  # at its end already
    assert again.loss == whole.loss


@pytest.mark.parametrize("fault", ["damaged", "of another training", "gone"])
def test_sets_that_are_not_those_of_the_checkpoint_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    """Others would give another model; the training then starts again, and only if the user says so."""
    monkeypatch.setattr(checkpoint_file, "SHARE", np.inf)
    common: dict[str, Any] = {"n_components": 12, "tol": 0.0, "approximation": Approximation("truncated", 2)}
    for name, seed in (("one", 2), ("other", 3)):
        frames = blobs(3000, D=3, K=12, seed=seed, spread=0.8)
        path = tmp_path / f"{name}.checkpoint"
        train_mixture(recordings(frames, 500), checkpoint=path, passes=EXACT_PASSES + 2, **common)
    kept = sorted(tmp_path.glob("other.checkpoint.sets*"))
    assert len(kept) == 2
    for file in kept:
        if fault == "damaged":
            file.write_bytes(file.read_bytes()[:-2])
        elif fault == "gone":
            file.unlink()
        else:
            (tmp_path / file.name.replace("other", "one")).replace(file)
    with pytest.raises(
        ModelFileError,
        match=r"other.checkpoint.sets\d+ .*remove the checkpoint to start again|does not exist",
    ):
        train_mixture(recordings(frames, 500), checkpoint=path, passes=EXACT_PASSES + 4, **common)


def test_frames_that_are_not_kept_are_refused() -> None:
    with pytest.raises(TrainingError, match=r"approximation \(top, C=2, chosen once\) of 90 frames"):
        train_mixture(
            recordings(blobs(90), 30),
            n_components=2,
            approximation=Approximation("top", 2),
            max_spool_bytes=0,
        )


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("gselect:30", "approximation 'gselect:30'"),
        ("top", "approximation 'top'"),
        ("top:x", "approximation 'top:x'"),
        ("truncated:5:8:1", "approximation 'truncated:5:8:1'"),
        ("top:0", "approximation 'top:0': C=0"),
        ("truncated:5:0", "approximation 'truncated:5:0': G=0"),
    ],
)
def test_what_is_no_approximation(text: str, fault: str) -> None:
    with pytest.raises(ChoiceError, match=fault):
        Approximation.parse(text)


@pytest.mark.parametrize("others", [{"algorithm": "stepwise"}, {"algorithm": "kmeans"}, {"accelerate": True}])
def test_only_plain_em_is_approximated(others: dict[str, Any]) -> None:
    with pytest.raises(ChoiceError, match=r"approximation top, C=2, chosen once for"):
        train_mixture(
            recordings(blobs(99), 99), n_components=2, approximation=Approximation("top", 2), **others
        )


def test_a_loss_goes_through_json() -> None:
    loss = ApproximationLoss(Approximation("top", 30, every=4), -74.5, -74.25, 30.0)
    assert ApproximationLoss.from_json(loss.to_json()) == loss
    assert loss.to_json()["loss"] == 0.25


def test_a_mixture_of_fewer_components_than_the_sets() -> None:
    frames = blobs(500, K=2)
    start = Mixture([1.0], frames[:1].astype(float), [[1.0, 1.0, 1.0]], "diag")
    result = train_from(start, frames, passes=2, approximation=Approximation("truncated", 5, 5))
    assert result.loss is not None
    assert result.loss.free_energy == pytest.approx(result.loss.log_likelihood, rel=1e-9)
