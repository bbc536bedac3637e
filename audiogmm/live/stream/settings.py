"""What a user asks of a stream."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal, get_args

from audiogmm.anomaly.detector import Detector
from audiogmm.anomaly.detector_settings import DetectorOptions
from audiogmm.errors import ChoiceError
from audiogmm.types import Json, Seconds
from audiogmm.verification.identification import KNOWN

Emit = Literal["events", "clusters", "speakers", "scores"]
"""What may be told."""

EMITTED: tuple[Emit, ...] = get_args(Emit)


@dataclass(frozen=True)
class StreamSettings:
    """What is told of a stream, and how often.

    Parameters
    ----------
    emit : tuple of str
        What is told, see `parse_emit`.
    heartbeat : Seconds
        Sound between two signs of life; 0: none.
    score_interval : Seconds
        Length of the intervals whose mean scores are told.
    cluster_window : Seconds
        Over which it is asked which component leads.
    speaker_window : Seconds
        Over which it is asked who speaks.
    known : float
        Probability that a speaker is one of those enrolled, before anything is heard; 1: for certain.
    top : int
        Candidates that are named with a speaker.
    reasons : bool
        Whether it is said why an event is anomalous.
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
    audiogmm.errors.ChoiceError: heartbeat=-1.0; needed: seconds, 0 for none
    """

    emit: tuple[Emit, ...] = ("events",)
    heartbeat: Seconds = 10.0
    score_interval: Seconds = 1.0
    cluster_window: Seconds = 0.5
    speaker_window: Seconds = 3.0
    known: float = KNOWN
    top: int = 3
    reasons: bool = True
    upsample: bool = False
    detector: Json = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        if not 0 <= self.heartbeat <= 86400:
            raise ChoiceError(f"heartbeat={self.heartbeat}", needed="seconds, 0 for none")
        for name in ("score_interval", "cluster_window", "speaker_window"):
            if not 0 < getattr(self, name) <= 3600:
                raise ChoiceError(f"{name}={getattr(self, name)}", needed="seconds, at most an hour")

    def applied(self, detector: Detector) -> Detector:
        """The detector with the changes that were asked for."""
        if all(value is None for value in self.detector.values()):
            return detector
        return replace(detector, settings=DetectorOptions(**self.detector).applied_to(detector.settings))


def parse_emit(text: str, *, gallery: bool = False) -> tuple[Emit, ...]:
    """What is to be told, of a list such as ``events,scores``; ``all`` is all that can be.

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
            needed=f"some of {', '.join(EMITTED)}, with commas between them, or all",
        )
    return tuple(name for name in EMITTED if name in names)
