"""The thresholds of detection, from the scores of normal audio."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from audiogmm.anomaly.budget import MORE, SLACK, AlarmBudget, format_hours
from audiogmm.anomaly.cells import CellLevels, levels_of
from audiogmm.anomaly.detector_settings import DetectorSettings, settings_from
from audiogmm.anomaly.low_runs import LowRuns, NormalEvents
from audiogmm.anomaly.normal import NormalScores
from audiogmm.anomaly.smoothing import smooth
from audiogmm.anomaly.threshold import Thresholds, tail_probability
from audiogmm.errors import MismatchError, ModelFileError
from audiogmm.reprs import short_repr
from audiogmm.scoring.track import ScoreTrack
from audiogmm.timeline import FrameClock
from audiogmm.types import FloatArray, Json
from audiogmm.words import amount


@dataclass(frozen=True, eq=False)
class Detector:
    """Settings, and the scores of normal audio from which the thresholds follow.

    Parameters
    ----------
    normal : NormalScores
        Scores of normal recordings that the model was not trained on.
    settings : DetectorSettings
        How events are cut out.
    levels : CellLevels, optional
        Which put the scores of each cell (an hour of day, a site) on one level, before all else.

    Raises
    ------
    MismatchError
        If no normal frame is voiced.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> clock = FrameClock(8000, 80, 200)
    >>> calm = ScoreTrack("calm", rng.normal(-40, 1, 60_000), np.ones(60_000, bool), clock)
    >>> detector = Detector(NormalScores.of([calm]))
    >>> round(detector.typical), bool(detector.threshold < detector.release < detector.typical)
    (-40, True)
    """

    normal: NormalScores
    settings: DetectorSettings = field(default_factory=DetectorSettings)
    levels: CellLevels | None = None

    __repr__ = short_repr

    @property
    def frame_rate(self) -> float:
        """Frames a second, of the normal audio and of recordings to search."""
        return self.normal.frame_rate

    @property
    def half(self) -> int:
        """Frames on either side of the window's center."""
        return round(self.settings.window * self.frame_rate / 2)

    @property
    def latency(self) -> int:
        """Frames after the last low window at which an event closes, unless another one may join it."""
        return self.window_latency + self.merge_gap_frames + 1

    @property
    def window_latency(self) -> int:
        """Frames that have to follow one before it is searched."""
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
        """The setting, or a larger value where a budget of alarms needs more low runs."""
        quantile, rate = self.settings.release_quantile, self.settings.alarms_per_hour
        if rate is not None:
            while quantile < _LARGEST and self._n_events(quantile) < _ENOUGH * rate * self.hours:
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
        """The events of the normal audio if every low run were one."""
        return self.runs.events(np.inf, self.merge_gap_frames, self.min_duration_frames)

    @property
    def hours(self) -> float:
        """Hours of normal audio, its voiced part."""
        return float(self.normal.voiced.sum()) / self.frame_rate / 3600

    @cached_property
    def budget(self) -> AlarmBudget | None:
        """The expected rate of alarms; None where the threshold is a quantile.

        Raises
        ------
        MismatchError
            If there is too little normal audio for it.
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
            further=0.0 if self.levels is None else self.levels.cost(self.windows, self.settings.window),
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
            return Thresholds(min(self.budget.threshold, release), release)
        return Thresholds.of(self.windows, self.n_independent, settings.quantile, settings.release_quantile)

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
        """What a user should know about the thresholds, in sentences; empty when there is nothing to say."""
        sentences = []
        if self.budget is not None:
            sentences.append(self.budget.note)
        if self.thresholds.is_estimate and self.n_independent * self.settings.quantile < 1 - SLACK:
            sentences.append(self._estimated)
        return " ".join([*sentences, *self.normal.omissions()])

    @property
    def _estimated(self) -> str:
        """How much normal audio there is for the quantile; frames without a rate are rows of a table."""
        needed = math.ceil(1 / self.settings.quantile - 1e-9)
        if self.frame_rate == 1.0:
            width = 2 * self.half + 1
            given, wanted = amount(self.n_independent * width, "normal row"), f"{needed * width:,}"
        else:
            hours = self.settings.window / 3600
            given = f"{format_hours(self.n_independent * hours)} of normal audio"
            wanted = format_hours(needed * hours)
        return (
            f"The threshold is an estimate: it rests on {given}; {wanted} are needed. "
            f"More normal {'rows' if self.frame_rate == 1.0 else 'audio'}: {MORE}"
        )

    def p_value(self, window_score: float) -> float:
        """Return the share of normal windows that score this or less; see `threshold.tail_probability`."""
        return tail_probability(self.windows, self.n_independent, window_score)

    def alarms_per_hour(self, window_score: float) -> float:
        """Return how often normal audio has an event with as low a peak: (1 + n) / hours, for n of them."""
        n = int((self.normal_events.peaks <= window_score).sum())
        return (1 + n) / self.hours

    def severity(self, window_score: float) -> float:
        """Return how far a window score lies from `typical`, in units of the threshold's distance."""
        return (self.typical - window_score) / max(self.typical - self.threshold, _NARROWEST)

    def with_settings(self, **changes: Any) -> Detector:
        """Return a detector of the same normal audio with other settings."""
        return replace(self, settings=replace(self.settings, **changes))

    def smooth(self, track: ScoreTrack) -> FloatArray:
        """Average a track over windows, shape (n_frames,), nats; `typical` where no frame of one is voiced.

        Raises
        ------
        MismatchError
            If the track has another frame rate.
        """
        self.require_rate(track.clock)
        means = smooth(track, self.half)
        return np.where(np.isnan(means), self.typical, means)

    def metadata(self) -> Json:
        """Return what `from_parts` needs in addition to the arrays, and `audiogmm info` prints, as JSON."""
        return {
            **({} if self.levels is None else {"cells": self.levels.to_json()}),
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
        """Return the arrays to be kept beside the metadata, under names that begin with ``normal/``."""
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
                f"the model's detector lacks {error}", needed="a complete one", remedy="audiogmm calibrate"
            ) from error
        anomalous = metadata.get("anomalous", ())
        normal = NormalScores.from_tensors(tensors, frame_rate, ids, seen, anomalous)
        return cls(normal, settings, levels_of(metadata))

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


_LARGEST, _ENOUGH = 0.5, 1.5
"""Release quantile at most, and times the budgeted events that the low runs shall hold."""

_NARROWEST = 1e-9
"""Nats between typical and threshold, at least, in which severity is counted."""
