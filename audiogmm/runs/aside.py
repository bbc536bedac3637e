"""Inputs that a run sets aside, each with its reason, instead of stopping."""

from __future__ import annotations

import json
import logging
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from audiogmm.errors import AudioGMMError
from audiogmm.escapes import ESCAPED
from audiogmm.files import exclusive, unwritable
from audiogmm.telemetry.json_log import is_json, log_json
from audiogmm.telemetry.meter import count_done
from audiogmm.types import Json
from audiogmm.words import amount

_LOG = logging.getLogger(__name__)

SHOWN = 3
"""Reasons that are shown of many."""

FEW = 10
"""Of no more inputs than this, those that are alike are shown each."""


@dataclass(frozen=True, slots=True)
class ErrorRow:
    """One input that was not used: what it was, the kind of error, and its message."""

    id: str
    path: str
    error: str
    reason: str

    @property
    def kind(self) -> str:
        """The reason without path and id of this input, without numbers and what is quoted."""
        reason = self.reason.removeprefix(self.id).partition("; needed: ")[0]
        reason = reason.replace(self.path, "") if self.path else reason
        reason = re.sub(r"(is not JSON: .*?) at column .*", r"\1", reason, flags=re.DOTALL)
        return re.sub(r"\d+", "#", re.sub(r"'[^']*'", "''", reason))


def errors_path(output: Path) -> Path:
    """Return where the inputs set aside by the run that writes `output` are listed.

    Examples
    --------
    >>> errors_path(Path("models/ubm.agmm")).name, errors_path(Path("scores")).name
    ('ubm.agmm.errors.jsonl', 'scores.errors.jsonl')
    """
    return output.with_name(output.name + ".errors.jsonl")


class Aside:
    """The inputs set aside so far; each is written at once to the list beside the output.

    Parameters
    ----------
    path : Path or None
        The list; None keeps them in memory alone. A list left by an earlier run is removed.
    strict : bool
        Raise the error instead of setting the input aside.
    quiet : bool
        Log no warning of the first few; without a list they are logged, so that they are seen.

    Examples
    --------
    >>> aside = Aside()
    >>> aside.put("a", "a.wav", AudioGMMError("a.wav is empty"))
    >>> [(row.id, row.reason) for row in aside.rows]
    [('a', 'a.wav is empty')]
    """

    def __init__(self, path: Path | None = None, *, strict: bool = False, quiet: bool = False) -> None:
        self.path = path
        self.quiet = quiet
        self.strict = strict
        self.rows: list[ErrorRow] = []
        self._known: set[tuple[str, str]] = set()
        self._lock = threading.Lock()
        self._tell: Callable[[ErrorRow], None] | None = None
        if path is not None:
            try:
                path.unlink(missing_ok=True)
            except OSError as error:
                raise unwritable(path, error) from error

    def __len__(self) -> int:
        return len(self.rows)

    def __repr__(self) -> str:
        return f"Aside({self.describe(amount(len(self), 'input'))})"

    def summary(self) -> Json:
        """Return what the summary of a run says of it."""
        return {"set_aside": len(self), "errors": None if self.path is None else str(self.path)}

    def describe(self, what: str) -> str:
        """Add the first reason to a statement on all inputs, and how many inputs share it.

        Examples
        --------
        >>> aside = Aside()
        >>> aside.put("a", "a.wav", AudioGMMError("a.wav is empty"))
        >>> aside.put("b", "b.wav", AudioGMMError("b.wav is empty"))
        >>> aside.describe("none of the recordings could be opened")
        'none of the recordings could be opened: a.wav is empty (the same for all 2)'
        """
        if not self.rows:
            return what
        kinds = [row.kind for row in self.rows]
        alike, total = kinds.count(kinds[0]), len(kinds)
        share = f"all {total}" if alike == total else f"{alike} of {total}"
        reason = self.rows[0].reason.partition("; needed: ")[0]
        return f"{what}: {reason}" + (f" (the same for {share})" if total > 1 else "")

    @contextmanager
    def explaining(self) -> Iterator[None]:
        """Add what was set aside to an error that ends the run all the same, as notes: the first few.

        Examples
        --------
        >>> aside = Aside()
        >>> aside.put("a", "a.wav", AudioGMMError("a.wav is empty"))
        >>> try:
        ...     with aside.explaining():
        ...         raise AudioGMMError("nothing is left")
        ... except AudioGMMError as error:
        ...     error.__notes__
        ['a: a.wav is empty']
        """
        try:
            yield
        except AudioGMMError as error:
            kinds = list({row.kind: row for row in reversed(self.rows)}.values())[::-1]
            for row in (self.rows if len(self) <= FEW else kinds)[:SHOWN]:
                error.add_note(f"{row.id}: {row.reason}" if row.id else row.reason)
            raise

    @contextmanager
    def telling(self, each: Callable[[ErrorRow], None]) -> Iterator[None]:
        """Call a function with each input that is set aside, those before the block included."""
        with self._lock:
            for row in self.rows:
                each(row)
            self._tell = each
        try:
            yield
        finally:
            self._tell = None

    def put(self, id: str, path: str, error: AudioGMMError) -> None:
        """Set an input aside for `error`, or raise it when strict.

        An input that several stages stumble over is listed once; a bad line, which has no id, by its message.
        """
        if self.strict:
            raise error
        row = ErrorRow(id=id, path=path, error=type(error).__name__, reason=str(error))
        with self._lock:
            key = (id, path) if id else (str(error), path)
            if key in self._known:
                return
            self._known.add(key)
            self.rows.append(row)
            count_done(set_aside=1)
            self._log(row, error)
            if self._tell is not None:
                self._tell(row)
            if self.path is not None:
                try:
                    with self.path.open("a", encoding="utf-8", errors=ESCAPED) as file:
                        file.write(json.dumps(asdict(row), ensure_ascii=False) + "\n")
                except OSError as failed:
                    raise unwritable(self.path, failed) from failed

    def _log(self, row: ErrorRow, error: AudioGMMError) -> None:
        """Log an input: where there is no list to read them in, the first few as warnings."""
        if is_json():
            about = {"id": row.id, "path": row.path, "error": row.error}
            about |= {"needed": error.needed, "try": error.remedy}
            what = f"{row.id or row.path} is set aside: {error.what}"
            log_json("warning", what, event="set_aside", **about)
            return
        level = logging.INFO
        if self.path is None and not self.quiet and len(self) <= SHOWN + 1:
            level = logging.WARNING
            if len(self) > SHOWN:
                _LOG.warning("more inputs are set aside; the rows of the `Aside` name them")
                return
        _LOG.log(level, "%s is set aside: %s", row.id or row.path, row.reason)


@contextmanager
def set_aside_by(output: Path | None, strict: bool) -> Iterator[Aside]:
    """Keep an output to this run, and yield the list beside it; for a run in memory, the first error raises.

    The list of an earlier run is removed only when no other run is writing the output.

    Raises
    ------
    OutputError
        If another run is writing it, or its folder cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> output = Path(tempfile.mkdtemp()) / "scores"
    >>> with set_aside_by(output, strict=False) as aside:
    ...     aside.put("a", "a.wav", AudioGMMError("a.wav is empty"))
    >>> errors_path(output).exists()
    True
    """
    if output is None:
        yield Aside(strict=True)
        return
    path = errors_path(output)
    with exclusive(path, of=output):
        yield Aside(path, strict=strict)


def ignore_repeated(id: str, error: AudioGMMError) -> None:
    """Pass over a recording that cannot be used: another pass over the same recordings sets it aside."""
