"""Summarize sites and their replicates in figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from audiogmm.evaluation.detection.areas import Areas, MeanAreas
from audiogmm.evaluation.detection.criteria import DetectionCriteria
from audiogmm.evaluation.detection.dcase import harmonic_mean
from audiogmm.evaluation.detection.evaluated_site import EvaluatedSite, Replicates
from audiogmm.evaluation.detection.event_figures import EventFigures
from audiogmm.evaluation.detection.levels import LEVELS
from audiogmm.evaluation.detection.site_figures import SiteFigures
from audiogmm.evaluation.intervals import Coverage, Interval, percentile_interval
from audiogmm.types import FloatArray

NOUNS = {"frame": "frames", "segment": "segments", "clip": "recordings"}


def summarize_site(
    site: EvaluatedSite, replicates: Replicates | None, criteria: DetectionCriteria, confidence: float
) -> SiteFigures:
    """Compute all figures of one site; without replicates, no intervals."""
    coverage = Coverage(confidence, site.n_recordings)
    areas, left_out = {}, {}
    for level, found in site.levels.items():
        if not found.both_kinds:
            left_out[level] = f"{found.n_anomalous:,} anomalous {NOUNS[level]} among {len(found):,}"
            continue
        drawn = (None, None) if replicates is None else replicates.areas[level].T
        auc, pauc = (
            percentile_interval(float(value), part, coverage)
            for value, part in zip(found.areas(criteria.max_fpr), drawn, strict=True)
        )
        areas[level] = Areas(auc, pauc, len(found), found.n_anomalous)
    detected = EventFigures.of(
        site.counts.sum(axis=0),
        site.delays,
        None if replicates is None else replicates.counts,
        None if replicates is None else replicates.delays,
        coverage,
    )
    hours = site.seconds / 3600
    return SiteFigures(site.name, site.n_recordings, site.n_anomalous, hours, areas, left_out, detected)


def pool_sites(
    sites: Sequence[EvaluatedSite], replicates: Sequence[Replicates] | None, confidence: float
) -> EventFigures:
    """Compute the figures of the events of all sites: their counts add."""
    return EventFigures.of(
        np.sum([site.counts.sum(axis=0) for site in sites], axis=0),
        np.concatenate([site.delays for site in sites]),
        None if replicates is None else np.sum([drawn.counts for drawn in replicates], axis=0),
        None if replicates is None else np.concatenate([drawn.delays for drawn in replicates], axis=1),
        Coverage.over(confidence, [site.n_recordings for site in sites]),
    )


def average_sites(
    figures: Sequence[SiteFigures], replicates: Sequence[Replicates] | None, confidence: float
) -> dict[str, MeanAreas]:
    """Average the areas of the sites that have them, level by level."""
    means = {}
    for level in LEVELS:
        chosen = [i for i, site in enumerate(figures) if level in site.areas]
        if not chosen:
            continue
        values = np.array(
            [[figures[i].areas[level].auc.value, figures[i].areas[level].pauc.value] for i in chosen]
        )
        coverage = Coverage.over(confidence, [figures[i].n_recordings for i in chosen])
        drawn = None
        if replicates is not None:
            drawn = np.stack([fill_undefined(replicates[i].areas[level]) for i in chosen], axis=1)
        means[level] = MeanAreas(
            auc=_mean(values, drawn, 0, coverage),
            pauc=_mean(values, drawn, 1, coverage),
            harmonic_mean=percentile_interval(
                float(harmonic_mean(values.ravel())),
                None if drawn is None else harmonic_mean(drawn.reshape(len(drawn), -1)),
                coverage,
            ),
            n_sites=len(chosen),
        )
    return means


def _mean(values: FloatArray, drawn: FloatArray | None, place: int, coverage: Coverage) -> Interval:
    replicates = None if drawn is None else drawn[:, :, place].mean(axis=1)
    return percentile_interval(float(values[:, place].mean()), replicates, coverage)


def fill_undefined(values: FloatArray) -> FloatArray:
    """Replace draws without both kinds by draws that have them, in turn.

    Sites are drawn independently of each other, so one site's undefined draw need not cost the others theirs.

    Parameters
    ----------
    values : ndarray of shape (n_draws, ...), float64
        NaN where a draw is undefined.

    Examples
    --------
    >>> fill_undefined(np.array([[1.0], [np.nan], [3.0], [np.nan]])).ravel()
    array([1., 1., 3., 3.])
    """
    good = np.isfinite(values).all(axis=tuple(range(1, values.ndim)))
    if good.all() or not good.any():
        return values
    filled = values.copy()
    filled[~good] = values[np.resize(np.flatnonzero(good), np.count_nonzero(~good))]
    return filled


def find_unmeasured(figures: Sequence[SiteFigures], levels: Mapping[str, MeanAreas]) -> list[tuple[str, str]]:
    """Find the sites that lack an area which others have, or have none at all: each with the reason."""
    found = []
    for site in figures:
        reasons = [reason for level, reason in site.left_out.items() if level in levels]
        if not site.areas and not levels:
            reasons = list(site.left_out.values())
        if reasons:
            found.append((site.site, "; ".join(reasons)))
    return found
