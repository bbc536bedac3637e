"""Incremental EM: a model changed by the statistics of recordings, without reading the others."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from audiogmm.blocks import Shard
from audiogmm.errors import ChoiceError, TrainingError
from audiogmm.mixture.gaussian import Mixture
from audiogmm.mixture.maximization import maximize
from audiogmm.mixture.movement import largest_change
from audiogmm.mixture.statistics import SufficientStats
from audiogmm.reduce import OnError, Reducer
from audiogmm.training.criteria import aic, bic
from audiogmm.training.ledger import Ledger
from audiogmm.training.pruning import PruningLoss, prune
from audiogmm.training.schedule.batch import EM, ShardEStep
from audiogmm.types import FloatArray, Json


@dataclass(frozen=True)
class ModelChange:
    """A model after recordings were added, removed or re-weighted.

    Attributes
    ----------
    mixture, statistics
        The model, and the statistics that it was estimated from.
    n_recordings : int
        Recordings added, removed or re-weighted.
    n_frames : float
        Frames of these.
    loss : PruningLoss or None
        The loss by pruning the new entries of the ledger; None where nothing is pruned.
    log_likelihood : float or None
        Of the recordings added, under the mixture before, nats in all; None where none were read.
    """

    mixture: Mixture
    statistics: SufficientStats
    n_recordings: int
    n_frames: float
    loss: PruningLoss | None = None
    log_likelihood: float | None = None

    def figures(self) -> Json:
        """Return likelihood per frame and criteria of the recordings added, as of a pass of batch EM."""
        if self.log_likelihood is None:
            return {}
        total, size = self.log_likelihood, self.mixture.n_parameters
        return {
            "log_likelihood": total / self.n_frames,
            "bic": bic(total, size, self.n_frames),
            "aic": aic(total, size),
        }


@dataclass(frozen=True)
class NamedEStep:
    """The E-step of one recording, with the recording's id."""

    e_step: ShardEStep

    def __call__(self, shard: Shard) -> tuple[str, SufficientStats]:
        return shard.id, self.e_step(shard)


def add_recordings(
    mixture: Mixture,
    statistics: SufficientStats | None,
    shards: Iterable[Shard],
    *,
    floor: FloatArray,
    reducer: Reducer,
    ledger: Ledger | None = None,
    forget: float = 1.0,
    on_error: OnError | None = None,
) -> ModelChange:
    """Add recordings: ``total <- forget * total + sum_i s_i``, and one M-step (Neal and Hinton 1998, eq. 8).

    The new recordings' posteriors are those of the present mixture; the others keep the share in the
    statistics that they had under the model of their time, so the result is not that of training again.

    Parameters
    ----------
    mixture : Mixture
        The model.
    statistics : SufficientStats or None
        What it was estimated from; None for nothing, as for a new ledger.
    shards : iterable of Shard
        The new recordings.
    floor : ndarray of shape (n_features,), float64
        Variance floor.
    reducer : Reducer
        Threads, workers or a cluster.
    ledger : Ledger or None
        Takes the statistics of each recording. Not saved here. If it prunes them, the model is estimated
        from what is kept, so that removing a recording leaves nothing of it; the loss is returned.
    forget : float
        Weight of the past, in (0, 1].
    on_error : callable or None
        Called with the id and the error of recordings that cannot be used; None: the first error is raised.

    Returns
    -------
    ModelChange
        The new model.

    Raises
    ------
    ChoiceError
        If `forget` is outside (0, 1].
    TrainingError
        If nothing could be added.
    MismatchError
        If a recording is in the ledger already.
    """
    if not 0 < forget <= 1:
        raise ChoiceError(f"forget={forget}", needed="a factor in (0, 1]", remedy="1 to forget nothing")
    if ledger is not None:
        ledger.scale(forget)
    total = None if statistics is None else forget * statistics
    lost: SufficientStats | None = None
    n_recordings, n_frames, log_likelihood = 0, 0.0, 0.0
    for name, part in reducer.map(shards, NamedEStep(EM(floor).expect(mixture)), on_error):
        n_recordings, n_frames = n_recordings + 1, n_frames + part.n_frames
        log_likelihood += part.log_likelihood
        kept = part
        if ledger is not None:
            kept = prune(part, ledger.keep, mixture)
            ledger.put(name, kept)
            if ledger.keep:
                lost = part - kept if lost is None else lost + (part - kept)
        total = kept if total is None else total + kept
    if total is None or not n_recordings:
        raise TrainingError("no recording to add", needed="at least one with voiced frames")
    after, _ = maximize(total, floor=floor, previous=mixture)
    loss = None
    if lost is not None:
        whole, _ = maximize(total + lost, floor=floor, previous=mixture)
        loss = PruningLoss(lost.n_frames, n_frames, largest_change(whole, after))
    return ModelChange(after, total, n_recordings, n_frames, loss, log_likelihood)


def remove_recordings(
    mixture: Mixture,
    statistics: SufficientStats,
    names: Iterable[str],
    *,
    floor: FloatArray,
    ledger: Ledger,
) -> ModelChange:
    """Remove recordings: ``total <- total - s_i`` with what the ledger holds of each, and one M-step.

    Removing what was added last gives back the model before, to rounding.

    Parameters
    ----------
    mixture, statistics, floor
        As for `add_recordings`.
    names : iterable of str
        Ids of the recordings.
    ledger : Ledger
        The statistics of each recording. Not saved here.

    Returns
    -------
    ModelChange
        The new model.

    Raises
    ------
    MismatchError
        If a recording was never added; nothing is changed then.
    TrainingError
        If nothing is named, or nothing would be left.
    """
    ids = list(dict.fromkeys(names))
    total, n_frames = statistics, 0.0
    for part in map(ledger.get, ids):
        total, n_frames = total - part, n_frames + part.n_frames
    gone = set(ids)
    if not ids or not any(weight for name, weight in ledger.weights.items() if name not in gone):
        raise TrainingError(
            f"{len(ids)} of {len(ledger)} recordings to remove",
            needed="at least one to remove, and at least one to stay, of a weight above 0",
        )
    for name in ids:
        ledger.remove(name)
    after, _ = maximize(total, floor=floor, previous=mixture)
    return ModelChange(after, total, len(ids), n_frames)


def reweight_recordings(
    mixture: Mixture,
    statistics: SufficientStats,
    weights: Mapping[str, float],
    *,
    floor: FloatArray,
    ledger: Ledger,
) -> ModelChange:
    """Change the weights of recordings: ``total <- total + (w_i' - w_i) s_i``, and one M-step.

    Parameters
    ----------
    mixture, statistics, floor
        As for `add_recordings`.
    weights : mapping of str to float
        New weight of each frame of a recording, at least 0; recordings are added with weight 1. One of
        weight 0 takes no part, and can be given another weight later.
    ledger : Ledger
        The statistics of each recording. Not saved here.

    Returns
    -------
    ModelChange
        The new model.

    Raises
    ------
    MismatchError
        If a recording was never added; nothing is changed then.
    ChoiceError
        If a weight is negative or not finite.
    TrainingError
        If no recording is named, or all would weigh 0.
    """
    total, n_frames = statistics, 0.0
    for name, weight in weights.items():
        entry = ledger.entry(name)
        if not 0 <= weight < math.inf:
            raise ChoiceError(
                f"weight={weight} for recording {name!r}",
                needed="a finite number of at least 0",
                remedy="1 to count every frame once, 0 to leave it out",
            )
        total, n_frames = total + (weight - ledger.weights[name]) * entry, n_frames + entry.n_frames
    if not weights or not any((ledger.weights | dict(weights)).values()):
        raise TrainingError(
            f"{len(weights)} of {len(ledger)} recordings to re-weight",
            needed="at least one to be named, and at least one of a weight above 0 then",
        )
    for name, weight in weights.items():
        ledger.reweight(name, float(weight))
    after, _ = maximize(total, floor=floor, previous=mixture)
    return ModelChange(after, total, len(weights), n_frames)
