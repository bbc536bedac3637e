"""A small share of `scripts/check_delivery.py`: receivers fail, and nothing is lost or doubled."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[3] / "scripts" / "check_delivery.py"


def check(*faults: str) -> None:
    done = subprocess.run(
        [sys.executable, SCRIPT, "--events", "16", "--away", "0", *faults], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    rows = [line[32:].split() for line in done.stdout.splitlines()[1:]]
    assert len(rows) >= len(faults)
    assert [row[:4] for row in rows] == [["16", "16", "0", "0"]] * len(rows)


def test_webhooks_commands_and_a_killed_sender_lose_nothing() -> None:
    check("webhook", "exec", "SIGKILL")


def test_a_broker_that_restarts_or_hangs_loses_nothing() -> None:
    pytest.importorskip("paho.mqtt.client")
    if shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin:/usr/bin") is None:
        pytest.skip("mosquitto is not installed")
    check("mqtt")
