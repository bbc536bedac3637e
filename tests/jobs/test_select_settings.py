"""The sizes of a selection, as they are written."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from audiogmm.errors import ChoiceError
from audiogmm.jobs.select_settings import sizes


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("8:256", [8, 16, 32, 64, 128, 256]),
        ("8:100", [8, 16, 32, 64, 100]),
        (" 5, 3 ,5", [3, 5]),
        ("7:7", [7]),
        ("1:3,2:4", [1, 2, 3, 4]),
        (np.arange(2, 5), [2, 3, 4]),
    ],
)
def test_sizes(wanted: Any, found: list[int]) -> None:
    assert sizes(wanted) == found


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ("8,x", r"-k 8,x: 'x' is no number of components; needed: .*ranges such as 8:256; try: -k 8,16,32"),
        ("8,", "'' is no number"),
        ("8:", "'8:' is no number"),
        ("1:2:3", "'1:2:3' is no number"),
        ("4,0", "-k 4,0: 0 components"),
        ("-4", "-4 components"),
        ("64:8", "the range 64:8 ends before it begins; .*try: 8:64"),
        ([], "no size"),
        ([4, 0], "n_components=0"),
        ([4, 2.5], "n_components=2.5"),
        (True, "n_components=True"),
    ],
)
def test_sizes_that_are_none(wanted: Any, message: str) -> None:
    with pytest.raises(ChoiceError, match=message):
        sizes(wanted)
