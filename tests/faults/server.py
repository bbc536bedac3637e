"""A process with the layer that has imported everything: it runs commands in children that it forks.

So a run with a fault costs a tenth of a second and not the start of Python. `Server` is the client; the
process is `python -m tests.faults.server`, which reads requests and writes replies, a JSON object a line.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.faults.layer import Call, Fault, arm, environment, read_log

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 120.0
"""Seconds after which a run is ended, and counts as hanging."""


@dataclass(frozen=True)
class Outcome:
    """How a run ended: its status (minus the number of a signal; None: it hangs) and what it wrote."""

    status: int | None
    out: str
    err: str
    calls: list[Call]

    @property
    def said(self) -> str:
        """The line that says what went wrong."""
        lines = [line for line in self.err.splitlines() if line.startswith("audiogmm: ")]
        return lines[-1] if lines else ""


class Run:
    """A command that was started in a child of the server."""

    def __init__(self, server: Server, folder: Path, pid: int) -> None:
        self.pid = pid
        self._has_ended = False
        self._server, self._folder = server, folder

    def wait(self) -> Outcome | None:
        """Wait until it ends; None if it was stopped (`stop`) and waits for `go_on`."""
        state = self._server.ask({"wait": self.pid})["state"]
        if state == "stopped":
            return None
        self._has_ended = True
        out, err = ((self._folder / name).read_text(errors="replace") for name in ("out", "err"))
        calls = read_log(self._folder / "log")
        shutil.rmtree(self._folder)
        return Outcome(state, out, err, calls)

    def go_on(self) -> Outcome:
        """Let a stopped run go on to its end."""
        os.kill(self.pid, signal.SIGCONT)
        return _ended(self.wait())

    def kill(self) -> None:
        """End it with SIGKILL, if it has not ended."""
        if not self._has_ended:
            os.kill(self.pid, signal.SIGKILL)
            self.wait()


class Server:
    """Runs the command line with faults; a context manager."""

    def __init__(self, warm_up: Sequence[str] = ()) -> None:
        self._warm_up = list(warm_up)

    def __enter__(self) -> Self:
        self._scratch = tempfile.TemporaryDirectory(prefix="pytest-of-faults-")
        self._n = 0
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.server"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env=environment() | {"NUMBA_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
        )
        if self._warm_up:
            self.ask({"warm": self._warm_up})
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()
        self._scratch.cleanup()

    def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        """Send a request, and return the reply."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        reply: dict[str, Any] = json.loads(self._process.stdout.readline())
        return reply

    def start(
        self,
        arguments: Sequence[object],
        *,
        folder: Path,
        fault: Fault | None = None,
        limits: dict[str, int] | None = None,
        temporary: Path | None = None,
    ) -> Run:
        """Start a command with a fault at the calls below a folder; `limits` by their names in `resource`.

        `temporary` is its folder of temporary files.
        """
        self._n += 1
        place = Path(self._scratch.name) / str(self._n)
        place.mkdir()
        request = {
            "arguments": [str(argument) for argument in arguments],
            "folder": str(folder.resolve()),
            "fault": asdict(fault or Fault()),
            "limits": limits or {},
            "place": str(place),
            "log": str(place / "log"),
            "temporary": str(temporary or place),
        }
        return Run(self, place, self.ask(request)["pid"])

    def run(self, arguments: Sequence[object], **given: Any) -> Outcome:
        """Run a command to its end."""
        return _ended(self.start(arguments, **given).wait())


def _ended(outcome: Outcome | None) -> Outcome:
    assert outcome is not None, "the run was stopped"
    return outcome


def _serve() -> None:
    """Answer requests until standard input ends."""
    import audiogmm.jobs  # noqa: F401
    from audiogmm.cli.main import main

    replies = os.fdopen(os.dup(1), "w", buffering=1)
    _redirect(1, os.devnull, os.O_WRONLY)
    for line in sys.stdin:
        request = json.loads(line)
        if "warm" in request:
            reply: dict[str, Any] = {"status": _call(main, request["warm"])}
        elif "wait" in request:
            reply = {"state": _wait(request["wait"])}
        else:
            reply = {"pid": _fork(main, request)}
        replies.write(json.dumps(reply) + "\n")


def _fork(main: Callable[[list[str]], None], request: dict[str, Any]) -> int:
    pid = os.fork()
    if pid:
        return pid
    status = 70
    try:
        place = Path(request["place"])
        os.setsid()
        _redirect(0, os.devnull, os.O_RDONLY)
        _redirect(1, place / "out", os.O_WRONLY | os.O_CREAT)
        _redirect(2, place / "err", os.O_WRONLY | os.O_CREAT)
        os.chdir(place)
        tempfile.tempdir = os.environ["TMPDIR"] = request["temporary"]
        for name, value in request["limits"].items():
            resource.setrlimit(getattr(resource, name), (value, value))
        arm(Fault(**request["fault"]), request["folder"], request["log"])
        status = _call(main, request["arguments"])
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def _call(main: Callable[[list[str]], None], arguments: list[str]) -> int:
    try:
        main(arguments)
    except SystemExit as ended:
        return int(ended.code or 0)
    except BaseException:  # noqa: BLE001 - whatever passes the command line
        import traceback

        traceback.print_exc()
    return 70


def _redirect(number: int, path: str | Path, flags: int) -> None:
    file = os.open(path, flags, 0o600)
    os.dup2(file, number)
    os.close(file)


def _wait(pid: int) -> int | str | None:
    """Return the status of a child, "stopped", or None for one that had to be ended."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        found, state = os.waitpid(pid, os.WNOHANG | os.WUNTRACED)
        if found:
            return "stopped" if os.WIFSTOPPED(state) else os.waitstatus_to_exitcode(state)
        time.sleep(0.002)
    os.killpg(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    return None


if __name__ == "__main__":
    _serve()
