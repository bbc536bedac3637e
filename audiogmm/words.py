"""Words in messages that depend on a number."""

from __future__ import annotations


def amount(number: int | float, noun: str, plural: str | None = None) -> str:
    """Put a number before its noun, which has an s behind any number but 1 (or is `plural`).

    Examples
    --------
    >>> amount(1, "recording"), amount(1200, "frame"), amount(0, "pass", "passes")
    ('1 recording', '1,200 frames', '0 passes')
    """
    return f"{number:,.0f} {noun if number == 1 else plural or noun + 's'}"
