"""Group: which events, or recordings, are alike, one row each, with its group and how sure that is."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from audiogmm.anomaly.kinds.description import N_BANDS, Description, describe_segment, described_span
from audiogmm.anomaly.kinds.kinds import Kinds
from audiogmm.anomaly.kinds.kinds_file import FILE, load_kinds, require_described, save_kinds
from audiogmm.anomaly.kinds.recognizer import NONE, Recognition
from audiogmm.anomaly.learning.event_kinds import read_sound
from audiogmm.audio.frontend.frontend import FrontEnd
from audiogmm.audio.recording import Recording
from audiogmm.errors import FeatureError, TrainingError
from audiogmm.files import exclusive, together
from audiogmm.keywords import accepts
from audiogmm.manifest.entry import Entry
from audiogmm.manifest.read import Manifest
from audiogmm.manifest.segments.events import read_events
from audiogmm.reprs import lines_repr
from audiogmm.runs.aside import Aside
from audiogmm.runs.batch import Batch
from audiogmm.runs.frontends import settle_frontend
from audiogmm.runs.inputs import Inputs, read_entries
from audiogmm.runs.journal import Journal
from audiogmm.runs.outputs import keep_apart
from audiogmm.runs.progress import Progress
from audiogmm.runs.rows import write_rows
from audiogmm.runs.settings import RunSettings
from audiogmm.runs.sources import Source
from audiogmm.types import Json
from audiogmm.words import amount

GROUPS = "groups.jsonl"
"""The table of rows, in the folder."""

HIGHEST_RATE = 22050
"""Hertz to which recordings are resampled, at most; all of a folder have one rate."""

SHOWN = 10
"""Groups in the closing lines."""


@dataclass(frozen=True, kw_only=True)
class GroupSettings(RunSettings):
    """What `group` is asked.

    Attributes
    ----------
    seed : int
        Of the orders in which segments are looked at.
    """

    seed: int = 0


@dataclass(frozen=True)
class DescribeTask:
    """Describes one segment; runs in a thread or a worker."""

    frame_rate: float

    def __call__(self, recording: Recording) -> Json:
        frames = read_sound(recording)
        found = describe_segment(frames)
        seconds = len(frames) / self.frame_rate
        return {
            "id": recording.id,
            "seconds": seconds,
            "vector": found.vector.tolist(),
            "pieces": found.pieces.tolist(),
        }


@dataclass(frozen=True)
class GroupResult:
    """Segments in groups.

    Attributes
    ----------
    folder : Path
        With `groups.jsonl` and `kinds.agmm`.
    rows : list of dict
        `id`, `start`, `end`, `group` (None: like none of them), `probability`, `name`; one for each input
        row, in its order. One that cannot be read has no group.
    kinds : Kinds
        What the folder now remembers.
    aside : Aside
        What cannot be read.
    """

    folder: Path
    rows: list[Json]
    kinds: Kinds
    aside: Aside

    __repr__ = lines_repr

    @property
    def counts(self) -> list[tuple[int | None, int]]:
        """Numbers of rows by group, the largest first."""
        return Counter(row["group"] for row in self.rows).most_common()

    def summary(self) -> Json:
        """Return what `--json` prints."""
        groups = [{"group": group, "name": self._name(group), "rows": count} for group, count in self.counts]
        return {
            "output": str(self.folder),
            "rows": len(self.rows),
            "groups": groups,
            "examples": len(self.kinds.vectors),
            **self.aside.summary(),
        }

    def lines(self) -> Iterator[str]:
        """Yield the closing lines: the largest groups first."""
        kinds = [count for count in self.counts if count[0] is not None]
        yield f"{amount(len(self.rows), 'row')} in {amount(len(kinds), 'group')}"
        for group, count in kinds[:SHOWN]:
            best = max(
                (row for row in self.rows if row["group"] == group), key=lambda row: row["probability"]
            )
            place = f"{best['id']} at {best['start']:.2f} s"
            name = f" ({self._name(group)})" if self._name(group) else ""
            yield f"  group {group}{name}: {amount(count, 'row')}, the most typical: {place}"
        if len(kinds) > SHOWN:
            yield f"  and {len(kinds) - SHOWN:,} more"
        if others := len(self.rows) - sum(count for _, count in kinds):
            yield f"  none of them: {amount(others, 'row')}"
        yield f"groups: {self.folder / GROUPS}"

    def _name(self, group: int | None) -> str:
        return "" if group is None else self.kinds.groups[group].name


@accepts(GroupSettings)
def group(
    source: Source,
    output: str | os.PathLike[str],
    *,
    settings: GroupSettings,
    progress: Progress | bool | None = None,
) -> GroupResult:
    """Group events, or recordings, by likeness; their number is not given.

    A folder that holds groups goes on from them (but with `force`): they keep their numbers and names, and
    segments that are like none of them make new ones. Level and length of a segment do not count.

    Parameters
    ----------
    source : Source
        The events that `detect` wrote, any other list of segments, or recordings.
    output : path-like
        A folder for `groups.jsonl` and `kinds.agmm`, new or of an earlier `group`.
    settings : GroupSettings
        Or its fields as keywords.
    progress : Progress, optional
        Receives stages and notes.

    Returns
    -------
    GroupResult
        `rows` has a row for each input row.

    Raises
    ------
    FeatureError
        For a table: only sound can be grouped.
    ModelFileError
        If the folder's `kinds.agmm` is damaged.
    OutputError
        If the folder cannot be written, or another run writes it.
    TrainingError
        If no segment can be read.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np, soundfile
    >>> import audiogmm as ag
    >>> folder, random = Path(tempfile.mkdtemp()), np.random.default_rng(0)
    >>> hums = [np.sin(np.arange(16000) * step) for step in (0.10, 0.11, 0.09)]
    >>> for i, sound in enumerate([*random.standard_normal((3, 16000)) / 5, *hums]):
    ...     soundfile.write(folder / f"{i}.wav", 0.3 * sound, 16000)
    >>> len(ag.group(ag.scan(folder), folder / "kinds").rows)
    6
    """
    output = Path(output)
    keep_apart(output, source)
    with exclusive(output), Batch(output, settings, progress) as batch:
        entries = read_entries(source, batch.aside, say=batch.progress.say)
        if isinstance(entries, Manifest):  # of events, each is a segment
            entries = read_events(entries)
        if (output / FILE).exists() and not settings.force:
            kinds, stored = load_kinds(output)
            frontend = FrontEnd.from_dict(stored)
            require_described(kinds, output)
        else:
            kinds, frontend = Kinds.empty(), _front_end(entries, batch)
        inputs = Inputs(_Segments(entries), frontend, batch.aside, batch.progress.say, upsample=True)
        key = f"group {frontend.to_dict()}"
        journal = Journal(output, key=key, resume=settings.resume, retry=settings.retry, is_locked=True)
        journal.check()
        task = DescribeTask(frontend.clock(frontend.sample_rate or 0).frame_rate)
        for row in batch.map("describing segments", inputs, task, journal):
            batch.advance(row["seconds"])
        described = {
            row["id"]: Description(np.array(row["vector"]), np.array(row["pieces"])) for row in journal.rows()
        }
        if not described:
            raise TrainingError(
                batch.aside.describe("no segment can be read"), needed="at least one", remedy="manifest check"
            )
        extended, assigned = kinds.extended(list(described.values()), seed=settings.seed)
        placed = dict(zip(described, assigned, strict=True))
        rows = [_row(entry, placed.get(entry.id), extended) for entry in entries]
        output.mkdir(parents=True, exist_ok=True)
        with together():
            save_kinds(extended, output, frontend.to_dict())
            write_rows(rows, output / GROUPS, force=True)
        return GroupResult(output, rows, extended, batch.aside)


@dataclass(frozen=True)
class _Segments:
    """Entries whose pieces are neither too short to describe nor too long."""

    entries: Iterable[Entry]

    def __iter__(self) -> Iterator[Entry]:
        for entry in self.entries:
            if entry.features_filepath is not None:
                raise FeatureError(
                    f"{entry.source or entry.path} is a table", needed="sound", remedy="audiogmm cluster"
                )
            if entry.end is not None:
                start, end = described_span(entry.offset, entry.end)
                entry = replace(entry, offset=start, duration=end - start)
            yield entry


def _front_end(entries: Iterable[Entry], batch: Batch) -> FrontEnd:
    """Return the front end of a new folder, at the rate of its first good recording or `HIGHEST_RATE`."""
    plain = FrontEnd(
        feature="logmel",
        log_scale="db",
        log_floor=1e-12,
        preemphasis=0.0,
        n_mels=N_BANDS,
        fmin=50.0,
        deltas=0,
        remove_dc=False,
        window_periodic=True,
        vad="none",
    )
    settled = settle_frontend(plain, None, entries, batch.aside, batch.progress.say)
    if settled is None or settled.sample_rate is None:
        raise FeatureError("the inputs are tables", needed="sound", remedy="audiogmm cluster")
    rate = min(settled.sample_rate, HIGHEST_RATE)
    scale = rate / HIGHEST_RATE
    return replace(
        settled,
        sample_rate=rate,
        length_unit="samples",
        frame_length=round(1024 * scale),
        hop_length=round(256 * scale),
        window="hann",
        fmax=rate / 2,
    )


def _row(entry: Entry, assignment: Recognition | None, kinds: Kinds) -> Json:
    number = None if assignment is None or assignment.group == NONE else assignment.group
    return {
        "id": entry.extra.get("recording", entry.id),
        "start": entry.offset,
        "end": entry.end,
        "group": number,
        "probability": None if assignment is None else round(assignment.probability, 6),
        "name": "" if number is None else kinds.groups[number].name,
    }
