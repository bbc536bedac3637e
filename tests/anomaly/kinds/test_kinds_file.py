"""The file of kinds: a round trip, and what is damaged or cannot be is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from audiogmm.anomaly.kinds.kinds import Kinds
from audiogmm.anomaly.kinds.kinds_file import _ARRAYS, FILE, FORMAT, load_kinds, save_kinds
from audiogmm.errors import ModelFileError
from audiogmm.mixture import container
from tests.anomaly.kinds.test_kinds import sounds


@pytest.fixture(scope="module")
def kinds() -> Kinds:
    return Kinds.empty().extended(sounds([0, 1], 5, seed=1)[0])[0].named(2, "Tür \udcff", is_normal=True)


def test_a_round_trip(kinds: Kinds, tmp_path: Path) -> None:
    save_kinds(kinds, tmp_path, {"sample_rate": 8000})
    found, frontend = load_kinds(tmp_path)
    assert frontend == {"sample_rate": 8000}
    assert found.groups == kinds.groups and found.next_group == kinds.next_group
    for name in _ARRAYS:
        np.testing.assert_array_equal(getattr(found, name), getattr(kinds, name))
    content = (tmp_path / FILE).read_bytes()
    save_kinds(found, tmp_path, frontend)
    assert (tmp_path / FILE).read_bytes() == content


def test_no_folder_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match=r"kinds.agmm does not exist; .*audiogmm group EVENTS -o"):
        load_kinds(tmp_path)


def test_a_truncated_file_is_refused(kinds: Kinds, tmp_path: Path) -> None:
    save_kinds(kinds, tmp_path, {})
    content = (tmp_path / FILE).read_bytes()
    (tmp_path / FILE).write_bytes(content[: len(content) // 2])
    with pytest.raises(ModelFileError):
        load_kinds(tmp_path)


def nan(arrays: dict[str, Any], document: dict[str, Any]) -> None:
    arrays["vectors"] = np.full_like(arrays["vectors"], np.nan)


def unknown_label(arrays: dict[str, Any], document: dict[str, Any]) -> None:
    arrays["labels"] = arrays["labels"] + 9


def few_labels(arrays: dict[str, Any], document: dict[str, Any]) -> None:
    arrays["labels"] = arrays["labels"][:-1]


def reals_as_labels(arrays: dict[str, Any], document: dict[str, Any]) -> None:
    arrays["labels"] = arrays["labels"].astype(float)


def small_scatter(arrays: dict[str, Any], document: dict[str, Any]) -> None:
    arrays["scatter"] = arrays["scatter"][:2, :2]


def group_of_the_future(arrays: dict[str, Any], document: dict[str, Any]) -> None:
    document["next_group"] = 1


def no_groups(arrays: dict[str, Any], document: dict[str, Any]) -> None:
    document["groups"] = ["door"]


def negative_count(arrays: dict[str, Any], document: dict[str, Any]) -> None:
    document["n_scattered"] = -1


def one_name_twice(arrays: dict[str, Any], document: dict[str, Any]) -> None:
    document["groups"] = {number: {"name": "a", "is_normal": False} for number in document["groups"]}


def a_model(arrays: dict[str, Any], document: dict[str, Any]) -> None:
    document["format"] = "audiogmm 1"


def nothing(arrays: dict[str, Any], document: dict[str, Any]) -> None:
    arrays["vectors"], arrays["labels"] = arrays["vectors"][:0], arrays["labels"][:0]


@pytest.mark.parametrize(
    "change",
    [
        nan,
        unknown_label,
        few_labels,
        reals_as_labels,
        small_scatter,
        group_of_the_future,
        no_groups,
        negative_count,
        one_name_twice,
        a_model,
        nothing,
    ],
)
def test_what_cannot_be_is_refused(kinds: Kinds, tmp_path: Path, change: Any) -> None:
    save_kinds(kinds, tmp_path, {"sample_rate": 8000})
    document, arrays = container.read(tmp_path / FILE)
    change(arrays, document)
    assert document["format"] == FORMAT or change is a_model
    (tmp_path / FILE).write_bytes(container.pack(arrays, document))
    with pytest.raises(ModelFileError, match="does not hold kinds of sound"):
        load_kinds(tmp_path)
