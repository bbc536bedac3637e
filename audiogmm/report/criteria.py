"""One picture of a selection: every criterion against the size, a curve for each covariance form."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING, Any

from audiogmm.errors import ChoiceError
from audiogmm.report.picture import check_suffix, figure_at

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_INK, _QUIET = "#1a1a1a", "#8c8c8c"

_LOOKS: Mapping[str, tuple[str, str, Any]] = {
    "diag": ("#0072B2", "o", "-"),
    "full": ("#D55E00", "s", "--"),
    "tied": ("#009E73", "^", "-."),
    "spherical": ("#CC79A7", "D", ":"),
    "kmeans": ("#555555", "v", (0, (3, 1, 1, 1, 1, 1))),
}
"""Colour (Okabe and Ito's), marker and line of each form: any one of the three tells them apart."""

_ACROSS = 3
"""Panels beside each other."""


@dataclass(frozen=True)
class CriterionPanel:
    """One criterion.

    Attributes
    ----------
    title, unit : str
        Its name, and what its axis says.
    curves : mapping of str to sequence of (int, float)
        Covariance form to sizes and values.
    chosen : tuple of str and int, or None
        The form and size that it chooses.
    errors : mapping of str to sequence of (int, float)
        Form to sizes and half the lengths of error bars, where there are any.
    """

    title: str
    unit: str
    curves: Mapping[str, Sequence[tuple[int, float]]]
    chosen: tuple[str, int] | None = None
    errors: Mapping[str, Sequence[tuple[int, float]]] = field(default_factory=dict)


@dataclass(frozen=True)
class CriteriaPicture:
    """All that the picture shows.

    Attributes
    ----------
    panels : sequence of CriterionPanel
        At least one.
    recommended : tuple of str and int
        The form and size to take.
    why : str
        Why, in a sentence.
    """

    panels: Sequence[CriterionPanel]
    recommended: tuple[str, int]
    why: str = ""


def draw_criteria(picture: CriteriaPicture, path: str | os.PathLike[str], *, force: bool = False) -> None:
    """Draw a panel a criterion: a curve a form, a ring around its choice, a line at the recommended size.

    Parameters
    ----------
    picture : CriteriaPicture
        What to show.
    path : path-like
        Ends in ``.png``, ``.svg`` or ``.pdf``.
    force : bool
        Replace what is there.

    Raises
    ------
    ChoiceError
        If the suffix is another one, matplotlib is missing, or there is nothing to draw.
    OutputError
        If the file exists (and not `force`), or cannot be written.
    """
    path = Path(path)
    check_suffix(path)
    if not picture.panels:
        raise ChoiceError("no criterion", needed="something to draw")
    n = len(picture.panels)
    across = min(n, _ACROSS)
    down = -(-n // across)
    with figure_at(path, (3.7 * across, 2.9 * down + 1.0), force=force) as figure:
        grid = figure.subplots(down, across, squeeze=False)
        for axes, panel in zip(grid.flat, picture.panels, strict=False):
            _draw_panel(axes, panel, picture.recommended)
        for axes in grid.flat[n:]:
            axes.set_axis_off()
        form, size = picture.recommended
        why = fill(
            f"Recommended: {form}, {size} components" + f": {picture.why}" * bool(picture.why), 46 * across
        )
        figure.suptitle(why, x=0.01, ha="left", fontsize=11, linespacing=1.4)
        figure.get_layout_engine().set(w_pad=0.08, h_pad=0.08, wspace=0.03, hspace=0.04)  # type: ignore[union-attr, call-arg]
        forms = [f for f in _LOOKS if any(f in panel.curves for panel in picture.panels)]
        figure.legend(handles=_legend(forms), loc="outside lower left", ncols=len(forms) + 2)


def _draw_panel(axes: Axes, panel: CriterionPanel, recommended: tuple[str, int]) -> None:
    """The curves of one criterion."""
    for form, points in panel.curves.items():
        colour, marker, line = _LOOKS[form]
        axes.plot(
            [size for size, _ in points],
            [value for _, value in points],
            color=colour,
            marker=marker,
            linestyle=line,
            linewidth=1.5,
            markersize=4.5,
        )
        bars = dict(panel.errors.get(form, ()))
        if bars:
            at = [(size, value) for size, value in points if size in bars]
            x, y = [size for size, _ in at], [value for _, value in at]
            half = [bars[size] for size in x]
            axes.errorbar(x, y, half, fmt="none", ecolor=colour, elinewidth=1, capsize=2)
        for size, value in points:
            if panel.chosen == (form, size):
                axes.plot(
                    size, value, "o", markersize=12, markerfacecolor="none", color=_INK, markeredgewidth=1.6
                )
    axes.axvline(recommended[1], color=_QUIET, linewidth=0.9, linestyle="--", zorder=0)
    sizes = sorted({size for points in panel.curves.values() for size, _ in points})
    axes.set_xscale("log", base=2)
    axes.set_xticks(sizes, [str(size) for size in sizes])
    axes.minorticks_off()
    axes.margins(0.08, 0.12)
    axes.set_title(panel.title, loc="left", fontsize=10.5, fontweight="bold")
    axes.set_ylabel(panel.unit, fontsize=9)
    axes.set_xlabel("components" if "kmeans" not in panel.curves else "clusters", fontsize=9)
    axes.tick_params(labelsize=8.5)
    axes.ticklabel_format(axis="y", useOffset=False)


def _legend(forms: Sequence[str]) -> list[Any]:
    from matplotlib.lines import Line2D

    curves = [
        Line2D([], [], color=c, marker=m, linestyle=s, linewidth=1.5, markersize=4.5, label=form)
        for form, (c, m, s) in _LOOKS.items()
        if form in forms
    ]
    ring = Line2D(
        [],
        [],
        color=_INK,
        marker="o",
        markersize=10,
        markerfacecolor="none",
        linestyle="",
        label="its choice",
    )
    line = Line2D([], [], color=_QUIET, linewidth=0.9, linestyle="--", label="recommended size")
    return [*curves, ring, line]
