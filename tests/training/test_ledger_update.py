"""Incremental EM and its ledger: added and removed is as it was; what was never added cannot be removed."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_em_passes import start_from
from training_shards import Recording, blobs

import audiogmm as ag
from audiogmm.errors import ChoiceError, MismatchError, ModelFileError, TrainingError
from audiogmm.jobs.train import train_to_file
from audiogmm.jobs.update import update_file
from audiogmm.mixture.gaussian import Mixture
from audiogmm.training import LocalReducer
from audiogmm.training.incremental import Changed, add, take_out
from audiogmm.training.ledger import Ledger, beside
from audiogmm.types import CovarianceType
from tests.naive.incremental import total_of

FORMS = get_args(CovarianceType)


def begin(folder: Path, form: str, K: int = 3, D: int = 3, seed: int = 0) -> tuple[Mixture, Changed, Ledger]:
    """A start, the model that three recordings made of it, and its ledger."""
    frames = blobs(90, D, K, seed, spread=1.0)
    start = start_from(frames, K, form, seed)
    ledger = Ledger(folder)
    shards = [Recording(name, part) for name, part in zip("abc", np.array_split(frames, 3), strict=True)]
    floor = np.full(D, 1e-6)
    return start, add(start, None, shards, floor=floor, reducer=LocalReducer(1), ledger=ledger), ledger


@pytest.mark.parametrize("form", FORMS)
@settings(max_examples=8, deadline=None)
@given(K=st.integers(1, 4), D=st.integers(1, 4), seed=st.integers(0, 999), far=st.floats(-5, 5))
def test_added_and_removed_is_the_model_that_was(
    tmp_path_factory: pytest.TempPathFactory, form: str, K: int, D: int, seed: int, far: float
) -> None:
    _, model, ledger = begin(tmp_path_factory.mktemp("l") / "ledger", form, K, D, seed)
    floor, one = np.full(D, 1e-6), LocalReducer(1)
    new = [Recording("new", blobs(70, D, 2, seed + 1) + np.float32(far)), Recording("more", blobs(9, D))]
    added = add(model.mixture, model.statistics, new, floor=floor, reducer=one, ledger=ledger)
    assert added.n_recordings == 2
    assert added.statistics.n_frames == pytest.approx(169)
    back = take_out(added.mixture, added.statistics, ["more", "new"], floor=floor, ledger=ledger)
    for name in ("weights", "means", "covariances"):
        ours, was = getattr(back.mixture, name), getattr(model.mixture, name)
        np.testing.assert_allclose(ours, was, rtol=1e-9, atol=1e-9)
    assert sorted(ledger.weights) == ["a", "b", "c"]


@settings(max_examples=10, deadline=None)
@given(K=st.integers(1, 3), D=st.integers(1, 3), seed=st.integers(0, 999), forget=st.floats(0.1, 1.0))
def test_the_formulas(
    tmp_path_factory: pytest.TempPathFactory, K: int, D: int, seed: int, forget: float
) -> None:
    start, model, ledger = begin(tmp_path_factory.mktemp("l") / "ledger", "diag", K, D, seed)
    new, old = blobs(40, D, K, seed + 1, spread=1.0), np.array_split(blobs(90, D, K, seed, spread=1.0), 3)
    first, second = (
        (mixture.weights, mixture.means, mixture.covariances) for mixture in (start, model.mixture)
    )
    options = {"floor": np.full(D, 1e-6), "ledger": ledger}
    added = add(
        model.mixture,
        model.statistics,
        [Recording("new", new)],
        reducer=LocalReducer(1),
        forget=forget,
        **options,  # type: ignore[arg-type]
    )
    without = take_out(added.mixture, added.statistics, ["b"], **options)  # type: ignore[arg-type]
    kept = [(old[0], first, forget), (old[2], first, forget), (new, second, 1.0)]
    for ours, wanted in ((added, [*kept, (old[1], first, forget)]), (without, kept)):
        weights, means, variances = total_of(wanted)
        np.testing.assert_allclose(ours.mixture.weights, weights, rtol=1e-4, atol=1e-6)
        np.testing.assert_allclose(ours.mixture.means, means, rtol=1e-4, atol=1e-4)
        np.testing.assert_allclose(ours.mixture.covariances, variances, rtol=1e-3, atol=1e-4)


def test_what_cannot_be_changed_is_refused(tmp_path: Path) -> None:
    _, model, ledger = begin(tmp_path / "ledger", "diag")
    options = {"floor": np.full(3, 1e-6), "ledger": ledger}
    with pytest.raises(MismatchError, match="'zebra' was never added: the ledger has 3 others"):
        take_out(model.mixture, model.statistics, ["a", "zebra"], **options)  # type: ignore[arg-type]
    assert "a" in ledger
    with pytest.raises(TrainingError, match="3 of 3 recordings to remove"):
        take_out(model.mixture, model.statistics, ["a", "b", "c"], **options)  # type: ignore[arg-type]
    again = [Recording("b", blobs(20))]
    one = LocalReducer(1)
    with pytest.raises(MismatchError, match="'b' is in the ledger already"):
        add(model.mixture, model.statistics, again, reducer=one, **options)  # type: ignore[arg-type]
    with pytest.raises(ChoiceError, match="forget=0"):
        add(model.mixture, model.statistics, again, reducer=one, forget=0.0, **options)  # type: ignore[arg-type]
    with pytest.raises(TrainingError, match="no recording to add"):
        add(model.mixture, model.statistics, [], reducer=one, **options)  # type: ignore[arg-type]
    with pytest.raises(MismatchError, match="belongs to the model"):
        ledger.check("another")
    ledger.save("mine")
    assert Ledger(tmp_path / "ledger").fingerprint == "mine"
    (tmp_path / "ledger" / "ledger.json").write_text("{")
    with pytest.raises(ModelFileError, match=r"ledger\.json cannot be read"):
        Ledger(tmp_path / "ledger")


def manifest(folder: Path, name: str, *recordings: str) -> str:
    """A manifest of feature files, made where they are not there yet."""
    for i, recording in enumerate(recordings):
        file = folder / f"{recording}.npy"
        if not file.exists():
            np.save(file, blobs(400, seed=len(list(folder.glob("*.npy"))) + i))
    path = folder / name
    path.write_text("".join(f'{{"features_filepath": "{r}.npy", "id": "{r}"}}\n' for r in recordings))
    return str(path)


def test_model_files_and_their_ledgers(tmp_path: Path) -> None:
    first, second = manifest(tmp_path, "1.jsonl", "a", "b", "c", "d"), manifest(tmp_path, "2.jsonl", "e", "f")
    was, grown, back = (tmp_path / f"{name}.agmm" for name in ("was", "grown", "back"))
    train_to_file(first, was, None, n_components=3, passes=5, ledger=True)
    entries = len(list(beside(was).glob("*.safetensors")))
    assert entries == 4
    result = update_file(was, second, grown, against=manifest(tmp_path, "3.jsonl", *"abcdef"))
    assert result.distance is not None
    assert result.distance["trained_anew"] >= result.distance["log_likelihood"]
    assert any("trained anew" in line for line in result.lines())
    for force in (False, True):  # the second time over what is there
        update_file(grown, second, back, remove=True, force=force)
    old, new = ag.load(was), ag.load(back)
    np.testing.assert_allclose(new.means, old.means, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(new.covariances, old.covariances, rtol=1e-9)
    assert len(list(beside(back).iterdir())) == 5
    assert [done["verb"] for done in new.metadata["updates"]] == ["add", "remove"]
    with pytest.raises(MismatchError, match="'e' was never added"):
        update_file(was, second, tmp_path / "x.agmm", remove=True)
    assert not (tmp_path / "x.agmm").exists()
    assert not beside(tmp_path / "x.agmm").exists()
    update_file(back, manifest(tmp_path, "4.jsonl", "a"), back, remove=True, force=True)  # in place
    assert len(list(beside(back).iterdir())) == 4
    Ledger(beside(back)).check(ag.load(back).mixture.fingerprint)


def test_without_a_ledger_data_is_added_and_not_removed(tmp_path: Path) -> None:
    first, second = manifest(tmp_path, "1.jsonl", "a", "b"), manifest(tmp_path, "2.jsonl", "c")
    model = ag.train(first, n_components=2, passes=3)
    more = ag.update(model, second)
    assert more.statistics is not None
    assert more.statistics.n_frames == pytest.approx(1200)
    with pytest.raises(MismatchError, match="no ledger"):
        ag.update(more, second, remove=True)
    with pytest.raises(MismatchError, match="no statistics"):
        ag.update(type(model)(model.mixture), second)
