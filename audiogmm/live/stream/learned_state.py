"""What a learner has reached, in a file, so that learning goes on after a kill or a power failure."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from audiogmm.anomaly.scorer import FrameScores
from audiogmm.audio.frontend.frontend import FrontEnd
from audiogmm.documents import parse_finite
from audiogmm.live.stream.learner import Learner
from audiogmm.training.checkpoint import decode_state, encode_state
from audiogmm.training.em_steps import FlooredEM
from audiogmm.training.schedule.batch import TrainingState
from audiogmm.types import Json

if TYPE_CHECKING:
    from audiogmm.live.stream.learn_settings import LearnSettings
    from audiogmm.mixture.store import Model
    from audiogmm.training.checkpoint_file import CheckpointFile

_COUNTS = ("n_heard", "n_cold", "n_seen", "n_frames", "skipped", "n_saved")


@dataclass(frozen=True)
class LearnedState:
    """A learner after some frames of an input.

    Attributes
    ----------
    document : Json
        Numbers, and the front end as the first sound completed it.
    arrays : dict of str to ndarray
        The mixture, its statistics, frames that wait, and the latest scores.
    """

    document: Json
    arrays: dict[str, np.ndarray]

    @classmethod
    def of(
        cls,
        learner: Learner,
        frontend: FrontEnd,
        *,
        n_frames: int,
        skipped: int,
        n_saved: int,
        input: str | None,
    ) -> LearnedState:
        """Return the state of a learner that has started.

        Parameters
        ----------
        learner : Learner
        frontend : FrontEnd
            Complete.
        n_frames, skipped : int
            Frames that it was given, and samples of silence before the first.
        n_saved : int
            Model files that were written.
        input : str or None
            What says that an input is the same file again; None for one that can be read only once.
        """
        online, latest = learner.online, learner.latest
        assert online.settled is not None and isinstance(online.em, FlooredEM)
        scores, voiced = latest.last(latest.n_seen)
        arrays, mixture = encode_state(TrainingState(online.settled, online.statistics))
        arrays |= {"latest.scores": scores, "latest.voiced": voiced}
        if online.em.floor is not None:
            arrays["floor"] = online.em.floor
        if online.n_waiting:
            arrays["rows"] = np.asarray(online._rows)
        if learner._waiting is not None:
            arrays |= {"waiting": learner._waiting, "marks": learner._marks}
        document: Json = {
            "mixture": mixture,
            "frontend": frontend.to_dict(),
            "steps": online.steps,
            "n_learned": online.n_frames,
            "log_likelihood": online.log_likelihood,
            "constant": list(learner.constant),
            "n_heard": learner.n_heard,
            "n_cold": learner.n_cold,
            "n_seen": latest.n_seen,
            "n_frames": n_frames,
            "skipped": skipped,
            "n_saved": n_saved,
            "input": input,
        }
        return cls(document, arrays)

    @classmethod
    def checked(cls, document: Json, arrays: dict[str, np.ndarray]) -> LearnedState:
        """Return the state that a file holds, if all that `put_into` needs is in it.

        Raises
        ------
        ValueError, KeyError, TypeError
            If it is not.
        """
        mixture = decode_state(document["mixture"], arrays).mixture
        FrontEnd.from_dict(document["frontend"])
        for name in ("steps", "n_learned", *_COUNTS):
            if parse_finite(document[name]) < 0:
                raise ValueError(f"{name} is {document[name]}")
        if not float(document["log_likelihood"]) < np.inf:  # minus infinity before the first pass
            raise ValueError(f"log_likelihood is {document['log_likelihood']}")
        if not all(isinstance(document[name], int) for name in _COUNTS):
            raise TypeError("a count that is no whole number")
        if not isinstance(document["input"], str | None) or not isinstance(document["constant"], list):
            raise TypeError("an input that is no text, or constant features that are no list")
        scores, voiced = arrays["latest.scores"], arrays["latest.voiced"]
        if scores.ndim != 1 or scores.shape != voiced.shape or voiced.dtype != np.bool_:
            raise ValueError("latest scores of another shape")
        width = mixture.n_features
        for name, n_axes in (("floor", 1), ("rows", 2), ("waiting", 2)):
            if name in arrays and (arrays[name].ndim != n_axes or arrays[name].shape[-1] != width):
                raise ValueError(f"{name} of another shape")
        if ("waiting" in arrays) != ("marks" in arrays):
            raise KeyError("marks")
        return cls(document, arrays)

    def save(self, file: CheckpointFile) -> None:
        """Write it, where that is worth its time."""
        if file.is_due(sum(array.nbytes for array in self.arrays.values())):
            file.save(self.arrays, self.document)

    @property
    def frontend(self) -> FrontEnd:
        """The front end, complete."""
        return FrontEnd.from_dict(self.document["frontend"])

    def put_into(self, learner: Learner) -> None:
        """Let a new learner go on from here."""
        document, arrays, online = self.document, self.arrays, learner.online
        state = decode_state(document["mixture"], arrays)
        assert isinstance(online.em, FlooredEM)
        online.em.floor = arrays.get("floor")
        online.settled, online.statistics = state.mixture, state.statistics
        online.steps, online.n_frames = float(document["steps"]), float(document["n_learned"])
        online.log_likelihood = float(document["log_likelihood"])
        online._rows = arrays.get("rows")
        learner._waiting, learner._marks = arrays.get("waiting"), arrays.get("marks", learner._marks)
        learner.constant = tuple(document["constant"])
        learner.n_heard, learner.n_cold = int(document["n_heard"]), int(document["n_cold"])
        latest = learner.latest
        latest.n_seen = int(document["n_seen"]) - len(arrays["latest.scores"])
        latest.push(FrameScores(arrays["latest.scores"], arrays["latest.voiced"]))


def identify_learning(settings: LearnSettings, frontend: FrontEnd, start: Model | None) -> Json:
    """Return what a state must have in common with a run that goes on from it."""
    given = asdict(replace(settings, frontend=None, start=None))
    for name in ("force", "resume", "heartbeat"):
        given.pop(name)
    return given | {"frontend": frontend.to_dict(), "start": None if start is None else start.fingerprint}
