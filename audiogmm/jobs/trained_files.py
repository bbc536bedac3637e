"""Training from the files of a manifest to a model file, with a checkpoint and a ledger beside it."""

from __future__ import annotations

import glob
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from audiogmm.anomaly.learning.model_parts import score_names
from audiogmm.anomaly.scorers.table import PLAIN, score_unit
from audiogmm.files import exclusive, refuse_folder, refuse_overwrite
from audiogmm.jobs.train import train
from audiogmm.mixture.store import Model, load
from audiogmm.runs.aside import Aside, errors_path
from audiogmm.runs.outputs import keep_apart
from audiogmm.runs.progress import Progress
from audiogmm.training import Reducer, TrainingInterrupted
from audiogmm.training.ledger import beside, replacing_ledger
from audiogmm.training.pruning import Loss
from audiogmm.training.schedule.approximation import ApproximationLoss
from audiogmm.types import Json
from audiogmm.words import amount

if TYPE_CHECKING:
    from audiogmm.audio.frontend.frontend import FrontEnd


def train_to_file(
    source: str,
    output: Path,
    frontend: FrontEnd | None,
    *,
    start: Path | None = None,
    resume: bool = False,
    force: bool = False,
    strict: bool = False,
    ledger: bool = False,
    dask: str | None = None,
    progress: Progress | None = None,
    **settings: Any,
) -> TrainResult:
    """Train as `train` does, and save the model; a checkpoint lies beside it until it is saved.

    Parameters
    ----------
    dask : str, optional
        Address of a Dask scheduler, whose workers then read the recordings by the same absolute paths.

    Raises
    ------
    ChoiceError
        If nobody answers at the address.
    OutputError
        If the model file exists (and not `force`), cannot be written, or another run is writing it.
    TrainingInterrupted
        On Ctrl-C; `resume` goes on from the last complete pass.
    """
    keep_apart(output, source)
    refuse_folder(output)
    checkpoint = output.with_name(output.name + ".checkpoint")
    book = beside(output) if ledger else None
    with exclusive(output):
        refuse_overwrite(output, force)
        if book is not None:
            refuse_overwrite(book, force)
        aside = Aside(errors_path(output), strict=strict)
        if not resume:
            drop(checkpoint)
        try:
            with (
                replacing_ledger(book, force) as temporary,
                _cluster(dask) as reducer,
                aside.explaining(),
            ):
                model = train(
                    source if dask is None or not Path(source).exists() else str(Path(source).absolute()),
                    frontend,
                    reducer=reducer,
                    start=None if start is None else load(start),
                    checkpoint=checkpoint,
                    ledger=temporary,
                    aside=aside,
                    progress=progress,
                    **settings,
                )
        except TrainingInterrupted as stopped:
            raise KeyboardInterrupt(
                f"Training was {stopped.what}; go on with the same command and --resume"
                if any(checkpoints(checkpoint))
                else f"Training was {stopped.what}; nothing was written"
            ) from stopped
        model.save(output, force=force)
        drop(checkpoint)
    return TrainResult(output, model, aside)


@contextmanager
def _cluster(address: str | None) -> Iterator[Reducer | None]:
    """The reducer of the Dask cluster at an address; None for None."""
    if address is None:
        yield None
        return
    from audiogmm.dask_reduce import connected

    with connected(address) as reducer:
        yield reducer


def told(loss: Loss) -> str:
    """What pruning a ledger lost, for a person.

    Examples
    --------
    >>> told(Loss(25.0, 10_000.0, 0.0125))
    'ledger: 25.0 of 10,000 frames (0.25 %) were pruned, which changes no parameter by more than 0.0125'
    """
    return (
        f"ledger: {loss.n_frames:,.1f} of {loss.of_frames:,.0f} frames "
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
        """For `--json`."""
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
            "set_aside": len(self.aside),
            "errors": str(self.aside.path),
        }

    def lines(self) -> Iterator[str]:
        """For a person."""
        summary, training = self.summary(), self.model.metadata.training
        frontend = self.model.metadata.frontend
        minutes = f"{summary['seconds'] / 60:,.1f} minutes, " if frontend else ""
        frames = amount(summary["n_frames"], "frame")
        yield f"{amount(summary['n_recordings'], 'recording')} ({minutes}{frames})"
        why = {"likelihood": "the likelihood is stable", "parameters": "the parameters stand still"}.get(
            summary["converged"], "all the passes allowed: it might still gain"
        )
        yield (
            f"{amount(summary['n_components'], 'component')}, {summary['covariance_type']}: "
            f"{summary['log_likelihood']:.4f} nats a frame after "
            f"{amount(summary['passes'], 'pass', 'passes')} ({why})"
            + (" and the ledger's own, an exact one" if training.get("ledger_pass") else "")
        )
        yield f"BIC {summary['bic']:,.0f}, AIC {summary['aic']:,.0f}"
        if (loss := training.get("ledger_loss")) is not None:
            yield told(Loss(**loss))
        if lost := training["approximation"]:
            yield f"approximation: {ApproximationLoss.from_json(lost)}"
        if training["constant"]:
            yield f"note: constant features, kept alive by the variance floor: {training['constant']}"
        if summary["threshold"] is not None:
            unit = score_unit(summary["scores"])
            yield f"detector: threshold {summary['threshold']:.3f} {unit}, from held-out normal audio"
            if summary["scores"] != [PLAIN]:
                yield f"scores: {', '.join(summary['scores'])}"
        if summary["note"]:
            yield f"note: {summary['note']}"
        yield f"model: {self.output}"


def checkpoints(path: Path) -> Iterator[Path]:
    """The checkpoints of a training, one for each of its parts."""
    return path.parent.glob(f"{glob.escape(path.name)}.*")


def drop(path: Path) -> None:
    """Remove the checkpoints of a training."""
    for file in checkpoints(path):
        file.unlink(missing_ok=True)
