"""Turns what training says into progress for a person."""

from __future__ import annotations

import logging
from typing import Self

from audiogmm.jobs.progress import Progress
from audiogmm.training.monitor import Monitor, PassReport, Stage
from audiogmm.types import Seconds

_LOG = logging.getLogger(__name__)


class Watch(Monitor):
    """Shows reading in hours of audio, and passes with the log-likelihood per frame."""

    def __init__(self, progress: Progress, name: str, hours: float | None = None) -> None:
        self.progress = progress
        self.hours = hours
        self.name = name
        self._latest = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.progress.end()

    def on_stage(self, stage: Stage, number: int, n_frames: int | None) -> None:
        """A bar for each stage."""
        if stage == "read":
            self.progress.begin(f"{self.name}: reading", self.hours, "hours of audio")
            self._unit = "hours"
        elif stage == "seed":
            self.progress.begin(f"{self.name}: finding a start", None, "")
        else:
            self.progress.begin(f"{self.name}: pass {number}", n_frames, "frames")
            self._unit = "frames"

    def on_frames(self, n_frames: int, seconds: Seconds) -> None:
        """Move the bar."""
        self.progress.advance(seconds / 3600 if self._unit == "hours" else n_frames, self._latest)

    def on_pass(self, report: PassReport) -> None:
        """Keep the figure for the next bar, and say what a user should know."""
        self._latest = f"{report.log_likelihood:.4f} nats a frame"
        _LOG.info("%s, pass %d: %s", self.name, report.number, self._latest)
        if report.rescued:
            self.progress.say(
                f"pass {report.number}: components that no frame claimed, started anew: {report.rescued}"
            )
