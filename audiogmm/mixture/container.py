"""The file that holds a model: safetensors, with one JSON document in its metadata."""

from __future__ import annotations

import json
from collections.abc import Mapping, Set
from operator import index
from pathlib import Path

import numpy as np

from audiogmm.checksum import checksum_of, damaged, sealed, unsealed
from audiogmm.errors import ModelFileError
from audiogmm.escapes import escaped
from audiogmm.reading import CHECK_DISK, parsing
from audiogmm.types import Json

KEY = "audiogmm"
"""The one metadata key."""

_KEYS = (KEY, "checkpoint")  # the second in checkpoints of version 0.1
_CHECKSUMS = "checksums"

DTYPES = tuple(np.dtype(name) for name in ("f8", "f4", "i8", "i4", "u1", "?"))
"""Types of tensors."""

_LENGTH = 8  # bytes of the number, in front, that says how long the header is
_OTHERS = (
    (b"PK\x03\x04", "a zip archive (.npz, or PyTorch's)"),
    (b"\x93NUMPY", "a NumPy array"),
    (b"\x89HDF", "an HDF5 file"),
    (b"RIFF", "a wav recording"),
    (b"fLaC", "a FLAC recording"),
    (b"OggS", "an OGG recording"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"\x78", "a zlib stream (joblib's pickles are)"),
)
"""How files begin that are mistaken for a model."""


def pack(arrays: Mapping[str, np.ndarray], document: Json) -> bytes:
    """Return the bytes of a file with `arrays` and a JSON object; the same for the same content.

    The object also gets a checksum of each array, and one of itself.

    Examples
    --------
    >>> content = pack({"weights": np.ones(2)}, {"seed": 0})
    >>> unpack(Path("m.agmm"), content)
    ({'seed': 0}, {'weights': array([1., 1.])})
    """
    from safetensors.numpy import save

    contiguous = {name: np.ascontiguousarray(a).reshape(a.shape) for name, a in arrays.items()}
    content = sealed(document | {_CHECKSUMS: {name: _checksum(a) for name, a in contiguous.items()}})
    text = json.dumps(content, sort_keys=True, ensure_ascii=False)
    return save(contiguous, metadata={KEY: escaped(text)})


def read(
    path: Path, remedy: str = "train it again", hashed: Set[str] = frozenset()
) -> tuple[Json, dict[str, np.ndarray]]:
    """Read the JSON object and the arrays of a file.

    Parameters
    ----------
    path : Path
        Of the file.
    remedy : str
        How it is made again, for messages.
    hashed : set of str
        Arrays that the caller compares with a hash in the object: their checksums are not computed.

    Raises
    ------
    ModelFileError
        If it cannot be read, is truncated or damaged, or is not a model; the message says which.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise ModelFileError(
            f"{path} does not exist", needed="a model file", remedy="the path that train printed"
        ) from None
    except IsADirectoryError:
        raise ModelFileError(
            f"{path} is a folder", needed="a model file", remedy="a .agmm file inside it"
        ) from None
    except OSError as error:
        raise ModelFileError(
            f"{path} cannot be read: {error.strerror}", needed="a model file", remedy=CHECK_DISK
        ) from error
    return unpack(path, content, remedy, hashed)


def unpack(
    path: Path, content: bytes, remedy: str = "train it again", hashed: Set[str] = frozenset()
) -> tuple[Json, dict[str, np.ndarray]]:
    """Read the bytes of a file like `read`; `path` is for messages."""
    from safetensors.numpy import load

    header = _header(path, content)
    metadata = header.get("__metadata__")
    text = next((metadata[key] for key in _KEYS if isinstance(metadata, dict) and key in metadata), None)
    if text is None:
        names = [name for name in header if name != "__metadata__"]
        raise _not_ours(path, f"a safetensors file of another program ({_some(names)})")
    again, what = f"copy it again, or {remedy}", "is damaged: it cannot be read"
    with parsing(path, needed="a whole model file", remedy=again, what=what):
        document, arrays = json.loads(text), load(content)
        if not isinstance(document, dict):
            raise TypeError(f"{type(document).__name__} in place of an object")
        document = unsealed(document, _CHECKSUMS in document, path, remedy, text)
        checksums = document.pop(_CHECKSUMS, None)
        if checksums is not None:
            if unknown := sorted(arrays.keys() ^ checksums.keys()):
                raise damaged(path, f"the section {unknown[0]}", remedy)
            for name in sorted(arrays.keys() - hashed):
                if checksums[name] != _checksum(arrays[name]):
                    raise damaged(path, f"the section {name}", remedy)
        return document, arrays


def _checksum(array: np.ndarray) -> str:
    return checksum_of(array.data, f"{array.dtype.str} {array.shape}")


def _header(path: Path, content: bytes) -> dict[str, object]:
    """Return the safetensors header, after checking that the file is whole."""
    if not content:
        raise ModelFileError(f"{path} is empty", needed="a model file", remedy="copy it again")
    length = int.from_bytes(content[:_LENGTH], "little")
    if content[_LENGTH : _LENGTH + 1] != b"{":
        raise _not_ours(path, _guess(content))
    if len(content) < _LENGTH + length:
        raise _truncated(path, len(content), f"more than {_LENGTH + length}")
    try:
        header = json.loads(content[_LENGTH : _LENGTH + length])
        ends = (spec["data_offsets"][1] for name, spec in header.items() if name != "__metadata__")
        end = max(map(index, ends), default=0)
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError):
        raise _not_ours(path, "a file with a header that is not safetensors'") from None
    if len(content) < _LENGTH + length + end:
        raise _truncated(path, len(content), str(_LENGTH + length + end))
    return dict(header)


def _guess(content: bytes) -> str:
    """Say what a file that is not safetensors seems to be."""
    if content[0] == 0x80 and 2 <= content[1:2].ljust(1)[0] <= 5:
        return "a pickle, which could run any program and is never loaded"
    for magic, name in _OTHERS:
        if content.startswith(magic):
            return name
    if len(content) <= _LENGTH:
        return f"a file of {len(content)} bytes"
    return f"a file that begins with {content[:8]!r}"


def _truncated(path: Path, size: int, whole: str) -> ModelFileError:
    return ModelFileError(
        f"{path} is truncated: it ends after {size} bytes",
        needed=f"{whole} bytes, as its header says",
        remedy="copy it again, or train it again",
    )


def _not_ours(path: Path, what: str) -> ModelFileError:
    return ModelFileError(
        f"{path} is {what}", needed="a model that audiogmm saved", remedy="audiogmm train, or another path"
    )


def _some(names: list[str]) -> str:
    shown = ", ".join(sorted(names)[:3]) + (", ..." if len(names) > 3 else "")
    return f"tensors {shown}" if names else "without tensors"
