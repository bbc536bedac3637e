"""The picture of a selection: every criterion against the size, with a curve for each covariance form."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from textwrap import fill
from typing import TYPE_CHECKING, Any

from audiogmm.errors import ChoiceError
from audiogmm.reporting.figure import INK, QUIET, figure_at, save_figure, styled_figure
from audiogmm.words import amount

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


_LOOKS: Mapping[str, tuple[str, str, Any]] = {
    "diag": ("#0072B2", "o", "-"),
    "full": ("#D55E00", "s", "--"),
    "tied": ("#009E73", "^", "-."),
    "spherical": ("#CC79A7", "D", ":"),
    "k-means": ("#555555", "v", (0, (3, 1, 1, 1, 1, 1))),
}
"""Color (Okabe and Ito's), marker and line of each form: any one of the three tells them apart."""

_CRITERIA = (
    ("held-out", "held_out", "Held-out likelihood"),
    ("bic", "bic", "BIC"),
    ("bic-effective", "bic_effective", "BIC, effective frames"),
    ("aic", "aic", "AIC"),
    ("icl", "icl", "ICL"),
)
"""Name, column and title of each criterion of the table that `audiogmm select` writes."""

_ACROSS = 3
"""Panels in a row."""


@dataclass(frozen=True)
class CriterionPanel:
    """One criterion.

    Attributes
    ----------
    title, unit : str
        Title of the panel, and label of its axis.
    curves : mapping of str to sequence of (int, float)
        Sizes and values for each covariance form.
    best : tuple of str and int, or None
        The form and size that are best by this criterion.
    errors : mapping of str to sequence of (int, float)
        Sizes and standard errors for each form, where they are known.
    """

    title: str
    unit: str
    curves: Mapping[str, Sequence[tuple[int, float]]]
    best: tuple[str, int] | None = None
    errors: Mapping[str, Sequence[tuple[int, float]]] = field(default_factory=dict)


@dataclass(frozen=True)
class CriteriaPicture:
    """All that the picture shows.

    Attributes
    ----------
    panels : sequence of CriterionPanel
        At least one.
    recommended : tuple of str and int, or None
        The recommended form and size.
    why : str
        The reason, in a sentence; without one the picture has no title.
    """

    panels: Sequence[CriterionPanel]
    recommended: tuple[str, int] | None
    why: str = ""

    @classmethod
    def of_table(
        cls,
        rows: Sequence[Mapping[str, Any]],
        *,
        n_frames: int | None = None,
        knee: int | None = None,
        why: str = "",
    ) -> CriteriaPicture:
        """Make the picture of a table that `audiogmm select` writes.

        Parameters
        ----------
        rows : sequence of mapping
            One candidate each; values may be text, as `csv.DictReader` gives them.
        n_frames : int, optional
            Sums are divided by it, so that they are per frame.
        knee : int, optional
            The size at which the inertia of k-means bends.
        why : str
            See `CriteriaPicture`.

        Raises
        ------
        ValueError, KeyError
            If a value is not a number, or a column is missing.

        Examples
        --------
        >>> row = {"covariance_type": "diag", "n_components": "8", "bic": "3.5", "recommended": "True"}
        >>> picture = CriteriaPicture.of_table([row])
        >>> picture.recommended, [(panel.title, panel.curves) for panel in picture.panels]
        (('diag', 8), [('BIC', {'diag': [(8, 3.5)]})])
        """
        candidates = {_candidate(row): row for row in rows}
        recommended = (c for c, row in candidates.items() if str(row.get("recommended")) == "True")
        return cls(list(_panels(candidates, n_frames, knee)), next(recommended, None), why)


def _panels(
    candidates: Mapping[tuple[str, int], Mapping[str, Any]], n_frames: int | None, knee: int | None
) -> Iterator[CriterionPanel]:
    for name, column, title in _CRITERIA:
        divisor, unit, errors = n_frames or 1, "per frame, " * bool(n_frames) + "lower is better", {}
        if name == "held-out":
            divisor, unit = 1, "nats per frame, higher is better"
            errors = _curves(candidates, "behind_error", 1)
        curves = _curves(candidates, column, divisor)
        best = (c for c, row in candidates.items() if name in _names(row.get("chosen_by")))
        if curves:
            yield CriterionPanel(title, unit, curves, next(best, None), errors)
    kmeans = {("k-means", size): row for (_, size), row in candidates.items()}
    inertia = _curves(kmeans, "kmeans_inertia", n_frames or 1)
    if inertia:
        unit = "squared distance" + " per frame" * bool(n_frames)
        yield CriterionPanel("K-means inertia", unit, inertia, None if knee is None else ("k-means", knee))


def _candidate(row: Mapping[str, Any]) -> tuple[str, int]:
    return str(row["covariance_type"]), int(row["n_components"])


def _names(value: str | Sequence[str] | None) -> Sequence[str]:
    return value.split() if isinstance(value, str) else value or ()


def _curves(
    candidates: Mapping[tuple[str, int], Mapping[str, Any]], column: str, divisor: int
) -> dict[str, list[tuple[int, float]]]:
    """Return the values of a column by form, where there are any, the sizes ascending."""
    curves: dict[str, list[tuple[int, float]]] = {}
    for (form, size), row in sorted(candidates.items(), key=lambda item: item[0][1]):
        value = row.get(column)
        if value not in (None, ""):
            curves.setdefault(form, []).append((size, float(value) / divisor))
    return curves


def draw_criteria(picture: CriteriaPicture, path: str | os.PathLike[str], *, force: bool = False) -> None:
    """Draw a panel for each criterion: a curve for each form, a ring around the best, the recommended size.

    Parameters
    ----------
    picture : CriteriaPicture
        What to show.
    path, force
        See `figure_at`, also for the errors.

    Raises
    ------
    ChoiceError
        If there is nothing to draw.
    """
    with figure_at(path, _size(picture), force=force) as figure:
        _draw(figure, picture)


def render_criteria(picture: CriteriaPicture) -> bytes:
    """Draw the same picture, and return it as SVG.

    Raises
    ------
    ChoiceError
        If matplotlib is missing, or there is nothing to draw.
    """
    file = io.BytesIO()
    with styled_figure(_size(picture)) as figure:
        _draw(figure, picture)
        save_figure(figure, file, ".svg")
    return file.getvalue()


def _size(picture: CriteriaPicture) -> tuple[float, float]:
    """Width and height in inches."""
    n = len(picture.panels)
    if not n:
        raise ChoiceError("no criterion", needed="something to draw")
    return 3.7 * min(n, _ACROSS), 2.9 * -(-n // _ACROSS) + 1.0


def _draw(figure: Figure, picture: CriteriaPicture) -> None:
    n = len(picture.panels)
    across = min(n, _ACROSS)
    grid = figure.subplots(-(-n // across), across, squeeze=False)
    for axes, panel in zip(grid.flat, picture.panels, strict=False):
        _draw_panel(axes, panel, picture.recommended)
    for axes in grid.flat[n:]:
        axes.set_axis_off()
    if picture.recommended is not None and picture.why:
        form, size = picture.recommended
        why = f"Recommended: {form}, {amount(size, 'component')}: {picture.why}"
        figure.suptitle(fill(why, 46 * across), x=0.01, ha="left", fontsize=11, linespacing=1.4)
    figure.get_layout_engine().set(w_pad=0.08, h_pad=0.08, wspace=0.03, hspace=0.04)  # type: ignore[union-attr, call-arg]
    forms = [f for f in _LOOKS if any(f in panel.curves for panel in picture.panels)]
    figure.legend(handles=_legend(forms), loc="outside lower left", ncols=len(forms) + 2)


def _draw_panel(axes: Axes, panel: CriterionPanel, recommended: tuple[str, int] | None) -> None:
    for form, points in panel.curves.items():
        color, marker, line = _LOOKS[form]
        axes.plot(
            [size for size, _ in points],
            [value for _, value in points],
            color=color,
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
            axes.errorbar(x, y, half, fmt="none", ecolor=color, elinewidth=1, capsize=2)
        for size, value in points:
            if panel.best == (form, size):
                axes.plot(
                    size, value, "o", markersize=12, markerfacecolor="none", color=INK, markeredgewidth=1.6
                )
    if recommended is not None:
        axes.axvline(recommended[1], color=QUIET, linewidth=0.9, linestyle="--", zorder=0)
    sizes = sorted({size for points in panel.curves.values() for size, _ in points})
    axes.set_xscale("log", base=2)
    axes.set_xticks(sizes, [str(size) for size in sizes])
    axes.minorticks_off()
    axes.margins(0.08, 0.12)
    axes.set_title(panel.title, loc="left", fontsize=10.5, fontweight="bold")
    axes.set_ylabel(panel.unit, fontsize=9)
    axes.set_xlabel("components" if "k-means" not in panel.curves else "clusters", fontsize=9)
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
        color=INK,
        marker="o",
        markersize=10,
        markerfacecolor="none",
        linestyle="",
        label="best by this criterion",
    )
    line = Line2D([], [], color=QUIET, linewidth=0.9, linestyle="--", label="recommended size")
    return [*curves, ring, line]
