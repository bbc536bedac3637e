"""Verify: score trials, each of which claims that a recording is of a speaker."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from audiogmm.audio.frame_cache.index import signature_of
from audiogmm.errors import AudioGMMError
from audiogmm.escapes import ESCAPED, guarded
from audiogmm.files import replacing
from audiogmm.keywords import accepts
from audiogmm.runs.aside import Aside
from audiogmm.runs.batch import Batch
from audiogmm.runs.inputs import announce_compiling
from audiogmm.runs.journal import Journal
from audiogmm.runs.outputs import check_output
from audiogmm.runs.progress import Progress, log_note
from audiogmm.runs.run_manifest import hash_input
from audiogmm.runs.settings import OF_FILES, RunSettings
from audiogmm.runs.sources import Source, entry_from
from audiogmm.types import Json, Seconds
from audiogmm.verification.calibration import UNCALIBRATED, Calibration
from audiogmm.verification.decision import OperatingPoint
from audiogmm.verification.gallery import AnyGallery, Gallery, gallery_from
from audiogmm.verification.ratio import TOP, Scoring
from audiogmm.verification.recordings.gallery_calibration import find_calibration
from audiogmm.verification.recordings.segment_scorer import SHORT, WHY_SHORT, SegmentScores
from audiogmm.verification.recordings.trial_reader import TrialReader, recording_factory
from audiogmm.verification.recordings.trial_scorer import ScoredTrials, TrialScorer
from audiogmm.verification.trials import SCORE_COLUMNS, Trial, chunk_trials
from audiogmm.words import amount

if TYPE_CHECKING:
    from audiogmm.audio.recording import Recording

MAX_TRIALS = 1 << 17
"""Trials that are in memory together: those of one recording among them are scored together."""

MAX_MODELS = 2048
"""Different models that are in memory together."""


@dataclass(frozen=True, slots=True)
class TrialScore:
    """The scores of one trial.

    Attributes
    ----------
    model : str
        The speaker that was claimed.
    id : str
        The recording tested.
    score : float
        Calibrated log-likelihood ratio, nats, where the gallery is calibrated; else `space` where there is
        one; else `raw`.
    raw : float
        Mean log-likelihood ratio a frame, nats.
    space : float or None
        The back-end's score, where the background model has a back-end.
    voiced_seconds : Seconds
        Voiced part of the test.
    snr : float or None
        Signal-to-noise ratio of the test, decibels, where frames have levels.
    flag : str
        ``short``: few or no frames were voiced, and the loudest were scored. Else empty.
    """

    model: str
    id: str
    score: float
    raw: float
    space: float | None
    voiced_seconds: Seconds
    snr: float | None
    flag: str


@dataclass(frozen=True, kw_only=True)
class VerifySettings(RunSettings):
    """How trials are scored and decided.

    Attributes
    ----------
    scoring : {"exact", "top", "linear"}
        See `RatioScorer`.
    top : int
        Components of `scoring="top"`.
    normalization : {"none", "z", "t", "zt", "s", "as"}
        Of the back end's scores, by impostors of the background.
    manifest : str or None
        Tests are named by the ids of its entries, in place of paths.
    prior, cost_miss, cost_false_alarm : float
        What the decision rests on, see `OperatingPoint`.

    Raises
    ------
    ChoiceError
        If the prior or a cost is outside its range.

    Examples
    --------
    >>> round(VerifySettings(prior=0.5, cost_miss=2.0).point.threshold, 3)
    -0.693
    """

    scoring: Scoring = "exact"
    top: int = TOP
    normalization: str = "none"
    manifest: str | None = None
    prior: float = 0.05
    cost_miss: float = 1.0
    cost_false_alarm: float = 1.0

    def __post_init__(self) -> None:
        _ = self.point

    @property
    def point(self) -> OperatingPoint:
        """Prior and costs."""
        return OperatingPoint(self.prior, self.cost_miss, self.cost_false_alarm)


OF_DECISIONS = ("manifest", "prior", "cost_miss", "cost_false_alarm")
"""Settings that scores do not depend on."""


@accepts(VerifySettings, without=OF_FILES + OF_DECISIONS, renamed={"normalisation": "normalization"})
def verify(
    gallery: AnyGallery, trials: Iterable[tuple[str, Source]], *, settings: VerifySettings
) -> list[TrialScore]:
    """Score trials: is this recording of that speaker?

    Parameters
    ----------
    gallery : Gallery or path-like
        The speakers.
    trials : iterable of (str, Source)
        The speaker that is claimed, and one recording, or a piece of one: an `Entry`, a path,
        ``(samples, sample_rate)``; see `audiogmm.runs.sources.entries_from`.
    scoring, top, normalization, upsample
        See `VerifySettings`.
    threads, workers : int
        Threads of this process, or processes; scores do not depend on them.

    Returns
    -------
    list of TrialScore
        In the order of the trials.

    Raises
    ------
    ChoiceError
        If a speaker that is claimed is not enrolled.
    AudioGMMError
        The first bad recording's.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np, soundfile
    >>> import audiogmm as ag
    >>> folder, random = Path(tempfile.mkdtemp()), np.random.default_rng(0)
    >>> for name, slope in (("ann", 0.0), ("bob", 0.9)):  # two "voices": white noise and darker noise
    ...     for take in (1, 2):
    ...         noise = random.standard_normal(32000)
    ...         noise[1:] += slope * noise[:-1]
    ...         soundfile.write(folder / f"{name}{take}.wav", 0.05 * noise, 16000)
    >>> background = ag.train(ag.scan(folder), "kaldi", n_components=1, hold_out=0)
    >>> people = [ag.Entry(str(folder / f"{name}1.wav"), speaker=name) for name in ("ann", "bob")]
    >>> gallery = ag.enroll(background, people, folder / "known")
    >>> same, other = ag.verify(gallery, [("ann", folder / "ann2.wav"), ("ann", folder / "bob2.wav")])
    >>> same.score > other.score
    True
    """
    gallery = gallery_from(gallery)
    listed = [(name, entry_from(each, f"-{i}")) for i, (name, each) in enumerate(trials)]
    segments: dict[Recording, list[int]] = {}
    make_recording = recording_factory(gallery, settings.upsample, log_note, settings.choice)
    for i, (_, entry) in enumerate(listed):
        segments.setdefault(make_recording(entry), []).append(i)

    def refuse(_: int, error: AudioGMMError) -> None:
        raise error

    with Batch(None, settings) as batch:
        scorer = TrialScorer(gallery, batch.reducer, settings.scoring, settings.top, settings.normalization)
        scored = scorer.score([name for name, _ in listed], segments, refuse)
    scores = scored.scores(find_calibration(gallery, settings.normalization))
    return [
        TrialScore(
            name,
            entry.id,
            float(scores[i]),
            float(scored.raw[i]),
            None if np.isnan(scored.space[i]) else float(scored.space[i]),
            float(scored.voiced[i]),
            None if np.isnan(scored.snr[i]) else float(scored.snr[i]),
            scored.flags[i],
        )
        for i, (name, entry) in enumerate(listed)
    ]


@dataclass
class VerifyResult:
    """What a verification run came to."""

    output: Path
    aside: Aside
    calibrated: bool
    point: OperatingPoint
    trials: int = 0
    recordings: int = 0
    accepted: int = 0
    short: int = 0

    def summary(self) -> Json:
        """Return what `--json` prints."""
        return {
            "output": str(self.output),
            "trials": self.trials,
            "recordings": self.recordings,
            "short": self.short,
            "calibrated": self.calibrated,
            "threshold": self.point.threshold if self.calibrated else None,
            "accepted": self.accepted if self.calibrated else None,
            **self.aside.summary(),
        }

    def lines(self) -> Iterator[str]:
        """Yield the closing lines."""
        yield f"scored {amount(self.trials, 'trial')} of {amount(self.recordings, 'recording')}"
        if self.short:
            yield f"{amount(self.short, 'trial')} flagged {SHORT!r}: {WHY_SHORT}"
        if self.calibrated:
            yield (
                f"accepted {amount(self.accepted, 'trial')}: the log-likelihood ratio is at least "
                f"{self.point.threshold:.3f} ({self.point})"
            )
        yield f"scores: {self.output}"


@accepts(VerifySettings)
def verify_to_file(
    folder: Path,
    trials: str,
    output: Path,
    *,
    settings: VerifySettings,
    progress: Progress | bool | None = None,
) -> VerifyResult:
    """Score a list of trials into a CSV, in its order; what cannot be scored is set aside, by line.

    Tests are named by their paths, or, with a `manifest`, by the ids of its entries.

    Raises
    ------
    ModelFileError
        If the folder is not a gallery.
    ManifestError
        If the list cannot be read.
    OutputError
        If the output exists (and not `force`), or cannot be written.
    AudioGMMError
        The first bad line's or recording's, if `strict`.
    """
    lists = [trials] if settings.manifest is None else [trials, settings.manifest]
    check_output(output, settings.replaces, *lists)
    gallery = Gallery(folder)
    calibration = find_calibration(gallery, settings.normalization)
    how = settings.scoring, settings.top, settings.normalization
    contents = [hash_input(Path(each)) or signature_of(each) for each in lists]
    key = " ".join(map(str, [gallery.state(gallery.names), *how, *contents]))
    key += settings.choice.key
    journal = Journal(output, key=key, resume=settings.resume, retry=settings.retry)
    journal.check()
    with Batch(output, settings, progress) as batch:
        reader = TrialReader(trials, batch.aside, settings.manifest)
        result = VerifyResult(output, batch.aside, calibration is not None, settings.point)
        announce_compiling()
        if calibration is None:
            batch.progress.say(UNCALIBRATED)
        batch.progress.begin("verifying", reader.count(), "trials")
        with (
            journal.attach(batch.aside, batch.progress.say, source=trials),
            replacing(output, force=settings.replaces) as temporary,
            temporary.open("w", encoding="utf-8", errors=ESCAPED, newline="") as file,
        ):
            earlier = {row["id"]: SegmentScores.from_dict(row) for row in journal.earlier()}
            make_recording = recording_factory(
                gallery, settings.upsample, batch.progress.say, settings.choice
            )
            scorer = TrialScorer(gallery, batch.reducer, *how)
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow([*map(guarded, reader.list.columns), *SCORE_COLUMNS])
            for n, chunk in enumerate(chunk_trials(reader, MAX_TRIALS, MAX_MODELS)):
                segments = reader.segments(chunk, make_recording)
                counts = {f"{n}/{i}": len(rows) for i, rows in enumerate(segments.values())}
                scored = scorer.score(
                    [trial.model for trial in chunk],
                    segments,
                    lambda row, error, chunk=chunk: reader.refuse(chunk[row], error),  # type: ignore[misc]
                    label=f"{n}/",
                    journal=journal,
                    earlier=earlier,
                    each=lambda found, counts=counts: batch.progress.advance(counts[found.id]),  # type: ignore[misc]
                )
                result.recordings += len(segments)
                _write(writer, chunk, scored, calibration, result)
    return result


def _write(
    writer: Any,
    chunk: Sequence[Trial],
    scored: ScoredTrials,
    calibration: Calibration | None,
    result: VerifyResult,
) -> None:
    """Write the rows of a chunk that were not set aside."""
    scores = scored.scores(calibration)
    threshold = result.point.threshold
    for i in np.flatnonzero(~np.isnan(scored.raw)).tolist():
        decision = "" if calibration is None else "accept" if scores[i] >= threshold else "reject"
        space = "" if np.isnan(scored.space[i]) else _number(scored.space[i])
        writer.writerow(
            [
                *map(guarded, chunk[i].cells),
                _number(scores[i]),
                decision,
                _number(scored.raw[i]),
                space,
                f"{scored.voiced[i]:.3f}",
                "" if np.isnan(scored.snr[i]) else f"{scored.snr[i]:.5f}",
                scored.flags[i],
            ]
        )
        result.trials += 1
        result.accepted += decision == "accept"
        result.short += scored.flags[i] == SHORT


def _number(value: float) -> str:
    return f"{value:.10g}"
