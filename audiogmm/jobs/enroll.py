"""Enroll speakers: what their recordings differ in from the background model, kept in a folder."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING

from audiogmm.errors import TrainingError
from audiogmm.runs.aside import Aside, errors_path
from audiogmm.runs.inputs import inputs_for
from audiogmm.runs.outputs import keep_apart
from audiogmm.runs.progress import Progress, Silent, stopped_by_hand
from audiogmm.types import Json
from audiogmm.verification.adaptation import Adaptation
from audiogmm.verification.backend import with_backend
from audiogmm.verification.compensation import Kind
from audiogmm.verification.enrollment import enroll_speakers
from audiogmm.verification.gallery import SETTINGS, Gallery
from audiogmm.verification.recordings.background_backend import in_shared_channel, learn_speakers
from audiogmm.verification.recordings.enrollment_data import EnrollmentData, parts
from audiogmm.verification.recordings.gallery_calibration import keep_calibration, told
from audiogmm.words import amount

if TYPE_CHECKING:
    from audiogmm.manifest import Entry
    from audiogmm.mixture.store import Model

AT_ONCE = 1 << 28
"""Bytes of statistics that may be in memory: more speakers than these take are enrolled a part at a time."""


def enroll(
    model: Model,
    entries: Iterable[Entry],
    folder: str | os.PathLike[str],
    *,
    tau: float | None = None,
    adapt: Iterable[str] | None = None,
    iterations: int | None = None,
    background: str | Iterable[Entry] | None = None,
    compensation: Kind | None = None,
    share_channel: bool = True,
    upsample: bool = False,
    threads: int | None = None,
    workers: int = 0,
) -> Gallery:
    """Enroll the `speaker` of each entry, by MAP adaptation of a background model.

    The calibration is learned by leaving one recording out, where the entries have at least 30 target and 200
    nontarget trials of 5 speakers with two recordings or more: each of 400 recordings, at most, is scored
    against its speaker's model without it, and against others of the same `sex` or `gender`. These set
    scale and offset of the background's calibration, which counts for less the more speakers there are; it
    is kept as it is where there are fewer, or adaptation takes several rounds. Recordings of one session
    are closer to each other than to what is to come: where all of a speaker's are, scores come out too sure.

    Parameters
    ----------
    model : Model
        The background model; a copy is kept in the folder.
    entries : iterable of Entry
        Recordings, one or several a speaker. Those enrolled before are left out, so this can be called again.
    folder : path-like
        Where speakers are kept: a new one, or one that has some already.
    tau, adapt, iterations
        See `Adaptation`; `adapt` is some of "means", "variances", "weights". By default, what the folder
        says, or else the defaults there.
    background : str or iterable of Entry, optional
        A manifest that names at least 20 speakers: learn from it what tells voices apart, in place of what
        the model keeps.
    compensation : {"nap", "isv"}, optional
        With `background`; see `Compensation`.
    share_channel : bool
        Move the background model to the channel that all who are enrolled share: where the folder is new,
        there are at least five speakers, and the model has a back end.
    upsample : bool
        Accept audio below the model's sample rate.
    threads, workers : int
        Threads of this process, or processes; results do not depend on them.

    Returns
    -------
    Gallery
        All speakers of the folder.

    Raises
    ------
    AudioGMMError
        The first bad recording's.
    MismatchError
        If the folder has speakers of another background model.
    """
    result = _enroll(
        model,
        entries,
        Path(folder),
        _asked(Path(folder), tau, adapt, iterations),
        Aside(strict=True),
        background=background,
        compensation=compensation,
        share_channel=share_channel,
        upsample=upsample,
        threads=threads,
        workers=workers,
        progress=Silent(),
    )
    return result.gallery


@dataclass
class EnrollResult:
    """What an enrollment did."""

    gallery: Gallery
    aside: Aside
    names: list[str] = field(default_factory=list)
    recordings: int = 0
    seconds: float = 0.0
    there_already: int = 0
    note: str = ""

    def summary(self) -> Json:
        """For `--json`."""
        return {
            "output": str(self.gallery.folder),
            "background": self.gallery.fingerprint,
            **self.gallery.adaptation.to_dict(),
            "enrolled": len(self.names),
            "speakers": len(self.gallery),
            "recordings": self.recordings,
            "voiced_seconds": round(self.seconds, 3),
            "there_already": self.there_already,
            "calibrated": not self.note,
            "calibration": self.gallery.calibration_learned,
            "set_aside": len(self.aside),
            "errors": str(self.aside.path),
        }

    def lines(self) -> Iterator[str]:
        """For a person."""
        yield (
            f"enrolled {amount(len(self.names), 'speaker')} from {amount(self.recordings, 'recording')} "
            f"({self.seconds / 60:,.1f} minutes of speech)"
        )
        if self.there_already:
            were = (
                "was enrolled before, and is" if self.there_already == 1 else "were enrolled before, and are"
            )
            yield f"{amount(self.there_already, 'recording')} {were} not counted twice"
        if learned := told(self.gallery.calibration_learned):
            yield learned
        yield f"{amount(len(self.gallery), 'speaker')}: {self.gallery.folder}"


def enroll_to_folder(
    model: Path,
    source: str,
    output: Path,
    *,
    tau: float | None = None,
    adapt: Iterable[str] | None = None,
    iterations: int | None = None,
    background: str | Iterable[Entry] | None = None,
    compensation: Kind | None = None,
    share_channel: bool = True,
    upsample: bool = False,
    strict: bool = False,
    threads: int | None = None,
    workers: int = 0,
    progress: Progress | None = None,
) -> EnrollResult:
    """Enroll the speakers of a manifest, or add recordings to those that are known.

    Raises
    ------
    MismatchError
        If the folder has speakers of another background model; both fingerprints are named.
    ChoiceError
        If it was made with other settings.
    OutputError
        If it holds something else, another run is writing to it, or it cannot be written.
    AudioGMMError
        The first bad recording's, if `strict`.
    """
    from audiogmm.mixture.store import load

    keep_apart(output, source)
    return _enroll(
        load(model),
        source,
        output,
        _asked(output, tau, adapt, iterations),
        Aside(errors_path(output), strict=strict),
        background=background,
        compensation=compensation,
        share_channel=share_channel,
        upsample=upsample,
        threads=threads,
        workers=workers,
        progress=progress or Silent(),
    )


def _enroll(
    model: Model,
    source: str | Iterable[Entry],
    folder: Path,
    adaptation: Adaptation | None,
    aside: Aside,
    *,
    background: str | Iterable[Entry] | None,
    compensation: Kind | None,
    share_channel: bool,
    upsample: bool,
    threads: int | None,
    workers: int,
    progress: Progress,
) -> EnrollResult:
    from audiogmm.reduce import LocalReducer

    inputs = inputs_for(model, source, aside=aside, say=progress.say, upsample=upsample, again=True)
    compares = background is not None or model.metadata.speakers is not None
    if share_channel and compares and not (folder / SETTINGS).exists():
        with LocalReducer(threads, workers) as reducer:
            model = in_shared_channel(model, inputs, reducer, progress)
    gallery = Gallery.create(folder, model, adaptation)
    model, adaptation = gallery.background, gallery.adaptation
    result = EnrollResult(gallery, aside)
    extent = inputs.extent()
    data = EnrollmentData(inputs, gallery, aside)
    several: set[str] = set()
    progress.begin("enrolling", extent.total * adaptation.iterations, extent.unit)

    def heard(_: str, seconds: float) -> None:
        progress.advance(extent.part(seconds), amount(len(result.names), "speaker"))

    stopped = stopped_by_hand("the speakers that are done are kept; the same command goes on")
    with gallery.locked(), LocalReducer(threads, workers) as reducer, stopped:
        for part in parts(data.speakers(), _at_once(model)):
            speakers = enroll_speakers(
                model.mixture,
                model.fingerprint,
                data.of(part),
                adaptation,
                known=data.known,
                reducer=reducer,
                on_error=inputs.refuse,
                each=heard,
            )
            for speaker in speakers:
                gallery.add(speaker)
                before = data.known(speaker.name)
                result.names.append(speaker.name)
                if speaker.n_recordings > 1:
                    several.add(speaker.name)
                result.recordings += speaker.n_recordings - (before.n_recordings if before else 0)
                result.seconds += speaker.voiced_seconds - (before.voiced_seconds if before else 0.0)
                part.discard(speaker.name)
            for name in sorted(part - data.enrolled_before):
                aside.put(name, "", _nobody(name))
            data.forget()
        if background is not None:
            known = inputs_for(
                model, background, aside=aside, say=progress.say, upsample=upsample, again=True
            )
            backend = learn_speakers(
                model.mixture, known, "yes", compensation, reducer, progress, gallery.adaptation
            )
            gallery.equip(with_backend(gallery.background, backend))
        result.note = keep_calibration(
            gallery,
            inputs,
            several | data.enrolled_before,
            _at_once(model),
            reducer,
            progress,
            anew=background is not None,
        )
        if result.note:
            progress.say(result.note)
    progress.end()
    result.there_already = data.n_before
    return result


def _asked(
    folder: Path, tau: float | None, adapt: Iterable[str] | None, iterations: int | None
) -> Adaptation | None:
    """The settings asked for; what is not said is as the folder has it. None where nothing is asked."""
    if tau is None and adapt is None and iterations is None:
        return None
    base = Gallery(folder).adaptation if (folder / SETTINGS).exists() else Adaptation()
    settings = base.to_dict()
    return Adaptation.of(
        settings["adapt"] if adapt is None else adapt,
        base.tau if tau is None else tau,
        base.iterations if iterations is None else iterations,
    )


def _at_once(model: Model) -> int:
    """How many speakers' statistics fit into `AT_ONCE`."""
    from audiogmm.mixture.forms import form_of

    K, D = model.mixture.means.shape
    second = prod(form_of(model.mixture.covariance_type).second_shape(K, D))
    return max(1, int(AT_ONCE // (8 * 3 * (K * D + second))))


def _nobody(name: str) -> TrainingError:
    return TrainingError(
        f"nothing of the speaker {name!r} could be enrolled",
        needed="a recording that can be read, with a voiced frame",
        remedy="see the reasons of its recordings",
    )
