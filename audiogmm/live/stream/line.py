"""What a stream tells, before it is written."""

from __future__ import annotations

from dataclasses import dataclass, field

from audiogmm.types import Json, Seconds

RANKS = (
    "open",
    "confirmed",
    "closed",
    "dropped",
    "cluster",
    "speaker",
    "score",
    "learning",
    "saved",
    "heartbeat",
)
"""Order of lines of one time."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line.

    Attributes
    ----------
    type : str
        What it tells.
    time : Seconds
        When it was decided, on the stream's clock.
    body : dict
        The rest.

    Examples
    --------
    >>> Line("score", 2.0, {"score": -40.0}).row("-")
    {'type': 'score', 'input': '-', 'time': 2.0, 'score': -40.0}
    """

    type: str
    time: Seconds
    body: Json = field(default_factory=dict)

    def row(self, input: str) -> Json:
        """As JSON, with the name of the input."""
        return {"type": self.type, "input": input, "time": self.time, **self.body}


def in_order(lines: list[Line]) -> list[Line]:
    """Lines that came together, by the time at which each was decided.

    Examples
    --------
    >>> [line.type for line in in_order([Line("score", 1.0), Line("open", 1.0), Line("heartbeat", 0.5)])]
    ['heartbeat', 'open', 'score']
    """
    return sorted(lines, key=lambda line: (line.time, RANKS.index(line.type)))
