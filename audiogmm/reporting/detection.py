"""The picture of an evaluation of detection: ROC curves, measures of the events, and their delays."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from audiogmm.evaluation.intervals import Interval
from audiogmm.reporting.figure import QUIET, figure_at
from audiogmm.types import FloatArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_GRID = "#e6e6e6"
_COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
_MEASURES = (("precision", "#56B4E9", "o"), ("recall", "#E69F00", "s"), ("F1", "#0072B2", "D"))

MOST_NAMED = len(_COLORS)
"""Most curves that have a color and a name; with more, they are gray and their mean is drawn."""


@dataclass(frozen=True, eq=False)
class SiteRoc:
    """The ROC curve of one site."""

    name: str
    false_alarms: FloatArray  # rates, ascending from 0 to 1; shape (n,)
    hits: FloatArray
    auc: Interval  # areas under the curve
    pauc: Interval


@dataclass(frozen=True)
class EventMeasures:
    """Precision, recall and F1 of events by one rule of matching."""

    name: str
    precision: Interval
    recall: Interval
    f1: Interval


@dataclass(frozen=True, eq=False)
class DetectionPicture:
    """All that the picture shows.

    Attributes
    ----------
    curves : sequence of SiteRoc
        One a site; may be empty.
    what : str
        What is classified: "frames", "recordings".
    mean : str
        The means over sites, as text.
    max_fpr : float
        False alarm rate up to which the pAUC is taken.
    measures : sequence of EventMeasures
        By several rules of matching.
    delays : ndarray of shape (n_detected,), float64
        Delays of the events that were detected, ascending, seconds.
    n_true : int
        Number of true events; 0 where none is known.
    false_alarms : str
        Rate of false alarms, as text.
    intervals : str
        How the intervals were computed, as text.
    """

    curves: Sequence[SiteRoc]
    what: str
    mean: str
    max_fpr: float
    measures: Sequence[EventMeasures]
    delays: FloatArray
    n_true: int
    false_alarms: str
    intervals: str


def draw_detection(picture: DetectionPicture, path: str | os.PathLike[str], *, force: bool = False) -> None:
    """Draw the ROC curves with the region of the pAUC, the measures of events, and their delays.

    Parameters
    ----------
    picture : DetectionPicture
        What to show.
    path, force
        See `figure_at`, also for the errors.
    """
    with figure_at(path, (11, 5.6), force=force) as figure:
        if picture.curves:
            grid = figure.add_gridspec(2, 2, width_ratios=(1.08, 1), height_ratios=(1.15, 1))
            _draw_roc(figure.add_subplot(grid[:, 0]), picture)
            right = [figure.add_subplot(grid[i, 1]) for i in (0, 1)]
        else:
            right = list(figure.subplots(1, 2))
        _draw_measures(right[0], picture)
        _draw_delays(right[1], picture)


def _draw_roc(axes: Axes, picture: DetectionPicture) -> None:
    axes.axvspan(0, picture.max_fpr, color="#0072B2", alpha=0.08, linewidth=0, zorder=0)
    axes.plot([0, 1], [0, 1], color=QUIET, linewidth=0.9, linestyle="--", zorder=1)
    named = len(picture.curves) <= MOST_NAMED
    for i, curve in enumerate(picture.curves):
        if named:
            name = curve.name if len(curve.name) <= 24 else f"{curve.name[:23]}…"
            label = f"{name or 'all'}: {curve.auc.value:.3f}, {curve.pauc.value:.3f}"
            axes.plot(curve.false_alarms, curve.hits, color=_COLORS[i], linewidth=1.7, label=label)
        else:
            axes.plot(curve.false_alarms, curve.hits, color=QUIET, linewidth=0.8, alpha=0.5)
    if not named:
        rates = np.linspace(0, 1, 501)
        mean = np.mean([np.interp(rates, c.false_alarms, c.hits) for c in picture.curves], axis=0)
        label = f"mean of {len(picture.curves)} sites"
        axes.plot(rates, mean, color=_COLORS[0], linewidth=2.2, label=label)
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1.005)
    axes.set_aspect("equal", adjustable="box")
    axes.grid(color=_GRID, linewidth=0.7)
    axes.set_axisbelow(True)
    axes.annotate(
        "pAUC", (picture.max_fpr / 2, 0.3), ha="center", va="center", fontsize=8.5, color=QUIET, rotation=90
    )
    axes.set_xlabel(f"False alarm rate (normal {picture.what})")
    axes.set_ylabel(f"Hit rate (anomalous {picture.what})")
    axes.set_title("ROC curve", loc="left", fontsize=12, fontweight="bold")
    axes.legend(
        loc="lower right",
        fontsize=8.5,
        title=f"{'AUC, pAUC' if named else 'ROC'}: {picture.mean}",
        title_fontsize=8.5,
        alignment="left",
        frameon=True,
        framealpha=0.9,
        edgecolor="none",
    )


def _draw_measures(axes: Axes, picture: DetectionPicture) -> None:
    n = len(picture.measures)
    for row, measure in enumerate(picture.measures):
        for k, (name, color, marker) in enumerate(_MEASURES):
            figure: Interval = getattr(measure, name.lower())
            if not np.isfinite(figure.value):
                continue
            y = row + (k - 1) * 0.22
            if figure.known:
                axes.plot([figure.low, figure.high], [y, y], color=color, linewidth=2.2, alpha=0.55)
            label = name if not row else None
            axes.plot(
                figure.value, y, marker, color=color, markersize=6, label=label, clip_on=False, zorder=4
            )
            if name == "F1":
                axes.annotate(
                    f"{figure.value:.2f}",
                    (1.02, y),
                    xycoords=("axes fraction", "data"),
                    va="center",
                    fontsize=9,
                    annotation_clip=False,
                )
    axes.annotate("F1", (1.02, 1.0), xycoords="axes fraction", va="bottom", fontsize=9, color=QUIET)
    axes.set_yticks(range(n), [measure.name for measure in picture.measures])
    axes.set_ylim(max(n, 3) - 0.5, -0.5)
    axes.set_xlim(0, 1)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x", color=_GRID, linewidth=0.7)
    axes.set_axisbelow(True)
    axes.spines["left"].set_visible(False)
    axes.set_title("Events", loc="left", fontsize=12, fontweight="bold")
    axes.set_title(picture.intervals, loc="right", fontsize=8.5, color=QUIET)
    handles, labels = axes.get_legend_handles_labels()
    if handles:
        axes.legend(handles, labels, loc="upper center", bbox_to_anchor=(0.5, -0.1), ncols=3, fontsize=8.5)


def _draw_delays(axes: Axes, picture: DetectionPicture) -> None:
    axes.set_title("Delay", loc="left", fontsize=12, fontweight="bold")
    axes.set_title(picture.false_alarms, loc="right", fontsize=8.5, color=QUIET)
    if not picture.n_true:
        axes.set_axis_off()
        axes.text(0.5, 0.5, "the manifest has no true events", ha="center", va="center", color=QUIET)
        return
    delays = picture.delays
    ends = np.quantile(delays, [0.05, 0.95]) if len(delays) else np.zeros(2)  # a few may lie far off
    low, high = min(-0.5, 1.2 * float(ends[0])), max(1.0, 1.2 * float(ends[1]))
    margin = 0.04 * (high - low)
    shares = np.arange(len(delays) + 1) / picture.n_true
    first, last = min(low, float(delays.min(initial=0.0))), max(high, float(delays.max(initial=0.0)))
    steps: Any = np.concatenate([[first - margin], delays, [last + margin]])
    axes.step(steps, np.append(shares, shares[-1]), where="post", color=_COLORS[2], linewidth=1.8)
    axes.axvline(0.0, color=QUIET, linewidth=0.9, linestyle=":")
    if len(delays):
        for share, name in ((0.5, "median"), (0.9, "90 %")):
            place = float(delays[max(0, int(np.ceil(share * len(delays) - 1e-9)) - 1)])
            height = share * shares[-1]
            axes.plot(place, height, "o", color=_COLORS[2], markersize=6, zorder=4)
            to_the_left = place > (low + high) / 2
            axes.annotate(
                f"{name} {place:.2f} s",
                (place, height),
                xytext=(-8 if to_the_left else 8, 2 if to_the_left else -2),
                textcoords="offset points",
                ha="right" if to_the_left else "left",
                va="bottom" if to_the_left else "top",
                fontsize=8.5,
            )
    axes.set_xlim(low - margin, high + margin)
    axes.set_ylim(0, 1)
    axes.grid(color=_GRID, linewidth=0.7)
    axes.set_axisbelow(True)
    axes.set_xlabel("From the true onset to the start of the event, s")
    axes.set_ylabel("True events detected")
