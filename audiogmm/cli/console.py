"""Output of a command: the progress bar, notes, and the closing lines."""

from __future__ import annotations

import json
import logging
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import click

from audiogmm.escapes import printable
from audiogmm.runs.bar import TerminalBar
from audiogmm.words import amount

SOME_SET_ASIDE = 3


class Console(TerminalBar):
    """Progress bar, if standard error is a terminal, and notes; both on standard error."""

    def __init__(self) -> None:
        super().__init__()
        self._said: set[str] = set()

    def say(self, message: str) -> None:
        """Print a note, but the same note only once."""
        message = printable(message)
        if message in self._said:
            return
        self._said.add(message)
        if self.is_shown:
            self.write(message)
        else:
            click.echo(message, err=True)


@contextmanager
def console() -> Iterator[Console]:
    """Yield a console that says what the package logs, too, and remove its bar at the end."""
    screen, log = Console(), logging.getLogger("audiogmm")
    handler = _Handler(screen.say)
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
        click.echo(json.dumps(summary, ensure_ascii=False, allow_nan=False))
    else:
        for line in result.lines():
            click.echo(printable(line))
    if summary.get("set_aside"):
        inputs = amount(summary["set_aside"], "input was", "inputs were")
        errors = summary["errors"]
        there = f"; the reasons are in {errors}" if errors else ""
        click.echo(printable(f"audiogmm: {inputs} set aside{there}"), err=True)
        for line in first_reasons(Path(errors)) if errors else summary["reasons"]:
            click.echo(printable(f"  {line}"), err=True)
        click.get_current_context().exit(SOME_SET_ASIDE)


def run(job: Callable[..., Result], *inputs: Any, as_json: bool, **given: Any) -> None:
    """Do a job under a console, and close with its result."""
    with console() as screen:
        result = job(*inputs, **given, progress=screen)
    close(result, as_json=as_json)
