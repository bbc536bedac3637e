"""The speaker space: from statistics to a short vector, by which recordings are compared."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from audiogmm.errors import TrainingError
from audiogmm.training.frames.row_spool import BLOCK_ROWS, Rows, RowSpool, join_rows
from audiogmm.types import BoolArray, FloatArray, IntArray
from audiogmm.verification.compensation import Compensation, Kind, learn_compensation
from audiogmm.verification.pieces import Pieces
from audiogmm.verification.plda import Plda, learn_plda
from audiogmm.verification.projection import Projection, learn_projection
from audiogmm.verification.supervector import RELEVANCE, supervector

PRINCIPAL = 400
"""Number of principal components of supervectors."""

COORDINATES = 150
"""Number of coordinates of PLDA."""

SHRINKAGE = 0.6
"""Of the covariance within speakers towards a multiple of the identity."""


@dataclass(frozen=True, eq=False)
class Space:
    """The way from the statistics of a recording to a vector.

    Supervector, compensation if there is one, principal components, length normalization, and the
    coordinates of two-covariance PLDA, which scores two vectors.

    Attributes
    ----------
    projection : Projection
    plda : Plda
    compensation : Compensation or None
    relevance : float
        Frames; see `supervector`.
    """

    projection: Projection
    plda: Plda
    compensation: Compensation | None = None
    relevance: float = RELEVANCE

    def vector(self, counts: FloatArray, first: FloatArray) -> FloatArray:
        """Return the vector (n_coordinates,) of centered statistics (K,) and (K, D)."""
        found = supervectors(counts[None], first[None], self.compensation, self.relevance)
        vector: FloatArray = self.coordinates(found)[0]
        return vector

    def coordinates(self, supervectors: FloatArray) -> FloatArray:
        """Return the vectors (n, n_coordinates) of supervectors (n, K * D)."""
        return self.plda.coordinates(self.projection(supervectors))


def supervectors(
    counts: FloatArray,
    first: FloatArray,
    compensation: Compensation | None = None,
    relevance: float = RELEVANCE,
) -> FloatArray:
    """Return the supervectors of n recordings, shape (n, K * D), in the dtype of the statistics."""
    if compensation is None:
        found: FloatArray = (first / (counts + counts.dtype.type(relevance))[..., None]).reshape(
            len(first), -1
        )
        return found
    found = np.empty((len(first), first[0].size), first.dtype)
    for i, (n, f) in enumerate(zip(counts, first, strict=True)):
        found[i] = compensation.supervector(n.astype(np.float64), f.astype(np.float64), relevance)
    return found


@dataclass(frozen=True)
class SpaceSettings:
    """Settings of a speaker space.

    Attributes
    ----------
    compensation : {"nap", "isv"} or None
        See `Compensation`; needs two or more recordings a speaker.
    principal, coordinates : int
        Numbers of principal components and of coordinates of PLDA, at most.
    shrinkage : float
        See `learn_plda`.
    """

    compensation: Kind | None = None
    principal: int = PRINCIPAL
    coordinates: int = COORDINATES
    shrinkage: float = SHRINKAGE


def learn_space(pieces: Pieces, settings: SpaceSettings, without: BoolArray | None = None) -> Space:
    """Learn a space from pieces of background recordings.

    Parameters
    ----------
    pieces : Pieces
        Of many speakers.
    settings : SpaceSettings
        Sizes, shrinkage and compensation.
    without : ndarray of shape (n_speakers,), bool, optional
        Speakers that are left out.

    Raises
    ------
    TrainingError
        If there are too few speakers, or too few recordings for the compensation asked for.
    """
    used = np.ones(len(pieces.owners), bool) if without is None else ~without[pieces.owners]
    compensation = None
    if settings.compensation is not None:
        compensation = learn_compensation(settings.compensation, _sessions(pieces, used & ~pieces.moved))
    if np.count_nonzero(used) < 2:
        raise TrainingError(
            f"a space of speakers from {np.count_nonzero(used)} pieces of recordings", needed="at least two"
        )
    owners = pieces.owners[used]
    with RowSpool() as spool:
        vectors = _put_supervectors(pieces, np.flatnonzero(used), compensation, spool)
        projection = learn_projection(vectors, settings.principal)
        found = join_rows([spool.put(projection(block.read())) for _, block in vectors.blocks()])
        groups = (found.take(owners == owner).read() for owner in np.unique(owners))
        plda = learn_plda(groups, settings.coordinates, settings.shrinkage)
    return Space(projection, plda, compensation)


def _put_supervectors(
    pieces: Pieces, which: IntArray, compensation: Compensation | None, spool: RowSpool
) -> Rows:
    """The supervectors of some pieces, in a spool."""
    blocks = np.array_split(which, -(-len(which) // BLOCK_ROWS))
    return join_rows([spool.put(supervectors(*pieces.statistics(block), compensation)) for block in blocks])


def _sessions(pieces: Pieces, own: BoolArray) -> Iterator[FloatArray]:
    """One supervector for each whole recording, speaker by speaker."""
    for owner in np.unique(pieces.owners[own]):
        mine = own & (pieces.owners == owner)
        rows = []
        for recording in np.unique(pieces.recordings[mine]):
            counts, first = pieces.statistics(mine & (pieces.recordings == recording))
            counts, first = counts.sum(axis=0), first.sum(axis=0)
            rows.append(supervector(counts.astype(np.float64), first.astype(np.float64)))
        yield np.array(rows)
