"""The worked examples of `scripts/` run, and find what was put into their data."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parent.parent / "scripts"


def run(script: str, *arguments: object) -> str:
    """Call a script as a user does, with the command of this environment."""
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        [sys.executable, str(SCRIPTS / script), *map(str, arguments)],
        capture_output=True,
        text=True,
        env=environment,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize(
    ("script", "found"),
    [
        ("example_customers.py", ["15 are the odd ones"]),
        ("example_pixels.py", ["sky: 100.0%", "grass: 100.0%", "roof: 100.0%"]),
        ("example_returns.py", ["day 100: found", "day 250: found", "day 400: found", "3 events in all"]),
        ("example_embeddings.py", ["kind 0: 100.0%", "kind 3: 100.0%", "40 utterances scored"]),
    ],
)
def test_an_example_finds_what_was_put_in(script: str, found: list[str], tmp_path: Path) -> None:
    told = run(script, tmp_path / "out")
    for words in found:
        assert words in told


@pytest.mark.data
def test_fsdd_is_identified(data: Path) -> None:
    told = run("recipe_fsdd.py", data / "fsdd")
    right, of = told.partition("identified ")[2].split()[0:3:2]
    assert int(of) == 300
    assert int(right) >= 0.99 * int(of)
