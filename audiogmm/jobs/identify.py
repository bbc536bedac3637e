"""Identify: which enrolled speaker speaks in each recording, or none; and which class of a model it is of."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from audiogmm.errors import ChoiceError
from audiogmm.keywords import accepts
from audiogmm.mixture.store import model_from
from audiogmm.runs.aside import Aside
from audiogmm.runs.batch import Batch
from audiogmm.runs.journal import Journal
from audiogmm.runs.outputs import check_output
from audiogmm.runs.progress import Progress
from audiogmm.runs.rows import write_rows
from audiogmm.runs.settings import OF_FILES, RunSettings
from audiogmm.runs.sources import Source, is_one
from audiogmm.scoring.classification import Classifier
from audiogmm.types import Json
from audiogmm.verification.calibration import UNCALIBRATED
from audiogmm.verification.gallery import AnyGallery, Gallery, gallery_from
from audiogmm.verification.identification import PRIOR, Identification
from audiogmm.verification.ratio import Scoring
from audiogmm.verification.recordings.identifier import Identifier
from audiogmm.verification.recordings.segment_scorer import SHORT, WHY_SHORT
from audiogmm.words import amount

if TYPE_CHECKING:
    from audiogmm.mixture.store import AnyModel


@dataclass(frozen=True, kw_only=True)
class IdentifySettings(RunSettings):
    """How speakers are identified.

    Attributes
    ----------
    prior : float or None
        Probability that it is one of those enrolled, in (0, 1), shared among them; `PRIOR` by default.
    closed : bool
        It is certainly one of those enrolled.
    top : int
        Candidates to name for each recording, at most.
    scoring : {"exact", "top", "linear"}
        See `RatioScorer`.

    Raises
    ------
    ChoiceError
        If the prior is outside its range, or given for a closed set.

    Examples
    --------
    >>> IdentifySettings().known, IdentifySettings(closed=True).known
    (0.5, 1.0)
    """

    prior: float | None = None
    closed: bool = False
    top: int = 5
    scoring: Scoring = "exact"

    def __post_init__(self) -> None:
        if self.closed and self.prior is not None:
            raise ChoiceError(
                f"a prior of {self.prior} for a closed set",
                needed="--prior or --closed: in a closed set the speaker is enrolled for certain",
                remedy="leave one out",
            )
        if self.prior is not None and not 0 < self.prior < 1:
            raise ChoiceError(
                f"a prior of {self.prior}",
                needed="a probability above 0 and under 1",
                remedy="closed, for certainty",
            )

    @property
    def known(self) -> float:
        """Prior probability that the speaker is enrolled."""
        return 1.0 if self.closed else PRIOR if self.prior is None else self.prior


@accepts(IdentifySettings, without=OF_FILES)
def identify(gallery: AnyGallery, source: Source, *, settings: IdentifySettings) -> list[Identification]:
    """Say who speaks in each recording: all speakers of the gallery are scored in one go.

    Parameters
    ----------
    gallery : Gallery or path-like
        The speakers to look for.
    source : Source
        Recordings, or pieces of some, in any form that `audiogmm.train` takes; a `speaker` is kept as the
        truth, and not looked at.
    prior, closed, top, scoring
        See `IdentifySettings`.
    upsample : bool
        Accept audio below the model's sample rate.
    threads, workers : int
        Threads of this process, or processes; posteriors do not depend on them.

    Returns
    -------
    list of Identification
        In the order of the entries.

    Raises
    ------
    ChoiceError
        If nobody is enrolled, or a setting is outside its range.
    AudioGMMError
        The first bad speaker's or recording's.

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
    >>> [found.speaker for found in ag.identify(gallery, [folder / "ann2.wav", folder / "bob2.wav"])]
    ['ann', 'bob']
    """
    gallery = gallery_from(gallery)
    with Batch(None, settings) as batch:
        inputs = batch.open(gallery.background, source, again=True)
        task = Identifier.of(gallery, batch.aside, settings.known, settings.top, settings.scoring)
        return [Identification.from_dict(row["identity"]) for row in batch.map("identifying", inputs, task)]


@accepts(RunSettings, without=OF_FILES)
def classify(
    model: AnyModel, source: Source, *, settings: RunSettings
) -> Any:  # Classification of one recording, list of Classification of several
    """Say which class of a model each recording is of, with the posterior of every class.

    Parameters
    ----------
    model : Model or path-like
        Trained on labels (`train` with `label`).
    source : Source
        A recording or a table: an `Entry`, a path, ``(samples, sample_rate)``, a data frame; or several: a
        list, a manifest. See `audiogmm.runs.sources.entries_from`.
    settings : RunSettings
        Or its fields as keywords.

    Returns
    -------
    Classification or list of Classification
        A list of several recordings, in their order.

    Raises
    ------
    MismatchError
        If the model has no classes, or a recording does not fit it.
    AudioGMMError
        The first bad recording's.

    Examples
    --------
    >>> import numpy as np
    >>> import audiogmm as ag
    >>> rng = np.random.default_rng(0)
    >>> rows = [rng.normal(center, 1.0, (100, 2)).astype(np.float32) for center in (0.0, 5.0)]
    >>> mixture = ag.Mixture([0.5, 0.5], [[0.0, 0.0], [5.0, 5.0]], [1.0, 1.0], "spherical")
    >>> classes = {"names": ["low", "high"], "components": [1, 1], "frames": [100, 100]}
    >>> found = classify(ag.Model(mixture, metadata={"classes": classes}), rows[1])
    >>> found.label, round(found.posterior, 3)
    ('high', 1.0)
    """
    classifier = Classifier(model := model_from(model))
    with Batch(None, settings) as batch:
        found = list(batch.map("classifying", batch.open(model, source), classifier))
    return found[0] if len(found) == 1 and is_one(source) else found


@dataclass
class IdentificationCounts:
    """Counts over the recordings whose speaker the manifest names.

    Examples
    --------
    >>> counts = IdentificationCounts()
    >>> counts.add(Identification("a.wav", "a", None, 0.5, 0.5, (), 1.0, truth="eve"), enrolled=False)
    >>> counts.summary(closed=False)["accuracy"]
    1.0
    """

    n_enrolled: int = 0  # recordings of those enrolled, and of others
    n_strangers: int = 0
    # recordings of those enrolled that were given the right name, and that had it among the candidates
    right: int = 0
    among: int = 0
    refused: int = 0  # recordings of others that were given no name

    def add(self, identity: Identification, *, enrolled: bool) -> None:
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
        """Return the share of right outcomes; in a closed set without strangers, who cannot be right."""
        n = self.n_enrolled + (0 if closed else self.n_strangers)
        right = self.right + (0 if closed else self.refused)
        return right / n if n else None

    def summary(self, *, closed: bool) -> Json:
        """Return what `--json` prints."""
        return {
            "accuracy": self.accuracy(closed=closed),
            "of_enrolled": self.n_enrolled,
            "right": self.right,
            "among_candidates": self.among,
            "of_strangers": self.n_strangers,
            "refused": self.refused,
        }

    def lines(self, *, closed: bool) -> Iterator[str]:
        """Yield the closing lines."""
        accuracy = self.accuracy(closed=closed)
        if accuracy is not None:
            yield f"accuracy by the names in the manifest: {accuracy:.1%}"
        if self.n_enrolled:
            yield (
                f"of {amount(self.n_enrolled, 'recording')} of enrolled speakers {self.right:,} "
                f"{'was' if self.right == 1 else 'were'} given the right name; {self.among:,} "
                f"{'has' if self.among == 1 else 'have'} it among the candidates"
            )
        others = amount(self.n_strangers, "recording")
        if self.n_strangers and closed:
            verb = "is" if self.n_strangers == 1 else "are"
            yield f"{others} {verb} of other speakers, and given a name all the same"
        elif self.n_strangers:
            verb = "was" if self.refused == 1 else "were"
            yield f"of {others} of other speakers {self.refused:,} {verb} given no name"


@dataclass
class IdentifyResult:
    """What an identification run found."""

    output: Path
    aside: Aside
    n_speakers: int
    calibrated: bool
    closed: bool
    recordings: int = 0
    short: int = 0
    nobody: int = 0
    counts: IdentificationCounts = field(default_factory=IdentificationCounts)

    def add(self, row: Json) -> Json:
        """Count the row of one recording, and return what is written of it."""
        identity = Identification.from_dict(row["identity"])
        self.recordings += 1
        self.short += identity.flag == SHORT
        self.nobody += identity.speaker is None
        self.counts.add(identity, enrolled=row["known"])
        written: Json = row["identity"]
        return written

    def summary(self) -> Json:
        """Return what `--json` prints."""
        return {
            "output": str(self.output),
            "speakers": self.n_speakers,
            "recordings": self.recordings,
            "closed": self.closed,
            "calibrated": self.calibrated,
            "nobody": self.nobody,
            "short": self.short,
            **self.counts.summary(closed=self.closed),
            **self.aside.summary(),
        }

    def lines(self) -> Iterator[str]:
        """Yield the closing lines."""
        yield f"looked for {amount(self.n_speakers, 'speaker')} in {amount(self.recordings, 'recording')}"
        if self.nobody:
            yield f"{amount(self.nobody, 'recording')} without an enrolled speaker"
        if self.short:
            yield f"{amount(self.short, 'recording')} flagged {SHORT!r}: {WHY_SHORT}"
        yield from self.counts.lines(closed=self.closed)
        yield f"identities: {self.output}"


@accepts(IdentifySettings)
def identify_to_file(
    folder: Path,
    source: str,
    output: Path,
    *,
    settings: IdentifySettings,
    progress: Progress | bool | None = None,
) -> IdentifyResult:
    """Identify the speaker of every recording of a manifest into a JSONL, in its order.

    Raises
    ------
    ModelFileError
        If the folder is no gallery.
    ChoiceError
        If nobody is enrolled.
    OutputError
        If the output exists (and not `force`), or cannot be written.
    AudioGMMError
        The first bad recording's, if `strict`.
    """
    check_output(output, settings.replaces, source)
    gallery = Gallery(folder)
    key = (
        f"{gallery.state(gallery.names)} {gallery.calibration} {settings.known} {settings.top} "
        f"{settings.scoring}{settings.choice.key}"
    )
    journal = Journal(output, key=key, resume=settings.resume, retry=settings.retry)
    journal.check()
    with Batch(output, settings, progress) as batch:
        task = Identifier.of(gallery, batch.aside, settings.known, settings.top, settings.scoring)
        if task.calibration is None:
            batch.progress.say(UNCALIBRATED)
        inputs = batch.open(gallery.background, source, again=True)
        result = IdentifyResult(
            output, batch.aside, len(task.enrolled), task.calibration is not None, settings.closed
        )
        for row in batch.map("identifying", inputs, task, journal):
            batch.advance(row["seconds"], row["identity"]["speaker"] or "nobody")
        write_rows(map(result.add, journal.rows()), output, force=settings.replaces)
    return result
