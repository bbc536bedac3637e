"""What an update came to, for a person and for `--json`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from audiogmm.jobs.trained_files import told
from audiogmm.mixture.store import Model
from audiogmm.runs.aside import Aside
from audiogmm.training.pruning import Loss
from audiogmm.types import Json
from audiogmm.words import amount


@dataclass(frozen=True)
class UpdateResult:
    """An updated model, and where it lies."""

    output: Path
    model: Model
    aside: Aside
    distance: Json | None

    def summary(self) -> Json:
        """For `--json`."""
        assert self.model.statistics is not None
        last: Json = self.model.metadata.updates[-1]
        return last | {
            "output": str(self.output),
            "n_frames_in_all": self.model.statistics.n_frames,
            "distance": self.distance,
            "set_aside": len(self.aside),
            "errors": str(self.aside.path),
        }

    def lines(self) -> Iterator[str]:
        """For a person."""
        s = self.summary()
        done = {"add": "added", "remove": "removed", "reweight": "weighed anew"}[s["verb"]]
        yield (
            f"{amount(s['n_recordings'], 'recording')} ({amount(s['n_frames'], 'frame')}) {done}; "
            f"the parameters moved by {s['movement']:.3g} standard deviations"
        )
        if s["loss"] is not None:
            yield told(Loss(**s["loss"]))
        yield (
            "the statistics are exact, but the other recordings' share of them still carries the model of "
            "their time: this is not what training anew gives"
            + ("" if self.distance else " (--compare-with M says how far it is)")
        )
        if self.distance is not None:
            yield (
                f"trained anew from here: {self.distance['movement']:.3g} standard deviations away, "
                f"{self.distance['trained_anew']:.4f} nats a frame instead of "
                f"{self.distance['log_likelihood']:.4f}"
            )
        if self.model.metadata.detector is not None:
            yield "note: the detector is the old model's; audiogmm calibrate renews it"
        yield f"model: {self.output}"
