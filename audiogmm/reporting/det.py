"""One picture of verification: the DET curve, the calibration, and the distribution of the scores."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from audiogmm.evaluation.verification.performance import Curves, Performance
from audiogmm.reporting.figure import INK, QUIET, figure_at
from audiogmm.types import FloatArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_COLORS = ("#0072B2", "#D55E00")
_LINES: tuple[Any, ...] = ("-", "--")
_TARGET, _NONTARGET = "#009E73", "#CC79A7"
_MARKERS = ("s", "^", "D", "v", "P", "X")

_TICKS = (0.0001, 0.0003, 0.001, 0.003, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8)
_STEPS = 600
"""Thresholds that are drawn one by one, about."""


@dataclass(frozen=True, eq=False)
class System:
    """One system's name, figures and curves."""

    name: str
    performance: Performance
    curves: Curves


def draw_det(
    systems: Sequence[System], path: str | os.PathLike[str], *, confidence: float = 0.95, force: bool = False
) -> None:
    """Draw a DET curve on probit axes, the calibration beside it, and histograms of the scores below.

    The curve is the ROC convex hull, on which the EER lies, with the interval of its miss rates; thin steps
    are the single thresholds. The calibration is of the first system: the best monotonic map of its scores to
    log-likelihood ratios (pool adjacent violators) against the scores themselves.

    Parameters
    ----------
    systems : sequence of System
        One system, or two to compare.
    path, force
        See `figure_at`, also for the errors.
    confidence : float
        Confidence of the intervals, which the picture states.
    """
    with figure_at(path, (11, 5.6), force=force) as figure:
        grid = figure.add_gridspec(2, 2, width_ratios=(1.08, 1), height_ratios=(2.6, 1))
        det = figure.add_subplot(grid[:, 0])
        reliability = figure.add_subplot(grid[0, 1])
        scores = figure.add_subplot(grid[1, 1], sharex=reliability)
        _draw_det(det, systems, confidence)
        _draw_reliability(reliability, systems)
        _draw_scores(scores, systems[0].curves)
        reliability.tick_params(labelbottom=False)


def _sampled(found: Performance, confidence: float) -> str:
    """Say what the bands are, and whether they are indicative."""
    if not found.eer.known:
        return "one speaker: no bands"
    few = ", indicative" if found.indicative else ""
    return f"bands: {confidence:.0%} over {found.n_target_speakers:,} speakers{few}"


def _probit(rates: Any) -> FloatArray:
    from scipy.special import ndtri

    return np.asarray(ndtri(np.clip(rates, 1e-6, 1 - 1e-6)), dtype=np.float64)


def _draw_det(axes: Axes, systems: Sequence[System], confidence: float) -> None:
    from matplotlib.lines import Line2D

    low_x, low_y = (
        min(0.5 / max(getattr(s.performance, name) for s in systems), 0.02)
        for name in ("n_nontargets", "n_targets")
    )
    low_x, low_y = max(low_x, 1e-4), max(low_y, 1e-4)
    worst = max(
        s.performance.eer.high if s.performance.eer.known else s.performance.eer.value for s in systems
    )
    high = 0.8 if worst > 0.25 else 0.6 if worst > 0.08 else 0.4
    axes.plot(*[[_probit(max(low_x, low_y)), _probit(high)]] * 2, color=QUIET, linewidth=0.7, zorder=0)
    handles: list[Any] = []
    for system, color, line in zip(systems, _COLORS, _LINES, strict=False):
        found, curves = system.performance, system.curves
        alarms, misses = steps(curves)
        axes.plot(_probit(alarms), _probit(misses), color=color, linewidth=0.7, alpha=0.55, linestyle=line)
        band = curves.det
        axes.plot(_probit(band.at), _probit(band.value), color=color, linewidth=1.8, linestyle=line)
        if np.isfinite(band.low).all():
            axes.fill_between(
                _probit(band.at), _probit(band.low), _probit(band.high), color=color, alpha=0.15, linewidth=0
            )
        eer = max(found.eer.value, low_x, low_y)
        _mark(axes, eer, eer, "o", color=color, markersize=7, zorder=4)
        interval = f" ({100 * found.eer.low:.2g} to {100 * found.eer.high:.2g})" if found.eer.known else ""
        handles.append(Line2D([], [], color=color, linewidth=1.8, linestyle=line, marker="o", markersize=7))
        handles[-1].set_label(f"{system.name}: EER {100 * found.eer.value:.3g} %{interval}")
        for i, (point, marker) in enumerate(zip(found.points, _MARKERS, strict=False)):
            k = int(np.argmin(point_costs(curves, i, found)))
            alarm, miss = curves.hull.p_false_alarm[k], curves.hull.p_miss[k]
            alarm, miss = np.clip(alarm, low_x, high), np.clip(miss, low_y, high)
            _mark(axes, alarm, miss, marker, color=color, markersize=6.5, zorder=4)
            actual = curves.scores >= point.threshold
            alarm = np.clip(actual[~curves.target].mean(), low_x, high)
            miss = np.clip((~actual[curves.target]).mean(), low_y, high)
            look = {"markerfacecolor": "white", "markeredgecolor": color, "markeredgewidth": 1.3}
            _mark(axes, alarm, miss, marker, markersize=6.5, zorder=5, **look)
    for point, marker in zip(systems[0].performance.points, _MARKERS, strict=False):
        handles.append(Line2D([], [], color=INK, linestyle="", marker=marker, markersize=6, label=str(point)))
    if systems[0].performance.points:
        handles.append(
            Line2D([], [], linestyle="", label="filled: best threshold, open: threshold of the prior")
        )
    ticks = [t for t in _TICKS if t <= high]
    for axis, set_limits, low in ((axes.xaxis, axes.set_xlim, low_x), (axes.yaxis, axes.set_ylim, low_y)):
        shown = [t for t in ticks if t >= low]
        axis.set_ticks(_probit(shown), [f"{100 * t:g}" for t in shown])
        axis.set_tick_params(labelsize=9)
        set_limits(float(_probit(low)), float(_probit(high)))
    axes.grid(color="#e6e6e6", linewidth=0.7)
    axes.set_axisbelow(True)
    axes.set_xlabel("Impostors accepted (false alarms), %")
    axes.set_ylabel("Targets rejected (misses), %")
    axes.set_title("DET curve", loc="left", fontsize=12, fontweight="bold")
    axes.set_title(_sampled(systems[0].performance, confidence), loc="right", fontsize=8.5, color=QUIET)
    axes.legend(handles=handles, loc="best", fontsize=8.5, frameon=True, framealpha=0.9, edgecolor="none")


def _mark(axes: Axes, alarm: float, miss: float, marker: str, **look: Any) -> None:
    """Draw a marker at two rates, in full at the edge, too."""
    axes.plot(_probit(alarm), _probit(miss), marker, clip_on=False, **look)


def point_costs(curves: Curves, i: int, found: Performance) -> FloatArray:
    """Return the normalized cost of the i-th operating point at every vertex of the hull."""
    point = found.points[i]
    pairs = zip(curves.hull.p_miss.tolist(), curves.hull.p_false_alarm.tolist(), strict=True)
    return np.array([point.cost(miss, false_alarm) for miss, false_alarm in pairs])


def steps(curves: Curves) -> tuple[FloatArray, FloatArray]:
    """Return the error rates at single thresholds, about `_STEPS` at most, closest where trials are few."""
    target = curves.target
    first = np.flatnonzero(np.append(True, curves.scores[1:] != curves.scores[:-1]))
    missed = np.append(np.append(0, np.cumsum(target))[first], target.sum())
    rejected = np.append(first, len(target)) - missed
    n_targets, n_nontargets = target.sum(), (~target).sum()
    misses, alarms = missed / n_targets, 1 - rejected / n_nontargets
    if len(first) > _STEPS:
        both = np.append(_probit(misses), -_probit(alarms)).reshape(2, -1).sum(axis=0)
        kept = np.unique(np.searchsorted(both, np.linspace(both[0], both[-1], _STEPS)))
        misses, alarms = misses[kept], alarms[kept]
    return np.repeat(alarms, 2)[:-1], np.repeat(misses, 2)[1:]


def _draw_reliability(axes: Axes, systems: Sequence[System]) -> None:
    curves, found = systems[0].curves, systems[0].performance
    low, high = _score_limits(curves)
    calibrated = np.where(np.isfinite(curves.hull.llr), curves.hull.llr, 0.0)
    bottom, top = min(calibrated.min(), 0.0), max(calibrated.max(), 0.0)
    margin = 0.12 * max(top - bottom, 1.0)
    bottom, top = bottom - margin, top + margin
    ends = [min(low, bottom), max(high, top)]
    axes.plot(ends, ends, color=INK, linewidth=0.9, linestyle="--", label="calibrated scores")
    band = curves.reliability
    if np.isfinite(band.low).all():
        axes.fill_between(band.at, band.low, band.high, color=_COLORS[0], alpha=0.15, linewidth=0, step="mid")
    axes.plot(
        band.at, band.value, color=_COLORS[0], linewidth=1.8, drawstyle="steps-mid", label="this system"
    )
    for point, marker in zip(found.points, _MARKERS, strict=False):
        if low < point.threshold < high:
            axes.axvline(point.threshold, color=QUIET, linewidth=0.8, linestyle=":")
            axes.plot(point.threshold, bottom + margin / 3, marker, color=QUIET, markersize=5)
    axes.set_xlim(low, high)
    axes.set_ylim(bottom, top)
    axes.set_ylabel("Calibrated log-likelihood ratio, nats")
    state = "calibrated" if found.calibrated else "not calibrated"
    axes.set_title("Calibration", loc="left", fontsize=12, fontweight="bold")
    axes.legend(
        loc="upper left",
        fontsize=8.5,
        title=f"{state}: Cllr {found.cllr.value:.3g} bits, min Cllr {found.min_cllr.value:.3g}",
        title_fontsize=8.5,
        alignment="left",
    )


def _draw_scores(axes: Axes, curves: Curves) -> None:
    low, high = _score_limits(curves)
    edges = np.linspace(low, high, 61)
    kinds = ((curves.target, _TARGET, "targets"), (~curves.target, _NONTARGET, "nontargets"))
    for chosen, color, name in kinds:
        counts, _ = np.histogram(np.clip(curves.scores[chosen], low, high), edges)
        share = counts / chosen.sum()
        axes.stairs(share, edges, color=color, fill=True, alpha=0.3)
        axes.stairs(share, edges, color=color, linewidth=1.2, label=f"{chosen.sum():,} {name}")
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.set_xlabel("Score (log-likelihood ratio), nats")
    axes.set_ylim(top=axes.get_ylim()[1] * 1.45)  # the legend lies above the bars
    axes.legend(loc="upper left", fontsize=8.5, ncols=2)


def _score_limits(curves: Curves) -> tuple[float, float]:
    """Return the ends of a range that holds nearly all scores of both kinds."""
    ends = [np.quantile(curves.scores[chosen], [0.002, 0.998]) for chosen in (curves.target, ~curves.target)]
    low, high = float(min(e[0] for e in ends)), float(max(e[1] for e in ends))
    margin = 0.04 * max(high - low, 1e-6)
    return low - margin, high + margin
