"""The state of a training, in a file: from there the same call goes on to the same bytes."""

from __future__ import annotations

import glob
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from audiogmm.mixture.gaussian import Mixture
from audiogmm.mixture.statistics import ARRAYS, SCALARS, SufficientStats
from audiogmm.training.checkpoint_file import CheckpointFile
from audiogmm.training.schedule.batch import TrainingState
from audiogmm.training.schedule.monitor import PassReport
from audiogmm.types import Json

_PARAMETERS = ("weights", "means", "covariances")

Kept = tuple[TrainingState, tuple[float, ...]]
"""A state, and the log-likelihoods of the starts that were tried."""


class Checkpoint:
    """The file of a training's state, which is read when the same training is started again.

    Parameters
    ----------
    path : Path
        The file: safetensors, with one JSON document in its metadata; see `CheckpointFile`.
    settings : Json
        All that decides the result of the training, the data included; a file with others is refused.
    say : callable
        Takes a note where the latest is damaged.

    Examples
    --------
    >>> import tempfile
    >>> checkpoint = Checkpoint(Path(tempfile.mkdtemp()) / "run.checkpoint", {"seed": 0})
    >>> checkpoint.load() is None
    True
    >>> checkpoint.save(TrainingState(Mixture([1.0], [[0.5]], [1.0], "spherical")), starts=(-3.0,))
    >>> state, starts = checkpoint.load()
    >>> state.mixture.means, starts
    (array([[0.5]]), (-3.0,))
    """

    def __init__(self, path: Path, settings: Json, say: Callable[[str], None] = lambda _: None) -> None:
        self.file = CheckpointFile(path, settings, say)
        self._kept: list[int] = []  # passes of the states in the two files

    @property
    def path(self) -> Path:
        """The file of the latest state."""
        return self.file.path

    def is_due(self, state: TrainingState, beside: int = 0) -> bool:
        """Return whether it is time to save: rarely enough that saving costs about a hundredth of all time.

        Parameters
        ----------
        state : TrainingState
            What would be saved.
        beside : int
            Bytes beside it.
        """
        arrays, _ = encode_state(state)
        return self.file.is_due(beside + sum(array.nbytes for array in arrays.values()))

    def save(
        self,
        state: TrainingState,
        starts: tuple[float, ...] = (),
        beside: Callable[[Path], None] = lambda _: None,
    ) -> None:
        """Write the state of the training, as a whole or not at all.

        Parameters
        ----------
        state, starts
            See `Kept`.
        beside : callable
            Writes what else the next pass needs to the file that it is given, see `place_beside`.

        Raises
        ------
        OutputError
            If the file cannot be written.
        """
        arrays, document = encode_state(state)
        place = self.place_beside(state)
        self.file.save(arrays, document | {"starts": list(starts)}, lambda: beside(place))
        self._kept = [*self._kept[-1:], len(state.history)]
        known = {self._named(number) for number in self._kept}
        for file in self.path.parent.glob(f"{glob.escape(self.path.name)}.sets*"):
            if file not in known:
                file.unlink(missing_ok=True)

    def load(self, check: Callable[[TrainingState, Path], None] = lambda *_: None) -> Kept | None:
        """Read the state of the training, and the starts that were tried; None if there is no file.

        Parameters
        ----------
        check : callable
            Is given a state and its `place_beside`, and raises `ModelFileError` if the state cannot be used.

        Raises
        ------
        ModelFileError
            If no file is a checkpoint, of a known version, and whole.
        MismatchError
            If it was made with other settings or other data; those that differ are named.
        """

        def decode(document: Json, arrays: dict[str, np.ndarray]) -> Kept:
            state = decode_state(document, arrays)
            if document["settings"].get("stepwise", {}).get("variant") == "spider":
                state = replace(state, mixture=state.settled, trail=())
            check(state, self.place_beside(state))
            return state, tuple(map(float, document["starts"]))

        found = self.file.load(decode)
        self._kept = [] if found is None else [len(found[0].history)]
        return found

    def place_beside(self, state: TrainingState) -> Path:
        """Return the file of what is kept beside a state."""
        return self._named(len(state.history))

    def _named(self, number: int) -> Path:
        return self.path.with_name(f"{self.path.name}.sets{number}")


def encode_state(state: TrainingState, prefix: str = "") -> tuple[dict[str, np.ndarray], Json]:
    """Return a state as arrays, whose names begin with `prefix`, and a document."""
    mixture, stats = state.mixture, state.statistics
    arrays = {name: getattr(mixture, name) for name in _PARAMETERS}
    for place, earlier in enumerate(state.trail):
        arrays |= {f"trail.{place}.{name}": getattr(earlier, name) for name in _PARAMETERS}
    document: Json = {
        "covariance_type": mixture.covariance_type,
        "reach": state.reach,
        "trail": len(state.trail),
        "history": [report.to_json() | {"seconds": report.seconds} for report in state.history],
    }
    if stats is not None:
        arrays |= {f"statistics.{name}": getattr(stats, name) for name in ARRAYS}
        document["statistics"] = {name: getattr(stats, name) for name in SCALARS} | {
            "covariance_type": stats.covariance_type
        }
    return {prefix + name: array for name, array in arrays.items()}, document


def decode_state(document: Json, arrays: dict[str, np.ndarray], prefix: str = "") -> TrainingState:
    """Return the state that `encode_state` made these of."""
    stats = None
    if "statistics" in document:
        fields: Json = {name: arrays[f"{prefix}statistics.{name}"] for name in ARRAYS}
        stats = SufficientStats(**fields, **document["statistics"])

    def mixture(part: str = "") -> Mixture:
        weights, means, covariances = (arrays[prefix + part + name] for name in _PARAMETERS)
        return Mixture(weights, means, covariances, document["covariance_type"])

    return TrainingState(
        mixture(),
        stats,
        tuple(PassReport.from_json(report) for report in document["history"]),
        tuple(mixture(f"trail.{place}.") for place in range(document["trail"])),
        document["reach"],
    )
