"""The result of a training, and the error of an interrupted one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from audiogmm.errors import AudioGMMError
from audiogmm.mixture.gaussian import Mixture
from audiogmm.mixture.statistics import SufficientStats
from audiogmm.training.criteria import aic, bic
from audiogmm.training.first_pass import ExcludedRecording
from audiogmm.training.schedule.approximation import ApproximationLoss
from audiogmm.training.schedule.convergence import Converged
from audiogmm.training.schedule.monitor import PassReport
from audiogmm.types import FloatArray, Json, Seconds


@dataclass(frozen=True)
class TrainingResult:
    """A trained mixture and its training.

    Attributes
    ----------
    mixture : Mixture
        The model, after the last update.
    statistics : SufficientStats or None
        What it was estimated from; None if no pass was made.
    history : tuple of PassReport
        One report a pass.
    converged : {"likelihood", "parameters", ""}
        The rule that ended it; empty if it ended at its number of passes.
    n_frames : int
        Voiced frames that trained.
    n_recordings : int
        Recordings that trained.
    seconds : Seconds
        Audio of these recordings, unvoiced parts included.
    set_aside : tuple of ExcludedRecording
        Recordings that did not train, each with its error.
    mean, variance : ndarray of shape (n_features,), float64
        Of all frames that trained.
    floor : ndarray of shape (n_features,), float64
        The variance floor.
    constant : tuple of int
        Features that have one value in all frames, and so the variance of the floor.
    spooled : bool
        Whether the frames were kept after the first pass; if not, the recordings were read in every pass.
    shared_variance : bool
        Whether all components have one variance, as those of k-means.
    starts : tuple of float
        Log-likelihood per sampled frame that each of several starts reached.
    loss : ApproximationLoss or None
        The loss of an approximate training; None if it was exact, or interrupted.
    """

    mixture: Mixture
    statistics: SufficientStats | None
    history: tuple[PassReport, ...]
    converged: Converged
    n_frames: int
    n_recordings: int
    seconds: Seconds
    set_aside: tuple[ExcludedRecording, ...]
    mean: FloatArray
    variance: FloatArray
    floor: FloatArray
    constant: tuple[int, ...] = ()
    spooled: bool = True
    starts: tuple[float, ...] = ()
    shared_variance: bool = False
    loss: ApproximationLoss | None = None

    @property
    def n_parameters(self) -> int:
        """Free parameters: those of the mixture, a variance that all components share counted once."""
        return self.mixture.n_parameters - self.shared_variance * (self.mixture.n_components - 1)

    @property
    def passes(self) -> int:
        """Passes made, those before a resumption included."""
        return len(self.history)

    @property
    def log_likelihood(self) -> float | None:
        """Mean log-likelihood per frame in the last pass, nats: of the mixture before its last update.

        After approximate training: the exact one of the mixture itself.
        """
        if self.loss is not None:
            return self.loss.log_likelihood
        return self.history[-1].log_likelihood if self.history else None

    @property
    def bic(self) -> float | None:
        """Bayesian information criterion at `log_likelihood`; lower is better."""
        if self.log_likelihood is None:
            return None
        return bic(self.log_likelihood * self.n_frames, self.n_parameters, self.n_frames)

    @property
    def aic(self) -> float | None:
        """Akaike's information criterion at `log_likelihood`; lower is better."""
        if self.log_likelihood is None:
            return None
        return aic(self.log_likelihood * self.n_frames, self.n_parameters)

    def to_json(self) -> Json:
        """Summarize the training for a model file: the same training gives the same object."""
        return {
            "passes": self.passes,
            "converged": self.converged,
            "log_likelihood": self.log_likelihood,
            "bic": self.bic,
            "aic": self.aic,
            "n_frames": self.n_frames,
            "n_recordings": self.n_recordings,
            "seconds": self.seconds,
            "set_aside": len(self.set_aside),
            "floor": self.floor.tolist(),
            "constant": list(self.constant),
            "starts": list(self.starts),
            "approximation": None if self.loss is None else self.loss.to_json(),
            "history": [report.to_json() for report in self.history],
        }


class TrainingInterrupted(AudioGMMError):  # noqa: N818 - it names what happened, as KeyboardInterrupt does
    """The error of a training interrupted by Ctrl-C; complete passes are kept.

    Attributes
    ----------
    result : TrainingResult or None
        As after the last complete pass; None if there was none.
    checkpoint : Path or None
        The file from which the same call goes on.
    """

    def __init__(self, what: str, *, needed: str = "", remedy: str = "") -> None:
        super().__init__(what, needed=needed, remedy=remedy)
        self.result: TrainingResult | None = None
        self.checkpoint: Path | None = None


def interrupted(result: TrainingResult | None, checkpoint: Path | None) -> TrainingInterrupted:
    """Return the error that Ctrl-C raises: how far training was, and how to go on.

    Examples
    --------
    >>> interrupted(None, None).what
    'interrupted after 0 complete passes'
    """
    passes = 0 if result is None else result.passes
    kept = checkpoint if passes else None
    error = TrainingInterrupted(
        f"interrupted after {passes} complete passes" if passes != 1 else "interrupted after 1 complete pass",
        remedy=f"the same command again, which goes on from {kept}" if kept else "the same command again",
    )
    error.result, error.checkpoint = (result if passes else None), kept
    return error
