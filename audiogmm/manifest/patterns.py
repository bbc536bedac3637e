"""Names of several files at once: patterns with braces, as WebDataset and NeMo write them."""

from __future__ import annotations

import re
from pathlib import Path

_BRACES = re.compile(r"\{([^{}]*)\}|_OP_(.*?)_CL_")
_RANGE = re.compile(r"(\d+)\.\.(\d+)")


def expand(pattern: str) -> list[str]:
    """Return the names that a pattern stands for.

    Examples
    --------
    >>> expand("a-{08..11}.tar"), expand("audio__OP_0..1_CL_.tar")
    (['a-08.tar', 'a-09.tar', 'a-10.tar', 'a-11.tar'], ['audio_0.tar', 'audio_1.tar'])
    >>> expand("{a,b}.tar"), expand("a.tar")
    (['a.tar', 'b.tar'], ['a.tar'])
    """
    match = _BRACES.search(pattern)
    if match is None:
        return [pattern]
    inside = match[1] if match[1] is not None else match[2]
    numbers = _RANGE.fullmatch(inside)
    if numbers:
        first, last = numbers.groups()
        words = [f"{number:0{len(first)}d}" for number in range(int(first), int(last) + 1)]
    else:
        words = inside.split(",")
    return [
        name for word in words for name in expand(pattern[: match.start()] + word + pattern[match.end() :])
    ]


def is_pattern(path: str) -> bool:
    """Return whether a path is no file, but names several tar archives."""
    return path.endswith(".tar") and _BRACES.search(path) is not None and not Path(path).exists()
