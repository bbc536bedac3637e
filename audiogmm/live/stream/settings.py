"""The settings of a stream that is analyzed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, get_args

from audiogmm.anomaly.detector import Detector
from audiogmm.anomaly.detector_settings import DetectorOptions
from audiogmm.errors import ChoiceError
from audiogmm.types import Seconds
from audiogmm.verification.identification import PRIOR

Emit = Literal["events", "clusters", "speakers", "scores"]
"""Kinds of lines that can be asked for."""

EMITTED: tuple[Emit, ...] = get_args(Emit)


@dataclass(frozen=True)
class StreamSettings(DetectorOptions):
    """Which lines a stream has, and how often; see `DetectorOptions` for how events are found.

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
    gallery : Path or None
        Folder of the speakers to look for; needed where, and only where, `emit` has speakers.
    known : float
        Prior probability that a speaker is enrolled; 1: certain.
    top : int
        Number of candidates listed with a speaker.
    reasons : bool
        Say why an event is anomalous.
    drift : bool
        Say whether events changed for good or are rising, where the model knows enough normal sound.
    upsample : bool
        Accept sound below the model's sample rate.
    kinds : Path or None
        Folder of the groups whose kinds events are told; those of normal kinds are dropped.

    Raises
    ------
    ChoiceError
        If a number is outside its range, or speakers are wanted and no gallery is named, or the other way
        round.

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
    gallery: Path | None = None
    known: float = PRIOR
    top: int = 3
    reasons: bool = True
    drift: bool = True
    upsample: bool = False
    kinds: Path | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.heartbeat <= 86400:
            raise ChoiceError(f"heartbeat={self.heartbeat}", needed="0 (none) to 86400 seconds")
        for name in ("score_interval", "cluster_window", "speaker_window"):
            if not 0 < getattr(self, name) <= 3600:
                raise ChoiceError(f"{name}={getattr(self, name)}", needed="more than 0, at most 3600 seconds")
        if "speakers" in self.emit and self.gallery is None:
            raise ChoiceError(
                "--emit speakers without a gallery",
                needed="the enrolled speakers",
                remedy="--gallery DIR, a folder that `audiogmm enroll` wrote",
            )
        if "events" not in self.emit and self.kinds is not None:
            raise ChoiceError(
                f"--kinds {self.kinds} without events in --emit", needed="--emit with events in it"
            )
        if "speakers" not in self.emit and self.gallery is not None:
            raise ChoiceError(
                f"--gallery {self.gallery} without speakers in --emit",
                needed="--emit with speakers in it",
                remedy="--emit events,speakers",
            )

    def applied(self, detector: Detector) -> Detector:
        """Return the detector with the changes of its settings."""
        settings = self.applied_to(detector.settings)
        return detector if settings == detector.settings else replace(detector, settings=settings)


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
