"""Identify: who of the speakers enrolled is heard in each recording, or nobody of them?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from audiogmm.errors import AudioGMMError, ChoiceError
from audiogmm.files import exclusive
from audiogmm.jobs.aside import Aside, errors_path
from audiogmm.jobs.cut_scorer import SHORT, Cut, CutScorer
from audiogmm.jobs.front_ends import front_end_of
from audiogmm.jobs.inputs import inputs_for
from audiogmm.jobs.journal import Journal
from audiogmm.jobs.outputs import check_output
from audiogmm.jobs.progress import Progress, Silent, say_nothing
from audiogmm.jobs.recognised import Recognised
from audiogmm.jobs.table import write_rows
from audiogmm.jobs.trial_scorer import ScoredTrials
from audiogmm.types import FloatArray, Json
from audiogmm.verification.calibration import Calibration
from audiogmm.verification.gallery import Gallery
from audiogmm.verification.identification import INDEPENDENT, KNOWN, Identity, likeliest, uncalibrated
from audiogmm.verification.ratio import TOP, Scoring

if TYPE_CHECKING:
    from audiogmm.audio.recording import Recording
    from audiogmm.manifest import Entry

UNCALIBRATED = (
    "posteriors are not calibrated: the order of the candidates holds, how sure it is does not; `enroll` "
    "learns a calibration where it can"
)


def identify(
    gallery: Gallery,
    entries: Iterable[Entry],
    *,
    prior: float = KNOWN,
    closed: bool = False,
    top: int = 5,
    scoring: Scoring = "exact",
    upsample: bool = False,
    threads: int | None = None,
    workers: int = 0,
) -> list[Identity]:
    """Say who speaks in each recording: all speakers of the gallery are scored in one go.

    Parameters
    ----------
    gallery : Gallery
        Who is known.
    entries : iterable of Entry
        Recordings, or pieces of some; a `speaker` is kept as the truth, and not looked at.
    prior : float
        Probability that it is one of those enrolled, in (0, 1), shared among them.
    closed : bool
        It is certainly one of those enrolled; `prior` counts for nothing.
    top : int
        Candidates to name for each, at most.
    scoring : {"exact", "top", "linear"}
        See `RatioScorer`.
    upsample : bool
        Accept audio below the model's sample rate.
    threads, workers : int
        Threads of this process, or processes; posteriors do not depend on them.

    Returns
    -------
    list of Identity
        In the order of the entries.

    Raises
    ------
    ChoiceError
        If nobody is enrolled, or a setting is outside its range.
    AudioGMMError
        The first bad speaker's or recording's.
    """
    from audiogmm.training.reduce import LocalReducer

    aside = Aside(strict=True)
    inputs = inputs_for(
        gallery.background, entries, aside=aside, say=say_nothing, upsample=upsample, again=True
    )
    task = Identifier.of(gallery, aside, _known(prior, closed), top, scoring)
    with LocalReducer(threads, workers) as reducer:
        return [Identity.from_dict(row["identity"]) for row in reducer.map(inputs, task)]


@dataclass(frozen=True)
class Identifier:
    """Scores a recording against everybody, and weighs them; runs in a thread or a worker process.

    Attributes
    ----------
    scorer : CutScorer
        Of all speakers.
    enrolled, enrolled_snr : tuple of float
        Seconds of speech in each speaker's enrolment, and its signal-to-noise ratio, decibels.
    calibration : Calibration or None
        What makes ratios of scores.
    rate : float
        Frames a second that pass for independent, where there is no calibration.
    known : float
        Prior probability that it is one of the speakers; 1 for a closed set.
    top : int
        Candidates to name.
    """

    scorer: CutScorer
    enrolled: tuple[float, ...]
    enrolled_snr: tuple[float, ...]
    calibration: Calibration | None
    rate: float
    known: float
    top: int

    @classmethod
    def of(cls, gallery: Gallery, aside: Aside, known: float, top: int, scoring: Scoring) -> Identifier:
        """An identifier of all speakers of a gallery; damaged ones are set aside.

        Raises
        ------
        ChoiceError
            If nobody is left.
        """
        found: dict[str, tuple[float, float]] = {}
        for name in gallery.names:
            try:
                speaker = gallery[name]
            except AudioGMMError as error:
                aside.put(name, str(gallery.folder), error)
            else:
                found[name] = speaker.voiced_seconds, speaker.signal_to_noise
        if not found:
            raise ChoiceError(
                f"nobody can be identified: {gallery.folder} has no speaker"
                + (" that can be read" if len(aside) else ""),
                needed="at least one",
                remedy="audiogmm enroll UBM M -o DIR",
            )
        rate = 1.0 if front_end_of(gallery.background) is None else INDEPENDENT
        scorer = CutScorer.of(gallery, list(found), scoring, TOP)
        seconds, ratios = zip(*found.values(), strict=True)
        identifier = cls(scorer, seconds, ratios, gallery.calibration, rate, known, top)
        likeliest(scorer.names, np.zeros(len(found)), known, top)  # refuses settings before any work
        return identifier

    def __call__(self, recording: Recording) -> Json:
        """The row of one recording.

        Raises
        ------
        AudioFileError, AudioDataError, FeatureError, MismatchError
            If the recording cannot be used.
        """
        everybody = range(len(self.scorer.names))
        found = self.scorer(Cut(recording, recording.id, tuple(everybody)))
        scored = ScoredTrials(len(everybody))
        scored.enrolled, scored.enrolled_snr = np.array(self.enrolled), np.array(self.enrolled_snr)
        scored.put(everybody, found)
        outcome = likeliest(self.scorer.names, self.llr(scored), self.known, self.top)
        entry = recording.entry
        identity = Identity(
            entry.path, recording.id, *outcome, found.voiced_seconds, found.flag, entry.speaker
        )
        return {
            "id": recording.id,
            "seconds": found.seconds,
            "known": entry.speaker in self.scorer.names,
            "identity": identity.to_dict(),
        }

    def llr(self, scored: ScoredTrials) -> FloatArray:
        """Log-likelihood ratios of the speakers, shape (n_speakers,), nats."""
        if self.calibration is None:
            return uncalibrated(scored.raw, scored.space, self.rate * scored.voiced[0])
        return scored.scores(self.calibration)


@dataclass
class IdentifyResult:
    """What a run came to."""

    output: Path
    aside: Aside
    n_speakers: int
    calibrated: bool
    closed: bool
    recordings: int = 0
    short: int = 0
    nobody: int = 0
    recognised: Recognised = field(default_factory=Recognised)

    def add(self, row: Json) -> Json:
        """Count the row of one recording; what is written of it."""
        identity = Identity.from_dict(row["identity"])
        self.recordings += 1
        self.short += identity.flag == SHORT
        self.nobody += identity.speaker is None
        self.recognised.add(identity, enrolled=row["known"])
        written: Json = row["identity"]
        return written

    def summary(self) -> Json:
        """For `--json`."""
        return {
            "output": str(self.output),
            "speakers": self.n_speakers,
            "recordings": self.recordings,
            "closed": self.closed,
            "calibrated": self.calibrated,
            "nobody": self.nobody,
            "short": self.short,
            **self.recognised.summary(closed=self.closed),
            "set_aside": len(self.aside),
            "errors": str(self.aside.path),
        }

    def lines(self) -> Iterator[str]:
        """For a person."""
        yield f"looked for {self.n_speakers:,} speakers in {self.recordings:,} recordings"
        if self.nobody:
            yield f"in {self.nobody:,} nobody enrolled is heard"
        if self.short:
            yield f"{self.short:,} are flagged {SHORT!r}: few or no frames were voiced, and the loudest count"
        yield from self.recognised.lines(closed=self.closed)
        if not self.calibrated:
            yield f"note: {UNCALIBRATED}"
        yield f"who it is: {self.output}"


def identify_to_file(
    folder: Path,
    source: str,
    output: Path,
    *,
    prior: float | None = None,
    closed: bool = False,
    top: int = 5,
    scoring: Scoring = "exact",
    upsample: bool = False,
    resume: bool = False,
    force: bool = False,
    strict: bool = False,
    threads: int | None = None,
    workers: int = 0,
    progress: Progress | None = None,
) -> IdentifyResult:
    """Identify the speaker of every recording of a manifest into a JSONL, in its order.

    Raises
    ------
    ModelFileError
        If the folder is no gallery.
    ChoiceError
        If nobody is enrolled, or a prior is given for a closed set.
    OutputError
        If the output exists (and not `force`), or cannot be written.
    AudioGMMError
        The first bad recording's, if `strict`.
    """
    from audiogmm.audio.ledger import signature_of
    from audiogmm.training.reduce import LocalReducer

    if closed and prior is not None:
        raise ChoiceError(
            f"a prior of {prior} for a closed set",
            needed="--prior or --closed: in a closed set the speaker is enrolled for certain",
            remedy="leave one out",
        )
    progress = progress or Silent()
    check_output(output, force, source)
    gallery = Gallery(folder)
    aside = Aside(errors_path(output), strict=strict)
    task = Identifier.of(gallery, aside, _known(KNOWN if prior is None else prior, closed), top, scoring)
    if task.calibration is None:
        progress.say(UNCALIBRATED)
    inputs = inputs_for(
        gallery.background, source, aside=aside, say=progress.say, upsample=upsample, again=True
    )
    result = IdentifyResult(output, aside, len(task.enrolled), task.calibration is not None, closed)
    extent = inputs.extent()
    key = f"{task.scorer.state} {task.calibration} {task.known} {top} {scoring} {signature_of(source)}"
    progress.begin("listening", extent.total, extent.unit)
    with (
        exclusive(output),
        Journal(output, key=key, resume=resume) as journal,
        LocalReducer(threads, workers) as reducer,
    ):
        for row in reducer.map(journal.waiting(inputs), task, inputs.refuse):
            journal.write(row)
            progress.advance(extent.part(row["seconds"]), row["identity"]["speaker"] or "nobody")
        write_rows(map(result.add, journal.rows()), output, force=force)
    progress.end()
    return result


def _known(prior: float, closed: bool) -> float:
    """Prior probability that the speaker is enrolled."""
    if not closed and not 0 < prior < 1:
        raise ChoiceError(
            f"a prior of {prior}", needed="a probability above 0 and under 1", remedy="closed, for certainty"
        )
    return 1.0 if closed else prior
