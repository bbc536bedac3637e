"""A bit that has flipped in a file of ours is noticed, whatever the file and the bit."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save

from audiogmm.checksum import sealed, unsealed
from audiogmm.errors import ModelFileError
from audiogmm.mixture import container
from audiogmm.mixture.container import _checksum
from audiogmm.mixture.store import load
from audiogmm.training.ledger import Ledger
from audiogmm.verification.gallery import Gallery

SCRIPTS = Path(__file__).parent.parent / "scripts"


@pytest.fixture
def bitflips(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(SCRIPTS))
    return importlib.import_module("check_bitflips")


KINDS = ["model", "speaker", "gallery", "calibration", "checkpoint", "ledger_index", "ledger_entry"]
KINDS += ["record", "journal", "frames", "cache_index", "cache_database", "track", "kinds", "moves"]
KINDS += ["ledger_of_inputs", "run_manifest", "kept_results", "learned_state"]


@pytest.mark.parametrize("kind", KINDS)
def test_no_flipped_bit_is_silent(bitflips: Any, kind: str, tmp_path: Path) -> None:
    assert set(KINDS) == set(bitflips.KINDS)
    found = bitflips.flip(kind, 60, tmp_path / kind)
    assert found["noticed"] + found["without effect"] == 60, found
    assert found["noticed"] >= (0 if kind == "cache_database" else 40)  # a database is pages, mostly empty


def test_the_section_is_named_and_what_helps(bitflips: Any, tmp_path: Path) -> None:
    path = tmp_path / "room.agmm"
    bitflips.MODEL.save(path)
    whole = path.read_bytes()
    second = bitflips.STATS.second.tobytes()
    at = whole.index(second)
    path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
    with pytest.raises(
        ModelFileError,
        match=r"room\.agmm is damaged: the section statistics\.second does not have its checksum; "
        "needed: the bytes that audiogmm wrote; try: restore it from a copy, or train it again",
    ):
        load(path)
    assert b'\\"passes\\": 4' in whole
    path.write_bytes(whole.replace(b'\\"passes\\": 4', b'\\"passes\\": 5'))
    with pytest.raises(ModelFileError, match="damaged: its content does not have its checksum"):
        load(path)


def test_a_model_is_checked_without_writing_its_document_again(
    bitflips: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, other, hashed = tmp_path / "room.agmm", tmp_path / "other.agmm", []
    bitflips.MODEL.save(path)
    bitflips.MODEL.with_part("moved", "moved.", {"to": "é"}).save(other)

    def checksum(array: np.ndarray) -> str:
        hashed.append(array.nbytes)
        return _checksum(array)

    monkeypatch.setattr("audiogmm.mixture.container._checksum", checksum)
    monkeypatch.delattr("audiogmm.checksum._checksum")  # which writes it
    assert load(path).mixture == bitflips.MODEL.mixture
    assert len(hashed) == 6  # the statistics and the scores; the fingerprint covers the parameters
    monkeypatch.undo()
    assert load(other).metadata.moved == {"to": "é"}  # whose checksum is of its escape


def test_an_array_too_many_or_too_few_is_noticed(tmp_path: Path) -> None:
    path, arrays = tmp_path / "m.agmm", {"means": np.ones(2), "more": np.ones(2)}
    whole = container.pack(arrays, {"seed": 0})
    header = json.loads(whole[8 : 8 + int.from_bytes(whole[:8], "little")])
    for kept in ({"means": np.ones(2)}, arrays | {"last": np.ones(1)}):
        path.write_bytes(save(kept, metadata=header["__metadata__"]))
        with pytest.raises(ModelFileError, match=r"the section (more|last) does not have its checksum"):
            container.read(path, hashed={"means", "more", "last"})


def test_a_damaged_weight_of_a_ledger_and_a_damaged_setting_of_a_gallery_are_named(
    bitflips: Any, tmp_path: Path
) -> None:
    index, _ = bitflips.ledger_index(tmp_path / "ledger")
    index.write_text(index.read_text().replace('"a": 1.0', '"a": 3.0'))
    with pytest.raises(ModelFileError, match=r"ledger\.json is damaged.*try: .*train with --ledger again"):
        Ledger(index.parent)
    settings, _ = bitflips.gallery(tmp_path / "known")
    settings.write_text(settings.read_text().replace('"means"', '"weights"'))
    with pytest.raises(ModelFileError, match=r"gallery\.json is damaged.*enroll into a new folder"):
        Gallery(settings.parent)


def test_a_checksum_is_of_the_content_and_needed_where_the_version_says_so() -> None:
    document = sealed({"tau": 8.0, "adapt": ("means",), "names": {"b": 1, "a": "é\udcfc"}})
    assert sealed(dict(reversed(document.items())))["checksum"] == document["checksum"]
    assert unsealed({"tau": 8.0}, False, "x.json", "") == {"tau": 8.0}
    with pytest.raises(ModelFileError, match=r"x\.json is damaged"):
        unsealed({"tau": 8.0}, True, "x.json", "")
