"""A small share of `scripts/check_kills.py`: killed at random instants, commands go on to the same bytes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parent.parent / "scripts" / "check_kills.py"


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="finds left processes in /proc")
def test_killed_commands_go_on_to_the_same_bytes() -> None:
    names = ["train --ledger", "train --approximate", "score", "update in place", "manifest convert"]
    done = subprocess.run(
        [sys.executable, SCRIPT, "--kills", "15", "--seed", "4", *names], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    kills, resumed, identical, twice, left, half = map(int, done.stdout.splitlines()[-1].split()[1:])
    assert kills == 15
    assert identical == resumed > 0
    assert (twice, left, half) == (0, 0, 0)
