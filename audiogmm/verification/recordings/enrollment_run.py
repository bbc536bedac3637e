"""Enroll the speakers of a manifest into a gallery: adapt a model for each, then calibrate the scores."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING

from audiogmm.errors import TrainingError
from audiogmm.mixture.forms import form_of
from audiogmm.runs.batch import Batch
from audiogmm.runs.inputs import Inputs
from audiogmm.runs.progress import stopped_by_hand
from audiogmm.runs.settings import RunSettings
from audiogmm.verification.adaptation import Adaptation
from audiogmm.verification.backend import with_backend
from audiogmm.verification.compensation import Kind
from audiogmm.verification.enrollment import enroll_speakers
from audiogmm.verification.gallery import SETTINGS, Gallery
from audiogmm.verification.recordings.background_backend import in_shared_channel, learn_speakers
from audiogmm.verification.recordings.enrollment_data import EnrollmentData, parts
from audiogmm.verification.recordings.gallery_calibration import keep_calibration
from audiogmm.words import amount

if TYPE_CHECKING:
    from audiogmm.manifest import Entry
    from audiogmm.mixture.store import Model

STATISTICS_BYTES = 1 << 28
"""Most memory of statistics; where all speakers take more, they are enrolled in several parts."""


@dataclass(frozen=True, kw_only=True)
class EnrollSettings(RunSettings):
    """How speakers are enrolled; see `RunSettings` for the rest.

    Parameters
    ----------
    tau : float, optional
    adapt : iterable of str, optional
        Some of "means", "variances", "weights".
    iterations : int, optional
        See `Adaptation`. By default as the folder says, or else the defaults there.
    background : str or iterable of Entry, optional
        A manifest of at least 20 speakers, from which a new back end is learned, in place of the model's.
    compensation : {"nap", "isv"}, optional
        With `background`; see `Compensation`.
    share_channel : bool
        Move the background model to the channel that all enrolled speakers share: where the folder is new,
        there are at least five speakers, and the model has a back end.

    Raises
    ------
    ChoiceError
        If `tau`, `adapt` or `iterations` is outside its range.

    Examples
    --------
    >>> EnrollSettings(tau=-1.0)
    Traceback (most recent call last):
    ...
    audiogmm.errors.ChoiceError: a relevance factor tau=-1.0; needed: a finite number of at least 0
    """

    tau: float | None = None
    adapt: Iterable[str] | None = None
    iterations: int | None = None
    background: str | Iterable[Entry] | None = None
    compensation: Kind | None = None
    share_channel: bool = True

    def __post_init__(self) -> None:
        if self.adapt is not None:
            object.__setattr__(self, "adapt", tuple(self.adapt))
        self.adaptation(Adaptation())

    def adaptation(self, base: Adaptation) -> Adaptation:
        """Return the adaptation, with what is not given taken from `base`."""
        return Adaptation.of(
            base.to_dict()["adapt"] if self.adapt is None else self.adapt,
            base.tau if self.tau is None else self.tau,
            base.iterations if self.iterations is None else self.iterations,
        )

    def adaptation_for(self, folder: Path) -> Adaptation | None:
        """Return the adaptation for a gallery, new or not; None where nothing is given."""
        if self.tau is None and self.adapt is None and self.iterations is None:
            return None
        is_new = not (folder / SETTINGS).exists()
        return self.adaptation(Adaptation() if is_new else Gallery(folder).adaptation)


@dataclass
class Enrollment:
    """The speakers that a run enrolled.

    Attributes
    ----------
    gallery : Gallery
        With all its speakers.
    names : list of str
        Speakers who have new recordings.
    several : set of str
        Those of them with more than one recording, and those enrolled before.
    recordings : int
        New recordings.
    seconds : float
        Voiced seconds of them.
    n_before : int
        Recordings of the manifest that were enrolled before.
    note : str
        Why scores are not calibrated; "" if they are.
    """

    gallery: Gallery
    names: list[str] = field(default_factory=list)
    several: set[str] = field(default_factory=set)
    recordings: int = 0
    seconds: float = 0.0
    n_before: int = 0
    note: str = ""


def enroll_recordings(
    model: Model,
    source: str | os.PathLike[str] | Iterable[Entry],
    folder: Path,
    settings: EnrollSettings,
    batch: Batch,
) -> Enrollment:
    """Enroll the speakers of a manifest; speakers and recordings are added to those of the folder.

    Parameters
    ----------
    model : Model
        The background model; a copy is kept in the folder.
    source : path-like or iterable of Entry
        The manifest.
    folder : Path
        Of the gallery: a new one, or one with speakers.
    settings : EnrollSettings
    batch : Batch

    Raises
    ------
    MismatchError
        If the folder has speakers of another background model.
    ChoiceError
        If the folder has other settings.
    OutputError
        If the folder holds something else, another run is writing to it, or it cannot be written.
    """
    adaptation = settings.adaptation_for(folder)
    inputs = batch.open(model, source, again=True)
    has_backend = settings.background is not None or model.metadata.speakers is not None
    if settings.share_channel and has_backend and not (folder / SETTINGS).exists():
        model = in_shared_channel(model, inputs, batch.reducer, batch.progress)
    gallery = Gallery.create(folder, model, adaptation)
    result = Enrollment(gallery)
    data = EnrollmentData(inputs, gallery, batch.aside)
    with gallery.locked(), stopped_by_hand("the speakers that are done are kept; the same command goes on"):
        _enroll_all(data, inputs, batch, result)
        if settings.background is not None:
            _replace_backend(gallery, settings, batch)
        result.several |= data.enrolled_before
        result.note = keep_calibration(
            gallery,
            inputs,
            result.several,
            _at_once(gallery.background),
            batch.reducer,
            batch.progress,
            anew=settings.background is not None,
        )
    result.n_before = data.n_before
    return result


def _enroll_all(data: EnrollmentData, inputs: Inputs, batch: Batch, result: Enrollment) -> None:
    """Adapt a model for each speaker, as many at a time as fit into memory, and add it to the gallery."""
    gallery = result.gallery
    background = gallery.background
    extent = inputs.extent()
    batch.progress.begin("enrolling", extent.total * gallery.adaptation.iterations, extent.unit)

    def advance(_: str, seconds: float) -> None:
        batch.progress.advance(extent.part(seconds), amount(len(result.names), "speaker"))

    for part in parts(data.speakers(), _at_once(background)):
        speakers = enroll_speakers(
            background.mixture,
            background.fingerprint,
            data.of(part),
            gallery.adaptation,
            known=data.known,
            reducer=batch.reducer,
            on_error=inputs.refuse,
            each=advance,
        )
        for speaker in speakers:
            gallery.add(speaker)
            before = data.known(speaker.name)
            result.names.append(speaker.name)
            if speaker.n_recordings > 1:
                result.several.add(speaker.name)
            result.recordings += speaker.n_recordings - (before.n_recordings if before else 0)
            result.seconds += speaker.voiced_seconds - (before.voiced_seconds if before else 0.0)
            part.discard(speaker.name)
        for name in sorted(part - data.enrolled_before):
            batch.aside.put(name, "", _nothing_of(name))
        data.forget()


def _replace_backend(gallery: Gallery, settings: EnrollSettings, batch: Batch) -> None:
    """Learn a back end from the manifest `settings.background`, and keep it in the gallery's background."""
    assert settings.background is not None
    model = gallery.background
    backend = learn_speakers(
        model.mixture,
        batch.open(model, settings.background, again=True),
        "yes",
        settings.compensation,
        batch.reducer,
        batch.progress,
        gallery.adaptation,
    )
    gallery.equip(with_backend(model, backend))


def _at_once(model: Model) -> int:
    """Return how many speakers' statistics fit into `STATISTICS_BYTES`."""
    K, D = model.mixture.means.shape
    second = prod(form_of(model.mixture.covariance_type).second_shape(K, D))
    return max(1, int(STATISTICS_BYTES // (8 * 3 * (K * D + second))))


def _nothing_of(name: str) -> TrainingError:
    return TrainingError(
        f"none of the recordings of the speaker {name!r} could be enrolled",
        needed="a recording that can be read and has a voiced frame",
        remedy="see the reasons of its recordings",
    )
