"""Incremental EM and its ledger: added and removed is as it was; what was never added cannot be removed."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from audiogmm.errors import ChoiceError, MismatchError, ModelFileError, TrainingError
from audiogmm.mixture.gaussian import Mixture
from audiogmm.mixture.movement import largest_change
from audiogmm.mixture.statistics import SufficientStats
from audiogmm.reduce import LocalReducer
from audiogmm.training.incremental import ModelChange, add_recordings, remove_recordings, reweight_recordings
from audiogmm.training.ledger import Ledger
from audiogmm.training.pruning import prune
from audiogmm.types import CovarianceType
from tests.naive.incremental import total_of
from tests.training.schedule.test_batch import start_from
from tests.training.shards import Recording, blobs

FORMS = get_args(CovarianceType)


def begin(
    folder: Path, form: str, K: int = 3, D: int = 3, seed: int = 0, keep: float = 0.0
) -> tuple[Mixture, ModelChange, Ledger]:
    """A start, the model that three recordings made of it, and its ledger."""
    frames = blobs(90, D, K, seed, spread=1.0)
    start = start_from(frames, K, form, seed)
    ledger = Ledger(folder, keep)
    shards = [Recording(name, part) for name, part in zip("abc", np.array_split(frames, 3), strict=True)]
    floor = np.full(D, 1e-6)
    return (
        start,
        add_recordings(start, None, shards, floor=floor, reducer=LocalReducer(1), ledger=ledger),
        ledger,
    )


KEEP = st.sampled_from([0.0, 0.05, 0.3])


@pytest.mark.parametrize("form", FORMS)
@settings(max_examples=10, deadline=None)
@given(
    K=st.integers(1, 4),
    D=st.integers(1, 4),
    seed=st.integers(0, 999),
    far=st.floats(-5, 5),
    keep=KEEP,
    weight=st.floats(0, 3),
)
def test_added_weighed_and_removed_is_the_model_that_was(
    tmp_path_factory: pytest.TempPathFactory,
    form: str,
    K: int,
    D: int,
    seed: int,
    far: float,
    keep: float,
    weight: float,
) -> None:
    _, model, ledger = begin(tmp_path_factory.mktemp("l") / "ledger", form, K, D, seed, keep)
    floor, one = np.full(D, 1e-6), LocalReducer(1)
    new = [Recording("new", blobs(70, D, 2, seed + 1) + np.float32(far)), Recording("more", blobs(9, D))]
    added = add_recordings(model.mixture, model.statistics, new, floor=floor, reducer=one, ledger=ledger)
    assert (added.n_recordings, added.n_frames) == (2, pytest.approx(79))
    if keep == 0:
        assert added.loss is None
        assert added.statistics.n_frames == pytest.approx(169)
    other = reweight_recordings(
        added.mixture, added.statistics, {"a": weight, "new": weight}, floor=floor, ledger=ledger
    )
    assert other.statistics.n_frames == pytest.approx(sum(ledger.get(i).n_frames for i in ledger.weights))
    again = reweight_recordings(
        other.mixture, other.statistics, {"a": 1, "new": 1}, floor=floor, ledger=ledger
    )
    assert_alike(again.mixture, added.mixture)
    back = remove_recordings(again.mixture, again.statistics, ["more", "new"], floor=floor, ledger=ledger)
    assert_alike(back.mixture, model.mixture)
    assert sorted(ledger.weights) == ["a", "b", "c"]


def assert_alike(ours: Mixture, theirs: Mixture) -> None:
    for name in ("weights", "means", "covariances"):
        np.testing.assert_allclose(getattr(ours, name), getattr(theirs, name), rtol=1e-9, atol=1e-9)


@settings(max_examples=12, deadline=None)
@given(
    K=st.integers(1, 3), D=st.integers(1, 3), seed=st.integers(0, 999), forget=st.floats(0.1, 1.0), keep=KEEP
)
def test_the_formulas(
    tmp_path_factory: pytest.TempPathFactory, K: int, D: int, seed: int, forget: float, keep: float
) -> None:
    folder = tmp_path_factory.mktemp("l") / "ledger"
    start, model, ledger = begin(folder, "diag", K, D, seed, keep)
    assume((model.mixture.weights > 0).all())
    new, old = blobs(40, D, K, seed + 1, spread=1.0), np.array_split(blobs(90, D, K, seed, spread=1.0), 3)
    first, second = (
        (mixture.weights, mixture.means, mixture.covariances) for mixture in (start, model.mixture)
    )
    options = {"floor": np.full(D, 1e-6), "ledger": ledger}
    added = add_recordings(
        model.mixture,
        model.statistics,
        [Recording("new", new)],
        reducer=LocalReducer(1),
        forget=forget,
        **options,  # type: ignore[arg-type]
    )
    weighed = reweight_recordings(added.mixture, added.statistics, {"b": 2.5}, **options)  # type: ignore[arg-type]
    without = remove_recordings(weighed.mixture, weighed.statistics, ["b"], **options)  # type: ignore[arg-type]
    kept = [(old[0], first, forget), (old[2], first, forget), (new, second, 1.0)]
    removed = (old[1], first)
    for ours, wanted in (
        (added, [*kept, (*removed, forget)]),
        (weighed, [*kept, (*removed, 2.5)]),
        (without, kept),
    ):
        weights, means, variances = total_of(wanted, keep)
        alive = ours.statistics.counts > 1e-6
        np.testing.assert_allclose(ours.mixture.weights, weights, rtol=1e-4, atol=1e-6)
        np.testing.assert_allclose(ours.mixture.means[alive], means[alive], rtol=1e-4, atol=1e-4)
        np.testing.assert_allclose(ours.mixture.covariances[alive], variances[alive], rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("form", FORMS)
def test_what_pruning_loses_is_told(tmp_path: Path, form: str) -> None:
    """The loss is how far the model is from the one that keeps everything, and grows with the share."""
    _, whole, ledger = begin(tmp_path / "whole", form)
    sizes, changes = [folder_size(tmp_path / "whole")], [0.0]
    for keep in (0.28, 0.34):
        _, pruned, _ = begin(tmp_path / str(keep), form, keep=keep)
        assert pruned.loss is not None
        lost = whole.statistics.n_frames - pruned.statistics.n_frames
        assert (pruned.loss.n_frames, pruned.loss.of_frames) == (pytest.approx(lost), 90)
        assert lost == pytest.approx((whole.statistics.counts - pruned.statistics.counts).sum())
        assert pruned.loss.largest_change == largest_change(whole.mixture, pruned.mixture)
        sizes.append(folder_size(tmp_path / str(keep)))
        changes.append(pruned.loss.largest_change)
        assert np.abs(pruned.mixture.weights - whole.mixture.weights).max() <= changes[-1] + 1e-12
    assert sizes[0] > sizes[1] > sizes[2]
    assert changes == sorted(changes)
    assert changes[1] > 0
    ledger.keep = 0.2
    ledger.save("x")
    assert Ledger(tmp_path / "whole").keep == 0.2
    with pytest.raises(ChoiceError, match=r"ledger keep=1\.0; needed: a share .*\[0, 1\)"):
        Ledger(tmp_path / "new", keep=1.0)


def test_pruning_leaves_what_the_kept_components_gave() -> None:
    """Also of a shared second moment, where the dropped frames spread as the model says."""
    rare, common = np.array([[9.0], [11.0]]), np.random.default_rng(0).normal(size=(50, 1))
    mixture = Mixture([0.9, 0.1], [[0.0], [10.0]], [[1.0]], "tied")
    frames, posteriors = np.vstack([rare, common]), np.eye(2)[[1, 1, *[0] * 50]]
    measure = partial(SufficientStats.measure, origin=np.array([2.0]), covariance_type="tied")
    pruned, alone = prune(measure(frames, posteriors), 0.1, mixture), measure(common, posteriors[2:])
    for name in ("counts", "first", "second", "n_frames"):
        np.testing.assert_allclose(getattr(pruned, name), getattr(alone, name), rtol=1e-12)


def folder_size(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.iterdir())


def test_what_is_empty_takes_no_room(tmp_path: Path) -> None:
    """Of 64 components, a recording in one of them is kept in a fraction of the room."""
    centers = 20.0 * np.arange(64)[:, None] * np.ones(8)
    mixture = Mixture(np.full(64, 1 / 64), centers, np.ones((64, 8)), "diag")
    ledger = Ledger(tmp_path)
    frames = (centers[7] + np.random.default_rng(0).normal(size=(50, 8))).astype(np.float32)
    one = add_recordings(
        mixture,
        None,
        [Recording("a", frames)],
        floor=np.full(8, 1e-3),
        reducer=LocalReducer(1),
        ledger=ledger,
    )
    assert folder_size(tmp_path) < 1000 < one.statistics.second.nbytes
    assert ledger.get("a") == one.statistics


def test_what_cannot_be_changed_is_refused(tmp_path: Path) -> None:
    _, model, ledger = begin(tmp_path / "ledger", "diag")
    options = {"floor": np.full(3, 1e-6), "ledger": ledger}
    with pytest.raises(MismatchError, match="'zebra' was never added: the ledger has 3 others"):
        remove_recordings(model.mixture, model.statistics, ["a", "zebra"], **options)  # type: ignore[arg-type]
    assert "a" in ledger
    with pytest.raises(TrainingError, match="3 of 3 recordings to remove"):
        remove_recordings(model.mixture, model.statistics, ["a", "b", "c"], **options)  # type: ignore[arg-type]
    for weights, error, message in (
        ({"a": 0.5, "zebra": 1}, MismatchError, "'zebra' was never added: the ledger has 3 others"),
        ({"a": 0.5, "b": -1.0}, ChoiceError, r"weight=-1\.0 for recording 'b'.*0 to leave it out"),
        ({"a": np.nan}, ChoiceError, "weight=nan for recording 'a'"),
        ({}, TrainingError, "0 of 3 recordings to re-weight"),
        ({"a": 0, "b": 0, "c": 0}, TrainingError, "3 of 3 recordings to re-weight.*weight above 0 then"),
    ):
        with pytest.raises(error, match=message):
            reweight_recordings(model.mixture, model.statistics, weights, **options)  # type: ignore[arg-type]
    assert set(ledger.weights.values()) == {1.0}
    again = [Recording("b", blobs(20))]
    one = LocalReducer(1)
    with pytest.raises(MismatchError, match="'b' is in the ledger already"):
        add_recordings(model.mixture, model.statistics, again, reducer=one, **options)  # type: ignore[arg-type]
    with pytest.raises(ChoiceError, match="forget=0"):
        add_recordings(model.mixture, model.statistics, again, reducer=one, forget=0.0, **options)  # type: ignore[arg-type]
    with pytest.raises(TrainingError, match="no recording to add"):
        add_recordings(model.mixture, model.statistics, [], reducer=one, **options)  # type: ignore[arg-type]
    with pytest.raises(MismatchError, match="belongs to the model"):
        ledger.check("another")
    ledger.save("mine")
    assert Ledger(tmp_path / "ledger").fingerprint == "mine"
    (tmp_path / "ledger" / "ledger.json").write_text("{")
    with pytest.raises(ModelFileError, match=r"ledger\.json cannot be read"):
        Ledger(tmp_path / "ledger")


@pytest.mark.parametrize("weight", [-1.0, float("nan"), float("inf"), "x", True, None])
def test_a_weight_that_is_none_is_refused(tmp_path: Path, weight: object) -> None:
    ledger = Ledger(tmp_path / "m.ledger")
    ledger.folder.mkdir()
    ledger.weights = {"a": weight}  # type: ignore[dict-item]
    ledger.save("0" * 64)
    with pytest.raises(
        ModelFileError, match=r"ledger\.json cannot be read: .*(finite number|under 0|could not convert)"
    ):
        Ledger(ledger.folder)
