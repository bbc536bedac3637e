"""A segment of a recording, as lists of segments have it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from audiogmm.types import Seconds


@dataclass(frozen=True, slots=True)
class Span:
    """A segment of a recording.

    Attributes
    ----------
    recording : str
        Its name or its path, as the list has it; nothing if the list is named after it.
    start, end : Seconds
        On the recording's clock.
    label, speaker : str or None
        What it is; who speaks.
    score : float or None
        How sure that is, in the list's own unit.
    channel : int or None
        Counted from 0.
    id : str or None
        The name of the recording, where the list has one beside its path.
    extra : mapping
        What else the list says.

    Raises
    ------
    ValueError
        If it ends before it begins, or begins before the recording.
    """

    recording: str
    start: Seconds
    end: Seconds
    label: str | None = None
    speaker: str | None = None
    score: float | None = None
    channel: int | None = None
    id: str | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not 0 <= self.start <= self.end < math.inf:
            raise ValueError(f"from {self.start} s to {self.end} s; needed: 0 <= start <= end")

    @property
    def duration(self) -> Seconds:
        """Seconds from start to end, without the digits that subtraction adds."""
        return round(self.end - self.start, 9)


def one_line(text: object) -> str:
    """Return a text without line ends and tabs, as a cell of a table holds it."""
    return " ".join(str(text).split())
