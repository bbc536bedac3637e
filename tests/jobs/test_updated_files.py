"""Model files that are updated, with their ledgers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import audiogmm as ag
from audiogmm.cli.main import main
from audiogmm.errors import ChoiceError, MismatchError, OutputError
from audiogmm.files import exclusive
from audiogmm.jobs.trained_files import train_to_file
from audiogmm.jobs.updated_files import update_file
from audiogmm.runs.journal_lines import ledger_path
from audiogmm.training.ledger import Ledger, beside
from tests.training.shards import blobs
from tests.training.test_ledger import assert_alike


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
    assert result.distance["retrained"] >= result.distance["log_likelihood"]
    assert any("trained again from here" in line for line in result.lines())
    for force in (False, True):  # the second time over what is there
        update_file(grown, second, back, remove=True, force=force)
    old, new = ag.load(was), ag.load(back)
    assert_alike(new.mixture, old.mixture)
    assert len(list(beside(back).iterdir())) == 5
    assert [done["verb"] for done in new.metadata.updates] == ["add", "remove"]
    with pytest.raises(MismatchError, match="'e' was never added"):
        update_file(was, second, tmp_path / "x.agmm", remove=True)
    assert not (tmp_path / "x.agmm").exists()
    assert not beside(tmp_path / "x.agmm").exists()
    update_file(back, manifest(tmp_path, "4.jsonl", "a"), back, remove=True, force=True)  # in place
    assert len(list(beside(back).iterdir())) == 4
    Ledger(beside(back)).check(ag.load(back).mixture.fingerprint)


def test_an_update_in_place_that_was_killed_at_its_end_is_done_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, more = manifest(tmp_path, "1.jsonl", *"abcd"), manifest(tmp_path, "2.jsonl", "e", "f")
    model, other = tmp_path / "m.agmm", tmp_path / "other.agmm"
    train_to_file(first, model, None, n_components=3, passes=5, ledger=True)
    update_file(model, more, other)

    def killed(ledger: Ledger) -> None:
        raise MemoryError

    with monkeypatch.context() as patched, pytest.raises(MemoryError):
        patched.setattr(Ledger, "purge", killed)
        update_file(model, more, model, force=True)
    assert ag.load(model).fingerprint == ag.load(other).fingerprint
    update_file(model, more, model, force=True, resume=True)
    assert model.read_bytes() == other.read_bytes()
    assert ledger_path(model).read_bytes() == ledger_path(other).read_bytes()
    for file in beside(other).iterdir():
        assert (beside(model) / file.name).read_bytes() == file.read_bytes()
    with pytest.raises(MismatchError, match="'e' is in the ledger already"):
        update_file(model, more, model, force=True, resume=True)
    assert not list(tmp_path.glob("*checkpoint*")) and not list(tmp_path.glob("*.journal"))


def test_model_files_are_weighted_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first = manifest(tmp_path, "1.jsonl", *"abcd")
    was, half, out, back, removed = (
        tmp_path / f"{i}.agmm" for i in ("was", "half", "out", "back", "removed")
    )
    trained = train_to_file(first, was, None, n_components=3, passes=5, ledger=True, ledger_keep=0.2)
    assert any("ledger: 0" not in line and "rows" in line for line in trained.lines() if "pruned" in line)
    a = tmp_path / "a.jsonl"
    a.write_text('{"features_filepath": "a.npy", "id": "a", "weight": 0.5}\n')
    result = update_file(was, str(a), half, reweight=True)
    assert "1 table (" in next(iter(result.lines()))
    assert any("are of the model of their time" in line for line in result.lines())
    assert Ledger(beside(half)).weights == {"a": 0.5, "b": 1.0, "c": 1.0, "d": 1.0}
    update_file(half, str(a), out, reweight=True, weight=0.0)
    update_file(half, str(a), removed, remove=True)
    assert_alike(ag.load(out).mixture, ag.load(removed).mixture)
    update_file(out, str(a), back, reweight=True, weight=1.0)
    assert_alike(ag.load(back).mixture, ag.load(was).mixture)
    with pytest.raises(ChoiceError, match=r"recording 'a' has weight None.*key `weight`.*--weight"):
        update_file(was, manifest(tmp_path, "2.jsonl", "a"), tmp_path / "x.agmm", reweight=True)
    with pytest.raises(ChoiceError, match="--weight 2 without --reweight"):
        update_file(was, str(a), tmp_path / "x.agmm", weight=2.0)
    with pytest.raises(ChoiceError, match="--remove and --reweight"):
        update_file(was, str(a), tmp_path / "x.agmm", remove=True, reweight=True)
    assert not (tmp_path / "x.agmm").exists()
    for arguments in (["--weight", "2"], ["--remove", "--reweight"], ["--forget", "0.3", "--remove"]):
        with pytest.raises(SystemExit, match="2"):
            main(["update", str(was), str(a), "-o", str(tmp_path / "x.agmm"), *arguments])
        assert arguments[0] in capsys.readouterr().err


def test_an_output_belongs_to_one_run(tmp_path: Path) -> None:
    first, model = manifest(tmp_path, "1.jsonl", "a", "b"), tmp_path / "model.agmm"
    with exclusive(model), pytest.raises(OutputError, match=r"another run is writing .*model\.agmm; .*wait"):
        train_to_file(first, model, None, n_components=2, passes=2)
    (tmp_path / ".model.agmm.lock").touch()  # of a run that was killed
    train_to_file(first, model, None, n_components=2, passes=2)
    with exclusive(model), pytest.raises(OutputError, match="another run is writing"):
        update_file(model, first, model, force=True)
    update_file(model, first, model, force=True)
    assert not list(tmp_path.glob(".*"))


@pytest.mark.parametrize("verb", ["update", "train"])
def test_a_ledger_is_that_of_the_model_wherever_a_run_is_cut_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, verb: str
) -> None:
    first, second = manifest(tmp_path, "1.jsonl", "a", "b", "c", "d"), manifest(tmp_path, "2.jsonl", "e", "f")
    model, aim = tmp_path / "room.agmm", tmp_path / "aim.agmm"
    for path in (model, aim):
        train_to_file(first, path, None, n_components=3, passes=5, ledger=True)

    def run(path: Path) -> None:
        if verb == "update":
            update_file(path, second, path, force=True)
        else:
            train_to_file(second, path, None, n_components=2, passes=2, ledger=True, force=True)

    def cut_off(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    run(aim)
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(ag.Model, "save", cut_off)  # the ledger is changed, the model is not
        run(model)
    update_file(model, manifest(tmp_path, "4.jsonl", "a"), tmp_path / "without.agmm", remove=True)
    run(model)
    assert model.read_bytes() == aim.read_bytes()
    files = [{file.name: file.read_bytes() for file in beside(path).iterdir()} for path in (model, aim)]
    assert files[0] == files[1]
    Ledger(beside(model)).check(ag.load(model).mixture.fingerprint)


def test_a_damaged_ledger_is_replaced(tmp_path: Path) -> None:
    first, model = manifest(tmp_path, "1.jsonl", "a", "b"), tmp_path / "room.agmm"
    for content in (None, "{", "[]"):
        if content is not None:
            (beside(model) / "ledger.json").write_text(content)
        train_to_file(first, model, None, n_components=2, passes=2, ledger=True, force=True)
        Ledger(beside(model)).check(ag.load(model).mixture.fingerprint)
