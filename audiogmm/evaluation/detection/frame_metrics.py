"""Frame and event metrics of a detector, and the baseline of plain loudness."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from audiogmm.anomaly.smoothing import smooth
from audiogmm.errors import ChoiceError
from audiogmm.evaluation.detection.roc import Separation, area
from audiogmm.scoring.track import ScoreTrack
from audiogmm.timeline import FrameClock, Segment
from audiogmm.types import BoolArray, FloatArray, Samples, Seconds


def frame_truth(clock: FrameClock, n_frames: int, events: Iterable[Segment]) -> BoolArray:
    """Mark the frames whose center lies in an event, shape (n_frames,).

    Examples
    --------
    >>> frame_truth(FrameClock(8000, 80, 200), 4, [Segment(0.02, 0.04)])
    array([False,  True,  True, False])
    """
    times = clock.center(np.arange(n_frames))
    truth = np.zeros(n_frames, dtype=np.bool_)
    for event in events:
        truth |= (event.start <= times) & (times < event.end)
    return truth


def frame_auc(scores: FloatArray, truth: BoolArray) -> float:
    """Compute the probability that an anomalous frame scores lower than a normal one (a tie is a half).

    The area under the ROC curve (Hanley and McNeil 1982); 0.5 is chance.

    Parameters
    ----------
    scores : ndarray of shape (n_frames,), float64
        Higher is more normal.
    truth : ndarray of shape (n_frames,), bool
        Which frames are anomalous.

    Raises
    ------
    ChoiceError
        If all frames are of one kind.

    Examples
    --------
    >>> frame_auc(np.array([-9.0, -1.0, -2.0, -1.0]), np.array([True, True, False, False]))
    0.625
    """
    return float(area(*_separation(scores, truth).curve()))


def partial_auc(scores: FloatArray, truth: BoolArray, max_fpr: float = 0.1) -> float:
    """Compute the area under the ROC curve up to `max_fpr`, standardized: 0.5 is chance, 1 is perfect.

    McClish 1989, eq. 1 and the correction of section 3, as scikit-learn's `roc_auc_score(max_fpr=...)`.

    Parameters
    ----------
    scores, truth
        As of `frame_auc`.
    max_fpr : float
        Largest false-alarm rate considered, in (0, 1].

    Raises
    ------
    ChoiceError
        If all frames are of one kind, or the rate is outside its range.

    Examples
    --------
    >>> partial_auc(np.array([-9.0, -8.0, -2.0, -1.0]), np.array([True, True, False, False]))
    1.0
    """
    if not 0 < max_fpr <= 1:
        raise ChoiceError(f"max_fpr={max_fpr}", needed="a rate in (0, 1]")
    return float(_separation(scores, truth).areas(max_fpr)[1])


def _separation(scores: FloatArray, truth: BoolArray) -> Separation:
    return Separation(scores, truth, np.zeros(len(scores), dtype=np.int64))


@dataclass(frozen=True, slots=True)
class LabeledTrack:
    """One recording with its truth.

    Attributes
    ----------
    track : ScoreTrack
        Its scores.
    truth : tuple of Segment
        Its anomalous stretches, seconds on the recording's clock.
    site : str
        Where it was recorded: frames are compared within a site only.
    found : tuple of Segment
        What a detector found.
    """

    track: ScoreTrack
    truth: tuple[Segment, ...] = ()
    site: str = ""
    found: tuple[Segment, ...] = ()


@dataclass(frozen=True, slots=True)
class SiteAreas:
    """Areas of the frames of one site.

    Attributes
    ----------
    site : str
        Its name.
    auc, pauc : float
        Area under the ROC curve, whole, and up to a false-alarm rate of 0.1, standardized.
    n_frames, n_anomalous : int
        Frames, and anomalous ones among them.
    """

    site: str
    auc: float
    pauc: float
    n_frames: int
    n_anomalous: int


def evaluate_frames(recordings: Iterable[LabeledTrack], window: Seconds = 0.5) -> list[SiteAreas]:
    """Compute the frame AUC of window scores of each site, ordered by name.

    Parameters
    ----------
    recordings : iterable of LabeledTrack
        Read once; the window scores of all are kept. Windows without a voiced frame are left out.
    window : Seconds
        Over which scores are averaged, as `DetectorSettings.window`.

    Raises
    ------
    ChoiceError
        If all frames of a site are of one kind.

    Examples
    --------
    >>> clock = FrameClock(8000, 80, 200)
    >>> scores = np.r_[np.full(200, -40.0), np.full(100, -60.0), np.full(200, -40.0)]
    >>> track = ScoreTrack("a", scores, np.ones(500, dtype=bool), clock)
    >>> [round(site.auc, 3) for site in evaluate_frames([LabeledTrack(track, (Segment(2.0, 3.0),))])]
    [1.0]
    """
    sites: dict[str, list[tuple[FloatArray, BoolArray]]] = defaultdict(list)
    for recording in recordings:
        track = recording.track
        means = smooth(track, round(window * track.clock.frame_rate / 2))
        truth = frame_truth(track.clock, len(track), recording.truth)
        known = ~np.isnan(means)
        sites[recording.site].append((means[known], truth[known]))
    results = []
    for site, parts in sorted(sites.items()):
        scores, truth = (np.concatenate(column) for column in zip(*parts, strict=True))
        auc, pauc = frame_auc(scores, truth), partial_auc(scores, truth)
        results.append(SiteAreas(site, auc, pauc, len(truth), int(truth.sum())))
    return results


@dataclass(frozen=True, slots=True)
class EventCounts:
    """Events found and events there were.

    Attributes
    ----------
    n_found, n_right : int
        Events found, and those among them that touch a true one.
    n_true, n_caught : int
        True events, and those among them that an event found touches.
    """

    n_found: int = 0
    n_right: int = 0
    n_true: int = 0
    n_caught: int = 0

    def __add__(self, other: EventCounts) -> EventCounts:
        return EventCounts(
            self.n_found + other.n_found,
            self.n_right + other.n_right,
            self.n_true + other.n_true,
            self.n_caught + other.n_caught,
        )

    @property
    def precision(self) -> float:
        """Share of what was found that is right; 1 where nothing was found."""
        return self.n_right / self.n_found if self.n_found else 1.0

    @property
    def recall(self) -> float:
        """Share of the true events that were found; 1 where there was none."""
        return self.n_caught / self.n_true if self.n_true else 1.0

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall."""
        both = self.precision + self.recall
        return 2 * self.precision * self.recall / both if both else 0.0


def compare_events(found: Sequence[Segment], truth: Sequence[Segment], collar: Seconds = 0.25) -> EventCounts:
    """Compare the events of one recording; the results of several add.

    An event found and a true one touch when they overlap, the true one widened by `collar` on both sides.

    Examples
    --------
    >>> result = compare_events([Segment(1.0, 2.0), Segment(8.0, 9.0)], [Segment(2.1, 3.0)])
    >>> result.precision, result.recall
    (0.5, 1.0)
    """
    touching = np.array(
        [[f.start < t.end + collar and f.end > t.start - collar for t in truth] for f in found],
        dtype=np.bool_,
    ).reshape(len(found), len(truth))
    return EventCounts(
        len(found), int(touching.any(axis=1).sum()), len(truth), int(touching.any(axis=0).sum())
    )


def score_loudness(samples: Samples, clock: FrameClock, id: str = "") -> ScoreTrack:
    """Score frames by minus their level, dB re full scale, as a baseline: louder is less normal.

    Parameters
    ----------
    samples : ndarray of shape (n_samples,), float32
        Mono audio at the clock's rate.
    clock : FrameClock
        Frames to be scored.
    id : str
        Name of the recording.

    Returns
    -------
    ScoreTrack
        Of the same frames as a front end with that clock gives; silence counts as -120 dB.

    Examples
    --------
    >>> score_loudness(np.full(400, 0.1, np.float32), FrameClock(8000, 80, 200)).scores.round(3)
    array([20., 20., 20.])
    """
    n_frames = clock.n_frames(len(samples))
    energy = np.concatenate([[0.0], np.cumsum(np.square(samples, dtype=np.float64))])
    first = np.arange(n_frames) * clock.hop
    power = (energy[first + clock.length] - energy[first]) / clock.length
    return ScoreTrack(id, -10 * np.log10(np.maximum(power, 1e-12)), np.ones(n_frames, dtype=np.bool_), clock)
