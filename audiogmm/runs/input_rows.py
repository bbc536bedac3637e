"""The ledger of inputs, read back: what became of each input of a run that goes on or has ended."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TypeVar

from audiogmm.checksum import is_intact
from audiogmm.documents import parse_document, parse_finite
from audiogmm.errors import AudioGMMError, ManifestError
from audiogmm.runs.aside import Aside
from audiogmm.runs.inputs import read_entries
from audiogmm.runs.journal_lines import JOURNAL, LEDGER, ledger_path
from audiogmm.types import Json, Seconds

S = TypeVar("S")
T = TypeVar("T")

DONE, ASIDE, PENDING = "done", "set aside", "pending"
"""The states of an input."""


@dataclass(frozen=True, slots=True)
class InputRow:
    """What became of one input.

    Attributes
    ----------
    id, path : str
        Of the recording; a bad line of a list has no id.
    state : {"done", "set aside", "pending"}
    content : str
        Content hash of the file, see `hash_blocks`; "" where there is none.
    frames : int or None
        How many it has, where the command counts them.
    seconds : Seconds or None
        Its length.
    reason : str
        Why it was set aside.
    tries : int
        How often that has happened to it.
    """

    id: str
    path: str
    state: str
    content: str = ""
    frames: int | None = None
    seconds: Seconds | None = None
    reason: str = ""
    tries: int = 0

    def to_json(self) -> Json:
        """Return it as a JSON object, without what is not known."""
        return {name: value for name, value in asdict(self).items() if value not in (None, "", 0)}


@dataclass(frozen=True)
class InputLedger:
    """The file in which a run notes its inputs.

    Attributes
    ----------
    path : Path
        `<output>.inputs.jsonl`, or `<output>.journal` of a run that goes on or was stopped.
    """

    path: Path

    @classmethod
    def of(cls, output: Path) -> InputLedger:
        """Find the ledger of the run that writes, or wrote, `output`.

        Raises
        ------
        ManifestError
            If there is none.
        """
        if output.name.endswith((JOURNAL, LEDGER)) and output.is_file():
            return cls(output)
        for path in (output.with_name(output.name + JOURNAL), ledger_path(output)):
            if path.is_file():
                return cls(path)
        raise ManifestError(
            f"{output} has no ledger of its inputs ({output.name}{LEDGER})",
            needed="the output of a run over recordings, such as that of score",
            remedy="the path that was given to -o",
        )

    @property
    def is_open(self) -> bool:
        """Whether the run has not ended: it goes on, or was stopped."""
        return self.path.name.endswith(JOURNAL)

    def rows(self) -> Iterator[InputRow]:
        """Yield a row for each input; those that wait come last, where the manifest can still be read.

        Raises
        ------
        ManifestError
            If a line is damaged, or is not that of a ledger of inputs.
        """
        if not self.is_open:
            yield from (row for _, row in self._lines())
            return
        last = {row.id or row.reason: at for at, row in self._lines()}  # a later try counts
        wanted = set(last.values())
        yield from (row for at, row in self._lines() if at in wanted)
        for entry_id, path in self._listed():
            if entry_id not in last:
                yield InputRow(entry_id, path, PENDING)

    def n_pending(self, n_known: int) -> int | None:
        """Return how many inputs wait, `n_known` being done or set aside; None where nobody counted them."""
        if not self.is_open:
            return 0
        found = [about["inputs"] for about in self._abouts() if isinstance(about.get("inputs"), int)]
        return max(0, found[-1] - n_known) if found else None

    def _listed(self) -> Iterator[tuple[str, str]]:
        """Yield id and path of the entries of the run's manifest, if it is a local file or folder."""
        sources = [about["source"] for about in self._abouts() if isinstance(about.get("source"), str)]
        if sources and Path(sources[-1]).exists():
            try:
                yield from ((entry.id, entry.path) for entry in read_entries(sources[-1], Aside(quiet=True)))
            except AudioGMMError:  # the number is known all the same
                return

    def _abouts(self) -> Iterator[Json]:
        for _, row in self._documents():
            if "inputs" in row:
                yield row

    def _lines(self) -> Iterator[tuple[int, InputRow]]:
        for number, document in self._documents():
            row = self._read(number, _row_of, document)
            if row is not None:
                yield number, row

    def _documents(self) -> Iterator[tuple[int, Json]]:
        with self.path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                if self.is_open and not line.endswith(b"\n"):
                    return  # it is being written, or was cut off with the run
                yield number, self._read(number, _intact, line)

    def _read(self, number: int, read: Callable[[S], T], line: S) -> T:
        try:
            return read(line)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise ManifestError(
                f"{self.path}:{number} is no row of a ledger of inputs: {error}",
                needed="the bytes that audiogmm wrote",
                remedy="the command again, with --force",
            ) from error


def _intact(line: bytes) -> Json:
    document = parse_document(line)
    if not is_intact(document):
        raise ValueError("it does not have its checksum")
    return document


def _row_of(document: Json) -> InputRow | None:
    """Return the row of an input; None for a line that is about all of them."""
    if "aside" in document:
        bad = document["aside"]
        texts = (str(bad[name]) for name in ("id", "path", "reason"))
        id, path, reason = texts
        return InputRow(id, path, ASIDE, reason=reason, tries=int(document["tries"]))
    if "row" not in document:
        return None
    row, signature = document["row"], document["signature"]
    seconds, frames = row.get("seconds", row.get("duration")), row.get("frames")
    return InputRow(
        str(document.get("id", row["id"])),
        str(json.loads(signature)[0]) if signature.startswith("[") else "",  # a stream's is a hash
        DONE,
        str(document.get("content", "")),
        None if frames is None else int(frames),
        None if seconds is None else parse_finite(seconds),
    )
