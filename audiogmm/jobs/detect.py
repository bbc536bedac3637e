"""Detect: which segments do not sound like what the model knows?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from audiogmm.anomaly.detector import Detector
from audiogmm.anomaly.detector_settings import DetectorOptions
from audiogmm.anomaly.drift.change import describe_change
from audiogmm.anomaly.event import Event, EventList
from audiogmm.anomaly.formats import format_of, write_events
from audiogmm.anomaly.hour_table import HourTable
from audiogmm.anomaly.learning.assembly import make_pipeline
from audiogmm.anomaly.learning.event_kinds import EventKinds
from audiogmm.anomaly.learning.model_parts import (
    read_detector,
    refuse_alarms_of_rows,
    scores_fingerprint,
    terms_of,
)
from audiogmm.anomaly.notice import Notice
from audiogmm.anomaly.pipeline import DetectionPipeline
from audiogmm.audio.recording import Recording
from audiogmm.audio.stream_recording import StreamRecording
from audiogmm.blocks import Shard
from audiogmm.errors import BudgetError, MismatchError
from audiogmm.files import refuse_overwrite, together
from audiogmm.keywords import accepts
from audiogmm.live.deliver.deliveries import open_deliveries
from audiogmm.live.deliver.found import FoundSender
from audiogmm.live.deliver.settings import DeliverySettings
from audiogmm.manifest.clock.streams import BY_TIME
from audiogmm.mixture.store import load, model_from
from audiogmm.reporting.run.record import RunRecord, describe_run
from audiogmm.runs.aside import Aside
from audiogmm.runs.batch import Batch
from audiogmm.runs.inputs import open_inputs
from audiogmm.runs.journal import Journal
from audiogmm.runs.outputs import keep_apart
from audiogmm.runs.progress import Progress, log_note
from audiogmm.runs.settings import OF_FILES, OF_PROCESSES, RunSettings, StreamOptions
from audiogmm.runs.sources import Source
from audiogmm.runs.streams import find_length
from audiogmm.telemetry.meter import count_done
from audiogmm.types import Json
from audiogmm.wall_clock import find_zone
from audiogmm.words import SOUND, Terms, amount

if TYPE_CHECKING:
    from audiogmm.manifest import Entry
    from audiogmm.mixture.store import AnyModel, Model


SHOWN = 10
"""Events in the closing lines."""


@dataclass(frozen=True, kw_only=True)
class DetectSettings(RunSettings, StreamOptions, DetectorOptions):
    """How the anomalous segments of the recordings of a manifest are found.

    Attributes
    ----------
    plot : Path or None
        A picture of the recording with the severest event; a folder takes one of each recording with events.
    reasons : bool
        Say of each event what made it anomalous.
    drift : bool
        Say of each event whether it ended, changed for good or is rising, where the model knows ten minutes
        of normal audio or more.
    format : str or None
        A key of `anomaly.FORMATS`; by default what the name of the file ends in.
    time_zone : str or None
        By whose clocks events are counted by hour of day and by day; by default UTC.
    kinds : Path or None
        Folder of groups, see `group`: events get their kind, and those of normal kinds are left out.
    delivery : DeliverySettings or None
        Where events also go, as soon as they are found.
    """

    plot: Path | None = None
    reasons: bool = True
    drift: bool = True
    format: str | None = None
    time_zone: str | None = None
    kinds: Path | None = None
    delivery: DeliverySettings | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        find_zone(self.time_zone)


@dataclass(frozen=True)
class DetectTask:
    """Finds the events of a recording in one pass and bounded memory; runs in a thread or a worker."""

    pipeline: DetectionPipeline
    kinds: EventKinds | None = None

    def __call__(self, shard: Shard) -> Json:
        path = getattr(getattr(shard, "entry", None), "original_path", None)
        stream = None
        notices: list[Notice] = []
        seconds, frames = 0.0, 0
        for block in shard:
            frames += len(block)
            stream = stream or self.pipeline.open(block.clock, shard.id, path)
            notices += stream.push(block)
            seconds = block.clock.end(block.start + len(block) - 1) - block.clock.start(0)
        if stream is not None:
            notices += stream.flush()
        found, n_normal = [notice.event for notice in notices if notice.is_event], 0
        if self.kinds is not None and isinstance(shard, Recording | StreamRecording):
            entries = {piece.id: piece.entry for piece in getattr(shard, "pieces", [shard])}
            found = [self.kinds.of_event(event, entries[event.id]) for event in found]
            n_normal = sum(map(self.kinds.is_normal, found))
            found = [event for event in found if not self.kinds.is_normal(event)]
        events = [event.to_dict() for event in found]
        if events and isinstance(shard, Recording):
            name_rows(events, shard)
        row: Json = {"id": shard.id, "seconds": seconds, "frames": frames, "events": events}
        if self.kinds is not None:
            row["normal"] = n_normal
        if isinstance(shard, StreamRecording):
            row |= {"recordings": len(shard.pieces) - len(shard.refused), "set_aside": len(shard.refused)}
        return row


@accepts(DetectSettings, without=(*OF_FILES, *OF_PROCESSES, "plot", "time_zone", "delivery"))
def detect(detector: AnyModel, source: Source, *, settings: DetectSettings) -> EventList:
    """Find the anomalous segments of one recording, or of several.

    Parameters
    ----------
    detector : Model or path-like
        A calibrated model (`train` calibrates with what it holds out).
    source : Source
        Recordings or tables: an `Entry`, a path, ``(samples, sample_rate)``, a data frame, a manifest, a list
        of these; see `audiogmm.runs.sources.entries_from`.
    settings : DetectSettings
        Or its fields as keywords, in place of what the detector was calibrated with.

    Returns
    -------
    EventList
        In the order of the recordings, and of time; seconds on the recording's clock, or rows of a table.

    Raises
    ------
    MismatchError
        If the model is not calibrated, with too little normal audio for the budget of alarms, or the
        recording does not fit it.
    AudioFileError, AudioDataError, FeatureError
        If the recording cannot be used.

    Examples
    --------
    >>> import numpy as np
    >>> import audiogmm as ag
    >>> random = np.random.default_rng(0)
    >>> hum = [(0.05 * random.standard_normal(32000), 16000) for _ in range(4)]
    >>> model = ag.train(hum, "ambient", n_components=2)
    >>> today = 0.05 * random.standard_normal(64000)
    >>> today[32000:48000] += 0.3 * np.sin(np.arange(16000))
    >>> [(round(event.start), round(event.end)) for event in ag.detect(model, (today, 16000))]
    [(2, 3)]
    """
    detector = model_from(detector)
    learned = read_detector(detector)
    chosen = replace(learned, settings=settings.applied_to(learned.settings))
    task = DetectTask(
        make_pipeline(detector, chosen, reasons=settings.reasons, drift=settings.drift),
        _kinds(detector, settings),
    )
    inputs = open_inputs(
        source,
        model=detector,
        aside=Aside(strict=True),
        say=log_note,
        upsample=settings.upsample,
        choice=settings.choice,
        streams=settings.streams,
    )
    found, recordings = [], {}
    for shard in inputs.pooled():
        events = [Event.from_dict(event) for event in task(shard)["events"]]
        found += events
        wanted = {event.id for event in events}
        for entry in [piece.entry for piece in getattr(shard, "pieces", [shard])] if wanted else ():
            if entry.id in wanted:
                recordings[entry.id] = entry
    return EventList(found, recordings, terms_of(detector))


def _kinds(detector: Model, settings: DetectSettings) -> EventKinds | None:
    """Return what tells the kinds of events, if that was asked for."""
    if settings.kinds is None:
        return None
    if detector.metadata.frontend is None:
        raise MismatchError(
            "the model was trained on tables, whose events have no sound",
            needed="a model that was trained on audio",
            remedy="leave out --kinds",
        )
    return EventKinds.load(settings.kinds)


def name_rows(events: list[Json], table: Recording) -> None:
    """Put the names of their first and last rows into the explanations of events, if a column has them."""
    found = table.row_names()
    if found is None:
        return
    column, texts = found
    rate, first = table.entry.frame_rate or 1.0, table.entry.offset
    places = [
        [round((event[end] - first) * rate) - (end == "end") for end in ("start", "end")] for event in events
    ]
    wanted = {place for pair in places for place in pair}
    names = {row: text for row, text in zip(range(max(wanted) + 1), texts, strict=False) if row in wanted}
    for event, (start, last) in zip(events, places, strict=True):
        if "explanation" in event:
            event["explanation"]["rows"] = [names[start], names[last]]
            event["reasons"] += [f"{column}: {names[start]}" + f" to {names[last]}" * (last > start)]


@dataclass
class DetectResult:
    """What a detection run found."""

    output: Path
    detector: Detector
    aside: Aside
    terms: Terms = SOUND
    events: int = 0
    normal: int = 0
    recordings: int = 0
    seconds: float = 0.0
    severest: list[Event] = field(default_factory=list)
    pictures: list[Path] = field(default_factory=list)
    with_events: set[str] = field(default_factory=set)
    times: HourTable = field(default_factory=HourTable)
    verdicts: Counter[str] = field(default_factory=Counter)
    changes: list[str] = field(default_factory=list)

    @property
    def n_changes(self) -> int:
        """Changes for good, and rising ones."""
        return self.verdicts["changed"] + self.verdicts["rising"]

    def add(self, row: Json) -> list[Event]:
        """Count one recording, keep the severest events for the closing lines, and return its events."""
        events = [Event.from_dict(event) for event in row["events"]]
        self.recordings += row.get("recordings", 1)
        self.seconds += row["seconds"]
        self.normal += row.get("normal", 0)
        self.events += len(events)
        self.with_events.update(event.id for event in events)
        for event in events:
            if event.verdict is not None:
                self.verdicts[event.verdict] += 1
            if event.verdict != "transient" and event.change is not None and len(self.changes) < SHOWN:
                self.changes.append(f"  {event.id}  {describe_change(str(event.verdict), event.change)}")
            if event.time is not None:
                self.times.add_event(event.time)
        self.severest = sorted([*self.severest, *events], key=_severity)[:SHOWN]
        return events

    def summary(self) -> Json:
        """Return what `--json` prints."""
        return {
            "output": str(self.output),
            "events": self.events,
            "normal_events": self.normal,
            "recordings": self.recordings,
            "hours": self.seconds / 3600,
            "threshold": self.detector.threshold,
            "budget": None if self.detector.budget is None else self.detector.budget.to_json(),
            "note": self.detector.note,
            **({"verdicts": dict(self.verdicts)} if self.verdicts else {}),
            "times": self.times.summary() if self.times.seconds else None,
            "pictures": [str(picture) for picture in self.pictures],
            **self.aside.summary(),
        }

    def describe(self, model: Path, loaded: Model, source: str, settings: DetectSettings) -> RunRecord:
        """Return what `report` has to know of the run."""
        return describe_run(
            model,
            loaded,
            self.detector,
            source,
            upsample=settings.upsample,
            columns=list(settings.choice.columns),
            recordings=self.recordings,
            heard=len(self.with_events),
            times=self.times.summary() if self.times.seconds else None,
            events=self.events,
            seconds=self.seconds,
            set_aside=len(self.aside),
            errors=None if self.aside.path is None else self.aside.path.name,
        )

    def lines(self) -> Iterator[str]:
        """Yield the closing lines: the severest events first."""
        recordings, length = self.terms.recordings(self.recordings), self.terms.length(self.seconds)
        yield f"{amount(self.events, 'event')} in {recordings} ({length})"
        if self.normal:
            yield f"left out: {amount(self.normal, 'event')} of normal kinds"
        for event in self.severest:
            place, name = self.terms.span(event.start, event.end), event.kind_name
            yield f"  {event.id}  {place}  severity {event.severity:.1f}{f'  {name}' if name else ''}"
        if self.events > len(self.severest):
            yield f"  and {self.events - len(self.severest):,} more"
        yield from self.changes
        if self.n_changes > len(self.changes):
            yield f"  and {self.n_changes - len(self.changes):,} more changes"
        yield f"events: {self.output}"
        for picture in self.pictures:
            yield f"picture: {picture}"


@accepts(DetectSettings)
def detect_to_file(
    model: Path,
    source: str,
    output: Path,
    *,
    settings: DetectSettings,
    progress: Progress | bool | None = None,
) -> DetectResult:
    """Find the anomalous segments of every recording of a manifest, and draw them if asked.

    Raises
    ------
    MismatchError
        If the model is not calibrated, or with too little normal audio for the budget of alarms.
    OutputError
        If the output exists (and not `force`), or cannot be written.
    """
    from audiogmm.reporting.run.excerpt import read_samples
    from audiogmm.reporting.run.pictures import check_pictures, draw_recordings

    force, plot = settings.replaces, settings.plot
    keep_apart(output, source)
    refuse_overwrite(output, force)
    format_of(output, settings.format)
    if plot is not None:
        check_pictures(plot, force=force)
    loaded = load(model)
    refuse_alarms_of_rows(loaded, settings.alarms_per_hour)
    learned = read_detector(loaded)
    detector = replace(learned, settings=settings.applied_to(learned.settings))
    try:
        _ = detector.thresholds  # too little normal audio is refused before anything is read
    except BudgetError as error:
        raise error.with_command("detect", model, source, "-o", output) from None
    task = DetectTask(
        make_pipeline(loaded, detector, reasons=settings.reasons, drift=settings.drift),
        _kinds(loaded, settings),
    )
    key = (
        f"{loaded.fingerprint} {scores_fingerprint(loaded)} {detector.settings} {detector.threshold!r} "
        f"{detector.release!r}"
        + " without reasons" * (not settings.reasons)
        + " without drift" * (not settings.drift)
        + settings.choice.key
        + ("" if settings.streams == BY_TIME else f" {settings.streams}")
        + ("" if task.kinds is None else f" kinds {task.kinds.hash}")
    )
    journal = Journal(output, key=key, resume=settings.resume, retry=settings.retry)
    journal.check()
    with Batch(output, settings, progress) as batch, ExitStack() as stack:
        if detector.note and (detector.settings != learned.settings or detector.budget is not None):
            batch.progress.say(f"note: {detector.note}")
        inputs = batch.open(loaded, source, again=plot is not None)
        result, found = DetectResult(output, detector, batch.aside, terms_of(loaded)), 0
        result.times = count_sound(inputs.entries, settings.time_zone)
        deliveries = open_deliveries(settings.delivery, batch.progress.say, stack)
        outgoing = FoundSender(deliveries, inputs.entries, read_samples, batch.progress.say)
        for row in batch.map("detecting events", inputs, task, journal, shards=inputs.pooled()):
            found += len(row["events"])
            count_done(events=len(row["events"]))
            outgoing.send(row)
            batch.advance(row["seconds"], amount(found, "event"))
        with together():
            write_events(
                chain.from_iterable(map(result.add, map(outgoing.send, journal.rows()))),
                output,
                settings.format,
                force=force,
                timed=any("time" in event for row in journal.rows() for event in row["events"]),
                with_kinds=task.kinds is not None,
                judged=any("verdict" in event for row in journal.rows() for event in row["events"]),
            )
            result.describe(model, loaded, source, settings).write(output)
    if plot is not None:
        result.pictures = draw_recordings(
            loaded, detector, inputs, result.severest, result.with_events, plot, force=force
        )
    return result


def count_sound(entries: Iterable[Entry], zone: str | None) -> HourTable:
    """Count the sound of entries with a time and a known length by hour of day and by day."""
    table = HourTable(find_zone(zone))
    for entry in entries:
        if entry.time is not None:
            length = find_length(entry) if entry.duration is None else entry.duration
            table.add_sound(entry.time, length)
    return table


def _severity(event: Event) -> float:
    return -(event.severity or 0.0)
