"""What a page shows: events, stretches, recordings, and what is normal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from audiogmm.anomaly.event import Event
from audiogmm.report.page.sound import Clip
from audiogmm.timeline import Segment
from audiogmm.types import FloatArray, Seconds


@dataclass(frozen=True)
class ReportedEvent:
    """An event as a page shows it.

    Attributes
    ----------
    event : Event
    severity : float or None
        Higher is worse, where the detector says so.
    further : mapping of str to str or float
        What else the event says of itself.
    clip : Clip or None
        How it sounds; None where it is not to be heard.
    """

    event: Event
    severity: float | None = None
    further: Mapping[str, str | float] = field(default_factory=dict)
    clip: Clip | None = None

    @property
    def rank(self) -> tuple[float, float, str, float]:
        """The smaller, the more severe: by severity where there is one, else by the lowest score.

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
    """Window scores of a stretch: the lowest and highest of each column, nats.

    Attributes
    ----------
    low, high : ndarray of shape (n_columns,), float64
    per_column : float
        Columns are so many seconds long.
    """

    low: FloatArray
    high: FloatArray
    per_column: Seconds


@dataclass(frozen=True, eq=False)
class Stretch:
    """A stretch of a recording, shown in full.

    Attributes
    ----------
    start, end : Seconds
    curve : ScoreCurve
        From `start` on.
    image : bytes
        Its spectrogram, WebP; empty where nothing was heard (frames of one's own).
    top : float
        Hertz, the upper edge of the image.
    """

    start: Seconds
    end: Seconds
    curve: ScoreCurve
    image: bytes = b""
    top: float = 0.0


@dataclass(frozen=True, eq=False)
class ReportedRecording:
    """A recording as a page shows it.

    Attributes
    ----------
    id : str
    path : str
        Where its sound is, or was.
    n_events : int
        Found in it; `found` may hold fewer.
    found : sequence of ReportedEvent
        The most severe first.
    start, seconds : Seconds
        Where it begins, and how long it is; 0 where it could not be read.
    lowest : float
        The lowest window score, nats.
    limits, strip_limits : tuple of float
        Of the score axes of the stretches and of the strip, nats.
    strip : ScoreCurve or None
        Of the whole recording, where the stretches do not show it.
    stretches : sequence of Stretch
        In order of time.
    truth : sequence of Segment
        What there was, where the manifest says so.
    quiet : Clip or None
        The least normal moment of a recording without an event.
    trouble : str
        Why it could not be heard again; empty otherwise.
    note : str
        What else should be known of it.
    """

    id: str
    path: str
    n_events: int
    found: Sequence[ReportedEvent] = ()
    start: Seconds = 0.0
    seconds: Seconds = 0.0
    lowest: float = np.inf
    limits: tuple[float, float] = (-1.0, 0.0)
    strip_limits: tuple[float, float] = (-1.0, 0.0)
    strip: ScoreCurve | None = None
    stretches: Sequence[Stretch] = ()
    truth: Sequence[Segment] = ()
    quiet: Clip | None = None
    trouble: str = ""
    note: str = ""


@dataclass(frozen=True)
class RecordingRow:
    """A recording that is only named.

    Attributes
    ----------
    id : str
    n_events : int
    worst : ReportedEvent
        Its most severe event.
    """

    id: str
    n_events: int
    worst: ReportedEvent


@dataclass(frozen=True, eq=False)
class NormalSummary:
    """What the detector holds normal.

    Attributes
    ----------
    windows : ndarray of shape (n_windows,), float64, sorted
        Scores of normal windows, nats.
    n_independent : float
        How many do not overlap.
    seconds : Seconds
        Length of a window.
    note : str
        What should be known of the threshold.
    facts : mapping of str to str
        What else the detector says of itself.
    """

    windows: FloatArray
    n_independent: float
    seconds: Seconds
    note: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class CriterionChart:
    """One criterion of a selection: a curve for each covariance form, over the number of components."""

    title: str
    unit: str
    curves: Mapping[str, Sequence[tuple[int, float]]]
    recommended: tuple[str, int] | None = None


@dataclass(frozen=True, eq=False)
class ClusterSounds:
    """A component to listen to.

    Attributes
    ----------
    component : int
    share : float
        Of the frames.
    clips : sequence of (str, Clip)
        Recording, and the stretch that the component claims.
    """

    component: int
    share: float
    clips: Sequence[tuple[str, Clip]]
