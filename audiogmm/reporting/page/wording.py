"""How a page writes numbers, times and names."""

from __future__ import annotations

from collections.abc import Iterable

from audiogmm.types import Seconds
from audiogmm.words import amount

MINUS = "−"


def number(value: float, digits: int = 1) -> str:
    """Write a number, with a minus sign in place of a hyphen.

    Examples
    --------
    >>> number(-61.927), number(1234.5, 0), number(-0.04)
    ('−61.9', '1,234', '0.0')
    """
    text = f"{value:,.{digits}f}"
    if not text.strip("-0.,"):
        text = text.lstrip("-")
    return text.replace("-", MINUS)


def moment(seconds: Seconds, unit: str = "s") -> str:
    """Write a time; in a table, whose rows have none, a row.

    Examples
    --------
    >>> moment(5.837), moment(75.5), moment(7325.25), moment(12.0, "")
    ('5.84 s', '1:15.5', '2:02:05', '12')
    """
    if not unit:
        return f"{seconds:,.0f}"
    if seconds < 59.995:
        return f"{seconds:.2f} s"
    if seconds < 3599.95:
        minutes, rest = divmod(round(seconds, 1), 60)
        return f"{minutes:.0f}:{rest:04.1f}"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}"


def span(start: Seconds, end: Seconds, unit: str = "s") -> str:
    """Write a span of time.

    Examples
    --------
    >>> span(5.8375, 6.58), span(75, 90.25)
    ('5.84–6.58 s', '1:15.0–1:30.2')
    """
    first, last = moment(start, unit), moment(end, unit)
    if first.endswith(" s") and last.endswith(" s"):
        first = first.removesuffix(" s")
    return f"{first}–{last}"


def length(seconds: Seconds, unit: str = "s") -> str:
    """Write a length of time; of a table, a number of rows.

    Examples
    --------
    >>> length(9.98), length(150.0), length(7200.0), length(300_000.0), length(1.0, "")
    ('10.0 s', '2.5 min', '2.00 h', '83.3 h', '1 row')
    """
    if not unit:
        return amount(seconds, "row")
    if seconds < 90:
        return f"{seconds:.1f} s"
    if seconds < 5400:
        return f"{seconds / 60:.1f} min"
    return f"{seconds / 3600:,.2f} h" if seconds < 36_000 else f"{seconds / 3600:,.1f} h"


def shortened(text: str, most: int) -> str:
    """Shorten a text to at most so many characters: its beginning and its end.

    Examples
    --------
    >>> shortened("abcdefghij", 7), shortened("abc", 7)
    ('abc…hij', 'abc')
    """
    half = (most - 1) // 2
    return text if len(text) <= most else f"{text[:half]}…{text[-half:]}"


def brief_names(ids: Iterable[str]) -> dict[str, str]:
    """Shorten names by what all of them begin with, up to the end of a folder (`--`).

    Examples
    --------
    >>> brief_names(["work--day--001", "work--day--002"])
    {'work--day--001': '001', 'work--day--002': '002'}
    >>> brief_names(["a", "ab"]), brief_names(["work--a"])
    ({'a': 'a', 'ab': 'ab'}, {'work--a': 'work--a'})
    """
    names = sorted(set(ids))
    if len(names) < 2:
        return {name: name for name in names}
    common = 0
    first, last = names[0], names[-1]
    while common < min(len(first), len(last)) and first[common] == last[common]:
        common += 1
    cut = first.rfind("--", 0, common)
    cut = 0 if cut < 0 else cut + 2
    return {name: name[cut:] or name for name in names}
