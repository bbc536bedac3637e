"""Seeded mutations of files: of their bytes, of the values in their JSON, of the arrays beside it."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from audiogmm.checksum import KEY, sealed
from audiogmm.mixture import container

Mutation = Callable[[bytes, random.Random], bytes]

NUMBERS = (
    b"-1 0 1e999 -1e999 NaN Infinity 1e-320 2147483648 9223372036854775808 1000000000000 0.5 1_0 0x10".split()
)
WORDS = (
    b'""',
    b"null",
    b"[]",
    b"{}",
    b"true",
    b'"\\ud800"',
    b'"../x"',
    b"\xff\xfe",
    b"\0",
    b"\r\n",
    b'"',
    b",",
    b"[" * 2000,
)
BLOCKS = (b"\xff" * 4, b"\0" * 4, b"\xff\xff\xff\x7f", b"\0\0\0\x80", b"\xff" * 8, b"\0" * 7 + b"\x01")
VALUES: tuple[Any, ...] = (
    None,
    True,
    -1,
    0,
    1.5,
    1e999,
    -1e999,
    float("nan"),
    10**12,
    10**400,
    "",
    "x",
    "\ud800",
    "../x",
    [],
    [None],
    {},
    {"x": 1},
)


def mutate_bytes(content: bytes, rng: random.Random) -> bytes:
    """Change a few places: bits, numbers, pieces that are doubled, moved or dropped; or cut the end."""
    data = bytearray(content)
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        at, n = rng.randrange(len(data) + 1), rng.choice((1, 2, 4, 8, 64, 512))
        # the beginning and the end say what a file is, so that half of the changes are there
        at = rng.choice((at, at, min(at, rng.randrange(256)), max(0, len(data) - rng.randrange(256))))
        match rng.randrange(8):
            case 0 if at < len(data):
                data[at] ^= 1 << rng.randrange(8)
            case 1:
                data = data[:at]
            case 2:
                data[at : at + n] = b""
            case 3:
                data[at:at] = data[at : at + n] * rng.choice((1, 1, 50))
            case 4:
                place = rng.randrange(len(data) + 1)
                data[at : at + n] = data[place : place + n]
            case 5:
                block = rng.choice(BLOCKS)
                data[at : at + len(block)] = block
            case 6:
                spots = list(re.finditer(rb"-?\d+(?:\.\d*)?", bytes(data[max(0, at - 64) : at + 64])))
                if spots:
                    first, last = (max(0, at - 64) + place for place in rng.choice(spots).span())
                    data[first:last] = rng.choice(NUMBERS)
            case _:
                data[at : at + rng.choice((0, n))] = rng.choice(WORDS)
    return bytes(data)


def mutate_value(value: Any, rng: random.Random) -> Any:
    """Replace, drop or double one value somewhere in a JSON value."""
    keys = list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    if not keys or rng.random() < 0.05:
        return rng.choice(VALUES)
    key = rng.choice(list(keys))
    value = value.copy()
    if isinstance(value[key], dict | list) and rng.random() < 0.7:
        value[key] = mutate_value(value[key], rng)
    elif rng.random() < 0.2:
        del value[key]
    elif isinstance(value, list) and rng.random() < 0.2:
        value.insert(key, value[key])
    else:
        value[key] = rng.choice(VALUES)
    return value


def mutate_json(content: bytes, rng: random.Random) -> bytes:
    """Change a value of a JSON document, or of one of its lines."""
    lines = content.splitlines(keepends=True) if content.count(b"\n{") else [content]
    place = rng.randrange(len(lines))
    value = json.loads(lines[place])
    changed = mutate_value(value, rng)
    if KEY in value and isinstance(
        changed, dict
    ):  # who changes a file on purpose computes its checksum again
        changed = sealed(changed)
    lines[place] = json.dumps(changed).encode() + b"\n"
    return b"".join(lines)


def mutate_array(array: np.ndarray, rng: random.Random) -> np.ndarray:
    """Change a number, the type or the shape of an array."""
    array = array.copy()
    match rng.randrange(5):
        case 0 | 1 if array.size:
            with np.errstate(all="ignore"):
                value = np.array(rng.choice((-1, 0, 2, 1e18, np.nan, np.inf))).astype(array.dtype)
                array.reshape(-1)[rng.randrange(array.size)] = value
        case 2:
            array = array.astype(rng.choice(("f4", "f8", "i8", "u1", "?")), casting="unsafe")
        case 3:
            array = array[: rng.randrange(len(array) + 1)] if array.ndim else array.reshape(1)
        case _:
            array = rng.choice((array[None], array.ravel(), np.concatenate([array.ravel(), array.ravel()])))
    return array


def mutate_container(content: bytes, rng: random.Random) -> bytes:
    """Change the document or an array of a safetensors file of ours, and pack it again as a whole one."""
    document, arrays = container.unpack(Path("fuzz"), content)
    if rng.random() < 0.6 or not arrays:
        changed = mutate_value(document, rng)
        document = changed if isinstance(changed, dict) else {}
    else:
        name = rng.choice(sorted(arrays))
        with np.errstate(all="ignore"):
            arrays[name] = mutate_array(arrays[name], rng)
        if rng.random() < 0.1:
            del arrays[name]
    return container.pack(arrays, document)
