"""Enroll speakers: a model of each voice, adapted from a background model and kept in a folder."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from audiogmm.keywords import accepts
from audiogmm.mixture.statistics import SufficientStats
from audiogmm.mixture.store import model_from
from audiogmm.runs.aside import Aside, set_aside_by
from audiogmm.runs.batch import Batch
from audiogmm.runs.keeping import keeping
from audiogmm.runs.outputs import keep_apart
from audiogmm.runs.progress import Progress
from audiogmm.runs.settings import OF_FILES
from audiogmm.runs.sources import Source
from audiogmm.types import Json
from audiogmm.verification.gallery import Gallery
from audiogmm.verification.recordings.enrollment import Enrollment, measure_recording
from audiogmm.verification.recordings.enrollment_run import EnrollSettings, enroll_recordings
from audiogmm.verification.recordings.gallery_calibration import describe_calibration
from audiogmm.verification.speaker import Speaker
from audiogmm.words import amount

if TYPE_CHECKING:
    from audiogmm.mixture.store import AnyModel


@accepts(EnrollSettings, without=OF_FILES)
def enroll(
    model: AnyModel, source: Source, folder: str | os.PathLike[str], *, settings: EnrollSettings
) -> Gallery:
    """Enroll the `speaker` of each entry, by MAP adaptation of a background model.

    Scores are calibrated by leaving one recording out, where the entries have at least 30 target and 200
    nontarget trials of 5 speakers with two recordings or more. Up to 400 recordings are scored, each against
    the model of its speaker without it, and against models of others of the same `sex` or `gender`. These
    scores set the scale and the offset of the background's calibration, with less weight on the latter the
    more speakers there are. The background's calibration is kept as it is where there are fewer, or where
    adaptation takes several rounds. Recordings of one session are more alike than later ones will be: where
    all of a speaker's recordings are of one session, scores are too high.

    Parameters
    ----------
    model : Model or path-like
        The background model; a copy is kept in the folder.
    source : Source
        A manifest, a data frame with the columns `audio_filepath` and `speaker`, an object of Lhotse, a list
        of `Entry`: one recording or more of each speaker. Those enrolled before are left out, so that
        enrolling can be repeated.
    folder : path-like
        The gallery: a new folder, or one that has speakers already.
    settings : EnrollSettings
        Or its fields as keywords.

    Returns
    -------
    Gallery
        All speakers of the folder.

    Raises
    ------
    AudioGMMError
        Of the first recording that cannot be used.
    MismatchError
        If the folder has speakers of another background model.
    ChoiceError
        If the folder has speakers enrolled with other settings.

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
    >>> ag.enroll(background, people, folder / "known").names
    ('ann', 'bob')
    """
    with Batch(None, settings) as batch:
        return enroll_recordings(model_from(model), source, Path(folder), settings, batch).gallery


@dataclass(frozen=True)
class EnrollResult:
    """The speakers that were enrolled, and what was set aside."""

    enrollment: Enrollment
    aside: Aside

    def summary(self) -> Json:
        """Return what `--json` prints."""
        found, gallery = self.enrollment, self.enrollment.gallery
        return {
            "output": str(gallery.folder),
            "background": gallery.fingerprint,
            **gallery.adaptation.to_dict(),
            "enrolled": len(found.names),
            "speakers": len(gallery),
            "recordings": found.recordings,
            "voiced_seconds": round(found.seconds, 3),
            "there_already": found.n_before,
            "calibrated": not found.note,
            "calibration": gallery.calibrations.learned,
            **self.aside.summary(),
        }

    def lines(self) -> Iterator[str]:
        """Yield the closing lines."""
        found, gallery = self.enrollment, self.enrollment.gallery
        yield (
            f"enrolled {amount(len(found.names), 'speaker')} from {amount(found.recordings, 'recording')} "
            f"({found.seconds / 60:,.1f} minutes of speech)"
        )
        if found.n_before:
            were = "was enrolled before, and is" if found.n_before == 1 else "were enrolled before, and are"
            yield f"{amount(found.n_before, 'recording')} {were} not counted twice"
        if calibration := describe_calibration(gallery.calibrations.learned):
            yield calibration
        yield f"{amount(len(gallery), 'speaker')}: {gallery.folder}"


@accepts(EnrollSettings, without=("resume", "retry", "force"))
def enroll_to_folder(
    model: Path,
    source: str,
    output: Path,
    *,
    settings: EnrollSettings,
    progress: Progress | bool | None = None,
) -> EnrollResult:
    """Enroll the speakers of a manifest, or add recordings to those that are enrolled.

    Raises
    ------
    MismatchError
        If the folder has speakers of another background model; both fingerprints are named.
    ChoiceError
        If the folder has speakers enrolled with other settings.
    OutputError
        If the folder holds something else, another run is writing to it, or it cannot be written.
    AudioGMMError
        Of the first recording that cannot be used, if `strict`.
    """
    from audiogmm.mixture.store import load

    keep_apart(output, source)
    background, kinds = load(model), {measure_recording: (Speaker, SufficientStats)}
    key = f"{background.fingerprint} {settings.key}"
    with (
        set_aside_by(output, settings.strict) as aside,
        keeping(output, settings, key, kinds, aside, progress, is_gallery=True) as kept,
        Batch(output, settings, progress, aside=aside, reducer=kept.reducer) as batch,
    ):
        found = enroll_recordings(background, source, output, settings, batch)
        if found.note:
            batch.progress.say(found.note)
        return EnrollResult(found, batch.aside)
