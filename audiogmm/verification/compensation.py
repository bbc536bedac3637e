"""Compensation of the differences between recordings of one speaker: NAP and eigenchannels."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from audiogmm.errors import ChoiceError, TrainingError
from audiogmm.training.frames.row_spool import RowSpool, join_rows
from audiogmm.types import FloatArray
from audiogmm.verification.directions import condense, eigenvectors, project_columns
from audiogmm.verification.supervector import RELEVANCE, supervector

Kind = Literal["nap", "isv"]
"""Nuisance attribute projection, or inter-session variability (eigenchannels)."""

RANK = 40
"""Default number of directions."""

MIN_SPEAKERS = 10
"""Speakers with two or more recordings from whom directions can be learned."""


@dataclass(frozen=True, eq=False)
class Compensation:
    """Directions in which recordings of one speaker differ, and how they are removed.

    ``nap``: the supervector s becomes ``s - V V^T s``, with orthonormal V (Solomonoff, Campbell and
    Boardman 2005). ``isv``: a recording is offset by U x with x ~ N(0, I); x is estimated from the
    recording's statistics, ``x = (I + U^T N U)^-1 U^T f``, and its part subtracted from them, ``f - N U x``
    (Vogt and Sridharan 2008; Glembek et al. 2009), N being the counts and f the first moments. U is V times
    the deviations along it.

    Attributes
    ----------
    kind : {"nap", "isv"}
    directions : ndarray of shape (n_components * n_features, rank), float32
        V, orthonormal columns, in descending order of variance.
    spread : ndarray of shape (rank,), float64
        Standard deviation of offsets along each.

    Examples
    --------
    >>> nap = Compensation("nap", np.array([[1.0], [0.0]]), np.ones(1))
    >>> nap.supervector(np.array([8.0]), np.array([[16.0, 32.0]]), 8.0)
    array([0., 2.])
    """

    kind: Kind
    directions: FloatArray
    spread: FloatArray

    def __post_init__(self) -> None:
        if self.kind not in get_args(Kind):
            raise ChoiceError(f"compensation {self.kind!r}", needed=f"one of {', '.join(get_args(Kind))}")

    def statistics(self, counts: FloatArray, first: FloatArray) -> FloatArray:
        """Return first moments (n_components, n_features) without the recording's part; as given for NAP."""
        if self.kind == "nap":
            return first
        loadings = self.directions * self.spread
        occupied = np.repeat(counts, first.shape[1])
        inner = np.eye(len(self.spread)) + (loadings.T * occupied) @ loadings
        factors = np.linalg.solve(inner, loadings.T @ first.ravel())
        left: FloatArray = first - (occupied * (loadings @ factors)).reshape(first.shape)
        return left

    def supervector(self, counts: FloatArray, first: FloatArray, relevance: float = RELEVANCE) -> FloatArray:
        """Return the compensated supervector, shape (n_components * n_features,)."""
        vector = supervector(counts, self.statistics(counts, first), relevance)
        if self.kind == "nap":
            vector = vector - self.directions @ (self.directions.T @ vector)
        return np.asarray(vector, dtype=np.float64)


def learn_compensation(kind: Kind, groups: Iterable[FloatArray], rank: int = RANK) -> Compensation:
    """Learn the directions of most variance of supervectors about their speakers' means.

    Closed form: the eigenvectors of the pooled scatter within speakers.

    Parameters
    ----------
    kind : {"nap", "isv"}
    groups : iterable of ndarray of shape (n_i, n_components * n_features)
        Supervectors of each speaker's recordings, taken once; groups of one are left out.
    rank : int
        Directions, at most; fewer where there are fewer.

    Raises
    ------
    ChoiceError
        If there is no such kind.
    TrainingError
        If fewer than `MIN_SPEAKERS` have two or more.

    Examples
    --------
    >>> groups = [np.array([[0.0, 1.0], [2.0, 1.0]]) + speaker for speaker in range(10)]
    >>> found = learn_compensation("nap", groups, rank=1)
    >>> abs(found.directions.ravel()), found.spread ** 2
    (array([1., 0.], dtype=float32), array([2.]))
    """
    n_groups, parts = 0, []
    with RowSpool() as spool:
        for group in groups:
            n_groups += 1
            if len(group) > 1:
                parts.append(spool.put(group - group.mean(axis=0)))
        if len(parts) < MIN_SPEAKERS:
            raise TrainingError(
                f"{kind} from {n_groups} speakers, {len(parts)} of them with two recordings or more",
                needed=f"at least {MIN_SPEAKERS} speakers with two recordings or more",
                remedy="such a background, or no compensation: the back end learns from pieces of recordings",
            )
        freedom = sum(len(part) - 1 for part in parts)
        deviations = condense(join_rows(parts))
        values, inner = eigenvectors(deviations, min(rank, freedom, deviations.n_columns))
        chosen = np.flatnonzero(values > 1e-9 * max(values[-1], 1e-300))[::-1]
        directions: NDArray[Any] = np.empty((deviations.n_columns, len(chosen)), np.float32)
        for columns, part in project_columns(deviations, inner[:, chosen] / np.sqrt(values[chosen])):
            directions[columns] = part
    return Compensation(kind, directions, np.sqrt(values[chosen] / freedom))
