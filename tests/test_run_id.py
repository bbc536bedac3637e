"""The id of a run: one a process, the same in the processes that it starts."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator

import pytest

from audiogmm.run_id import VARIABLE, run_id

SAY = [sys.executable, "-c", "from audiogmm.run_id import run_id; print(run_id())"]


@pytest.fixture(autouse=True)
def no_id_yet(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv(VARIABLE, "")  # so that it is as it was in the end
    run_id.cache_clear()
    yield
    run_id.cache_clear()


def test_it_is_made_once_and_given_to_children() -> None:
    first = run_id()
    assert re.fullmatch("[0-9a-f]{12}", first)
    assert run_id() == first
    assert subprocess.run(SAY, capture_output=True, text=True, check=True).stdout.strip() == first


def test_two_processes_have_two_ids() -> None:
    said = {subprocess.run(SAY, capture_output=True, text=True, check=True).stdout for _ in range(2)}
    assert len(said) == 2


def test_the_one_of_the_environment_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "0123456789ab")
    assert run_id() == "0123456789ab"


@pytest.mark.parametrize(
    "given",
    ["", "0123456789a", "0123456789abc", "0123456789AB", "0123456789ab\n", "../../etc/pw", "٠١٢٣٤٥٦٧٨٩٠١"],
)
def test_what_is_no_id_is_replaced(given: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, given)
    assert re.fullmatch("[0-9a-f]{12}", run_id())
    assert run_id() != given
    assert os.environ[VARIABLE] == run_id()
