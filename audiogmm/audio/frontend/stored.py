"""Settings that are written as JSON and TOML, read again, compared, and named by one number."""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from audiogmm.errors import FrontEndError
from audiogmm.reading import reading
from audiogmm.types import Json

_LONGEST = 1 << 14


class StoredSettings:
    """Base of a frozen dataclass of words, numbers, truth values, tuples of numbers, and None."""

    @classmethod
    def from_dict(cls, settings: Mapping[str, Any]) -> Self:
        """Read what `to_dict` gives; what is missing has its default."""
        return cls(**settings)

    def to_dict(self) -> Json:
        """Return every setting that is not None, for JSON and TOML."""
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in vars(self).items()
            if value is not None
        }

    @classmethod
    def from_toml(cls, text: str | Path) -> Self:
        """Read a TOML document (a string), or a file (a Path). See `from_dict`.

        Raises
        ------
        FrontEndError
            If it is not TOML, or cannot be read.
        """
        source = str(text) if isinstance(text, Path) else "front end"
        remedy = "the settings that `audiogmm info` prints, a line each, such as n_mels = 40"
        with reading(source, FrontEndError, needed="settings in TOML", remedy=remedy):
            document = text.read_text("utf-8") if isinstance(text, Path) else text
            if len(document) > _LONGEST:  # the parser takes hours for long names
                raise ValueError(f"{len(document)} characters, of which settings take {_LONGEST} at most")
            return cls.from_dict(tomllib.loads(document))

    def to_toml(self) -> str:
        """Write the settings as a TOML document that `from_toml` reads."""
        return "".join(f"{name} = {_toml(value)}\n" for name, value in self.to_dict().items())

    @property
    def fingerprint(self) -> str:
        """SHA-256 of all settings, hexadecimal: equal fingerprints mean equal frames."""
        return hashlib.sha256(json.dumps(self.to_dict(), sort_keys=True).encode()).hexdigest()

    def difference(self, other: StoredSettings) -> list[str]:
        """List the settings in which another object of the class differs, as "name: ours != theirs"."""
        theirs = vars(other)
        return [
            f"{name}: {value!r} != {theirs[name]!r}"
            for name, value in vars(self).items()
            if value != theirs[name]
        ]


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, list):
        return f"[{', '.join(_toml(x) for x in value)}]"
    return repr(value)
