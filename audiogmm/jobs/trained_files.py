"""Training from the files of a manifest to a model file, with a checkpoint and a ledger beside it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from audiogmm.anomaly.learning.model_parts import score_names, terms_of
from audiogmm.anomaly.scorers.table import PLAIN, score_unit
from audiogmm.files import refuse_folder, together
from audiogmm.jobs.train import train
from audiogmm.jobs.train_settings import TrainSettings
from audiogmm.keywords import accepts
from audiogmm.mixture.store import Model
from audiogmm.reduce import Reducer
from audiogmm.runs.aside import Aside, errors_path
from audiogmm.runs.listed_inputs import note_inputs
from audiogmm.runs.outputs import keep_apart
from audiogmm.runs.progress import Progress, progress_of
from audiogmm.runs.unfinished import unfinished
from audiogmm.training import TrainingInterrupted
from audiogmm.training.ledger import Ledger, beside, replacing_ledger
from audiogmm.training.pruning import PruningLoss
from audiogmm.training.schedule.approximation import ApproximationLoss
from audiogmm.training.schedule.convergence import Converged
from audiogmm.types import Json
from audiogmm.words import SOUND, Terms, amount

if TYPE_CHECKING:
    from audiogmm.audio.frontend.frontend import FrontEnd


@accepts(TrainSettings, without=("frontend",))
def train_to_file(
    source: str,
    output: Path,
    frontend: FrontEnd | None = None,
    *,
    settings: TrainSettings,
    progress: Progress | bool | None = None,
) -> TrainResult:
    """Train as `train` does, and save the model; until it is saved, a checkpoint lies beside it.

    After a kill or a power failure at any instant, the same call with `resume` ends with the same bytes.

    Parameters
    ----------
    source, frontend, settings, progress
        As for `train`.
    output : Path
        The model file.

    Raises
    ------
    ChoiceError
        If there is no Dask scheduler at the address.
    OutputError
        If the model file exists (and not `force`), cannot be written, or another run is writing it.
    TrainingInterrupted
        On Ctrl-C; `resume` continues from the last complete pass.
    """
    keep_apart(output, source)
    refuse_folder(output)
    ledger = beside(output) if settings.ledger is True else settings.ledger or None
    outputs = [output] if ledger is None else [output, ledger]
    with unfinished(outputs, settings.checkpoint, resume=settings.resume, force=settings.force) as run:
        force, began = settings.force or run.goes_on, time.time()
        aside = Aside(errors_path(output), strict=settings.strict)
        try:
            with nullcontext() if ledger is None else together():
                with (
                    replacing_ledger(ledger, force) as temporary,
                    _cluster(settings.dask) as reducer,
                    aside.explaining(),
                ):
                    model = train(
                        source
                        if reducer is None or not Path(source).exists()
                        else str(Path(source).absolute()),
                        frontend,
                        settings=replace(settings, ledger=temporary or False),
                        reducer=reducer,
                        checkpoint=run.place,
                        aside=aside,
                        progress=progress,
                    )
                model.save(output, force=force)
            note_inputs(output, source, aside, progress_of(progress).say, since=began)
        except TrainingInterrupted as stopped:
            raise KeyboardInterrupt(
                f"Training was {stopped.what}; the same command with --resume continues from there"
                if run.kept
                else f"Training was {stopped.what}; nothing was written"
            ) from stopped
        if ledger is not None:
            Ledger(ledger).purge()
    return TrainResult(output, model, aside)


@contextmanager
def _cluster(address: str | None) -> Iterator[Reducer | None]:
    """Connect to the Dask cluster at an address; None for None."""
    if address is None:
        yield None
        return
    from audiogmm.dask_reduce import connected

    with connected(address) as reducer:
        yield reducer


def describe_loss(loss: PruningLoss, terms: Terms = SOUND) -> str:
    """Describe what pruning a ledger lost.

    Examples
    --------
    >>> describe_loss(PruningLoss(25.0, 10_000.0, 0.0125))
    'ledger: 25.0 of 10,000 frames (0.25 %) were pruned, which changes no parameter by more than 0.0125'
    """
    return (
        f"ledger: {loss.n_frames:,.1f} of {terms.frames(loss.of_frames)} "
        f"({100 * loss.n_frames / loss.of_frames:.2g} %) were pruned, "
        f"which changes no parameter by more than {loss.largest_change:.3g}"
    )


@dataclass(frozen=True)
class TrainResult:
    """A trained model, and where it lies."""

    output: Path
    model: Model
    aside: Aside

    def summary(self) -> Json:
        """Return what `--json` prints."""
        training = self.model.metadata.training
        detector = self.model.metadata.detector or {}
        kept = ("passes", "converged", "log_likelihood", "bic", "aic", "n_frames", "n_recordings", "seconds")
        return {
            "output": str(self.output),
            "n_components": self.model.mixture.n_components,
            "covariance_type": self.model.mixture.covariance_type,
            **{name: training[name] for name in kept},
            "algorithm": training.get("algorithm"),
            "stepwise": training.get("stepwise"),
            "threshold": detector.get("threshold"),
            "scores": score_names(self.model),
            "approximation": training["approximation"],
            "note": detector.get("note", ""),
            **self.aside.summary(),
        }

    def lines(self) -> Iterator[str]:
        """Yield the closing lines."""
        summary, training, terms = self.summary(), self.model.metadata.training, terms_of(self.model)
        length = f"{terms.length(summary['seconds'])}, " if terms.unit else ""
        yield (f"{terms.recordings(summary['n_recordings'])} ({length}{terms.frames(summary['n_frames'])})")
        passes = amount(summary["passes"], "pass", "passes")
        yield (
            f"{amount(summary['n_components'], 'component')}, {summary['covariance_type']}: "
            f"{summary['log_likelihood']:.4f} {terms.of('nats a frame')} after {passes} "
            f"({describe_end(summary['converged'], summary['passes'])})"
            + (" and the exact pass of the ledger" if training.get("ledger_pass") else "")
        )
        yield f"BIC {summary['bic']:,.0f}, AIC {summary['aic']:,.0f}"
        if (loss := training.get("ledger_loss")) is not None:
            yield describe_loss(PruningLoss(**loss), terms)
        if lost := training["approximation"]:
            yield f"approximation: {ApproximationLoss.from_json(lost)}"
        if constant := training["constant"]:
            yield f"note: constant features, whose variance is the variance floor: {constant}"
        if summary["threshold"] is not None:
            threshold = f"{summary['threshold']:.3f} {terms.of(score_unit(summary['scores']))}"
            yield f"detector: threshold {threshold}, from held-out normal {terms.material}"
            if summary["scores"] != [PLAIN]:
                yield f"scores: {', '.join(summary['scores'])}"
        if summary["note"]:
            yield f"note: {summary['note']}"
        yield f"model: {self.output}"


def describe_end(converged: Converged, passes: int) -> str:
    """Describe why a training ended.

    Examples
    --------
    >>> describe_end("parameters", 12), describe_end("", 10)
    ('converged: the parameters no longer change', 'stopped at --passes 10 before it converged')
    """
    if converged == "parameters":
        return "converged: the parameters no longer change"
    if converged == "likelihood":
        return "converged: the likelihood no longer rises"
    return f"stopped at --passes {passes} before it converged"
