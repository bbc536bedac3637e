"""Enroll the speakers of a manifest into a gallery: adapt a model for each, then calibrate the scores."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from audiogmm.files import together
from audiogmm.runs.batch import Batch
from audiogmm.runs.progress import stopped_by_hand
from audiogmm.runs.settings import RunSettings
from audiogmm.runs.sources import Source
from audiogmm.verification.adaptation import Adaptation
from audiogmm.verification.backend import with_backend
from audiogmm.verification.compensation import Kind
from audiogmm.verification.gallery import SETTINGS, Gallery
from audiogmm.verification.recordings.backend_training import move_to_channel, train_backend
from audiogmm.verification.recordings.enrollment import Enrollment, max_speakers
from audiogmm.verification.recordings.gallery_calibration import calibrate_gallery
from audiogmm.words import amount

if TYPE_CHECKING:
    from audiogmm.mixture.store import Model


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
    background : Source, optional
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
    background: Source | None = None
    compensation: Kind | None = None
    share_channel: bool = True

    def __post_init__(self) -> None:
        if self.adapt is not None:
            object.__setattr__(self, "adapt", tuple(self.adapt))
        self.adaptation(Adaptation())

    def adaptation(self, base: Adaptation) -> Adaptation:
        """Return the adaptation, with what is not given taken from `base`."""
        return base.changed(self.adapt, self.tau, self.iterations)

    def adaptation_for(self, folder: Path) -> Adaptation | None:
        """Return the adaptation for a gallery, new or not; None where nothing is given."""
        if self.tau is None and self.adapt is None and self.iterations is None:
            return None
        is_new = not (folder / SETTINGS).exists()
        return self.adaptation(Adaptation() if is_new else Gallery(folder).adaptation)


def enroll_recordings(
    model: Model,
    source: Source,
    folder: Path,
    settings: EnrollSettings,
    batch: Batch,
) -> Enrollment:
    """Enroll the speakers of a manifest; speakers and recordings are added to those of the folder.

    Parameters
    ----------
    model : Model
        The background model; a copy is kept in the folder.
    source : Source
        The manifest, or what stands in its place.
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
        model = move_to_channel(model, inputs, batch.reducer, batch.progress)
    gallery = Gallery.create(folder, model, adaptation)
    enrollment, extent = Enrollment(inputs, gallery, batch.aside), inputs.extent()
    batch.progress.begin("enrolling", extent.total * gallery.adaptation.iterations, extent.unit)

    def advance(seconds: float) -> None:
        batch.progress.advance(extent.part(seconds), amount(len(enrollment.names), "speaker"))

    stopped = stopped_by_hand("the speakers that are done are kept; continue with the same command")
    with gallery.locked(), stopped:
        enrollment.run(batch.reducer, advance)
        backed = None if settings.background is None else _learn_backend(gallery, settings, batch)
        with together():  # a calibration is that of its back end
            if backed is not None:
                gallery.replace_background(backed)
            enrollment.note = calibrate_gallery(
                gallery,
                inputs,
                enrollment.several,
                max_speakers(gallery.background.mixture),
                batch.reducer,
                batch.progress,
                has_new_backend=backed is not None,
            )
    return enrollment


def _learn_backend(gallery: Gallery, settings: EnrollSettings, batch: Batch) -> Model:
    """Return the gallery's background with a back end learned from the manifest `settings.background`."""
    assert settings.background is not None
    model = gallery.background
    backend = train_backend(
        model.mixture,
        batch.open(model, settings.background, again=True),
        "yes",
        settings.compensation,
        batch.reducer,
        batch.progress,
        gallery.adaptation,
    )
    return with_backend(model, backend)
