"""Statistics of a recording without the components that hardly matter to it, and the loss by that."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from audiogmm.errors import ChoiceError
from audiogmm.mixture.forms import form_of
from audiogmm.mixture.gaussian import Mixture
from audiogmm.mixture.statistics import SufficientStats
from audiogmm.types import Json


@dataclass(frozen=True, slots=True)
class PruningLoss:
    """The loss by pruning.

    Attributes
    ----------
    n_frames, of_frames : float
        Frames lost, and frames before.
    largest_change : float
        Of any parameter of the re-estimated model; see `audiogmm.mixture.movement.largest_change`.
    """

    n_frames: float
    of_frames: float
    largest_change: float

    def to_json(self) -> Json:
        """As a JSON object."""
        return {name: getattr(self, name) for name in ("n_frames", "of_frames", "largest_change")}


def check_keep(keep: float) -> float:
    """Return the share below which components are dropped, after a check.

    Raises
    ------
    ChoiceError
        If it is outside [0, 1).
    """
    if not 0 <= keep < 1:
        raise ChoiceError(
            f"ledger keep={keep}",
            needed="a share of a recording's frames in [0, 1)",
            remedy="0.001, or 0 to lose nothing",
        )
    return keep


def prune(statistics: SufficientStats, keep: float, mixture: Mixture) -> SufficientStats:
    """Remove the components whose count is at most `keep` of all frames.

    Their frames are subtracted from the counts and the log-likelihood too. Where all components share one
    second moment (tied), the part of the dropped ones is not known: what it would be under the covariance
    of the mixture is subtracted.

    Parameters
    ----------
    statistics : SufficientStats
        Of one recording.
    keep : float
        Share in [0, 1); 0 drops what is empty, which changes nothing.
    mixture : Mixture
        That gave the posteriors.

    Returns
    -------
    SufficientStats
        About the same origin.

    Examples
    --------
    >>> mixture = Mixture([0.9, 0.1], [[0.0], [9.0]], [1.0, 1.0], "spherical")
    >>> counts, first, second = np.array([999.0, 0.5]), np.array([[3.0], [4.5]]), np.array([990.0, 40.0])
    >>> stats = SufficientStats("spherical", np.zeros(1), counts, first, second, 999.5)
    >>> prune(stats, 1e-3, mixture).counts, prune(stats, 1e-3, mixture).second
    (array([999.,   0.]), array([990.,   0.]))
    """
    dropped = (statistics.counts <= keep * statistics.n_frames) & (statistics.counts > 0)
    if not keep or not dropped.any():
        return statistics
    counts, first = statistics.counts.copy(), statistics.first.copy()
    form = form_of(statistics.covariance_type)
    second = form.without(statistics.second, first, counts, np.flatnonzero(dropped), mixture.covariances)
    lost = float(counts[dropped].sum())
    counts[dropped], first[dropped] = 0.0, 0.0
    return SufficientStats(
        statistics.covariance_type,
        statistics.origin,
        counts,
        first,
        second,
        statistics.n_frames - lost,
        statistics.log_likelihood * (1 - lost / statistics.n_frames),
        statistics.skipped,
    )
