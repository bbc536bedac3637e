"""Output of a command: the progress bar, notes, and the closing lines."""

from __future__ import annotations

import json
import logging
import re
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import click

from audiogmm.cli.failures import SOME_SET_ASIDE
from audiogmm.cli.provenance import recording
from audiogmm.escapes import json_line, printable
from audiogmm.runs.bar import TerminalBar
from audiogmm.telemetry.json_log import is_json, log_json
from audiogmm.telemetry.meter import StageProgress
from audiogmm.words import amount

EVERY = 5.0
"""Seconds between two records of how far a stage is, where the log is JSON."""


class Console(TerminalBar):
    """Progress bar, if standard error is a terminal, and notes; records, where the log is JSON."""

    stage: StageProgress | None = None
    """The stage that runs now, in this process."""

    def __init__(self) -> None:
        super().__init__()
        self._said: set[str] = set()
        self._recorded = 0.0

    def begin(self, what: str, total: float | None, unit: str) -> None:
        """Begin a stage of `total` units of work."""
        self.end()
        if not is_json():
            super().begin(what, total, unit)
        Console.stage = StageProgress(what, total, unit)
        if is_json():
            self._record("begins")

    def advance(self, amount: float, note: str = "") -> None:
        """Move on."""
        super().advance(amount, note)
        if (stage := Console.stage) is not None:
            stage.done += amount
            stage.note = note or stage.note
            if is_json() and time.monotonic() - self._recorded >= EVERY:
                self._record("goes on")

    def end(self) -> None:
        """End the stage."""
        super().end()
        if Console.stage is not None and is_json():
            self._record("ends")
        Console.stage = None

    def _record(self, what: str) -> None:
        assert Console.stage is not None, "inside a stage only"
        self._recorded = time.monotonic()
        log_json("info", f"{Console.stage.name} {what}", event="progress", **Console.stage.record())

    def say(self, message: str) -> None:
        """Print a note, but the same note only once."""
        message = printable(message)
        if message in self._said:
            return
        self._said.add(message)
        if self.is_shown:
            self.write(message)
        else:
            complain(message, level="info", event="note")


def complain(message: str, *, level: str = "warning", **fields: Any) -> None:
    """Print a line on standard error; where the log is JSON, a record with further fields."""
    if is_json():
        log_json(level, message.removeprefix("audiogmm: "), **fields)
    else:
        click.echo(printable(message), err=True)


@contextmanager
def console() -> Iterator[Console]:
    """Yield a console that says what the package logs, too, and remove its bar at the end."""
    screen, log = Console(), logging.getLogger("audiogmm")
    handler = _Handler(screen.say)
    if not is_json():
        log.addHandler(handler)
    try:
        yield screen
    finally:
        log.removeHandler(handler)
        screen.end()


class _Handler(logging.Handler):
    """Shows log messages as notes."""

    def __init__(self, say: Callable[[str], None]) -> None:
        super().__init__()
        self._say = say

    def emit(self, record: logging.LogRecord) -> None:
        """Say one message."""
        self._say(record.getMessage())


def first_reasons(path: Path, most: int = 3) -> list[str]:
    """Return the first few inputs that were set aside, each with its reason.

    Those that are alike are one, with how many others there are; of a few recordings, each is named.
    """
    from audiogmm.runs.aside import FEW, ErrorRow  # brings numpy, which help does without

    shown: dict[str, str] = {}
    counts: Counter[str] = Counter()
    with path.open(encoding="utf-8") as file:
        is_few = sum(1 for _ in file) <= FEW
        file.seek(0)
        for line in file:
            row = json.loads(line)
            bad = ErrorRow(row["id"], row["path"], row["error"], row["reason"])
            kind = (is_few and bad.id) or bad.kind  # a line of a list has no id
            if kind in shown or len(shown) < most:
                shown.setdefault(kind, describe_set_aside(row["id"], row["reason"]))
                counts[kind] += 1
    return [text + _and_others(counts[kind] - 1) for kind, text in shown.items()]


def _and_others(n_alike: int) -> str:
    return f" (and {amount(n_alike, 'other')} like it)" if n_alike else ""


def describe_set_aside(id: str, reason: str) -> str:
    """Put the id of an input before its reason, unless the reason begins with it.

    Examples
    --------
    >>> describe_set_aside("a", "it is empty"), describe_set_aside("t.csv:2", "lists/t.csv:2: 1 cell")
    ('a: it is empty', 'lists/t.csv:2: 1 cell')
    """
    is_named = not id or re.match(rf"(\S*/)?{re.escape(id)}[: ]", reason)
    return reason if is_named else f"{id}: {reason}"


class Result(Protocol):
    """The result of a command."""

    def summary(self) -> dict[str, Any]:
        """Return what `--json` prints.

        A key `set_aside` counts the inputs that were not used, `errors` names their list; where there is no
        list, `reasons` has the first few.
        """
        ...

    def lines(self) -> Iterable[str]:
        """Return the closing lines."""
        ...


def close(result: Result, *, as_json: bool) -> None:
    """Print the closing lines, or the summary as one JSON object, and set the exit status."""
    summary = result.summary()
    if as_json:
        click.echo(json_line(summary))
    else:
        for line in result.lines():
            click.echo(printable(line))
    if summary.get("set_aside"):
        inputs = amount(summary["set_aside"], "input was", "inputs were")
        errors = summary["errors"]
        there = f"; the reasons are in {errors}" if errors else ""
        complain(f"audiogmm: {inputs} set aside{there}", set_aside=summary["set_aside"], path=errors)
        if not is_json() or not errors:  # each is a record already
            for line in first_reasons(Path(errors)) if errors else summary["reasons"]:
                complain(f"  {line}")
        click.get_current_context().exit(SOME_SET_ASIDE)


def run(job: Callable[..., Result], *inputs: Any, as_json: bool, **given: Any) -> None:
    """Do a job under a console, and close with its result."""
    with console() as screen, recording():
        result = job(*inputs, **given, progress=screen)
    close(result, as_json=as_json)
