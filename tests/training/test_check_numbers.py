"""Problems that are hard on the numbers: a share of those of scripts/check_numbers.py, on every schedule."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).parents[2] / "scripts" / "check_numbers.py"


def load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("check_numbers", SCRIPT)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["check_numbers"] = module
    spec.loader.exec_module(module)
    return module


CHECK = load()


def test_no_problem_ends_in_a_fault(capsys: pytest.CaptureFixture[str]) -> None:
    status = CHECK.main(["--problems", "60"])
    said = capsys.readouterr().out
    assert status == 0, said
    assert [line.split(" |")[0] for line in said.splitlines()[2:-1]] == [
        f"| {each}" for each in CHECK.SCHEDULES
    ]


def test_a_fault_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = next(problem for problem in map(CHECK.draw, range(99)) if problem.schedule == "em")
    assert CHECK.check(problem) == ("model", [])
    exact = CHECK.Evaluator.accumulate
    monkeypatch.setattr(CHECK.Evaluator, "accumulate", lambda *arguments: 1.001 * exact(*arguments))
    assert [fault.split(":")[0] for fault in CHECK.check(problem)[1]] == ["counts", "first", "second"]
    monkeypatch.setattr(CHECK, "train", lambda problem: (problem, [(0.1, -5.0), (-2e-5, -10.0)]))
    monkeypatch.setattr(CHECK, "twin_faults", lambda *_: [])
    assert CHECK.check(problem) == ("model", ["the likelihood fell by 2e-06 of it, which was not said"])


@pytest.mark.parametrize("seed", [84, 652, 2198])
def test_a_broad_start_on_dependent_columns_needs_float64_sums(seed: int) -> None:
    assert CHECK.check(CHECK.draw(seed)) == ("model", [])
