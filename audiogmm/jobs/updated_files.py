"""Updating a model file and its ledger, and how far the model is from one that is trained again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from audiogmm.anomaly.learning.model_parts import terms_of
from audiogmm.errors import AudioGMMError, ManifestError, TrainingError
from audiogmm.files import refuse_folder
from audiogmm.jobs.trained_files import describe_loss
from audiogmm.jobs.update import UpdateSettings, update
from audiogmm.keywords import accepts
from audiogmm.mixture.movement import movement
from audiogmm.mixture.statistics import SufficientStats
from audiogmm.mixture.store import Model, floor_of, load
from audiogmm.reduce import LocalReducer
from audiogmm.runs.aside import Aside, set_aside_by
from audiogmm.runs.inputs import Inputs, open_inputs
from audiogmm.runs.keeping import keeping
from audiogmm.runs.progress import Progress, progress_of
from audiogmm.training.incremental import NamedEStep
from audiogmm.training.ledger import Ledger, beside, replacing_ledger
from audiogmm.training.pruning import PruningLoss
from audiogmm.training.result import TrainingInterrupted
from audiogmm.training.training import train_mixture
from audiogmm.types import Json


@accepts(UpdateSettings)
def update_file(
    model: Path,
    source: str,
    output: Path,
    *,
    settings: UpdateSettings,
    progress: Progress | bool | None = None,
) -> UpdateResult:
    """Update a model file, and its ledger where it has one, as `update` does.

    Raises
    ------
    ManifestError
        If the recordings to compare with cannot be read.
    OutputError
        If the output exists (and not `force`), cannot be written, or another run is writing it.
    """
    progress = progress_of(progress)
    refuse_folder(output)
    before, kinds = load(model), {NamedEStep: (SufficientStats,)}
    key = f"{before.fingerprint} {settings.key}"
    of = before.fingerprint if output.exists() and output.samefile(model) else ""
    with (
        set_aside_by(output, settings.strict) as aside,
        keeping(output, settings, key, kinds, aside, progress, of=of) as kept,
    ):
        if kept.is_made:  # by a run that was cut off after it had saved the model
            if beside(output).exists():
                Ledger(beside(output)).purge()
            return UpdateResult(output, before, aside, None)
        others = None
        if settings.against is not None:  # looked for before anything is written
            others = open_comparison(
                before, settings.against, aside=aside, progress=progress, upsample=settings.upsample
            )
        old, new = beside(model), beside(output)
        in_place = new.exists() and new.samefile(old) if old.exists() else False
        doing = partial(
            update, before, source, settings=settings, aside=aside, reducer=kept.reducer, progress=progress
        )
        if in_place or not old.exists():
            with aside.explaining():
                after = doing(ledger=old if in_place else None)
        else:
            with replacing_ledger(new, kept.force) as temporary, aside.explaining():
                assert temporary is not None
                book = Ledger(old)
                book.check(before.mixture.fingerprint)
                book.copy_to(temporary).save(book.fingerprint)
                after = doing(ledger=temporary)
        after.save(output, force=kept.force)
        if old.exists():
            Ledger(new).purge()
    distance = None if others is None else _compare(after, others, output, settings)
    return UpdateResult(output, after, aside, distance)


def _compare(model: Model, others: Inputs, output: Path, settings: UpdateSettings) -> Json:
    """Compare a model that is written; what goes wrong says that it is."""
    try:
        return compare_with_retrained(model, others, threads=settings.threads, workers=settings.workers)
    except TrainingInterrupted as stopped:
        raise KeyboardInterrupt(f"{output} is written; the comparison was {stopped.what}") from stopped
    except AudioGMMError as error:
        raise TrainingError(
            f"{output} is written, but cannot be compared: {error.what}",
            needed=error.needed,
            remedy=error.remedy,
        ) from error


def open_comparison(
    model: Model,
    source: str,
    *,
    aside: Aside,
    progress: Progress | bool | None = None,
    upsample: bool = False,
) -> Inputs:
    """Open the recordings that a model is to be compared on, and read their manifest through.

    Parameters
    ----------
    model : Model
        The model, whose front end they go through.
    source : str
        A manifest, or what stands in its place.
    aside : Aside
        Takes bad lines, and later bad recordings.
    progress : Progress, optional
        Receives notes.
    upsample : bool
        Accept audio below the sample rate.

    Raises
    ------
    ManifestError
        If it cannot be read, or names nothing.
    """
    say = progress_of(progress).say
    inputs = open_inputs(source, model=model, aside=aside, say=say, upsample=upsample, again=True)
    if not inputs.extent().total and not any(True for _ in inputs.entries):
        raise ManifestError(f"{source} names no recording", needed="recordings to compare with")
    return inputs


def compare_with_retrained(
    model: Model, inputs: Inputs, *, threads: int | None = None, workers: int = 0
) -> Json:
    """Measure how far a model is from one trained on recordings until it converges, from there.

    That one has the model's form and its variance floor; recordings that cannot be used are set aside.

    Parameters
    ----------
    model : Model
        The updated one.
    inputs : Inputs
        All the recordings, as `open_comparison` gives them.
    threads, workers : int
        As for `train`.

    Returns
    -------
    dict
        ``movement`` in standard deviations (see `training.convergence.movement`), ``log_likelihood`` a
        frame of the model and ``retrained`` of the other, nats.

    Raises
    ------
    TrainingError
        If none of the recordings can be used.
    """
    with LocalReducer(threads, workers) as reducer:
        result = train_mixture(
            inputs,
            n_components=model.mixture.n_components,
            covariance_type=model.mixture.covariance_type,
            init=model.mixture,
            floor=floor_of(model),
            tol=1e-5,
            passes=100,
            reducer=reducer,
            on_error=inputs.refuse,
        )
    retrained = result.history[-1].log_likelihood
    return {
        "movement": movement(model.mixture, result.mixture),
        "log_likelihood": result.history[0].log_likelihood,
        "retrained": retrained,
        "trained_anew": retrained,  # its name in version 0.1
    }


@dataclass(frozen=True)
class UpdateResult:
    """An updated model, and where it lies."""

    output: Path
    model: Model
    aside: Aside
    distance: Json | None

    def summary(self) -> Json:
        """Return what `--json` prints."""
        assert self.model.statistics is not None
        last: Json = self.model.metadata.updates[-1]
        return last | {
            "output": str(self.output),
            "n_frames_in_all": self.model.statistics.n_frames,
            "distance": self.distance,
            **self.aside.summary(),
        }

    def lines(self) -> Iterator[str]:
        """Yield the closing lines."""
        s, terms = self.summary(), terms_of(self.model)
        done = {"add": "added", "remove": "removed", "reweight": "weighted again"}[s["verb"]]
        yield (
            f"{terms.recordings(s['n_recordings'])} ({terms.frames(s['n_frames'])}) {done}; "
            f"the parameters moved by {s['movement']:.3g} standard deviations"
        )
        if s["loss"] is not None:
            yield describe_loss(PruningLoss(**s["loss"]), terms)
        yield (
            f"the statistics are exact, but those of the other {terms.recording}s are of the model of their "
            "time: training again would give another model"
            + ("" if self.distance else " (--compare-with M says how far away)")
        )
        if self.distance is not None:
            unit = terms.of("nats a frame")
            yield (
                f"trained again from here: {self.distance['movement']:.3g} standard deviations away, "
                f"{self.distance['retrained']:.4f} {unit} instead of {self.distance['log_likelihood']:.4f}"
            )
        if self.model.metadata.detector is not None:
            yield "note: the detector is the old model's; `audiogmm calibrate` makes another"
        yield f"model: {self.output}"
