"""The state of a selection, in a file: candidates that are finished, and those in training."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from audiogmm.mixture.gaussian import Mixture
from audiogmm.training.checkpoint import decode_state, encode_state
from audiogmm.training.checkpoint_file import CheckpointFile
from audiogmm.training.schedule.batch import TrainingState
from audiogmm.training.selection.candidates import Candidate, CandidateState, TrainedCandidate
from audiogmm.training.selection.held_out import HeldOutScores
from audiogmm.types import Json

Reached = tuple[int, dict[Candidate, TrainedCandidate], dict[Candidate, tuple[TrainingState, float]]]
"""Passes, candidates that are finished, and the states and entropies of those in training."""

_ARRAYS = ("candidate", "mixture", "held_out")  # fields that are no numbers


@dataclass(frozen=True)
class SelectionCheckpoint:
    """The file of a selection, which is read when the same selection is started again.

    Parameters
    ----------
    file : CheckpointFile
        Its files.
    """

    file: CheckpointFile

    @classmethod
    def at(cls, path: Path, settings: Json, say: Callable[[str], None]) -> SelectionCheckpoint:
        """Return the checkpoint at a path, see `CheckpointFile`."""
        return cls(CheckpointFile(path, settings, say))

    def save(
        self,
        number: int,
        done: dict[Candidate, TrainedCandidate],
        waiting: Sequence[CandidateState],
        if_due: bool = True,
    ) -> None:
        """Write what was reached after a pass; with `if_due`, only where that is worth its time.

        Raises
        ------
        OutputError
            If it cannot be written.
        """
        arrays: dict[str, np.ndarray] = {}
        rows: list[Json] = []
        for i, one in enumerate(waiting):
            found, document = encode_state(one.state, f"{i}.")
            arrays |= found
            rows.append(_name(one.candidate) | {"entropy": one.entropy, "state": document})
        finished: list[Json] = []
        for i, (candidate, trained) in enumerate(done.items()):
            found, document = encode_state(TrainingState(trained.mixture), f"done.{i}.")
            arrays |= found
            if trained.held_out is not None:
                arrays[f"done.{i}.totals"] = trained.held_out.totals
                arrays[f"done.{i}.counts"] = trained.held_out.counts
            values = {each.name: getattr(trained, each.name) for each in fields(trained)}
            numbers = {name: value for name, value in values.items() if name not in _ARRAYS}
            finished.append(_name(candidate) | {"state": document, "values": numbers})
        if not if_due or self.file.is_due(sum(array.nbytes for array in arrays.values())):
            self.file.save(arrays, {"passes": number, "waiting": rows, "finished": finished})

    def load(self) -> Reached | None:
        """Read what was reached; None if there is no file. Raises as `CheckpointFile.load`."""
        return self.file.load(_decode)


def _decode(document: Json, arrays: dict[str, np.ndarray]) -> Reached:
    waiting = {
        _candidate(row): (decode_state(row["state"], arrays, f"{i}."), float(row["entropy"]))
        for i, row in enumerate(document["waiting"])
    }
    done = {}
    for i, row in enumerate(document["finished"]):
        mixture: Mixture = decode_state(row["state"], arrays, f"done.{i}.").mixture
        held = None
        if f"done.{i}.totals" in arrays:
            held = HeldOutScores(arrays[f"done.{i}.totals"], arrays[f"done.{i}.counts"])
        values: dict[str, Any] = row["values"]
        done[_candidate(row)] = TrainedCandidate(_candidate(row), mixture, held_out=held, **values)
    return int(document["passes"]), done, waiting


def _name(candidate: Candidate) -> Json:
    return {"form": candidate.form, "n_components": candidate.n_components}


def _candidate(row: Json) -> Candidate:
    return Candidate(str(row["form"]), int(row["n_components"]))
