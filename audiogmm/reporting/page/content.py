"""What a page shows: the detector, events, recordings with their stretches, and components."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from audiogmm.anomaly.event import Event
from audiogmm.reporting.page.sound import Clip
from audiogmm.timeline import Segment
from audiogmm.types import FloatArray, Seconds


@dataclass(frozen=True)
class DetectorSummary:
    """The detector of the run.

    Attributes
    ----------
    threshold : float
        Nats.
    release : float or None
        Nats; None: not drawn.
    normal_seconds : Seconds
        Length of the normal audio that it was calibrated on; 0: not known.
    unit : str
        "s", or "" for a table, whose rows have no time.
    """

    threshold: float
    release: float | None = None
    normal_seconds: Seconds = 0.0
    unit: str = "s"


@dataclass(frozen=True)
class ReportedEvent:
    """An event, with what the page needs.

    Attributes
    ----------
    event : Event
    severity : float or None
        Higher is worse; None where the detector gives none.
    further : mapping of str to str or float
        Other keys of the event's line.
    clip : Clip or None
        Its sound; None where it cannot be played.
    """

    event: Event
    severity: float | None = None
    further: Mapping[str, str | float] = field(default_factory=dict)
    clip: Clip | None = None

    @property
    def rank(self) -> tuple[float, float, str, float]:
        """Sort key, the most severe first: by severity where there is one, else by the lowest score.

        Examples
        --------
        >>> mild, worse = (ReportedEvent(Event("a.wav", "a", 1.0, 2.0, peak=peak)) for peak in (-50.0, -60.0))
        >>> ReportedEvent(mild.event, severity=3.0).rank < worse.rank < mild.rank
        True
        """
        event = self.event
        worst = event.peak if event.peak is not None else event.score
        first = np.inf if self.severity is None else -self.severity  # those without one come after
        return first, np.inf if worst is None else worst, event.id, event.start


@dataclass(frozen=True, eq=False)
class ScoreCurve:
    """Window scores of a stretch: the lowest and highest of each column, nats."""

    low: FloatArray  # shape (n_columns,)
    high: FloatArray
    per_column: Seconds  # length of a column


@dataclass(frozen=True, eq=False)
class Stretch:
    """A stretch of a recording, shown in full."""

    start: Seconds
    end: Seconds
    curve: ScoreCurve  # from `start` on
    image: bytes = b""  # its spectrogram, WebP; empty for a table
    top: float = 0.0  # upper edge of the image, hertz


@dataclass(frozen=True, eq=False)
class ReportedRecording:
    """A recording, with what the page needs.

    Attributes
    ----------
    id : str
    path : str
        Where its sound is, or was.
    n_events : int
        Number of its events; `events` may hold fewer.
    events : sequence of ReportedEvent
        The most severe first.
    start, seconds : Seconds
        Where it begins, and its length; 0 where it could not be read.
    lowest : float
        The lowest window score, nats.
    limits, strip_limits : tuple of float
        Limits of the score axes of the stretches and of the strip, nats.
    strip : ScoreCurve or None
        The whole recording, where the stretches do not show it.
    stretches : sequence of Stretch
        In order of time.
    truth : sequence of Segment
        True events, where the manifest has them.
    least_normal : Clip or None
        The least normal moment of a recording without an event.
    error : str
        Why it could not be scored again; empty if it was.
    note : str
        A remark on it.
    """

    id: str
    path: str
    n_events: int
    events: Sequence[ReportedEvent] = ()
    start: Seconds = 0.0
    seconds: Seconds = 0.0
    lowest: float = np.inf
    limits: tuple[float, float] = (-1.0, 0.0)
    strip_limits: tuple[float, float] = (-1.0, 0.0)
    strip: ScoreCurve | None = None
    stretches: Sequence[Stretch] = ()
    truth: Sequence[Segment] = ()
    least_normal: Clip | None = None
    error: str = ""
    note: str = ""


@dataclass(frozen=True)
class RecordingRow:
    """A recording that is only listed."""

    id: str
    n_events: int
    worst: ReportedEvent  # its most severe event


@dataclass(frozen=True, eq=False)
class NormalSummary:
    """The normal audio of the detector."""

    windows: FloatArray  # scores of its windows, nats; shape (n_windows,), sorted
    n_independent: float  # how many windows do not overlap
    seconds: Seconds  # length of a window
    note: str = ""  # a remark on the threshold
    facts: Mapping[str, str] = field(default_factory=dict)  # settings of the detector


@dataclass(frozen=True, eq=False)
class ComponentClips:
    """A component or class, and its sound."""

    label: str
    share: float  # of the frames
    distinctness: float | None  # nats; see `audiogmm.scoring.distinctness`
    clips: Sequence[tuple[str, Clip]]  # recording, and a segment: the most typical one first
