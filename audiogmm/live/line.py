"""The lines of a stream: one JSON object each."""

from __future__ import annotations

from dataclasses import dataclass, field

from audiogmm.types import Json, Seconds

LINE_TYPES = {
    "start": "an input begins, or its format changes",
    "open": "an event begins",
    "confirmed": "the event is long enough to be reported",
    "closed": "the event is over, and is what `detect` finds",
    "dropped": "the event ended before it was long enough",
    "change": "a departure changed for good, or ended outside of any event",
    "rising": "a departure goes on growing",
    "cluster": "another component has the highest posterior",
    "speaker": "another speaker is identified",
    "score": "the mean score of an interval",
    "learning": "the first model is there",
    "saved": "the model was written",
    "heartbeat": "the position, the level and the totals",
    "gap": "some sound was lost",
    "lost": "the device is gone",
    "back": "the device is there again",
    "overflow": "how many lines of each type were not written",
    "end": "the input is over",
}
"""Every type of line, and what it says. Lines of the same time are written in this order."""

SPARED = frozenset(("cluster", "speaker", "score", "heartbeat"))
"""Types that a slow reader may miss: later lines say what they said."""

_RANKS = {type: rank for rank, type in enumerate(LINE_TYPES)}


@dataclass(frozen=True, slots=True)
class Line:
    """One line.

    Attributes
    ----------
    type : str
        One of `LINE_TYPES`.
    time : Seconds
        When it was decided, on the input's clock.
    body : dict
        The other keys.

    Examples
    --------
    >>> Line("score", 2.0, {"score": -40.0}).row("-")
    {'type': 'score', 'input': '-', 'time': 2.0, 'score': -40.0}
    """

    type: str
    time: Seconds
    body: Json = field(default_factory=dict)

    def row(self, input: str) -> Json:
        """Return the line as JSON, with the name of the input."""
        return {"type": self.type, "input": input, "time": self.time, **self.body}


def sort_lines(lines: list[Line]) -> list[Line]:
    """Sort lines by time, and those of the same time by type.

    Examples
    --------
    >>> [line.type for line in sort_lines([Line("score", 1.0), Line("open", 1.0), Line("heartbeat", 0.5)])]
    ['heartbeat', 'open', 'score']
    """
    return sorted(lines, key=lambda line: (line.time, _RANKS[line.type]))
