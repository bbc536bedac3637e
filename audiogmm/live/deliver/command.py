"""A command that is started for each event (`--exec`)."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import tempfile
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from typing import IO, Any

from audiogmm.errors import ChoiceError
from audiogmm.escapes import escaped, json_line, printable
from audiogmm.live.deliver.ids import kind_name
from audiogmm.live.deliver.receiver import RefusedError, UndeliveredError
from audiogmm.live.deliver.secret import SECRETS
from audiogmm.types import Json, Seconds

LIMIT: Seconds = 30.0
"""How long a command may run."""

TRIES = 5
"""Failures after which an event is set aside."""

AGAIN, NEVER = os.EX_TEMPFAIL, os.EX_DATAERR
"""Exit statuses of sysexits.h: 75 try again, for as long as it takes; 65 the command will never take it."""

LONGEST = 4096
"""Characters of a variable."""

VARIABLES = {
    "AUDIOGMM_EVENT_ID": ("event_id",),
    "AUDIOGMM_TYPE": ("type",),
    "AUDIOGMM_INPUT": ("input",),
    "AUDIOGMM_CLIP": ("clip",),
    "AUDIOGMM_RECORDING": ("event", "audio_filepath"),
    "AUDIOGMM_ID": ("event", "id"),
    "AUDIOGMM_START": ("event", "start"),
    "AUDIOGMM_END": ("event", "end"),
    "AUDIOGMM_TIME": ("event", "time"),
    "AUDIOGMM_SEVERITY": ("event", "severity"),
    "AUDIOGMM_VERDICT": ("event", "verdict"),
    "AUDIOGMM_REASONS": ("event", "reasons"),
}
"""The variables of a command, and where in a row their values are; one without a value is empty."""


def parse_command(text: str) -> tuple[str, ...]:
    """Split a command into its arguments, as a shell would, and find its program; no shell ever runs.

    Raises
    ------
    ChoiceError
        If a quote is open, or there is no such program.

    Examples
    --------
    >>> parse_command("echo 'two words' $HOME;")[1:]
    ('two words', '$HOME;')
    """
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise ChoiceError(f"--exec {text!r}: {error}", needed="a program and its arguments") from None
    program = shutil.which(words[0]) if words else None
    if program is None:
        raise ChoiceError(
            f"--exec {text!r}: " + (f"no program {words[0]!r}" if words else "it is empty"),
            needed="a program that can be run, and its arguments",
            remedy="its whole path; for a pipeline write a script, and name that",
        )
    return (os.path.abspath(program), *words[1:])  # noqa: PTH100 - links are not followed


@dataclass(eq=False)
class Command:
    """Run a command for each row: the row on standard input as a line of JSON, and in variables.

    Exit status 0 is success. With 75 the row is tried again for as long as it takes, with 65 it is set
    aside at once, with any other it is tried `tries` times. A command that runs longer than `limit` is
    killed, with its children.

    Parameters
    ----------
    arguments : tuple of str
        As `parse_command` returns them.
    limit : Seconds
    at_once : int
        Commands that run side by side; with more than 1, events may overtake each other.
    tries : int

    Examples
    --------
    >>> command = Command(("sh", "-c", 'read line; test "$AUDIOGMM_TYPE" = closed'))
    >>> command.send({"event_id": "e1", "type": "closed"})
    >>> command.send({"event_id": "e2", "type": "open"})
    Traceback (most recent call last):
    ...
    audiogmm.live.deliver.receiver.UndeliveredError: exit status 1
    """

    arguments: tuple[str, ...]
    limit: Seconds = LIMIT
    at_once: int = 1
    tries: int | None = TRIES
    _running: set[subprocess.Popen[bytes]] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _is_closed: bool = False

    @property
    def name(self) -> str:
        """The program, for messages."""
        return f"--exec {os.path.basename(self.arguments[0])}"  # noqa: PTH119

    def send(self, row: Json) -> None:
        """Run the command; see the class."""
        with tempfile.TemporaryFile() as errors:
            status = self._run(json_line(row).encode("utf-8", "backslashreplace") + b"\n", row, errors)
            said = _tail(errors)
        if status == NEVER:
            raise RefusedError(f"exit status {status}{said}")
        if status != 0:
            what = f"signal {-status}" if status < 0 else f"exit status {status}"
            raise UndeliveredError(what + said, counts=status != AGAIN and not self._is_closed)

    def note(self, row: Json) -> None:
        """Nothing is shown."""

    def close(self) -> None:
        """Kill what runs still."""
        with self._lock:
            self._is_closed = True
            for process in self._running:
                _kill(process)

    def _run(self, line: bytes, row: Json, errors: IO[bytes]) -> int:
        try:
            with self._lock:
                if self._is_closed:
                    raise UndeliveredError("the run ends", counts=False)
                process = subprocess.Popen(
                    self.arguments,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.DEVNULL,
                    stderr=errors,
                    env=environment_of(row),
                    start_new_session=True,
                )
                self._running.add(process)
        except OSError as error:
            raise UndeliveredError(f"cannot be run: {error.strerror or error}") from error
        try:
            process.communicate(line, timeout=self.limit)
        except subprocess.TimeoutExpired:
            raise UndeliveredError(f"killed: it ran longer than {self.limit:g} s") from None
        finally:
            with self._lock:
                self._running.discard(process)
            if process.returncode is None:
                _kill(process)
                process.wait()
            if process.stdin is not None:
                with suppress(OSError):
                    process.stdin.close()
        return process.returncode


def environment_of(row: Json) -> dict[str, str]:
    r"""Return the variables of a command: ours without secrets, and those of the row.

    Texts come from names of files and elsewhere: control characters and line feeds are escaped, and
    long ones cut.

    Examples
    --------
    >>> row = {"event_id": "e1", "event": {"id": "a\nb\x00$(reboot)", "severity": 1.5}}
    >>> variables = environment_of(row)
    >>> print(variables["AUDIOGMM_ID"], variables["AUDIOGMM_SEVERITY"], repr(variables["AUDIOGMM_CLIP"]))
    a\nb\x00$(reboot) 1.5 ''
    """
    kept = {name: value for name, value in os.environ.items() if name not in SECRETS}
    kind = {"AUDIOGMM_KIND": _text({"kind": kind_name(row)}, ("kind",))}
    return kept | kind | {name: _text(row, path) for name, path in VARIABLES.items()}


def _text(row: Json, path: tuple[str, ...]) -> str:
    value: Any = row
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    if isinstance(value, list | tuple):
        value = "; ".join(map(str, value))
    text = "" if value is None else printable(escaped(str(value)))
    return text.replace("\n", r"\n").replace("\t", r"\t")[:LONGEST]


def _tail(errors: IO[bytes]) -> str:
    """The end of what a command wrote on standard error."""
    size = errors.seek(0, os.SEEK_END)
    errors.seek(max(0, size - 200))
    text = errors.read().decode(errors="replace").strip()
    return f": {printable(text.splitlines()[-1])}" if text else ""


def _kill(process: subprocess.Popen[bytes]) -> None:
    with suppress(OSError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
