"""The sizes that a selection goes through, as a user writes them."""

from __future__ import annotations

from collections.abc import Iterable

from audiogmm.errors import ChoiceError

_NEEDED = "numbers of components of at least 1 with commas between them, and ranges such as 8:256"
_REMEDY = "-k 8,16,32 or -k 8:256, which doubles: 8,16,32,64,128,256"


def sizes(wanted: str | int | Iterable[int]) -> list[int]:
    """Sizes in ascending order, each once.

    Parameters
    ----------
    wanted : str, int or iterable of int
        Numbers, or a text of numbers and ranges: ``8:256`` doubles from 8 as far as 256, which is the last
        one whether doubling meets it or not.

    Raises
    ------
    ChoiceError
        If a part is no number or no range, or below 1.

    Examples
    --------
    >>> sizes("4,8:100"), sizes([32, 8]), sizes(16)
    ([4, 8, 16, 32, 64, 100], [8, 32], [16])
    """
    if isinstance(wanted, str):
        found = {size for part in wanted.split(",") for size in _part(part.strip(), wanted)}
    else:
        found = {wanted} if isinstance(wanted, int) else set(wanted)
        if not found:
            raise ChoiceError("no size", needed=_NEEDED, remedy=_REMEDY)
        wrong = [
            size for size in found if isinstance(size, bool) or not hasattr(size, "__index__") or size < 1
        ]
        if wrong:
            raise ChoiceError(f"n_components={wrong[0]!r}", needed="whole numbers of at least 1")
    return sorted(int(size) for size in found)


def _part(part: str, whole: str) -> list[int]:
    """One number, or one range."""
    first, colon, last = part.partition(":")
    try:
        low = int(first)
        high = int(last) if colon else low
    except ValueError:
        raise ChoiceError(
            f"-k {whole}: {part!r} is no number of components", needed=_NEEDED, remedy=_REMEDY
        ) from None
    if low < 1:
        raise ChoiceError(f"-k {whole}: {low} components", needed=_NEEDED, remedy=_REMEDY)
    if high < low:
        raise ChoiceError(
            f"-k {whole}: the range {part} ends before it begins", needed=_NEEDED, remedy=f"{high}:{low}"
        )
    doubled = []
    while low < high:
        doubled.append(low)
        low *= 2
    return [*doubled, high]
