"""Areas under ROC curves, each with its interval."""

from __future__ import annotations

from dataclasses import dataclass

from audiogmm.evaluation.intervals import Interval


@dataclass(frozen=True, slots=True)
class Areas:
    """How well scores separate anomalous from normal.

    Attributes
    ----------
    auc, pauc : Interval
        Area under the ROC curve, whole, and up to a false-alarm rate, standardized; 0.5 is chance.
    n, n_anomalous : int
        Frames, segments or clips, and the anomalous ones among them.
    """

    auc: Interval
    pauc: Interval
    n: int
    n_anomalous: int


@dataclass(frozen=True, slots=True)
class MeanAreas:
    """Means over sites.

    Attributes
    ----------
    auc, pauc : Interval
        Arithmetic means.
    harmonic_mean : Interval
        Harmonic mean of the AUC and the pAUC of all sites, as DCASE Task 2 takes it.
    n_sites : int
        Sites that have an area.
    """

    auc: Interval
    pauc: Interval
    harmonic_mean: Interval
    n_sites: int
