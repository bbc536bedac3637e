"""The settings of a stream that is analyzed."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal, get_args

from audiogmm.anomaly.detector import Detector
from audiogmm.anomaly.detector_settings import DetectorOptions
from audiogmm.errors import ChoiceError
from audiogmm.types import Json, Seconds
from audiogmm.verification.identification import PRIOR

Emit = Literal["events", "clusters", "speakers", "scores"]
"""Kinds of lines that can be asked for."""

EMITTED: tuple[Emit, ...] = get_args(Emit)


@dataclass(frozen=True)
class StreamSettings:
    """Which lines a stream has, and how often.

    Parameters
    ----------
    emit : tuple of str
        Kinds of lines, see `parse_emit`.
    heartbeat : Seconds
        Sound between two heartbeats; 0: none.
    score_interval : Seconds
        Length of the interval that each score is the mean of.
    cluster_window : Seconds
        Length of the window that decides which component leads.
    speaker_window : Seconds
        Length of the window that decides who speaks.
    known : float
        Prior probability that a speaker is enrolled; 1: certain.
    top : int
        Number of candidates listed with a speaker.
    reasons : bool
        Say why an event is anomalous.
    upsample : bool
        Accept sound below the model's sample rate.
    detector : dict
        Changes of the detector's settings, the fields of `DetectorOptions`.

    Raises
    ------
    ChoiceError
        If a number is outside its range.

    Examples
    --------
    >>> StreamSettings(heartbeat=-1.0)
    Traceback (most recent call last):
    ...
    audiogmm.errors.ChoiceError: heartbeat=-1.0; needed: 0 (none) to 86400 seconds
    """

    emit: tuple[Emit, ...] = ("events",)
    heartbeat: Seconds = 10.0
    score_interval: Seconds = 1.0
    cluster_window: Seconds = 0.5
    speaker_window: Seconds = 3.0
    known: float = PRIOR
    top: int = 3
    reasons: bool = True
    upsample: bool = False
    detector: Json = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        if not 0 <= self.heartbeat <= 86400:
            raise ChoiceError(f"heartbeat={self.heartbeat}", needed="0 (none) to 86400 seconds")
        for name in ("score_interval", "cluster_window", "speaker_window"):
            if not 0 < getattr(self, name) <= 3600:
                raise ChoiceError(f"{name}={getattr(self, name)}", needed="more than 0, at most 3600 seconds")

    def applied(self, detector: Detector) -> Detector:
        """Return the detector with the changes of its settings."""
        if all(value is None for value in self.detector.values()):
            return detector
        return replace(detector, settings=DetectorOptions(**self.detector).applied_to(detector.settings))


def parse_emit(text: str, *, gallery: bool = False) -> tuple[Emit, ...]:
    """Parse a list of kinds such as ``events,scores``; ``all`` is every kind (speakers with a gallery only).

    Raises
    ------
    ChoiceError
        If one is not one of `EMITTED`, or there is none.

    Examples
    --------
    >>> parse_emit("scores,events"), parse_emit("all")
    (('events', 'scores'), ('events', 'clusters', 'scores'))
    """
    names = [name.strip() for name in text.split(",") if name.strip()]
    if "all" in names:
        names += [name for name in EMITTED if name != "speakers" or gallery]
        names = [name for name in names if name != "all"]
    unknown = [name for name in names if name not in EMITTED]
    if unknown or not names:
        raise ChoiceError(
            f"--emit {text!r}" + (f": {unknown[0]!r}" if unknown else ""),
            needed=f"some of {', '.join(EMITTED)}, separated by commas, or all",
        )
    return tuple(name for name in EMITTED if name in names)
