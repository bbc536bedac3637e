"""Identify: who of the speakers enrolled is heard in each recording, or nobody of them?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from audiogmm.errors import ChoiceError
from audiogmm.files import exclusive
from audiogmm.runs.aside import Aside, errors_path
from audiogmm.runs.inputs import inputs_for
from audiogmm.runs.journal import Journal
from audiogmm.runs.outputs import check_output
from audiogmm.runs.progress import Progress, Silent, say_nothing
from audiogmm.runs.rows import write_rows
from audiogmm.types import Json
from audiogmm.verification.gallery import Gallery
from audiogmm.verification.identification import KNOWN, Identity
from audiogmm.verification.ratio import Scoring
from audiogmm.verification.recordings.identifier import UNCALIBRATED, Identifier
from audiogmm.verification.recordings.segment_scorer import SHORT

if TYPE_CHECKING:
    from audiogmm.manifest import Entry


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
    from audiogmm.reduce import LocalReducer

    aside = Aside(strict=True)
    inputs = inputs_for(
        gallery.background, entries, aside=aside, say=say_nothing, upsample=upsample, again=True
    )
    task = Identifier.of(gallery, aside, _known(prior, closed), top, scoring)
    with LocalReducer(threads, workers) as reducer:
        return [Identity.from_dict(row["identity"]) for row in reducer.map(inputs, task)]


@dataclass
class Recognised:
    """Counts over the recordings whose speaker the manifest names.

    Attributes
    ----------
    n_enrolled, n_strangers : int
        Recordings of those enrolled, and of others.
    right, among : int
        Recordings of those enrolled that were given the right name, and that had it among the candidates.
    refused : int
        Recordings of others in which nobody was found.

    Examples
    --------
    >>> found = Recognised()
    >>> found.add(Identity("a.wav", "a", None, 0.5, 0.5, (), 1.0, truth="eve"), enrolled=False)
    >>> found.summary(closed=False)["accuracy"]
    1.0
    """

    n_enrolled: int = 0
    n_strangers: int = 0
    right: int = 0
    among: int = 0
    refused: int = 0

    def add(self, identity: Identity, *, enrolled: bool) -> None:
        """Count one recording; `enrolled` says whether its true speaker is."""
        if identity.truth is None:
            return
        if enrolled:
            self.n_enrolled += 1
            self.right += identity.speaker == identity.truth
            self.among += any(candidate.speaker == identity.truth for candidate in identity.candidates)
        else:
            self.n_strangers += 1
            self.refused += identity.speaker is None

    def accuracy(self, *, closed: bool) -> float | None:
        """Share of right outcomes; in a closed set strangers, of whom none can be right, are left out."""
        n = self.n_enrolled + (0 if closed else self.n_strangers)
        right = self.right + (0 if closed else self.refused)
        return right / n if n else None

    def summary(self, *, closed: bool) -> Json:
        """For `--json`."""
        return {
            "accuracy": self.accuracy(closed=closed),
            "of_enrolled": self.n_enrolled,
            "right": self.right,
            "among_candidates": self.among,
            "of_strangers": self.n_strangers,
            "refused": self.refused,
        }

    def lines(self, *, closed: bool) -> Iterator[str]:
        """For a person."""
        accuracy = self.accuracy(closed=closed)
        if accuracy is not None:
            yield f"right by the manifest: {accuracy:.1%}"
        if self.n_enrolled:
            yield (
                f"of {self.n_enrolled:,} recordings of those enrolled {self.right:,} were given the right "
                f"name; {self.among:,} have it among the candidates"
            )
        if self.n_strangers and closed:
            yield f"{self.n_strangers:,} recordings are of others, and were given a name all the same"
        elif self.n_strangers:
            yield f"of {self.n_strangers:,} recordings of others {self.refused:,} were given no name"


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
    from audiogmm.audio.frame_cache.index import signature_of
    from audiogmm.reduce import LocalReducer

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
