"""Inputs: what became of each recording of a run."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from audiogmm.reprs import lines_repr
from audiogmm.runs.input_rows import ASIDE, DONE, PENDING, InputLedger, InputRow
from audiogmm.types import Json
from audiogmm.words import amount


@dataclass(frozen=True)
class InputsResult:
    """The inputs of a run.

    Attributes
    ----------
    ledger : InputLedger
        Read as often as they are asked for, so that they are never all in memory.
    counts : dict
        Number of inputs by state; None where those that wait were not counted.
    seconds : float
        Length of those that are done.
    """

    ledger: InputLedger
    counts: dict[str, int | None]
    seconds: float

    __repr__ = lines_repr

    def summary(self) -> Json:
        """Return what `--json` prints."""
        return {
            "ledger": str(self.ledger.path),
            "ended": not self.ledger.is_open,
            "inputs": {state.replace(" ", "_"): n for state, n in self.counts.items()},
            "seconds": self.seconds,
            "rows": [row.to_json() for row in self.ledger.rows()],
        }

    def lines(self) -> Iterator[str]:
        """Yield the counts, and a row for each input."""
        counts = ", ".join(f"{'?' if n is None else f'{n:,}'} {state}" for state, n in self.counts.items())
        yield f"{self.ledger.path}: {counts}; {self.seconds / 3600:.2f} h done"
        yield f"{'state':<9}  {'frames':>9}  {'seconds':>9}  {'content':<12}  input"
        for row in self.ledger.rows():
            frames = "" if row.frames is None else f"{row.frames:,}"
            seconds = "" if row.seconds is None else f"{row.seconds:,.2f}"
            yield f"{row.state:<9}  {frames:>9}  {seconds:>9}  {row.content[:12]:<12}  {_describe(row)}"


def _describe(row: InputRow) -> str:
    if row.state != ASIDE:
        return row.id if row.path in ("", row.id) else f"{row.id}  {row.path}"
    tries = f" ({amount(row.tries, 'try', 'tries')})" if row.tries > 1 else ""
    return f"{row.id or row.path}: {row.reason}{tries}"


def inputs(output: str | os.PathLike[str]) -> InputsResult:
    """Say what became of each input of the run that writes, or wrote, an output.

    Parameters
    ----------
    output : path-like
        What was given to `-o`; or the ledger itself.

    Raises
    ------
    ManifestError
        If there is no ledger of inputs beside it, or it is damaged.

    Examples
    --------
    >>> import tempfile
    >>> from audiogmm.runs.journal import Journal
    >>> output = Path(tempfile.mkdtemp()) / "events.jsonl"
    >>> with Journal(output, key="a model") as journal:
    ...     journal.write({"id": "a", "frames": 98, "seconds": 1.0})
    >>> inputs(output).counts
    {'done': 1, 'set aside': 0, 'pending': 0}
    """
    ledger = InputLedger.of(Path(output))
    found: Counter[str] = Counter()
    seconds = 0.0
    for row in ledger.rows():
        found[row.state] += 1
        seconds += row.seconds or 0.0
    counts: dict[str, int | None] = {state: found[state] for state in (DONE, ASIDE, PENDING)}
    counts[PENDING] = found[PENDING] or ledger.n_pending(found[DONE] + found[ASIDE])
    return InputsResult(ledger, counts, seconds)
