"""Lists that other libraries write are read as they read them: the cases of scripts/check_lists.py."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

SCRIPT = Path(__file__).parents[2] / "scripts" / "check_lists.py"


def load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("check_lists", SCRIPT)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["check_lists"] = module
    spec.loader.exec_module(module)
    return module


CHECK = load()


@pytest.fixture(autouse=True)
def no_monitor(monkeypatch: pytest.MonkeyPatch) -> None:
    if importlib.util.find_spec("tqdm"):
        monkeypatch.setattr("tqdm.tqdm.monitor_interval", 0)  # progress bars leave a thread


@pytest.mark.filterwarnings("ignore")  # of these libraries
@pytest.mark.parametrize("name", CHECK.CASES)
def test_a_list_is_read_as_by_its_library(name: str) -> None:
    for library in CHECK.CASES[name][0].split()[:1]:
        pytest.importorskip(library)
    assert CHECK.compare(name) == ""


def test_a_difference_is_named(tmp_path: Path) -> None:
    CHECK.make_sounds(tmp_path)
    source, (first, second) = CHECK.csv_table(tmp_path)
    assert CHECK.difference(source, [first]) == "2 entries, 1 of the peer"
    changed = CHECK.Row(second.offset, second.duration, second.who, second.samples + np.float32(0.5))
    assert CHECK.difference(source, [first, changed]) == "samples differ by 5.0e-01"
