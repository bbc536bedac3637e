"""The state of a training, in a file: from there the same call goes on to the same bytes."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from audiogmm.errors import MismatchError, ModelFileError
from audiogmm.files import replacing
from audiogmm.mixture import container
from audiogmm.mixture.gaussian import Mixture
from audiogmm.mixture.statistics import SufficientStats
from audiogmm.reading import parsing
from audiogmm.training.schedule.batch import TrainingState
from audiogmm.training.schedule.monitor import PassReport
from audiogmm.types import Json

FORMAT = "audiogmm checkpoint 3"
"""Identifies the file and its version."""

_FORMATS = ("audiogmm checkpoint 2", FORMAT)  # the first has no checksums


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A file that is written after every pass, and read when the same training is started again.

    Parameters
    ----------
    path : Path
        The file: safetensors, with one JSON document in its metadata.
    settings : Json
        All that decides the result of the training, the data included; a file with others is refused.

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

    path: Path
    settings: Json

    def save(self, state: TrainingState, starts: tuple[float, ...] = ()) -> None:
        """Write the state of the training, as a whole or not at all.

        Raises
        ------
        OutputError
            If the file cannot be written.
        """
        mixture, stats = state.mixture, state.statistics
        tensors = {
            "weights": mixture.weights,
            "means": mixture.means,
            "covariances": mixture.covariances,
        }
        for place, earlier in enumerate(state.trail):
            tensors |= {f"trail.{place}.{name}": getattr(earlier, name) for name in _PARAMETERS}
        document: Json = {
            "format": FORMAT,
            "settings": self.settings,
            "covariance_type": mixture.covariance_type,
            "starts": list(starts),
            "reach": state.reach,
            "trail": len(state.trail),
            "history": [report.to_json() | {"seconds": report.seconds} for report in state.history],
        }
        if stats is not None:
            tensors |= {f"statistics.{name}": getattr(stats, name) for name in _ARRAYS}
            document["statistics"] = {name: getattr(stats, name) for name in _SCALARS} | {
                "covariance_type": stats.covariance_type
            }
        with replacing(self.path, force=True) as temporary:
            temporary.write_bytes(container.pack(tensors, document))

    def load(self) -> tuple[TrainingState, tuple[float, ...]] | None:
        """Read the state of the training, and the starts that were tried; None if there is no file.

        Raises
        ------
        ModelFileError
            If the file is not a checkpoint, of another version, or not whole.
        MismatchError
            If it was made with other settings or other data; those that differ are named.
        """
        if not self.path.exists():
            return None
        what, remedy = "is not a checkpoint, or not a whole one", "remove it to start again"
        with parsing(self.path, needed=FORMAT, remedy=remedy, what=what):
            try:
                document, tensors = container.read(self.path, remedy)
            except ModelFileError as error:
                raise ModelFileError(
                    f"{self.path} {what}: {error.what}",
                    needed=FORMAT,
                    remedy=f"restore it from a copy, or {remedy}",
                ) from error
            if document.get("format") not in _FORMATS:
                raise ModelFileError(
                    f"{self.path} is {document.get('format', 'another program’s file')}",
                    needed=FORMAT,
                    remedy=f"{remedy}, or name another file",
                )
            settings, state = dict(document["settings"]), _run(document, tensors)
            starts = tuple(map(float, document["starts"]))
        if settings.get("stepwise", {}).get("variant") == "spider":  # of version 0.1: SPIDER-EM was removed
            settings["stepwise"]["variant"] = "plain"
            state = replace(state, mixture=state.settled, trail=())
        self._check(settings)
        return state, starts

    def _check(self, settings: Json) -> None:
        theirs, ours = json.loads(json.dumps(settings)), json.loads(json.dumps(self.settings))
        differing = [
            name for name in sorted(ours.keys() | theirs.keys()) if ours.get(name) != theirs.get(name)
        ]
        if differing:
            raise MismatchError(
                f"{self.path} comes from another training: "
                + ", ".join(f"{name} {theirs.get(name)}" for name in differing),
                needed=", ".join(f"{name} {ours.get(name)}" for name in differing),
                remedy="the settings and recordings of that training, or remove the file to start again",
            )


_ARRAYS = ("origin", "counts", "first", "second")
_PARAMETERS = ("weights", "means", "covariances")
_SCALARS = ("n_frames", "log_likelihood", "skipped")


def _run(document: Json, tensors: dict[str, np.ndarray]) -> TrainingState:
    stats = None
    if "statistics" in document:
        fields: Json = {name: tensors[f"statistics.{name}"] for name in _ARRAYS}
        stats = SufficientStats(**fields, **document["statistics"])

    def mixture(prefix: str = "") -> Mixture:
        weights, means, covariances = (tensors[prefix + name] for name in _PARAMETERS)
        return Mixture(weights, means, covariances, document["covariance_type"])

    return TrainingState(
        mixture(),
        stats,
        tuple(PassReport.from_json(report) for report in document["history"]),
        tuple(mixture(f"trail.{place}.") for place in range(document["trail"])),
        document["reach"],
    )
