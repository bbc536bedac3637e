"""Figures as text: numbers, intervals, and cells under each other."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from audiogmm.evaluation.intervals import Interval


def format_percent(value: float) -> str:
    """Format a rate in percent, three digits.

    Examples
    --------
    >>> format_percent(0.07731), format_percent(0.0049), format_percent(0.5)
    ('7.73 %', '0.49 %', '50.0 %')
    """
    return f"{100 * value:.1f} %" if abs(value) >= 0.0995 else f"{100 * value:.2f} %"


def format_number(value: float) -> str:
    """Format a cost, or bits, with three digits.

    Examples
    --------
    >>> format_number(0.41234), format_number(12.3456)
    ('0.412', '12.35')
    """
    return f"{value:.3f}" if abs(value) < 10 else f"{value:.2f}"


def format_interval(figure: Interval, unit: Callable[[float], str]) -> str:
    """Format the ends of an interval; an empty string where it is not known.

    Examples
    --------
    >>> format_interval(Interval(0.05, 0.04, 0.061), format_percent)
    '4.00 to 6.10 %'
    """
    if not figure.known:
        return ""
    return f"{unit(figure.low).removesuffix(' %')} to {unit(figure.high)}"


def align_columns(rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Pad cells to columns: text to the left, columns of numbers to the right.

    Examples
    --------
    >>> list(align_columns([("", "EER"), ("all", "7.7 %"), ("long", "10.2 %")]))
    ['           EER', '  all    7.7 %', '  long  10.2 %']
    """
    rows = [list(row) for row in rows]
    columns = [[row[i] for row in rows if i < len(row)] for i in range(max(map(len, rows)))]
    widths = [max(map(len, column)) for column in columns]
    right = [i > 0 and all(map(_is_number, filter(None, column[1:]))) for i, column in enumerate(columns)]
    for row in rows:
        cells = [
            cell.rjust(width) if to_the_right else cell.ljust(width)
            for cell, width, to_the_right in zip(row, widths, right, strict=False)
        ]
        yield "  " + "  ".join(cells).rstrip()


def _is_number(cell: str) -> bool:
    return cell[:1].isdigit() or cell[:1] in {"-", "+"}
