"""Figures of all pictures: their style, and how they are saved."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from audiogmm.errors import ChoiceError
from audiogmm.files import replacing

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FORMATS = (".png", ".svg", ".pdf")
"""Suffixes of pictures."""

INK, QUIET = "#1a1a1a", "#8c8c8c"
"""Colors of text, near black on white, and of what matters less."""

_STYLE: Any = {
    "font.family": "sans-serif",
    "font.size": 10,
    "axes.edgecolor": QUIET,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.major.width": 0.8,
    "ytick.major.width": 0.8,
    "legend.frameon": False,
    "figure.facecolor": "white",
    "axes.facecolor": "white",
    "savefig.facecolor": "white",
    "svg.hashsalt": "audiogmm",  # the same picture is the same file
    "svg.fonttype": "none",
    "text.parse_math": False,  # a name with dollars is a name
}


def check_suffix(path: Path) -> None:
    """Refuse a picture that cannot be drawn, before the work begins.

    Raises
    ------
    ChoiceError
        If pictures have no such suffix.
    """
    if path.suffix.lower() not in FORMATS:
        raise ChoiceError(
            f"a picture cannot be written to {path}", needed=f"a name that ends in {', '.join(FORMATS)}"
        )


@contextmanager
def figure_at(path: str | os.PathLike[str], size: tuple[float, float], *, force: bool) -> Iterator[Figure]:
    """Yield a styled figure, which is saved to `path` when the block ends without an error.

    Parameters
    ----------
    path : path-like
        Ends in one of `FORMATS`.
    size : tuple of float
        Width and height, inches.
    force : bool
        Overwrite a file that exists.

    Raises
    ------
    ChoiceError
        If the suffix is another one, or matplotlib is missing.
    OutputError
        If the file exists (and not `force`), or cannot be written.
    """
    path = Path(path)
    check_suffix(path)
    with styled_figure(size) as figure, replacing(path, force=force) as target:
        yield figure
        save_figure(figure, target, path.suffix.lower())


@contextmanager
def figure_style() -> Iterator[None]:
    """Draw in the style of all pictures.

    Raises
    ------
    ChoiceError
        If matplotlib is missing.
    """
    try:
        import matplotlib
    except ImportError as error:
        raise ChoiceError(
            "pictures need matplotlib, which is not installed", remedy="pip install 'audiogmm[plot]'"
        ) from error
    with matplotlib.rc_context(_STYLE):
        yield


@contextmanager
def styled_figure(size: tuple[float, float]) -> Iterator[Figure]:
    """Yield a figure of so many inches, in the style of all pictures.

    Raises
    ------
    ChoiceError
        If matplotlib is missing.
    """
    with figure_style():
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        figure = Figure(figsize=size, layout="constrained")
        FigureCanvasAgg(figure)
        yield figure


def save_figure(figure: Figure, target: Any, suffix: str) -> None:
    """Save a figure to a path or a binary file, without the date: the same picture is the same file."""
    dates = {".svg": "Date", ".pdf": "CreationDate"}
    marks = {dates[suffix]: None} if suffix in dates else {}
    figure.savefig(target, format=suffix[1:], dpi=140, metadata=marks)


def can_draw() -> bool:
    """Return whether the extra `plot` is installed.

    Examples
    --------
    >>> can_draw() in (True, False)
    True
    """
    return find_spec("matplotlib") is not None
