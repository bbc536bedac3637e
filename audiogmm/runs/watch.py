"""Shows the progress of a training."""

from __future__ import annotations

import logging
from typing import Self

from audiogmm.runs.progress import Progress
from audiogmm.telemetry.meter import note_figures
from audiogmm.training.schedule.monitor import Monitor, PassReport, Stage
from audiogmm.types import Seconds

_LOG = logging.getLogger(__name__)


class Watch(Monitor):
    """Shows reading in hours of audio, and all passes as one bar with the log-likelihood per frame.

    Parameters
    ----------
    progress : Progress
        Receives the stages, their figures and notes.
    name : str
        Of the training, which may be one of two.
    passes : int
        Largest number of passes; training may stop earlier, so the time left is an upper limit.
    hours : float or None
        Of audio to be read, where known.
    """

    def __init__(self, progress: Progress, name: str, passes: int, hours: float | None = None) -> None:
        self.progress = progress
        self.name = name
        self.passes = passes
        self.hours = hours
        self._unit = ""
        self._pass = ""
        self._latest = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.progress.end()

    def on_stage(self, stage: Stage, number: int, n_frames: int | None) -> None:
        """A bar for reading, one for the start, and one for all passes."""
        if stage == "read":
            self.progress.begin(f"{self.name}: reading", self.hours, "h of audio")
            self._unit = "hours"
        elif stage == "seed":
            self.progress.begin(f"{self.name}: finding a start", None, "")
        elif self._unit != "frames":
            left = self.passes - number + 1
            self.progress.begin(self.name, None if n_frames is None else left * n_frames, "frames")
            self._unit = "frames"
        if stage == "pass":
            self._pass = f"pass {number}"

    def on_frames(self, n_frames: int, seconds: Seconds) -> None:
        """Move the bar."""
        if self._unit == "hours":
            self.progress.advance(seconds / 3600)
        else:
            self.progress.advance(n_frames, f"{self._pass}{self._latest}")

    def on_pass(self, report: PassReport) -> None:
        """Keep the figure for the next bar, and note what a user should know."""
        self._latest = f": {report.log_likelihood:.4f} nats a frame"
        note_figures(passes=report.number, log_likelihood=report.log_likelihood)
        fields = {"stage": self.name, "pass": report.number, "log_likelihood": report.log_likelihood}
        _LOG.info("%s, pass %d%s", self.name, report.number, self._latest, extra={"fields": fields})
        if report.fell:
            why = "a component is too narrow for its distance from the others; "
            why += "train again with a higher variance floor (--floor 1e-4)"
            if report.inertia is not None:
                why = "it also counts the shares of the clusters, which k-means does not fit; "
                why += "the squared distance to the centers did not rise, so nothing is wrong"
            self.progress.say(
                f"pass {report.number}: the log-likelihood fell by {report.fell:.3g} nats a frame, to "
                f"{report.log_likelihood:.6g}: {why}"
            )
        if report.rescued:
            noun = "component" if len(report.rescued) == 1 else "components"
            which = ", ".join(map(str, report.rescued))
            self.progress.say(f"pass {report.number}: {noun} {which} had no frame and started again")

    def on_note(self, note: str) -> None:
        """Say it."""
        self.progress.say(note)
