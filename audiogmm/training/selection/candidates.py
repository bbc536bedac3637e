"""Candidates of a selection: their shapes, their training, and the values of all criteria."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from audiogmm.mixture.gaussian import Mixture
from audiogmm.training.criteria import aic, assignment_entropy, bic, effective_bic, icl
from audiogmm.training.schedule.batch import EM, KMeans, TrainingState, update_state
from audiogmm.training.schedule.convergence import Converged
from audiogmm.training.selection.held_out import HeldOutScores
from audiogmm.types import CovarianceType


@dataclass(frozen=True, slots=True, order=True)
class Candidate:
    """One size and one form; k-means has none but its own.

    Examples
    --------
    >>> str(Candidate("diag", 64)), str(Candidate("kmeans", 64))
    ('diag 64', 'kmeans 64')
    """

    form: str
    n_components: int

    def __str__(self) -> str:
        return f"{self.form} {self.n_components}"

    @property
    def covariance_type(self) -> CovarianceType:
        """That of the mixture."""
        return "spherical" if self.form == "kmeans" else self.form  # type: ignore[return-value]


@dataclass(frozen=True)
class CandidateState:
    """A candidate in training.

    Attributes
    ----------
    candidate : Candidate
        What it is.
    method : EM or KMeans
        How it is trained.
    state : TrainingState
        After its latest pass.
    entropy : float
        Of the posteriors of the latest pass, summed over the frames; nan for k-means.
    """

    candidate: Candidate
    method: EM | KMeans
    state: TrainingState
    entropy: float = float("nan")

    def after(self, total: Any, began: float) -> CandidateState:
        """Return the candidate after a pass that gave this sum."""
        state, entropy = update_state(self.method, self.state, total, began), self.entropy
        if isinstance(self.method, EM):
            entropy = assignment_entropy(total, self.state.mixture)
        return replace(self, state=state, entropy=entropy)


@dataclass(frozen=True)
class TrainedCandidate:
    """A trained candidate and the values of all criteria. Likelihoods are means a frame, nats.

    Attributes
    ----------
    candidate : Candidate
        What it is.
    mixture : Mixture
        The model, after its last update.
    passes : int
        Passes over all frames.
    converged : {"likelihood", "parameters", ""}
        Which rule ended it; empty if it ended at its number of passes.
    n_parameters : int
        Free parameters; the one variance of k-means counted once.
    log_likelihood : float
        Of the frames that trained, in the last pass.
    bic, aic : float
        See `audiogmm.training.criteria`; lower is better. Of k-means, at its classification likelihood.
    bic_effective, icl : float or None
        As these; None for k-means.
    time : float or None
        Frames that are worth one independent frame to this model; see `dependence_times`.
    inertia : float or None
        k-means: sum of the squared distances to the nearest center.
    held_out : HeldOutScores or None
        Log-likelihoods of the held-out recordings; None where nothing was held out, and for k-means.
    """

    candidate: Candidate
    mixture: Mixture
    passes: int
    converged: Converged
    n_parameters: int
    log_likelihood: float
    bic: float
    aic: float
    bic_effective: float | None = None
    time: float | None = None
    icl: float | None = None
    inertia: float | None = None
    held_out: HeldOutScores | None = None

    @classmethod
    def of(
        cls,
        finished: CandidateState,
        converged: Converged,
        time: float | None,
        held_out: HeldOutScores | None,
    ) -> TrainedCandidate:
        """Evaluate a candidate that is finished, after at least one pass."""
        state, hard = finished.state, isinstance(finished.method, KMeans)
        assert hard or time is not None
        last, K = state.history[-1], state.mixture.n_components
        n, p = last.n_frames, state.mixture.n_parameters - hard * (K - 1)
        total = last.log_likelihood * n
        return cls(
            candidate=finished.candidate,
            mixture=state.mixture,
            passes=last.number,
            converged=converged,
            n_parameters=p,
            log_likelihood=last.log_likelihood,
            bic=bic(total, p, n),
            aic=aic(total, p),
            bic_effective=None if time is None else effective_bic(total, p, n, time),
            time=time,
            icl=None if hard else icl(total, p, n, finished.entropy),
            inertia=last.inertia,
            held_out=held_out,
        )
