"""The file of kinds of sound: `kinds.agmm` in the folder that `group` writes."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import numpy as np

from audiogmm.anomaly.kinds.description import N_VALUES
from audiogmm.anomaly.kinds.kinds import MOST_EXAMPLES, Group, Kinds
from audiogmm.errors import MismatchError, ModelFileError
from audiogmm.files import replacing
from audiogmm.mixture import container
from audiogmm.reading import parsing
from audiogmm.types import Json

FILE = "kinds.agmm"
"""Its name in the folder."""

FORMAT = "audiogmm kinds 1"

LARGEST = 1e12
"""What no value of a description, and no sum of their variances, reaches."""

_REMEDY = "group the events again, into another folder"
_ARRAYS = ("vectors", "labels", "scatter")


def save_kinds(kinds: Kinds, folder: Path, frontend: Json) -> None:
    """Write kinds, with the settings of the front end that they were described by, in place of earlier ones.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    document: Json = {
        "format": FORMAT,
        "frontend": frontend,
        "groups": {str(number): asdict(group) for number, group in kinds.groups.items()},
        "n_scattered": kinds.n_scattered,
        "next_group": kinds.next_group,
    }
    with replacing(folder / FILE, force=True) as temporary:
        temporary.write_bytes(container.pack({name: getattr(kinds, name) for name in _ARRAYS}, document))


def load_kinds(folder: Path) -> tuple[Kinds, Json]:
    """Read kinds, and the settings of their front end.

    Raises
    ------
    ModelFileError
        If there are none, or the file is damaged or holds what cannot be.
    """
    path = folder / FILE
    if not path.exists():
        raise ModelFileError(
            f"{path} does not exist",
            needed="a folder that `group` wrote",
            remedy=f"audiogmm group EVENTS -o {folder}",
        )
    document, arrays = container.read(path, _REMEDY)
    with parsing(path, needed=FORMAT, remedy=_REMEDY, what="does not hold kinds of sound"):
        if document.get("format") != FORMAT:
            raise ValueError(f"format {document.get('format')!r}")
        groups = {
            int(number): Group(str(group["name"]), bool(group["is_normal"]))
            for number, group in document["groups"].items()
        }
        kinds = Kinds(
            **{name: arrays[name] for name in _ARRAYS},
            groups=groups,
            n_scattered=int(document["n_scattered"]),
            next_group=int(document["next_group"]),
        )
        if not _is_sound(kinds):
            raise ValueError("arrays that do not fit together")
        return kinds, dict(document["frontend"])


def require_described(kinds: Kinds, folder: Path) -> None:
    """Refuse kinds whose segments were described in another way than `describe_segment` does.

    Raises
    ------
    MismatchError
        If so.
    """
    size = kinds.vectors.shape[1]
    if size != N_VALUES:
        raise MismatchError(
            f"{folder / FILE} has descriptions of {size} values", needed=f"{N_VALUES}", remedy=_REMEDY
        )


def _is_sound(kinds: Kinds) -> bool:
    """Whether kinds are what `Kinds.extended` could have made."""
    n, size = kinds.vectors.shape
    arrays = kinds.vectors, kinds.scatter
    names = [group.name for group in kinds.groups.values() if group.name]
    return (
        0 < n <= MOST_EXAMPLES
        and kinds.labels.shape == (n,)
        and kinds.labels.dtype == np.int64
        and kinds.scatter.shape == (size, size)
        and all(array.dtype == np.float64 and np.abs(array).max() < LARGEST for array in arrays)
        and np.allclose(kinds.scatter, kinds.scatter.T)
        and float(np.linalg.eigvalsh(kinds.scatter)[0]) >= -1e-9 * float(np.trace(kinds.scatter))
        and set(kinds.labels.tolist()) <= set(kinds.groups)
        and all(0 < number < kinds.next_group for number in kinds.groups)
        and len(set(names)) == len(names)
        and kinds.n_scattered >= 0
    )
