"""The steps of an event in a stream: it opens, is confirmed, and closes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from audiogmm.anomaly.event import Event
from audiogmm.types import Seconds

Kind = Literal["open", "confirmed", "closed", "dropped", "change", "rising"]
"""An event opens when a window scores at or under the threshold; it is confirmed when it has lasted for the
least duration; it closes when nothing can join it any more; or it is dropped, since it was too short.
Where a model watches for drift, `change` and `rising` are told in between, or outside of any event."""


@dataclass(frozen=True, slots=True)
class Notice:
    """One step of an event.

    Attributes
    ----------
    kind : {"open", "confirmed", "closed", "dropped", "change", "rising"}
        What happened.
    at : Seconds
        End of the last frame that was needed to decide it, on the recording's clock.
    number : int
        Counts the openings of a recording from 0; the notices of one event share it;
        -1 for a change outside of any.
    event : Event
        What is known of it; `start`, `end` and `peak` are provisional unless it is closed, and `score` is
        None until then.
    first, last : int
        Indices of its frames, as far as they are known.

    Examples
    --------
    >>> Notice("closed", 2.5, 0, Event(None, "a", 1.0, 2.0), 100, 197).event.end
    2.0
    """

    kind: Kind
    at: Seconds
    number: int
    event: Event
    first: int
    last: int

    @property
    def is_event(self) -> bool:
        """Whether it has a whole event: one that closed, or a change outside of any."""
        return self.kind == "closed" or (self.kind in ("change", "rising") and self.number < 0)
