"""What a model file says beside its arrays: one JSON document, with a name and a default for each key."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, fields
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np

from audiogmm.errors import ModelFileError
from audiogmm.reading import parsing
from audiogmm.reprs import short_repr
from audiogmm.types import Json
from audiogmm.version import __version__

FORMAT_VERSION = 2
"""Of the file; a reader refuses higher ones. Files of version 1 have no checksums."""

_LIBRARIES = ("numpy", "scipy", "numba", "soxr", "soundfile")

_OPTIONAL = ("detector", "scores", "moments", "drift", "speakers", "classes", "moved", "updates", "columns")
"""Left out of the document where they are empty."""


_KINDS = {
    "sample_rate": int,
    "seed": int,
    "updates": list,
    "columns": list,
    "covariance_type": str,
    "format_version": int,
}
"""Types of the values in the document; dict where it is not here."""

_NONE = (
    "frontend",
    "sample_rate",
    "seed",
    "detector",
    "scores",
    "moments",
    "drift",
    "speakers",
    "classes",
    "moved",
)
"""What may be null."""


def reading_part(name: str) -> AbstractContextManager[None]:
    """Read a part of a model's document: whatever goes wrong becomes a `ModelFileError` that names the part.

    Examples
    --------
    >>> with reading_part("detector"):
    ...     {}["threshold"]
    Traceback (most recent call last):
    ...
    audiogmm.errors.ModelFileError: the detector in the model cannot be read: KeyError: 'threshold'; ...
    """
    needed, remedy = "a model as audiogmm saved it", "copy it again, or train it again"
    return parsing(f"the {name} in the model", needed=needed, remedy=remedy)


def library_versions() -> dict[str, str]:
    """Return the versions of audiogmm, Python and the libraries that numbers depend on."""
    found = {"audiogmm": __version__, "python": platform.python_version()}
    for library in _LIBRARIES:
        try:
            found[library] = version(library)
        except PackageNotFoundError:
            continue
    return found


@dataclass(frozen=True)
class ModelMetadata:
    """The JSON document of a model.

    Parameters
    ----------
    frontend : dict or None
        Settings of the front end; None where the model was trained on the user's own frames.
    sample_rate : int or None
        Hertz.
    seed : int or None
        Of the random numbers of the training.
    training : dict
        How the training went: passes, log-likelihood, floor, history, and so on.
    data : dict
        What it was trained on: recordings, frames, seconds, fingerprint.
    detector, scores, moments, drift : dict or None
        What was learned from normal audio: the detector, its scores, the moments that explain events, and how
        the levels of bands lie and wander.
    speakers : dict or None
        The speaker back end.
    classes : dict or None
        The labels that the components stand for: `names`, and the number of `components` of each.
    moved : dict or None
        From which model, and by what offset, the means were moved to another domain.
    updates : list of dict
        One for each `update`, oldest first.
    columns : list of str
        Names of the features, where it was trained on tables that name their columns.
    versions : dict
        Of the libraries; those installed by default.
    covariance_type : str or None
        Of the mixture; the model fills it in.
    format_version : int
        Of the file.
    extra : dict
        Further keys of the document, kept as they are.

    Raises
    ------
    ModelFileError
        If a value cannot be written as JSON.

    Examples
    --------
    >>> metadata = ModelMetadata.of({"seed": 0, "room": "B"})
    >>> metadata.seed, metadata.sample_rate, metadata.extra
    (0, None, {'room': 'B'})
    >>> sorted(metadata.to_dict())[:4]
    ['covariance_type', 'data', 'format_version', 'frontend']
    """

    frontend: Json | None = None
    sample_rate: int | None = None
    seed: int | None = None
    training: Json = field(default_factory=dict)
    data: Json = field(default_factory=dict)
    detector: Json | None = None
    scores: Json | None = None
    moments: Json | None = None
    drift: Json | None = None
    speakers: Json | None = None
    classes: Json | None = None
    moved: Json | None = None
    updates: list[Json] = field(default_factory=list)
    columns: list[str] = field(default_factory=list)
    versions: dict[str, str] = field(default_factory=library_versions)
    covariance_type: str | None = None
    format_version: int = FORMAT_VERSION
    extra: Json = field(default_factory=dict)

    __repr__ = short_repr

    def __post_init__(self) -> None:
        for each in fields(self):  # as it will be read back, and a copy
            value = getattr(self, each.name)
            if not (value is None or type(value) in (int, str)):
                object.__setattr__(self, each.name, json.loads(canonical_json(value)))

    @classmethod
    def of(cls, document: ModelMetadata | Mapping[str, Any]) -> ModelMetadata:
        """Read a document, of this version or an older one: what it lacks has its default."""
        if isinstance(document, ModelMetadata):
            return document
        known = {each.name for each in fields(cls)} - {"extra"}
        given = dict(document)
        found = {name: given.pop(name) for name in list(given) if name in known}
        made = cls(**found, extra=given)
        for name in found:
            kind, value = _KINDS.get(name, dict), getattr(made, name)
            if not (isinstance(value, kind) or (value is None and name in _NONE)) or isinstance(value, bool):
                raise ModelFileError(f"model metadata with {name} = {value!r:.60}", needed=kind.__name__)
        return made

    @property
    def required_sample_rate(self) -> int:
        """The sample rate, hertz, of a model that has a front end.

        Raises
        ------
        ModelFileError
            If it has none.
        """
        if self.sample_rate is None:
            raise ModelFileError(
                "a model with a front end and without a sample rate",
                needed="a model that was trained on audio",
                remedy="train it again",
            )
        return self.sample_rate

    def to_dict(self) -> Json:
        """Return the document, keys in alphabetical order."""
        found = {each.name: getattr(self, each.name) for each in fields(self) if each.name != "extra"}
        found = {name: value for name, value in found.items() if value or name not in _OPTIONAL}
        return dict(sorted((self.extra | found).items()))

    def __getitem__(self, key: str) -> Any:
        """Return the value of a key of the document, which was a dictionary in version 0.1."""
        return self.to_dict()[key]

    def __contains__(self, key: str) -> bool:
        return key in self.to_dict()


def canonical_json(value: object) -> str:
    """Return JSON text that depends on the content alone.

    Raises
    ------
    ModelFileError
        If something in it is no JSON, such as a set or a number that is not finite.
    """
    try:
        return json.dumps(value, sort_keys=True, ensure_ascii=False, allow_nan=False, default=_plain)
    except (ValueError, TypeError) as error:
        raise ModelFileError(
            f"metadata that is no JSON: {error}", needed="finite numbers, strings, lists and dicts"
        ) from error


def _plain(value: object) -> object:
    """What JSON takes in place of NumPy's scalars and arrays, and of paths."""
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    raise TypeError(f"{type(value).__name__} {value!r}")
