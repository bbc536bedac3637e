"""Update a model: recordings added, removed or weighed anew, without going through the others."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from audiogmm.blocks import FrameBlock
from audiogmm.errors import AudioGMMError, ChoiceError, MismatchError, TrainingError
from audiogmm.files import exclusive, refuse_overwrite
from audiogmm.jobs.distance import compare, open_comparison
from audiogmm.jobs.updated import UpdateResult
from audiogmm.mixture.store import Model, floor_of, load
from audiogmm.runs.aside import Aside, errors_path
from audiogmm.runs.progress import Progress, Silent
from audiogmm.runs.training_inputs import open_training_inputs
from audiogmm.training import LocalReducer, TrainingInterrupted
from audiogmm.training.incremental import add, take_out
from audiogmm.training.incremental import reweight as weigh_anew
from audiogmm.training.ledger import Ledger, beside, replacing_ledger
from audiogmm.training.schedule.convergence import movement
from audiogmm.types import Json

if TYPE_CHECKING:
    from audiogmm.manifest import Entry


def update(
    model: Model,
    source: str | os.PathLike[str] | Iterable[Entry] | Iterable[FrameBlock],
    *,
    remove: bool = False,
    reweight: bool = False,
    weight: float | None = None,
    forget: float = 1.0,
    ledger: Path | None = None,
    threads: int | None = None,
    workers: int = 0,
    upsample: bool = False,
    aside: Aside | None = None,
    progress: Progress | None = None,
) -> Model:
    """Add recordings to a model, remove them, or weigh them anew (incremental EM, Neal and Hinton 1998).

    What is added and removed are statistics, exactly; the other recordings' share of them is that of the
    model of their time. So adding and then removing gives back the model that was, but neither gives what
    training anew on the same recordings would (`distance.compare` says how far that is). A detector in the
    model is kept as it is.

    Parameters
    ----------
    model : Model
        With its statistics.
    source : path-like, or iterable of Entry or of FrameBlock
        The recordings, as for `train`; to remove or weigh them, only their ids are read.
    remove : bool
        Remove instead of add; needs the ledger.
    reweight : bool
        Weigh recordings anew instead, each by the key `weight` of its entry; needs the ledger. A recording
        that was added just now has weight 1; one of weight 0 takes no part.
    weight : float, optional
        The new weight of all of them instead, at least 0.
    forget : float
        What the past counts when recordings are added, in (0, 1].
    ledger : Path, optional
        Folder that `train` filled for this model; it is changed in place.
    threads, workers : int
        As for `train`.
    upsample : bool
        Accept audio below the sample rate.
    aside : Aside, optional
        Takes recordings that cannot be used; by default the first one raises.
    progress : Progress, optional
        Who listens.

    Returns
    -------
    Model
        The new one.

    Raises
    ------
    MismatchError
        If the model has no statistics, the ledger is another model's or none, a recording was never added,
        or is there already.
    TrainingError
        If nothing could be added, or nothing would be left.
    ChoiceError
        If `forget` is outside (0, 1] or nothing is added, a weight is negative or missing, or settings
        contradict each other.
    """
    if remove and reweight:
        raise ChoiceError("remove and reweight", needed="one of them", remedy="weight=0 keeps the entry")
    if weight is not None and not reweight:
        raise ChoiceError(f"weight={weight} without reweight", needed="both", remedy="reweight=True")
    if forget != 1 and (remove or reweight):
        raise ChoiceError(
            f"forget={forget} where recordings are {'removed' if remove else 'weighed anew'}",
            needed="recordings that are added, beside which the past counts less",
            remedy="leave it out",
        )
    progress = progress or Silent()
    aside = Aside(strict=True) if aside is None else aside
    if model.statistics is None:
        raise MismatchError(
            "the model has no statistics", needed="what it was estimated from", remedy="train it anew"
        )
    book = None if ledger is None else Ledger(ledger)
    if book is not None:
        book.check(model.mixture.fingerprint)
    if (remove or reweight) and book is None:
        raise MismatchError(
            "the model has no ledger, so what a recording gave to it is not known",
            needed="a ledger beside the model",
            remedy="train --ledger",
        )
    floor = floor_of(model)
    opened = open_training_inputs(source, model=model, aside=aside, progress=progress, upsample=upsample)
    inputs, shards = opened.recordings, opened.shards
    if reweight:
        assert book is not None
        entries = inputs.entries if inputs else ()
        weights = {entry.id: weight_of(entry) for entry in entries} if weight is None else {}
        if weight is not None:
            weights = dict.fromkeys((entry.id for entry in entries), weight)
        changed = weigh_anew(model.mixture, model.statistics, weights, floor=floor, ledger=book)
    elif remove:
        assert book is not None
        ids = [entry.id for entry in inputs.entries] if inputs else [shard.id for shard in shards]
        changed = take_out(model.mixture, model.statistics, ids, floor=floor, ledger=book)
    else:
        progress.begin("reading", None, "recordings")
        with LocalReducer(threads, workers) as reducer:
            changed = add(
                model.mixture,
                model.statistics,
                shards,
                floor=floor,
                reducer=reducer,
                ledger=book,
                forget=forget,
                on_error=None if inputs is None else inputs.refuse,
            )
        progress.end()
    if book is not None:
        book.save(changed.mixture.fingerprint)
    done: Json = {
        "verb": "reweight" if reweight else "remove" if remove else "add",
        "n_recordings": changed.n_recordings,
        "n_frames": changed.n_frames,
        "forget": forget,
        "movement": movement(model.mixture, changed.mixture),
        "loss": None if changed.loss is None else changed.loss.to_json(),
    }
    metadata = replace(model.metadata, updates=[*model.metadata.updates, done])
    return Model(changed.mixture, changed.statistics, metadata, model.tensors)


def weight_of(entry: Entry) -> float:
    """The key `weight` of a manifest's entry.

    Raises
    ------
    ChoiceError
        If there is none, or it is no number.
    """
    weight = entry.extra.get("weight")
    try:
        return float(weight)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        raise ChoiceError(
            f"recording {entry.id!r} has weight {weight!r}",
            needed="a number of at least 0 under the key `weight` of every entry",
            remedy="--weight, to give all the same one",
        ) from None


def update_file(
    model: Path,
    source: str,
    output: Path,
    *,
    force: bool = False,
    strict: bool = False,
    against: str | None = None,
    **settings: Any,
) -> UpdateResult:
    """Update a model file, and its ledger where it has one, as `update` does.

    Parameters
    ----------
    against : str, optional
        Recordings to train on anew once the model is written, to say how far it is from that; they are
        looked for before anything is written.

    Raises
    ------
    ManifestError
        If those to compare with cannot be read.
    OutputError
        If the output exists (and not `force`), cannot be written, or another run is writing it.
    """
    with exclusive(output):
        refuse_overwrite(output, force)
        aside = Aside(errors_path(output), strict=strict)
        before = load(model)
        others = None
        if against is not None:
            others = open_comparison(
                before,
                against,
                aside=aside,
                progress=settings.get("progress"),
                upsample=settings.get("upsample", False),
            )
        old, new = beside(model), beside(output)
        in_place = new.exists() and new.samefile(old) if old.exists() else False
        if in_place or not old.exists():
            with aside.explaining():
                after = update(before, source, ledger=old if in_place else None, aside=aside, **settings)
        else:
            with replacing_ledger(new, force) as temporary, aside.explaining():
                assert temporary is not None
                book = Ledger(old)
                book.check(before.mixture.fingerprint)
                book.copy_to(temporary).save(book.fingerprint)
                after = update(before, source, ledger=temporary, aside=aside, **settings)
        after.save(output, force=force)
        if in_place:
            Ledger(new).purge()
    distance = None
    if others is not None:
        try:
            distance = compare(
                after, others, threads=settings.get("threads"), workers=settings.get("workers", 0)
            )
        except TrainingInterrupted as stopped:
            raise KeyboardInterrupt(f"{output} is written; the comparison was {stopped.what}") from stopped
        except AudioGMMError as error:
            raise TrainingError(
                f"{output} is written, but cannot be compared: {error.what}",
                needed=error.needed,
                remedy=error.remedy,
            ) from error
    return UpdateResult(output, after, aside, distance)
