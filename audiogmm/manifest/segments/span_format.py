"""What lists of segments have in common: read as entries or as truth, written from entries."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from audiogmm.errors import ManifestError
from audiogmm.manifest.entry import Entry, channels_of, default_id, safe_id
from audiogmm.manifest.folder import ManifestFolder
from audiogmm.manifest.jsonl import ManifestLine
from audiogmm.manifest.record import entry_of
from audiogmm.manifest.segments.recording_finder import RecordingFinder, recording_name
from audiogmm.manifest.segments.span import Span
from audiogmm.timeline import Segment
from audiogmm.types import Json

SpanLine = tuple[int, Span | ManifestError]
"""A line number, and its segment, or what is wrong with it."""


@dataclass(frozen=True, slots=True)
class SpanFormat:
    """A format of lists of segments.

    Attributes
    ----------
    name, suffix : str
        As in ``--to``; what its files end in.
    read_spans : callable
        The segments of a file, lazily.
    header : str
        First line, or nothing.
    line : callable or None
        A segment as a line without its end, given its number from 1.
    whole : callable or None
        In place of `line`: all segments of a recording as the text of a file, given seconds that it lasts
        at least.
    is_of_one : bool
        Whether a file has no place for the names of recordings, so that it can hold those of one alone.
    """

    name: str
    suffix: str
    read_spans: Callable[[str], Iterator[SpanLine]]
    header: str = ""
    line: Callable[[int, Span], str] | None = None
    whole: Callable[[list[Span], float], str] | None = None
    is_of_one: bool = False

    def files(self, path: str) -> list[str]:
        """Return the files of a list: itself, or those in a folder of this format, in order."""
        if not Path(path).is_dir():
            return [path]
        ending = "." + self.suffix.rpartition(".")[2].lower()
        return sorted(str(file) for file in Path(path).iterdir() if file.name.lower().endswith(ending))

    def read(self, path: str) -> Iterator[ManifestLine]:
        """Read a list as a manifest: an entry a segment. See `ManifestFormat.read`."""
        finder = RecordingFinder(Path(path) if Path(path).is_dir() else Path(path).parent)
        for file in self.files(path):
            for count, (number, span) in enumerate(self._spans_of(file, path), 1):
                try:
                    yield number, _entry(span, count, finder, file, f"{file}:{number}")
                except ManifestError as error:
                    yield number, error

    def truth(self, path: str) -> Iterator[ManifestLine]:
        """Read a list as truth: an entry a recording, with its segments as events.

        A file of one recording without a segment says that nothing is in it. The id of a recording is its
        name, or its path below the folder of the list where others have that name. Held in memory whole.
        """
        folder = Path(path) if Path(path).is_dir() else Path(path).parent
        finder = RecordingFinder(folder)
        found: dict[str, list[Segment]] = {}
        for file in self.files(path):
            if self.is_of_one:
                try:
                    found.setdefault(finder.find(recording_name(file), file), [])
                except ManifestError as error:
                    yield 1, error
                    continue
            for number, span in self._spans_of(file, path):
                if isinstance(span, ManifestError):
                    yield number, span
                    continue
                name = span.recording or recording_name(file)
                try:
                    audio = finder.find(name, f"{file}:{number}")
                except ManifestError as error:
                    yield number, error
                    continue
                found.setdefault(audio, []).append(Segment(span.start, span.end))
        ids = _ids_of(list(found), str(folder.absolute()))
        for number, (audio, events) in enumerate(found.items(), 1):
            unnamed: Json = {"events": []} if not events else {}
            inside = tuple(sorted(events, key=lambda event: (event.start, event.end)))
            yield number, Entry(audio, id=ids[audio], events=inside, extra=unnamed, source=path)

    def _spans_of(self, file: str, path: str) -> Iterator[SpanLine]:
        """The segments of a file; where it is one of several, it does not end the others."""
        try:
            yield from self.read_spans(file)
        except ManifestError as error:
            if file == path:
                raise
            yield 1, error

    def write(self, entries: Iterable[Entry], temporary: Path, final: Path) -> int:
        """Write the segments of entries: their events, or else themselves. See `ManifestFormat.write`.

        A name with a suffix is one file; one without is a folder of a file for each recording.

        Raises
        ------
        ManifestError
            If an entry has no duration, or one file would have to hold several recordings.
        """
        counted = 0

        def spans() -> Iterator[Span]:
            nonlocal counted
            for entry in entries:
                counted += 1
                yield from _spans(entry)

        self.write_spans(spans(), temporary, is_folder=not final.suffix)
        return counted

    def write_spans(self, spans: Iterable[Span], path: Path, *, is_folder: bool) -> None:
        """Write segments to a file, or to a folder of a file for each recording; see `write`."""
        if not self.is_of_one and not is_folder:
            with path.open("w", encoding="utf-8", newline="\n") as out:
                out.writelines(f"{line}\n" for line in self.lines(spans))
            return
        by_name: dict[str, list[Span]] = {}
        for span in spans:
            by_name.setdefault(span.id or recording_stem(span.recording), []).append(span)
        if not is_folder:
            if len(by_name) > 1:
                raise ManifestError(
                    f"segments of {len(by_name)} recordings cannot be in one {self.name} file",
                    needed="a folder, for a file each",
                    remedy="give a name without a suffix",
                )
            path.write_text(self.text([span for some in by_name.values() for span in some]), "utf-8")
            return
        path.mkdir()
        for name, some in by_name.items():
            (path / f"{safe_id(name)}{self.suffix}").write_text(self.text(some), "utf-8")

    def text(self, spans: list[Span]) -> str:
        """Return a file of segments of one recording."""
        if self.whole is not None:
            return self.whole(spans, max((span.end for span in spans), default=0.0))
        return "".join(f"{line}\n" for line in self.lines(spans))

    def lines(self, spans: Iterable[Span]) -> Iterator[str]:
        """Yield the lines of a file."""
        assert self.line is not None
        if self.header:
            yield self.header
        for number, span in enumerate(spans, 1):
            yield self.line(number, span)


def recording_stem(recording: str) -> str:
    """Return the name of a recording without folders and suffix."""
    return default_id(recording.replace("\\", "/").rpartition("/")[2])


def _ids_of(paths: list[str], folder: str) -> dict[str, str]:
    """An id for each recording, as `find_recordings` has it where names repeat: its path below a folder."""
    below = {path: path.removeprefix(folder) for path in paths}
    ids = {path: default_id(Path(path).name) for path in paths}
    for naming in (default_id, safe_id):
        counts = Counter(ids.values())
        ids = {path: id if counts[id] == 1 else naming(below[path].lstrip("/")) for path, id in ids.items()}
    return ids


def _entry(span: Span | ManifestError, count: int, finder: RecordingFinder, file: str, source: str) -> Entry:
    if isinstance(span, ManifestError):
        raise span
    if not span.duration:
        raise ManifestError(f"{source} is a point at {span.start} s", needed="a segment with a length")
    audio = finder.find(span.recording or recording_name(file), source)
    record = {
        "audio_filepath": audio,
        "id": f"{recording_stem(audio)}-{count}",
        "offset": span.start,
        "duration": span.duration,
        "channel": span.channel,
        "speaker": span.speaker or None,
        "label": span.label or None,
        **span.extra,
    }
    if span.score is not None:
        record["score"] = span.score
    return entry_of(record, ManifestFolder("/"), source)


def _spans(entry: Entry) -> Iterator[Span]:
    """The events of an entry that has some or says that there are none, else the entry itself."""
    channels = channels_of(entry.channel)
    about = Span(
        entry.path,
        *(0.0, 0.0),
        speaker=entry.speaker,
        channel=channels[0] if len(channels) == 1 else None,
        extra={**entry.extra, "sample_rate": entry.sample_rate},
    )
    if entry.events or "events" in entry.extra:
        given = entry.extra.get("events") or [{}] * len(entry.events)
        for event, said in zip(entry.events, given, strict=True):
            label = said.get("label", entry.label)
            yield replace(about, start=event.start, end=event.end, label=label)
        return
    if entry.end is None:
        raise ManifestError(
            f"{entry.source or entry.id}: {entry.path} has no duration",
            needed="a duration for every segment",
            remedy="audiogmm manifest convert, which measures it",
        )
    score = entry.extra.get("score")
    yield replace(
        about,
        start=entry.offset,
        end=round(entry.end, 9),
        label=entry.label or entry.extra.get("text"),
        score=score if isinstance(score, float | int) else None,
    )
