"""Progress bars: in a terminal by rich, in a notebook as HTML, which needs no extension of the notebook."""

from __future__ import annotations

import html
import sys
import time
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.progress import Progress as Terminal
    from rich.progress import TaskID

    from audiogmm.types import Seconds

BETWEEN: Seconds = 0.1
"""Shortest time between two changes of a bar in a notebook."""


def in_notebook() -> bool:
    """Return whether this process is the kernel of a notebook.

    Examples
    --------
    >>> in_notebook()
    False
    """
    ipython = sys.modules.get("IPython")
    return ipython is not None and hasattr(ipython.get_ipython(), "kernel")


def readable(number: float) -> str:
    """Write a number in a few characters.

    Examples
    --------
    >>> readable(0.5271), readable(417), readable(76_093_000)
    ('0.53', '417', '76.1 M')
    """
    if number >= 1e6:
        return f"{number / 1e6:,.1f} M"
    return f"{number:,.0f}" if number == int(number) or number >= 1000 else f"{number:,.2f}"


class TerminalBar:
    """A bar on standard error, where that is a terminal; it goes when its stage ends."""

    def __init__(self) -> None:
        self._bar: Terminal | None = None
        self._task: TaskID | None = None

    @property
    def is_shown(self) -> bool:
        """Whether there is a bar now."""
        return self._bar is not None

    def begin(self, what: str, total: float | None, unit: str) -> None:
        """Show a bar for a stage of `total` units of work."""
        self.end()
        if not sys.stderr.isatty():
            return
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
        from rich.text import Text

        class Amount(MofNCompleteColumn):
            def render(self, task: Any) -> Text:
                of = "" if task.total is None else f" of {readable(task.total)}"
                return Text(f"{readable(task.completed)}{of} {unit}", no_wrap=True)

        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=20),
            Amount(),
            TextColumn("{task.fields[note]}"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            transient=True,
        )
        self._bar.start()
        self._task = self._bar.add_task(what, total=total, note="")

    def advance(self, amount: float, note: str = "") -> None:
        """Move the bar."""
        if self._bar is not None and self._task is not None:
            if note:
                self._bar.update(self._task, advance=amount, note=note)
            else:
                self._bar.update(self._task, advance=amount)

    def end(self) -> None:
        """Remove the bar."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = self._task = None

    def write(self, message: str) -> None:
        """Write a line above the bar."""
        if self._bar is not None:
            self._bar.console.print(message, markup=False, highlight=False)


class NotebookBar:
    """A bar below the cell of a notebook, one for all stages of a call; it goes when they have ended."""

    def __init__(self) -> None:
        self._handle: Any = None
        self._what = self._unit = self._note = ""
        self._total: float | None = None
        self._done = 0.0
        self._shown = -BETWEEN

    def begin(self, what: str, total: float | None, unit: str) -> None:
        """Show a bar for a stage of `total` units of work."""
        self._what, self._total, self._unit = what, total, unit
        self._done, self._note = 0.0, ""
        self._show(self.markup())

    def advance(self, amount: float, note: str = "") -> None:
        """Move the bar."""
        self._done += amount
        self._note = note or self._note
        if time.monotonic() - self._shown >= BETWEEN:
            self._show(self.markup())

    def end(self) -> None:
        """Remove the bar."""
        if self._handle is not None:
            self._show("")

    def markup(self) -> str:
        """Return the bar as HTML.

        Examples
        --------
        >>> bar = NotebookBar()
        >>> bar._what, bar._total, bar._unit, bar._done = "training", 200.0, "frames", 50.0
        >>> bar.markup()
        '<div><progress max="1" value="0.2500"></progress> training: 50 of 200 frames</div>'
        """
        of = "" if self._total is None else f" of {readable(self._total)}"
        value = f' value="{min(1.0, self._done / self._total):.4f}"' if self._total else ""
        amount = f": {readable(self._done)}{of} {self._unit}" if self._done or of else ""
        text = html.escape(f"{self._what}{amount} {self._note}".rstrip())
        return f'<div><progress max="1"{value}></progress> {text}</div>'

    def _show(self, markup: str) -> None:
        ipython = import_module("IPython.display")
        self._shown = time.monotonic()
        if self._handle is None:
            self._handle = ipython.display(ipython.HTML(markup), display_id=True)
        else:
            self._handle.update(ipython.HTML(markup))
