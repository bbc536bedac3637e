"""Evaluate detection: how well do scores separate normal from anomalous, and how good are the events?"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from audiogmm.evaluation.detection.evaluation import DetectionEvaluation
from audiogmm.evaluation.detection.event_evaluation import EvaluateDetectSettings, evaluate_events
from audiogmm.evaluation.detection.events import Events
from audiogmm.evaluation.detection.tracks import Scores
from audiogmm.evaluation.detection.wording import evaluation_lines
from audiogmm.evaluation.settings import OF_FILES
from audiogmm.jobs.evaluation_result import EvaluationResult, open_evaluation, write_evaluation
from audiogmm.keywords import accepts
from audiogmm.reporting.run.detection_picture import draw_detection_evaluation
from audiogmm.runs.aside import Aside
from audiogmm.runs.progress import Progress, progress_of
from audiogmm.runs.sources import Source


@accepts(EvaluateDetectSettings, without=OF_FILES, renamed={"judging": "criteria"})
def evaluate_detect(
    events: Events,
    manifest: Source,
    scores: Scores | None = None,
    *,
    settings: EvaluateDetectSettings,
    aside: Aside | None = None,
    progress: Progress | bool | None = None,
) -> DetectionEvaluation:
    """Evaluate events, and the scores they came from, on recordings whose truth is known.

    The truth of a recording is its key `events`, a list of the times of events ([] for none), or a `label`
    "normal" or "anomaly" of the whole. Where the times are not known, it is evaluated whether there is any
    event. Intervals come from draws of the recordings of each site.

    Parameters
    ----------
    events : path-like, iterable of path-like, or iterable of Event
        What was found, as `detect` writes it (JSONL, CSV, RTTM, labels of Audacity, Raven,
        BirdNET or Praat); by the recording's id.
    manifest : Source
        The recordings, with their truth: a manifest, entries, or a data frame of them. A list of
        segments (RTTM, labels of Audacity, Raven, BirdNET or Praat) holds the events of the recordings that
        it names. A recording without an event is one in which nothing was found.
    scores : path-like, iterable of path-like, or mapping from str to ScoreTrack, optional
        Tracks as `score` writes them, one a recording; without them there is no AUC.
    settings : EvaluateDetectSettings
        Or its fields as keywords. `by` names keys of the manifest, whose values make the sites: scores are
        compared within a site only.
    aside : Aside, optional
        Takes recordings, events and sites that cannot be used; by default the first one raises.
    progress : Progress, optional
        Receives what is done so far.

    Raises
    ------
    ManifestError
        If a file cannot be read; if no recording has a truth.
    ChoiceError
        If a setting is out of range, or no entry has a key to group by.
    AudioGMMError
        The first recording's that cannot be used, unless `aside` takes it.

    Examples
    --------
    >>> from audiogmm.anomaly.event import Event
    >>> from audiogmm.manifest import Entry
    >>> from audiogmm.timeline import Segment
    >>> truth = (Segment(2.0, 4.0), Segment(7.0, 8.0))
    >>> entries = [
    ...     Entry("a.wav", id="a", duration=10.0, events=truth),
    ...     Entry("b.wav", id="b", duration=10.0, label="normal"),
    ... ]
    >>> events = [Event("a.wav", "a", 2.2, 4.3), Event("b.wav", "b", 5.0, 6.0)]
    >>> detected = evaluate_detect(events, entries).detected
    >>> detected.event.f1.value, round(detected.delay.median.value, 3), detected.false_alarms.n
    (0.5, 0.2, 1)
    """
    aside = Aside(strict=True) if aside is None else aside
    return evaluate_events(events, manifest, scores, settings, aside, progress_of(progress))


@accepts(EvaluateDetectSettings, renamed={"judging": "criteria"})
def evaluate_detect_to_file(
    events: Sequence[Path],
    manifest: str,
    output: Path | None = None,
    *,
    scores: Sequence[Path] = (),
    settings: EvaluateDetectSettings,
    progress: Progress | bool | None = None,
) -> EvaluationResult[DetectionEvaluation]:
    """Evaluate as `evaluate_detect` does; write the result and a picture.

    Parameters
    ----------
    events, manifest, scores
        See `evaluate_detect`.
    output : Path, optional
        The result, JSON; what was set aside is listed beside it.
    settings : EvaluateDetectSettings
        Or its fields as keywords.
    progress : Progress, optional
        Receives what is done so far.

    Raises
    ------
    OutputError
        If a file exists (and not `force`), or cannot be written.
    """
    aside = open_evaluation(output, settings, manifest, *events)
    found = evaluate_events(events, manifest, scores or None, settings, aside, progress_of(progress))
    return write_evaluation(found, evaluation_lines(found), output, settings, draw_detection_evaluation)
