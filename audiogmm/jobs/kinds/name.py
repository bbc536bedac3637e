"""Name: give a group of sounds its name, or declare it normal."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from audiogmm.anomaly.kinds.kinds import Kinds
from audiogmm.anomaly.kinds.kinds_file import load_kinds, save_kinds
from audiogmm.files import exclusive
from audiogmm.reprs import lines_repr
from audiogmm.types import Json


@dataclass(frozen=True)
class NameResult:
    """A group that was named."""

    folder: Path
    group: int
    kinds: Kinds

    __repr__ = lines_repr

    def summary(self) -> Json:
        """Return what `--json` prints."""
        named = self.kinds.groups[self.group]
        return {
            "output": str(self.folder),
            "group": self.group,
            "name": named.name,
            "normal": named.is_normal,
        }

    def lines(self) -> Iterator[str]:
        """Yield the closing line."""
        named = self.kinds.groups[self.group]
        yield f"group {self.group}: {named.name or 'no name'}{', normal' * named.is_normal}"


def name(folder: str | os.PathLike[str], group: int, name: str = "", *, normal: bool = False) -> NameResult:
    """Give a group its name, or declare that it is normal: its events are then no alarms.

    Parameters
    ----------
    folder : path-like
        What `group` wrote.
    group : int
        Its number.
    name : str
        Empty to take a name back.
    normal : bool
        Whether `detect --kinds` leaves its events out.

    Raises
    ------
    ChoiceError
        If there is no such group, or another one has that name.
    ModelFileError
        If the folder holds no groups.
    OutputError
        If it cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np, soundfile
    >>> import audiogmm as ag
    >>> sounds = Path(tempfile.mkdtemp())
    >>> for i, sound in enumerate(np.random.default_rng(0).standard_normal((3, 16000)) / 10):
    ...     soundfile.write(sounds / f"{i}.wav", sound, 16000)
    >>> _ = ag.group(ag.scan(sounds), sounds / "kinds")
    >>> ag.name(sounds / "kinds", 1, "hiss", normal=True)
    group 1: hiss, normal
    """
    place = Path(folder)
    with exclusive(place):
        kinds, frontend = load_kinds(place)
        kinds = kinds.named(group, name, is_normal=normal)
        save_kinds(kinds, place, frontend)
    return NameResult(place, group, kinds)
