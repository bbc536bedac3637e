"""What a training came to, for a person and for `--json`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from audiogmm.jobs.amounts import amount
from audiogmm.jobs.aside import Aside
from audiogmm.jobs.scores import PLAIN, score_names, unit_of_scores
from audiogmm.mixture.store import Model
from audiogmm.training.approximation import ApproximationLoss
from audiogmm.training.pruning import Loss
from audiogmm.types import Json


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
        training = self.model.metadata["training"]
        detector = self.model.metadata.get("detector") or {}
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
        summary, training = self.summary(), self.model.metadata["training"]
        frontend = self.model.metadata["frontend"]
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
            unit = unit_of_scores(summary["scores"])
            yield f"detector: threshold {summary['threshold']:.3f} {unit}, from held-out normal audio"
            if summary["scores"] != [PLAIN]:
                yield f"scores: {', '.join(summary['scores'])}"
        if summary["note"]:
            yield f"note: {summary['note']}"
        yield f"model: {self.output}"
