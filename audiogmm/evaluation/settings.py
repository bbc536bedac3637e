"""What every evaluation is asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from audiogmm.evaluation.intervals import Draws


@dataclass(frozen=True, kw_only=True)
class EvaluationSettings:
    """What every evaluation takes; the settings of each kind are a subclass with its own fields.

    Parameters
    ----------
    by : sequence of str
        Columns of the trials, or keys of the manifest, whose values are evaluated separately.
    draws : Draws
        How speakers or recordings are drawn for the intervals: how often, the confidence, the seed, threads.
    plot : Path or None
        The picture to write (.png, .svg or .pdf).
    force : bool
        Overwrite files that exist.
    strict : bool
        Fail on the first bad input, in place of setting it aside.
    """

    by: Sequence[str] = ()
    draws: Draws = field(default_factory=Draws)
    plot: Path | None = None
    force: bool = False
    strict: bool = False


OF_FILES = ("plot", "force", "strict")
"""Settings of evaluations that write files; an evaluation in memory has none of them."""
