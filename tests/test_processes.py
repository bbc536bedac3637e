"""Worker processes: refused where a script would start them over and over, and ended with their parent."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
import os
import sys
import threading
from audiogmm.reduce import LocalReducer


class Item(int):
    id = "item"


def tell(item):
    print(os.getpid(), flush=True)
    threading.Event().wait()


{call}
"""

CALL = "list(LocalReducer(1, workers=2).map([Item(1), Item(2)], tell))"


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (CALL, r"put the call below if __name__ == '__main__':"),
        (f"if __name__:\n    {CALL}", r"in a script, the call below if __name__ == '__main__':"),
    ],
)
def test_a_script_without_a_guard_is_told_of_it_once(call: str, said: str, tmp_path: Path) -> None:
    script = tmp_path / "unguarded.py"
    script.write_text(SCRIPT.format(call=call))
    ran = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == 1
    assert said in ran.stderr.splitlines()[-1]
    assert ran.stderr.count("audiogmm.errors.") == 1


@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="needs Linux, to wait for a process of others")
def test_workers_end_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    script = tmp_path / "guarded.py"
    script.write_text(SCRIPT.format(call=f"if __name__ == '__main__':\n    {CALL}"))
    with subprocess.Popen(
        [sys.executable, script], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as parent:
        assert parent.stdout is not None
        workers = [os.pidfd_open(int(parent.stdout.readline())) for _ in range(2)]
        parent.send_signal(signal.SIGKILL)
    try:
        for worker in workers:
            poll = select.poll()
            poll.register(worker, select.POLLIN)
            assert poll.poll(30_000), "the worker lives on"
    finally:
        for worker in workers:
            os.close(worker)
