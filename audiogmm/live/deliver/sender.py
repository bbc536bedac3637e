"""The lines and the sound of one input, on their way to the receivers of a run."""

from __future__ import annotations

from audiogmm.live.deliver.deliveries import Deliveries
from audiogmm.live.deliver.ids import event_id
from audiogmm.live.deliver.ring import SoundRing
from audiogmm.types import Json, Samples, Seconds

MARGIN: Seconds = 5.0
"""Sound that is kept beyond the latency of the analysis."""


class EventSender:
    """Give the lines of an input their ids and clips, and hand them to the receivers; never waits for one.

    Parameters
    ----------
    deliveries : Deliveries
        Those of the run.

    Examples
    --------
    >>> from audiogmm.live.deliver.settings import DeliverySettings
    >>> with Deliveries(DeliverySettings(), print) as deliveries:
    ...     sender = EventSender(deliveries)
    ...     sender.begin(8000, 0.0, 0.5)
    ...     sender.send({"type": "score", "input": "-", "time": 1.0})
    {'type': 'score', 'input': '-', 'time': 1.0}
    """

    def __init__(self, deliveries: Deliveries) -> None:
        self._deliveries = deliveries
        self._ring: SoundRing | None = None

    def begin(self, sample_rate: int, at: Seconds, latency: Seconds | None = None) -> None:
        """Begin a stretch of sound without a gap; `latency` is that of its lines."""
        if self._deliveries.clips is None:
            return
        if self._ring is None or latency is not None:
            self._ring = SoundRing(self._deliveries.settings.pre_roll, (latency or 0.0) + MARGIN)
        self._ring.begin(sample_rate, at)

    def push(self, samples: Samples) -> None:
        """Take the next samples, shape (n_samples,), float32, mono."""
        if self._ring is not None:
            self._ring.push(samples)

    def send(self, row: Json) -> Json:
        """Hand a line to the receivers; return it with its `event_id` and its `clip`, if it has an event."""
        event = row.get("event")
        if event is None or row["type"] not in ("open", "confirmed", "closed", "dropped"):
            return row
        row = {**row, "event_id": event_id(row)}
        if self._ring is not None and self._deliveries.clips is not None:
            ring, number = self._ring, row.get("number")
            match row["type"]:
                case "open":
                    ring.hold(number, event["start"])
                case "dropped":
                    ring.release(number)
                case "closed":
                    sound = ring.take(number, event["start"], event["end"])
                    if len(sound):
                        path = self._deliveries.clips.write(row["event_id"], event, sound, ring.sample_rate)
                        row |= {} if path is None else {"clip": str(path)}
        self._deliveries.put(row)
        return row
