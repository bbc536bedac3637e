"""A call that writes fails, a disk is full from there on, a process is killed: a seeded share of all of them.

`scripts/check_faults.py` does it at every call.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from tests.faults.commands import Bench, Case, bench
from tests.faults.layer import LayerError
from tests.faults.plan import faults_of

SHARE = {"fail": 3, "full": 1, "kill": 1}
"""Faults of a kind for each command."""


@pytest.fixture(scope="module")
def place() -> Iterator[Bench]:
    try:
        with bench() as made:
            yield made
    except LayerError as missing:
        pytest.skip(str(missing))


@pytest.mark.parametrize("name", ["train", "score", "detect", "verify", "features", "enroll"])
def test_nothing_is_lost_and_the_same_command_goes_on(place: Bench, name: str) -> None:
    case = Case.make(name, place, replaces=True)
    for kind, number in SHARE.items():
        for fault in random.Random(name).sample(list(faults_of(case, kind)), number):
            verdict = case.judge(fault)
            assert verdict.wrong == [], f"{fault}, {verdict.call}"
            assert verdict.lost == 0 and verdict.identical
