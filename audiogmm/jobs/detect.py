"""Detect: which segments do not sound like what the model knows?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from audiogmm.anomaly.detector import Detector
from audiogmm.anomaly.detector_settings import DetectorOptions
from audiogmm.anomaly.event import Event
from audiogmm.anomaly.formats import format_of, write_events
from audiogmm.anomaly.learning.from_model import make_pipeline, read_detector, unit_of
from audiogmm.anomaly.learning.scores import scores_fingerprint
from audiogmm.anomaly.notice import Notice
from audiogmm.anomaly.pipeline import DetectionPipeline
from audiogmm.blocks import Shard
from audiogmm.files import refuse_overwrite
from audiogmm.mixture.store import load
from audiogmm.report.run.record import RunRecord, describe_run
from audiogmm.runs.aside import Aside, errors_path
from audiogmm.runs.inputs import inputs_for
from audiogmm.runs.journal import Journal
from audiogmm.runs.outputs import keep_apart
from audiogmm.runs.progress import Progress, Silent, say_nothing
from audiogmm.types import Json

if TYPE_CHECKING:
    from audiogmm.manifest import Entry
    from audiogmm.mixture.store import Model


SHOWN = 10
"""Events in the closing lines."""


@dataclass(frozen=True)
class DetectTask:
    """Finds the events of a recording in one pass and bounded memory; runs in a thread or a worker."""

    listener: DetectionPipeline

    def __call__(self, shard: Shard) -> Json:
        path = getattr(getattr(shard, "entry", None), "path", None)
        listening = None
        notices: list[Notice] = []
        seconds = 0.0
        for block in shard:
            listening = listening or self.listener.open(block.clock, shard.id, path)
            notices += listening.push(block)
            seconds = block.clock.end(block.start + len(block) - 1) - block.clock.start(0)
        if listening is not None:
            notices += listening.flush()
        events = [notice.event.to_dict() for notice in notices if notice.kind == "closed"]
        return {"id": shard.id, "seconds": seconds, "events": events}


def detect(detector: Model, entry: Entry, *, upsample: bool = False) -> list[Event]:
    """The anomalous segments of one recording.

    Parameters
    ----------
    detector : Model
        A calibrated model (`train` calibrates with what it holds out).
    entry : Entry
        The recording, or a piece of it.
    upsample : bool
        Accept audio below the model's sample rate.

    Returns
    -------
    list of Event
        In order of time; seconds on the recording's clock.

    Raises
    ------
    MismatchError
        If the model is not calibrated, or the recording does not fit it.
    AudioFileError, AudioDataError, FeatureError
        If the recording cannot be used.
    """
    task = DetectTask(make_pipeline(detector))
    inputs = inputs_for(detector, [entry], aside=Aside(strict=True), say=say_nothing, upsample=upsample)
    row = task(next(iter(inputs)))
    return [Event.from_dict(event) for event in row["events"]]


@dataclass
class DetectResult:
    """What a detection run found."""

    output: Path
    detector: Detector
    aside: Aside
    events: int = 0
    recordings: int = 0
    seconds: float = 0.0
    severest: list[Event] = field(default_factory=list)
    pictures: list[Path] = field(default_factory=list)
    heard: set[str] = field(default_factory=set)
    unit: str = " s"

    def add(self, seconds: float, events: list[Event]) -> None:
        """Count one recording, and keep the severest events for the closing lines."""
        self.recordings += 1
        self.seconds += seconds
        self.events += len(events)
        self.heard.update(event.id for event in events[:1])
        self.severest = sorted([*self.severest, *events], key=_severity)[:SHOWN]

    def summary(self) -> Json:
        """For `--json`."""
        return {
            "output": str(self.output),
            "events": self.events,
            "recordings": self.recordings,
            "hours": self.seconds / 3600,
            "threshold": self.detector.threshold,
            "budget": None if self.detector.budget is None else self.detector.budget.to_json(),
            "note": self.detector.note,
            "pictures": [str(picture) for picture in self.pictures],
            "set_aside": len(self.aside),
            "errors": str(self.aside.path),
        }

    def describe(self, model: Path, loaded: Model, source: str, *, upsample: bool) -> RunRecord:
        """What `report` has to know of the run."""
        return describe_run(
            model,
            loaded,
            self.detector,
            source,
            upsample=upsample,
            recordings=self.recordings,
            heard=len(self.heard),
            events=self.events,
            seconds=self.seconds,
            set_aside=len(self.aside),
            errors=None if self.aside.path is None else self.aside.path.name,
        )

    def lines(self) -> Iterator[str]:
        """For a person: the severest events first."""
        amount = f"{self.seconds / 60:,.1f} minutes" if self.unit else f"{self.seconds:,.0f} rows"
        yield f"{self.events} events in {self.recordings} recordings ({amount})"
        for event in self.severest:
            place = f"{event.start:.2f} to {event.end:.2f}{self.unit}"
            yield f"  {event.id}  {place}  severity {event.severity:.1f}"
        if self.events > len(self.severest):
            yield f"  and {self.events - len(self.severest)} more"
        yield f"events: {self.output}"
        for picture in self.pictures:
            yield f"picture: {picture}"


def detect_to_file(
    model: Path,
    source: str,
    output: Path,
    *,
    window: float | None = None,
    quantile: float | None = None,
    alarms_per_hour: float | None = None,
    min_duration: float | None = None,
    merge_gap: float | None = None,
    plot: Path | None = None,
    reasons: bool = True,
    upsample: bool = False,
    resume: bool = False,
    force: bool = False,
    strict: bool = False,
    threads: int | None = None,
    workers: int = 0,
    progress: Progress | None = None,
) -> DetectResult:
    """Find the anomalous segments of every recording of a manifest, and draw them if asked.

    Raises
    ------
    MismatchError
        If the model is not calibrated, or with too little normal audio for the budget of alarms.
    OutputError
        If the output exists (and not `force`), or cannot be written.
    """
    from audiogmm.reduce import LocalReducer
    from audiogmm.report.run.pictures import check_pictures, draw_recordings

    progress = progress or Silent()
    keep_apart(output, source)
    refuse_overwrite(output, force)
    format_of(output)
    if plot is not None:
        check_pictures(plot, force=force)
    loaded = load(model)
    detector = read_detector(loaded)
    settings = DetectorOptions(
        window=window,
        quantile=quantile,
        alarms_per_hour=alarms_per_hour,
        min_duration=min_duration,
        merge_gap=merge_gap,
    ).applied_to(detector.settings)
    detector = replace(detector, settings=settings)
    if detector.note:
        progress.say(f"note: {detector.note}")
    aside = Aside(errors_path(output), strict=strict)
    inputs = inputs_for(
        loaded,
        source,
        aside=aside,
        say=progress.say,
        upsample=upsample,
        again=plot is not None or workers > 0,
    )
    task = DetectTask(make_pipeline(loaded, detector, reasons=reasons))
    result = DetectResult(output, detector, aside, unit=unit_of(loaded))
    extent = inputs.extent()
    progress.begin("listening", extent.total, extent.unit)
    with (
        Journal(
            output,
            key=f"{loaded.fingerprint} {scores_fingerprint(loaded)} {settings} {detector.threshold!r} "
            f"{detector.release!r}" + " without reasons" * (not reasons),
            resume=resume,
        ) as journal,
        LocalReducer(threads, workers) as reducer,
    ):
        found = 0
        for row in reducer.map(journal.waiting(inputs), task, inputs.refuse):
            journal.write(row)
            found += len(row["events"])
            progress.advance(extent.part(row["seconds"]), f"{found} events")
        write_events(_counted(journal.rows(), result), output, force=force)
    progress.end()
    result.describe(model, loaded, source, upsample=upsample).write(output)
    if plot is not None:
        result.pictures = draw_recordings(
            loaded, detector, inputs, result.severest, result.heard, plot, force=force
        )
    return result


def _counted(rows: Iterator[Json], result: DetectResult) -> Iterator[Event]:
    for row in rows:
        events = [Event.from_dict(event) for event in row["events"]]
        result.add(row["seconds"], events)
        yield from events


def _severity(event: Event) -> float:
    return -(event.severity or 0.0)
