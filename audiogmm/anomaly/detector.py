"""A threshold learnt from normal audio, and what it finds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from audiogmm.anomaly.budget import AlarmBudget
from audiogmm.anomaly.contamination import outlying
from audiogmm.anomaly.detector_settings import DetectorSettings, settings_from
from audiogmm.anomaly.low_runs import LowRuns, NormalEvents
from audiogmm.anomaly.normal import NormalScores
from audiogmm.anomaly.smoothing import smooth
from audiogmm.anomaly.threshold import Thresholds, tail_probability
from audiogmm.errors import MismatchError, ModelFileError
from audiogmm.scoring.track import ScoreTrack
from audiogmm.timeline import FrameClock
from audiogmm.types import FloatArray, Json, Seconds


@dataclass(frozen=True, eq=False)
class Detector:
    """Settings, and the scores of normal audio from which the thresholds follow.

    Parameters
    ----------
    normal : NormalScores
        Scores of normal recordings that the model was not trained on.
    settings : DetectorSettings
        How events are cut out.

    Raises
    ------
    MismatchError
        If no normal frame is voiced.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> clock = FrameClock(8000, 80, 200)
    >>> calm = ScoreTrack("calm", rng.normal(-40, 1, 60_000), np.ones(60_000, bool), clock)
    >>> detector = calibrate_detector([calm])
    >>> round(detector.typical), bool(detector.threshold < detector.release < detector.typical)
    (-40, True)
    """

    normal: NormalScores
    settings: DetectorSettings = field(default_factory=DetectorSettings)

    @property
    def frame_rate(self) -> float:
        """Frames a second, of the normal audio and of what is looked at."""
        return self.normal.frame_rate

    @property
    def half(self) -> int:
        """Frames on either side of the window's centre."""
        return round(self.settings.window * self.frame_rate / 2)

    @property
    def latency(self) -> int:
        """Frames after the last low window at which an event closes, unless another one may join it."""
        return self.window_latency + self.merge_gap_frames + 1

    @property
    def window_latency(self) -> int:
        """Frames that have to be heard after one before it is looked at."""
        return max(self.half, self.merge_gap_frames // 2)

    @property
    def merge_gap_frames(self) -> int:
        """Longest gap in frames that is bridged."""
        return round(self.settings.merge_gap * self.frame_rate)

    @property
    def min_duration_frames(self) -> int:
        """Frames that an event has at least."""
        return round(self.settings.min_duration * self.frame_rate)

    @cached_property
    def windows(self) -> FloatArray:
        """Window scores of the normal audio around every frame, sorted, shape (n_windows,), nats."""
        values = np.concatenate([smooth(track, self.half) for track in self.normal.tracks()])
        values = np.sort(values[~np.isnan(values)])
        if not len(values):
            raise MismatchError(
                "no frame of the normal recordings is voiced",
                needed="voiced normal audio, to set a threshold by",
                remedy="other recordings, or a front end without VAD",
            )
        return values

    @cached_property
    def n_independent(self) -> float:
        """Normal windows that do not overlap: voiced frames by the frames in a window."""
        return float(self.normal.voiced.sum()) / (2 * self.half + 1)

    @cached_property
    def release_quantile(self) -> float:
        """The setting, or as much more as a budget of alarms needs: there must be low runs enough for it."""
        quantile, rate = self.settings.release_quantile, self.settings.alarms_per_hour
        if rate is not None:
            while quantile < _LARGEST and self._n_events(quantile) < _ROOM * rate * self.hours:
                quantile = min(2 * quantile, _LARGEST)
        return quantile

    @cached_property
    def runs(self) -> LowRuns:
        """The low runs of the normal audio."""
        return self._runs(self.release_quantile)

    def _runs(self, release_quantile: float) -> LowRuns:
        release = float(np.quantile(self.windows, release_quantile))
        return LowRuns.of(self.normal.tracks(), self.half, self.merge_gap_frames, release, self.typical)

    def _n_events(self, release_quantile: float) -> int:
        runs = self._runs(release_quantile)
        return len(runs.events(np.inf, self.merge_gap_frames, self.min_duration_frames))

    @cached_property
    def normal_events(self) -> NormalEvents:
        """What would be an event in the normal audio if any low run were one."""
        return self.runs.events(np.inf, self.merge_gap_frames, self.min_duration_frames)

    @property
    def hours(self) -> float:
        """Of normal audio, its voiced part."""
        return float(self.normal.voiced.sum()) / self.frame_rate / 3600

    @cached_property
    def budget(self) -> AlarmBudget | None:
        """What is promised of the rate of alarms; None where the threshold is a quantile.

        Raises
        ------
        MismatchError
            If there is too little normal audio for the promise.
        """
        if self.settings.alarms_per_hour is None:
            return None
        return AlarmBudget.of(
            self.runs,
            self.settings.alarms_per_hour,
            hours=self.hours,
            frame_rate=self.frame_rate,
            merge_gap=self.merge_gap_frames,
            min_duration=self.min_duration_frames,
        )

    @cached_property
    def thresholds(self) -> Thresholds:
        """Where events begin, and how far they reach.

        Raises
        ------
        MismatchError
            If there is too little normal audio for the budget of alarms.
        """
        settings = self.settings
        if self.budget is not None:
            release = float(np.quantile(self.windows, self.release_quantile))
            return Thresholds(min(self.budget.threshold, release), release, self.budget.note)
        return Thresholds.of(
            self.windows, self.n_independent, settings.quantile, settings.release_quantile, settings.window
        )

    @property
    def threshold(self) -> float:
        """Window score at or under which an event begins, nats."""
        return self.thresholds.enter

    @property
    def release(self) -> float:
        """Window score at or under which an event goes on, nats."""
        return self.thresholds.release

    @cached_property
    def typical(self) -> float:
        """Median window score of normal audio, nats: what a window without a voiced frame counts as."""
        return float(np.median(self.windows))

    @property
    def note(self) -> str:
        """What a user should know about the thresholds; empty when there is nothing to say."""
        note = self.thresholds.note
        left_out = self.normal.n_seen - len(self.normal.scores)
        if left_out:
            note += f"{'; ' * bool(note)}{left_out} of {self.normal.n_seen} normal frames were left out"
        if self.normal.anomalous:
            note += f"{'; ' * bool(note)}{_told(self.normal.anomalous)}"
        return note

    def p_value(self, window_score: float) -> float:
        """Share of normal windows that score this or less; see `threshold.tail_probability`."""
        return tail_probability(self.windows, self.n_independent, window_score)

    def alarms_per_hour(self, window_score: float) -> float:
        """How often normal audio has an event with a peak as low: (1 + n) / hours, of n that were heard."""
        n = int((self.normal_events.peaks <= window_score).sum())
        return (1 + n) / self.hours

    def severity(self, window_score: float) -> float:
        """How far a window score lies from `typical`, in units of the threshold's distance."""
        return (self.typical - window_score) / max(self.typical - self.threshold, _NARROWEST)

    def with_settings(self, **changes: Any) -> Detector:
        """The same normal audio, other settings."""
        return replace(self, settings=replace(self.settings, **changes))

    def smooth(self, track: ScoreTrack) -> FloatArray:
        """Window scores of a track, shape (n_frames,), nats; `typical` where no frame of a window is voiced.

        Raises
        ------
        MismatchError
            If the track has another frame rate.
        """
        self.require_rate(track.clock)
        means = smooth(track, self.half)
        return np.where(np.isnan(means), self.typical, means)

    def metadata(self) -> Json:
        """What `from_parts` needs besides the arrays, and what `audiogmm info` tells, as JSON."""
        return {
            **asdict(self.settings),
            "frame_rate": self.frame_rate,
            "threshold": self.threshold,
            "release": self.release,
            "n_windows": self.n_independent,
            "note": self.note,
            "budget": None if self.budget is None else self.budget.to_json(),
            "anomalous": [list(stretch) for stretch in self.normal.anomalous],
            "recordings": list(self.normal.ids),
            "n_seen": self.normal.n_seen,
        }

    def tensors(self) -> dict[str, np.ndarray]:
        """Arrays to be kept beside the metadata, under names that begin with ``normal/``."""
        return self.normal.tensors()

    @classmethod
    def from_parts(cls, metadata: Json, tensors: Mapping[str, np.ndarray]) -> Detector:
        """Undo `metadata` and `tensors`.

        Raises
        ------
        ModelFileError
            If something is missing.
        """
        try:
            settings = settings_from(metadata)
            frame_rate, ids, seen = (metadata[name] for name in ("frame_rate", "recordings", "n_seen"))
        except KeyError as error:
            raise ModelFileError(
                f"the model's detector lacks {error}", needed="a whole one", remedy="audiogmm calibrate"
            ) from error
        anomalous = metadata.get("anomalous", ())
        return cls(NormalScores.from_tensors(tensors, frame_rate, ids, seen, anomalous), settings)

    def require_rate(self, clock: FrameClock) -> None:
        """Refuse a recording whose frames are not those of the normal audio.

        Raises
        ------
        MismatchError
            If the clock has another frame rate than the normal audio.
        """
        if abs(clock.frame_rate - self.frame_rate) > 1e-9 * self.frame_rate:
            raise MismatchError(
                f"{clock.frame_rate:g} frames a second",
                needed=f"{self.frame_rate:g}, as the normal audio has",
                remedy="the front end and the sample rate of the model",
            )


def calibrate_detector(
    tracks: Iterable[ScoreTrack], settings: DetectorSettings | None = None, *, robust: bool = True
) -> Detector:
    """Learn from normal audio how scores vary.

    Parameters
    ----------
    tracks : iterable of ScoreTrack
        Of normal recordings that the model was not trained on; read once, one at a time.
    settings : DetectorSettings, optional
        The default ones otherwise.
    robust : bool
        Leave out stretches that lie so far below the rest that they are no chance (`contamination.outlying`);
        the detector's note names them.

    Returns
    -------
    Detector
        With its thresholds.

    Raises
    ------
    MismatchError
        If there is less than one window of voiced frames, or the tracks have different frame rates, or there
        is too little normal audio for a budget of alarms.
    """
    detector = Detector(NormalScores.of(tracks), settings or DetectorSettings())
    if len(detector.windows) and detector.n_independent < 1:
        n_voiced = int(detector.normal.voiced.sum())
        raise MismatchError(
            f"the normal audio holds {n_voiced} voiced frame{'' if n_voiced == 1 else 's'}, which is "
            f"0 windows of {detector.settings.window:g} s",
            needed="at least one, to set a threshold by",
            remedy="more normal audio",
        )
    odd = outlying(detector.normal_events) if robust else np.zeros(0, np.bool_)
    if odd.any():
        events = detector.normal_events
        first, last = events.first[odd] - detector.half, events.last[odd] + detector.half
        detector = replace(detector, normal=detector.normal.without(np.maximum(first, 0), last))
    _ = detector.thresholds  # a recording that is no use is refused here, not at the first detection
    return detector


def _told(anomalous: Sequence[tuple[str, Seconds, Seconds]]) -> str:
    """Which stretches of the normal audio were left out, the first few by name."""
    seconds = sum(end - start for _, start, end in anomalous)
    places = ", ".join(f"{id} at {start:.1f} s" for id, start, _ in anomalous[:_NAMED])
    more = f" and {len(anomalous) - _NAMED} more" if len(anomalous) > _NAMED else ""
    return (
        f"{seconds:.1f} s of the normal audio score so far below the rest that they were taken for anomalies "
        f"and left out: {places}{more}"
    )


_NAMED = 3
"""Anomalous stretches of normal audio that a note names."""

_LARGEST, _ROOM = 0.5, 1.5
"""Release quantile at most, and times the budgeted events that the low runs shall hold."""

_NARROWEST = 1e-9
"""Nats between typical and threshold, at least, in which severity is counted."""
