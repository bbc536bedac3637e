"""A checkpoint: arrays and a document in a file, and the ones before it, of which one is always whole."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

import numpy as np

from audiogmm.errors import MismatchError, ModelFileError
from audiogmm.files import replacing, settle
from audiogmm.mixture import container
from audiogmm.reading import parsing
from audiogmm.types import Json

T = TypeVar("T")
Arrays = Mapping[str, np.ndarray]

FORMAT = "audiogmm checkpoint 3"
"""Identifies the file and its version."""

_FORMATS = ("audiogmm checkpoint 2", FORMAT)  # the first has no checksums

SHARE = 0.01
"""Time for saving, as a share of all time since the work began: about this much."""

_FIRST_SECONDS, _FIRST_RATE = 0.01, 200e6
"""What the first save is taken to need: this time, and bytes a second; later ones, what the last one took."""

_WHAT, _REMEDY = "is not a checkpoint, or not a whole one", "remove it to start again"


class CheckpointFile:
    """The latest state of a long computation, and the state before it, in two files.

    A state is written whole and is on the disk before it takes its name; only then does the one before it
    lose its own. So after a kill or a power failure at any instant one of the two is whole, and a damaged
    one falls back to the other. How often it is written changes no result, only what is computed again.

    Parameters
    ----------
    path : Path
        The latest; the one before it is ``<path>.before``.
    settings : Json
        All that decides the result of the computation, the data included; a file with others is refused.
    say : callable
        Takes a note where the latest is damaged.

    Examples
    --------
    >>> import tempfile
    >>> file = CheckpointFile(Path(tempfile.mkdtemp()) / "run.checkpoint", {"seed": 0})
    >>> for number in (1, 2):
    ...     file.save({"mean": np.ones(2)}, {"pass": number})
    >>> file.load(lambda document, arrays: document["pass"])
    2
    >>> _ = file.path.write_bytes(b"")
    >>> file.load(lambda document, arrays: document["pass"])
    1
    """

    def __init__(self, path: Path, settings: Json, say: Callable[[str], None] = lambda _: None) -> None:
        self.path = path
        self.settings = settings
        self._say = say
        self._began = time.perf_counter()
        self._spent = 0.0
        self._latest: float | None = None
        self._is_whole = False  # the latest, which the next one then keeps as the one before it

    @property
    def before(self) -> Path:
        """The file of the state before the latest."""
        return self.path.with_name(self.path.name + ".before")

    def is_due(self, n_bytes: int) -> bool:
        """Return whether saving so much now keeps the time for saving below its share of all time."""
        expected = _FIRST_SECONDS + n_bytes / _FIRST_RATE if self._latest is None else self._latest
        return self._spent + expected <= SHARE * (time.perf_counter() - self._began)

    def save(self, arrays: Arrays, document: Json, beside: Callable[[], None] = lambda: None) -> None:
        """Write a state; `beside` first writes what it needs and what does not fit into memory.

        Raises
        ------
        OutputError
            If it cannot be written.
        """
        began = time.perf_counter()
        content: Json = {"format": FORMAT, "settings": self.settings} | document
        with replacing(self.path, force=True) as temporary:
            beside()
            temporary.write_bytes(container.pack(arrays, content))
            settle(temporary)
            if self._is_whole:
                self.path.replace(self.before)
        self._is_whole = True
        self._latest = time.perf_counter() - began
        self._spent += self._latest

    def load(self, decode: Callable[[Json, dict[str, np.ndarray]], T]) -> T | None:
        """Return what `decode` makes of the latest state that is whole; None if there is no file.

        Raises
        ------
        ModelFileError
            If no file is a checkpoint, of a known version, and whole, `decode` agreeing.
        MismatchError
            If it was made with other settings or other data; those that differ are named.
        """
        fault: ModelFileError | None = None
        for path in (self.path, self.before):
            if not path.exists():
                continue
            try:
                found = self._read(path, decode)
            except ModelFileError as error:
                fault = fault or error
                continue
            self._is_whole = path == self.path
            if fault is not None:
                self._say(f"{fault.what}; going on from the one before it, {path}")
            return found
        if fault is not None:
            raise fault
        return None

    def _read(self, path: Path, decode: Callable[[Json, dict[str, np.ndarray]], T]) -> T:
        with parsing(path, needed=FORMAT, remedy=_REMEDY, what=_WHAT):
            try:
                document, arrays = container.read(path, _REMEDY)
            except ModelFileError as error:
                raise ModelFileError(
                    f"{path} {_WHAT}: {error.what}",
                    needed=FORMAT,
                    remedy=f"restore it from a copy, or {_REMEDY}",
                ) from error
            if document.get("format") not in _FORMATS:
                raise ModelFileError(
                    f"{path} is {document.get('format', 'another program’s file')}",
                    needed=FORMAT,
                    remedy=f"{_REMEDY}, or name another file",
                )
            settings = dict(document["settings"])
            found = decode(document, arrays)
        if settings.get("stepwise", {}).get("variant") == "spider":  # of version 0.1: SPIDER-EM was removed
            settings["stepwise"]["variant"] = "plain"
        self._check(path, settings)
        return found

    def _check(self, path: Path, settings: Json) -> None:
        theirs, ours = json.loads(json.dumps(settings)), json.loads(json.dumps(self.settings))
        differing = [
            name for name in sorted(ours.keys() | theirs.keys()) if ours.get(name) != theirs.get(name)
        ]
        if differing:
            raise MismatchError(
                f"{path} comes from another training: "
                + ", ".join(f"{name} {theirs.get(name)}" for name in differing),
                needed=", ".join(f"{name} {ours.get(name)}" for name in differing),
                remedy="the settings and recordings of that training, or remove the file to start again",
            )
