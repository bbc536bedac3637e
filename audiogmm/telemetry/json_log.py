"""The log as JSON: every line on standard error is one object (`--log-json`, or ``AUDIOGMM_LOG=json``).

What Python, its libraries and C write there otherwise (warnings, tracebacks, complaints of a decoder) becomes
a line, too, also that of worker processes. Without it, nothing changes.
"""

from __future__ import annotations

import io
import json
import logging
import math
import os
import signal
import sys
import threading
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime
from queue import SimpleQueue
from typing import Any

from audiogmm.escapes import escaped
from audiogmm.run_id import run_id

VARIABLE = "AUDIOGMM_LOG"
"""The environment variable that asks for it: ``json``. Worker processes find it there."""

LONGEST = 4096
"""Bytes of a line of a worker process: as much as a pipe takes as a whole."""

_STDERR = 2

_LOG: JsonLog | None = None


class JsonLog:
    """Makes lines of what happens.

    Parameters
    ----------
    put : callable
        Takes a whole line.
    command : str, optional
        The command that runs.
    longest : int, optional
        Bytes above which a message is cut.

    Examples
    --------
    >>> log = JsonLog(print, "train")
    >>> log.write("info", "started")
    {"time": "...Z", "level": "info", "run": "...", "command": "train", "message": "started"}
    """

    def __init__(self, put: Callable[[str], object], command: str = "", longest: int | None = None) -> None:
        self._put = put
        self._command = {"command": command} if command else {"process": os.getpid()}
        self._longest = longest

    def write(self, level: str, message: str, **fields: Any) -> None:
        """Write a record: `level` is info, warning or error. Fields that are None or empty are left out."""
        now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        row = {"time": now, "level": level, "run": run_id(), **self._command, "message": message}
        row |= {name: value for name, value in fields.items() if value is not None and value != ""}
        line = json.dumps(_plain(row))
        if self._longest is not None and len(line) >= self._longest:
            row = row | {"message": message[: self._longest // 16], "is_cut": True}
            line = json.dumps(_plain({key: row[key] for key in (*list(row)[:5], "is_cut")}))
        self._put(line)

    def take_output(self, text: str) -> None:
        """Write a record of a line that others wrote, unless it is one already: that of a worker process."""
        with suppress(ValueError):
            row = json.loads(text)
            if isinstance(row, dict) and "run" in row:
                self._put(json.dumps({**row, **self._command}))
                return
        if text.strip():
            self.write("warning", text.rstrip(), event="output")


def is_json() -> bool:
    """Return whether the log is JSON."""
    return _LOG is not None


def log_json(level: str, message: str, **fields: Any) -> None:
    """Write a record, where the log is JSON; see `JsonLog.write`."""
    if _LOG is not None:
        _LOG.write(level, message, **fields)


def log_error(error: BaseException, message: str, *, with_traceback: bool = False, **fields: Any) -> None:
    """Write a record of an error, where the log is JSON.

    Parameters
    ----------
    error : BaseException
        Its kind is a field, and what it says was needed and is to be tried.
    message : str
        What came.
    with_traceback : bool
        Add where it was raised.
    """
    about = {
        "event": "error",
        "error": type(error).__name__,
        "path": getattr(error, "filename", None),
        "needed": getattr(error, "needed", None),
        "try": getattr(error, "remedy", None),
        "notes": getattr(error, "__notes__", None) or None,
        "traceback": "".join(traceback.format_exception(error)) if with_traceback else None,
    }
    log_json("error", message, **about | fields)


@contextmanager
def json_lines(command: str, *, until_exit: bool = False) -> Iterator[None]:
    """Have every line on standard error be a JSON object inside a ``with``.

    Parameters
    ----------
    command : str
        The command that runs.
    until_exit : bool
        Keep it so for what the interpreter says as it ends.
    """
    with ExitStack() as stack:
        before = sys.stderr
        if _is_descriptor(before):
            writer, output = _Writer(), _Output()
            log = JsonLog(lambda line: writer.put(line), command)
            output.start(log.take_output)
            stack.callback(writer.close, until_exit)
            stack.callback(output.close, until_exit)
        else:  # replaced by whoever calls
            log = JsonLog(lambda line: before.write(line + "\n"), command)
        variable = os.environ.get(VARIABLE)
        os.environ[VARIABLE] = "json"
        undo = _install(log)
        try:
            yield
        finally:
            if until_exit:
                _ignore_signals()
            if isinstance(sys.stderr, _Lines):
                sys.stderr.end()
            if not until_exit:
                undo()
                os.environ.pop(VARIABLE, None)
                if variable is not None:
                    os.environ[VARIABLE] = variable


def log_json_in_worker() -> None:
    """Begin the log of a worker process, where its parent's is JSON."""
    if os.environ.get(VARIABLE) == "json":
        _install(JsonLog(lambda line: os.write(_STDERR, line.encode() + b"\n"), longest=LONGEST))


class _Writer:
    """Writes whole lines to standard error as it was, from a thread of its own: no signal cuts one in two."""

    def __init__(self) -> None:
        self._descriptor = os.dup(_STDERR)
        self._lines: SimpleQueue[str | None] = SimpleQueue()
        self._is_closed = False
        self.put: Callable[[str], None] = self._lines.put
        self._thread = threading.Thread(target=self._run, name="audiogmm-log", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while (line := self._lines.get()) is not None:
            self._write(line)

    def _write(self, line: str) -> None:
        rest = memoryview(line.encode() + b"\n")
        with suppress(OSError):  # nobody reads them, or the disk is full
            while rest:
                rest = rest[os.write(self._descriptor, rest) :]

    def close(self, until_exit: bool) -> None:
        """Wait until all lines are written; until an exit, those that come later are written at once."""
        self._lines.put(None)
        self._thread.join()
        if until_exit:
            self.put = self._write
        else:
            os.close(self._descriptor)


class _Output:
    """What is written to the descriptor of standard error, by C or other processes, line by line."""

    def __init__(self) -> None:
        self._kept = os.dup(_STDERR)
        self._end = os.urandom(8).hex().encode() + b"\n"
        self._source, into = os.pipe()
        os.dup2(into, _STDERR)
        os.close(into)

    def start(self, take: Callable[[str], None]) -> None:
        """Give each line to `take`, from a thread."""
        self._thread = threading.Thread(target=self._run, args=(take,), name="audiogmm-output", daemon=True)
        self._thread.start()

    def _run(self, take: Callable[[str], None]) -> None:
        with open(self._source, "rb") as file:  # noqa: PTH123 - a descriptor
            while line := file.readline(1 << 16):
                take(line.removesuffix(self._end).decode("utf-8", "backslashreplace"))
                if line.endswith(self._end):  # others may keep the pipe open
                    break

    def close(self, until_exit: bool) -> None:
        """Wait for what was written; what comes later goes where it went before, or at an exit nowhere."""
        os.write(_STDERR, self._end)
        self._thread.join()
        after = os.open(os.devnull, os.O_WRONLY) if until_exit else self._kept
        os.dup2(after, _STDERR)
        os.close(after)
        if until_exit:
            os.close(self._kept)


class _Lines(io.TextIOBase):
    """Stands in for `sys.stderr`: each line becomes a record."""

    def __init__(self, take: Callable[[str], None]) -> None:
        self._take = take
        self._rest = ""
        self._lock = threading.RLock()

    def write(self, text: str) -> int:
        """Take text, and give the lines that are complete."""
        with self._lock:
            *lines, self._rest = (self._rest + text).split("\n")
            for line in lines:
                self._take(line)
        return len(text)

    def end(self) -> None:
        """Give what came after the last complete line."""
        self.write("\n")

    def writable(self) -> bool:
        """Return True."""
        return True

    def fileno(self) -> int:
        """Return the descriptor of standard error."""
        return _STDERR


class _RecordHandler(logging.Handler):
    """Makes a record of a message of `logging`; its `fields` are those of the record."""

    def __init__(self, log: JsonLog) -> None:
        super().__init__()
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        """Write one."""
        fields = {"logger": record.name, **getattr(record, "fields", {})}
        if record.exc_info:
            fields["traceback"] = "".join(traceback.format_exception(*record.exc_info))
        self._log.write(record.levelname.lower(), record.getMessage(), **fields)


def _install(log: JsonLog) -> Callable[[], None]:
    """Let all that Python writes on standard error go to a log; return what undoes it."""
    global _LOG
    root, handler = logging.getLogger(), _RecordHandler(log)
    hooks = sys.stderr, warnings.showwarning, sys.excepthook, threading.excepthook, sys.unraisablehook
    before = _LOG, hooks, root.level

    def undo() -> None:
        global _LOG
        root.removeHandler(handler)
        _LOG, hooks, level = before
        root.setLevel(level)
        sys.stderr, warnings.showwarning, sys.excepthook, threading.excepthook, sys.unraisablehook = hooks

    def show(message: Any, category: type[Warning], filename: str, lineno: int, *_: Any) -> None:
        log.write(
            "warning", str(message), event="warning", error=category.__name__, at=f"{filename}:{lineno}"
        )

    def uncaught(kind: type[BaseException], error: BaseException | None, trace: Any, *_: Any) -> None:
        where = "".join(traceback.format_exception(kind, error, trace))
        log.write("error", f"{kind.__name__}: {error}", event="error", error=kind.__name__, traceback=where)

    _LOG = log
    root.addHandler(handler)
    sys.stderr, sys.excepthook = _Lines(log.take_output), uncaught
    warnings.showwarning = show  # type: ignore[assignment]  # the rest of its arguments is not used
    threading.excepthook = lambda args: uncaught(*args)
    sys.unraisablehook = lambda args: uncaught(args.exc_type, args.exc_value, args.exc_traceback)
    return undo


def _ignore_signals() -> None:
    """Let nothing interrupt the last lines of a program."""
    if threading.current_thread() is threading.main_thread():
        for name in ("SIGINT", "SIGTERM", "SIGHUP"):
            if hasattr(signal, name):
                signal.signal(getattr(signal, name), signal.SIG_IGN)


def _is_descriptor(stream: Any) -> bool:
    """Return whether a stream writes to the descriptor of standard error."""
    try:
        return bool(stream.fileno() == _STDERR)
    except (AttributeError, OSError, ValueError):
        return False


def _plain(value: Any) -> Any:
    """Return a value as JSON has it: text that UTF-8 can hold, numbers that are finite."""
    match value:
        case dict():
            return {str(key): _plain(each) for key, each in value.items()}
        case list() | tuple():
            return [_plain(each) for each in value]
        case bool() | int() | None:
            return value
        case float():
            return value if math.isfinite(value) else str(value)
        case _:
            return escaped(str(value))
