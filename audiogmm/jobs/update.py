"""Update a model: recordings added, removed or weighted again, without going through the others."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from audiogmm.blocks import FrameBlock
from audiogmm.errors import ChoiceError, MismatchError
from audiogmm.keywords import accepts
from audiogmm.mixture.movement import movement
from audiogmm.mixture.store import AnyModel, Model, floor_of, model_from
from audiogmm.reduce import LocalReducer
from audiogmm.runs.aside import Aside
from audiogmm.runs.progress import Progress, progress_of
from audiogmm.runs.settings import OF_FILES, RunSettings
from audiogmm.runs.sources import Source
from audiogmm.runs.training_inputs import TrainingInputs, open_training_inputs
from audiogmm.training.incremental import ModelChange, add_recordings, remove_recordings, reweight_recordings
from audiogmm.training.ledger import Ledger
from audiogmm.types import Json

if TYPE_CHECKING:
    from audiogmm.manifest import Entry


@dataclass(frozen=True, kw_only=True)
class UpdateSettings(RunSettings):
    """What is done with the recordings of an update.

    Attributes
    ----------
    remove : bool
        Remove instead of add; needs the ledger.
    reweight : bool
        Change the weight of recordings instead, each to the key `weight` of its entry; needs the ledger. A
        recording that was added just now has weight 1; one of weight 0 takes no part.
    weight : float, optional
        The new weight of all of them instead, at least 0.
    forget : float
        What the past counts when recordings are added, in (0, 1].
    against : str, optional
        Recordings to train on again once the model is written, to say how far it is from that.

    Raises
    ------
    ChoiceError
        If two contradict each other.
    """

    remove: bool = False
    reweight: bool = False
    weight: float | None = None
    forget: float = 1.0
    against: str | None = None

    def __post_init__(self) -> None:
        if self.remove and self.reweight:
            raise ChoiceError(
                "--remove and --reweight",
                needed="one of them",
                remedy="--reweight --weight 0 keeps the entry",
            )
        if self.weight is not None and not self.reweight:
            raise ChoiceError(
                f"--weight {self.weight:g} without --reweight", needed="both", remedy="--reweight"
            )
        if self.forget != 1 and self.verb != "add":
            raise ChoiceError(
                f"--forget {self.forget:g} and --{self.verb}",
                needed="recordings that are added: the past counts less than they do",
                remedy="leave it out",
            )

    @property
    def verb(self) -> str:
        """What is done: ``add``, ``remove`` or ``reweight``."""
        return "reweight" if self.reweight else "remove" if self.remove else "add"


@accepts(UpdateSettings, without=(*OF_FILES, "against"))
def update(
    model: AnyModel,
    source: Source | Iterable[FrameBlock],
    *,
    settings: UpdateSettings,
    ledger: Path | None = None,
    aside: Aside | None = None,
    reducer: LocalReducer | None = None,
    progress: Progress | bool | None = None,
) -> Model:
    """Add recordings to a model, remove them, or change their weight (incremental EM, Neal and Hinton 1998).

    What is added and removed are statistics, exactly; the other recordings' share of them is that of the
    model of their time. So adding and then removing gives back the model that was, but neither gives what
    training again on the same recordings would (`compare_with_retrained` says how far that is). A detector in
    the model is kept as it is.

    Parameters
    ----------
    model : Model or path-like
        With its statistics.
    source : Source, or iterable of FrameBlock
        The recordings, as for `train`; to remove or weight them, only their ids are read.
    settings : UpdateSettings
        What is done with them; or its fields as keywords.
    ledger : Path, optional
        Folder that `train` filled for this model; it is changed in place.
    aside : Aside, optional
        Takes recordings that cannot be used; by default the first one raises.
    reducer : LocalReducer, optional
        In place of one with these threads and workers.
    progress : Progress, optional
        Receives stages and notes.

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

    Examples
    --------
    >>> import numpy as np
    >>> import audiogmm as ag
    >>> random = np.random.default_rng(0)
    >>> hum = [(0.05 * random.standard_normal(32000), 16000) for _ in range(4)]
    >>> model = ag.train(hum[:3], "ambient", n_components=2)
    >>> more = ag.update(model, hum[3:])
    >>> model.statistics.n_frames, more.statistics.n_frames
    (594.0, 792.0)
    """
    model, progress = model_from(model), progress_of(progress)
    aside = Aside(strict=True) if aside is None else aside
    book = _open_ledger(model, ledger, settings)
    inputs = open_training_inputs(
        source,
        model=model,
        aside=aside,
        progress=progress,
        upsample=settings.upsample,
        choice=settings.choice,
    )
    reducer = reducer or LocalReducer(settings.threads, settings.workers)
    if book is not None and settings.verb == "add":  # before anything is read
        for entry in inputs.entries or ():
            book.refuse_known(entry.id)
    changed = _change(model, inputs, settings, book, progress, reducer)
    if book is not None:
        book.save(changed.mixture.fingerprint)
    done: Json = {
        "verb": settings.verb,
        "n_recordings": changed.n_recordings,
        "n_frames": changed.n_frames,
        "forget": settings.forget,
        "movement": movement(model.mixture, changed.mixture),
        "loss": None if changed.loss is None else changed.loss.to_json(),
    }
    metadata = replace(model.metadata, updates=[*model.metadata.updates, done])
    return Model(changed.mixture, changed.statistics, metadata, model.tensors)


def _open_ledger(model: Model, folder: Path | None, settings: UpdateSettings) -> Ledger | None:
    """Open the ledger of a model, if there is one."""
    if model.statistics is None:
        raise MismatchError(
            "the model has no statistics", needed="what it was estimated from", remedy="train it again"
        )
    if folder is None and settings.verb != "add":
        raise MismatchError(
            "the model has no ledger, so what a recording gave to it is not known",
            needed="a ledger beside the model",
            remedy="train --ledger",
        )
    book = None if folder is None else Ledger(folder)
    if book is not None:
        book.check(model.mixture.fingerprint)
    return book


def _change(
    model: Model,
    inputs: TrainingInputs,
    settings: UpdateSettings,
    ledger: Ledger | None,
    progress: Progress,
    reducer: LocalReducer,
) -> ModelChange:
    """Change the statistics of a model."""
    mixture, statistics, floor = model.mixture, model.statistics, floor_of(model)
    assert statistics is not None
    if settings.verb == "add":
        progress.begin("reading", None, "recordings")
        with reducer:
            changed = add_recordings(
                mixture,
                statistics,
                inputs.shards,
                floor=floor,
                reducer=reducer,
                ledger=ledger,
                forget=settings.forget,
                on_error=inputs.on_error,
            )
        progress.end()
        return changed
    assert ledger is not None
    if settings.verb == "remove":
        named = inputs.shards if inputs.entries is None else inputs.entries
        return remove_recordings(mixture, statistics, [each.id for each in named], floor=floor, ledger=ledger)
    entries, weight = inputs.entries or (), settings.weight
    weights = {entry.id: weight_of(entry) if weight is None else weight for entry in entries}
    return reweight_recordings(mixture, statistics, weights, floor=floor, ledger=ledger)


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
