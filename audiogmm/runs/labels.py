"""The labels of recordings: a key of the manifest, or a folder of label files."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from audiogmm.blocks import Shard
from audiogmm.errors import ChoiceError, ManifestError
from audiogmm.manifest.segments.recording_finder import recording_name
from audiogmm.manifest.segments.span import Span
from audiogmm.manifest.segments.span_format import recording_stem
from audiogmm.manifest.segments.table import label_format
from audiogmm.runs.holdout import Excerpt
from audiogmm.runs.training_inputs import TrainingInputs
from audiogmm.training.frames.labeled import LabeledShard
from audiogmm.types import Seconds
from audiogmm.words import amount

if TYPE_CHECKING:
    from audiogmm.manifest import Entry

OTHER = "other"
"""The class of what has no label, in a recording that has a label file."""

OVERLAP: Seconds = 0.01
"""Two labels of different classes may overlap by so much, as labels drawn by hand do."""


@dataclass(frozen=True)
class Labels:
    """The labels of the recordings of a run.

    Attributes
    ----------
    names : tuple of str
        Of the classes, in order; `OTHER`, where it is, is the last one.
    spans : dict
        By the id of a recording, the spans of its classes, see `LabeledShard`.
    has_rest : bool
        Whether what has no label, in a recording that has some, is of the class `OTHER`.
    """

    names: tuple[str, ...]
    spans: dict[str, tuple[tuple[Seconds, Seconds, int], ...]]
    has_rest: bool

    def of(self, inputs: TrainingInputs) -> TrainingInputs:
        """Return those of the inputs that have labels, of which labeled frames train alone."""
        assert inputs.recordings is not None
        entries = [entry for entry in inputs.recordings.entries if entry.id in self.spans]
        recordings = replace(inputs.recordings, entries=entries)
        return replace(inputs, shards=LabeledShards(self, recordings), recordings=recordings)


@dataclass(frozen=True)
class LabeledShards:
    """Those of the recordings that have labels, with these."""

    labels: Labels
    shards: Iterable[Shard]

    def __iter__(self) -> Iterator[LabeledShard]:
        rest = self.labels.names.index(OTHER) if self.labels.has_rest else -1
        for shard in self.shards:
            if shard.id in self.labels.spans:
                yield LabeledShard(shard, self.labels.spans[shard.id], rest)


def as_labeled(shard: Shard) -> LabeledShard:
    """Return a labeled recording, or a stretch of one, as a labeled recording."""
    if isinstance(shard, Excerpt):
        inside = as_labeled(shard.shard)
        return replace(inside, shard=replace(shard, shard=inside.shard))
    assert isinstance(shard, LabeledShard)
    return shard


def read_labels(label: str, entries: Iterable[Entry] | None, say: Callable[[str], None]) -> Labels:
    """Read the labels of recordings.

    A folder has label files named after the ids of recordings, or after their files: of Audacity (.txt),
    Praat (.TextGrid), Raven, BirdNET, or RTTM. What has no label in a recording with a label file is of the
    class `OTHER`; a recording without one is left out. By a key, an entry without it is left out.

    Parameters
    ----------
    label : str
        A folder, or a key of the manifest such as ``label`` or ``speaker``.
    entries : iterable of Entry
        The recordings.
    say : callable
        Receives notes: how many recordings are left out, files of no recording.

    Raises
    ------
    ManifestError
        If there are no labels, or one cannot be used; file and line are named.
    ChoiceError
        If there are blocks of frames in place of recordings.
    """
    if entries is None:
        raise ChoiceError(f"label={label!r} and blocks of frames", needed="recordings, which have labels")
    has_rest = Path(label).is_dir()
    spans = spans_of_files(Path(label), entries, say) if has_rest else spans_of_key(label, entries)
    names = sorted({name for some in spans.values() for _, _, name in some} - {OTHER})
    if has_rest or any(name == OTHER for some in spans.values() for _, _, name in some):
        names.append(OTHER)
    number = {name: i for i, name in enumerate(names)}
    left_out = sum(entry.id not in spans for entry in entries)
    if left_out:
        verbs = ("has", "is") if left_out == 1 else ("have", "are")
        say(f"{amount(left_out, 'recording')} {verbs[0]} no label, and {verbs[1]} left out")
    numbered = {
        id: tuple((start, end, number[name]) for start, end, name in some) for id, some in spans.items()
    }
    return Labels(tuple(names), numbered, has_rest)


def spans_of_key(key: str, entries: Iterable[Entry]) -> dict[str, list[tuple[Seconds, Seconds, str]]]:
    """Return the label of each entry that has this key, over all of it.

    Raises
    ------
    ManifestError
        If no entry has it, or a value is no text or number.
    """
    found: dict[str, list[tuple[Seconds, Seconds, str]]] = {}
    known: set[str] = set()
    for entry in entries:
        value = {"label": entry.label, "speaker": entry.speaker}.get(key)
        value = entry.extra.get(key) if value is None else value
        known |= {name for name in ("label", "speaker") if getattr(entry, name)} | set(entry.extra)
        if value is None or value == "":
            continue
        if not isinstance(value, str | int | float):
            raise ManifestError(
                f"{entry.source or entry.id}: {key} is {str(value)[:80]}",
                needed="one label, a text or a number",
            )
        found[entry.id] = [(0.0, float("inf"), str(value))]
    if not found:
        raise ManifestError(
            f"no entry has the key {key!r}, and there is no folder of this name",
            needed="labels: a key of the manifest, or a folder of label files",
            remedy=f"one of the keys {', '.join(sorted(known))}"
            if known
            else "labels by audiogmm cluster --labels audacity",
        )
    return found


def spans_of_files(
    folder: Path, entries: Iterable[Entry], say: Callable[[str], None]
) -> dict[str, list[tuple[Seconds, Seconds, str]]]:
    """Return the labels in the files of a folder, by the ids of the entries that they are of.

    Raises
    ------
    ManifestError
        If a file cannot be read, labels of different classes overlap, one has no text or no length, no file
        is of a recording, or one is named after several.
    """
    by_name: dict[str, list[tuple[Span, str]]] = {}
    for file in sorted(str(path) for path in folder.iterdir() if path.is_file()):
        form = label_format(file)
        if form is None:
            continue
        if form.is_of_one:
            by_name.setdefault(recording_name(file), [])
        for number, span in form.read_spans(file):
            if isinstance(span, ManifestError):
                raise span
            own = recording_stem(span.recording) if span.recording else recording_name(file)
            by_name.setdefault(span.id or own, []).append((span, f"{file}:{number}"))
    found: dict[str, list[tuple[Seconds, Seconds, str]]] = {}
    used = {entry.id: entry.path for entry in entries if entry.id in by_name}
    by_id = set(used)
    for entry in entries:
        name = entry.id if entry.id in by_id else recording_stem(entry.path)
        if name not in by_name or (used.setdefault(name, entry.path) != entry.path and name in by_id):
            continue  # or the file is named after the id of another recording
        if used[name] != entry.path:
            raise ManifestError(
                f"{folder} has labels of {name!r}, which could be of {used[name]} and of {entry.path}",
                needed="a label file for each recording where file names repeat",
                remedy=f"name it after the id of its recording, such as {entry.id}.txt",
            )
        found[entry.id] = checked_spans(by_name[name])
    if not any(found.values()):
        raise ManifestError(
            f"{folder} has {amount(len(by_name), 'label file')}, and no label of a recording of the manifest",
            needed="files named after recordings, such as ID.txt",
            remedy="audiogmm cluster MODEL M --labels audacity -o DIR, which writes them",
        )
    unknown = sorted(set(by_name) - set(used))
    if unknown:
        verb = "is" if len(unknown) == 1 else "are"
        files = amount(len(unknown), "label file")
        say(f"{files} {verb} of no recording of the manifest: {', '.join(unknown[:5])}")
    return found


def checked_spans(spans: Iterable[tuple[Span, str]]) -> list[tuple[Seconds, Seconds, str]]:
    """Return start, end and label of spans in order of time, if they can be classes.

    Raises
    ------
    ManifestError
        If one has no text or no length, or overlaps with one of another class.

    Examples
    --------
    >>> spans = [Span("a", 2.0, 3.0, label="hum"), Span("a", 0.0, 2.0, label="b")]
    >>> checked_spans([(span, "a.txt") for span in spans])
    [(0.0, 2.0, 'b'), (2.0, 3.0, 'hum')]
    """
    found: list[tuple[Seconds, Seconds, str]] = []
    before: tuple[Span, str, str] | None = None
    for span, place in sorted(spans, key=lambda pair: (pair[0].start, pair[0].end)):
        name = (span.label or span.speaker or "").strip()
        if not name or not span.duration:
            what = "no text" if not name else "no length"
            raise ManifestError(
                f"{place}: the label at {span.start:.3f} s has {what}",
                needed="a segment with the name of its class",
            )
        if before is not None and name != before[1] and before[0].end - span.start > OVERLAP:
            raise ManifestError(
                f"{place}: {name!r} from {span.start:.3f} s on overlaps with {before[1]!r}, which ends at "
                f"{before[0].end:.3f} s ({before[2]})",
                needed="one class at a time",
                remedy="move the edge of one of them",
            )
        if before is None or span.end > before[0].end:
            before = span, name, place
        found.append((span.start, span.end, name))
    return found
