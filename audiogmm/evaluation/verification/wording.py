"""An evaluation in words and tables, for the person who reads it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from audiogmm.evaluation.intervals import Interval
from audiogmm.evaluation.verification.bootstrap import FEW_SPEAKERS
from audiogmm.evaluation.verification.comparison import Difference
from audiogmm.evaluation.verification.performance import CALIBRATED, Performance

if TYPE_CHECKING:
    from audiogmm.evaluation.verification.evaluation import Comparison, Condition, Evaluation

Unit = Callable[[float], str]


def percent(value: float) -> str:
    """A rate in percent, three digits.

    Examples
    --------
    >>> percent(0.07731), percent(0.0049), percent(0.5)
    ('7.73 %', '0.49 %', '50.0 %')
    """
    return f"{100 * value:.1f} %" if abs(value) >= 0.0995 else f"{100 * value:.2f} %"


def plain(value: float) -> str:
    """A cost or bits, three digits.

    Examples
    --------
    >>> plain(0.41234), plain(12.3456)
    ('0.412', '12.35')
    """
    return f"{value:.3f}" if abs(value) < 10 else f"{value:.2f}"


def between(figure: Interval, unit: Unit) -> str:
    """The interval, or nothing where it is not known.

    Examples
    --------
    >>> between(Interval(0.05, 0.04, 0.061), percent), between(Interval(0.05), percent)
    ('4.00 to 6.10 %', '')
    """
    if not figure.known:
        return ""
    return f"{unit(figure.low).removesuffix(' %')} to {unit(figure.high)}"


def verdict(found: Evaluation) -> Iterator[str]:
    """The lines that `evaluate verify` prints."""
    whole = found.overall
    yield f"{found.path}: {counted(whole)}"
    for note in found.notes:
        yield f"note: {note}"
    yield ""
    yield from table(_figures(found))
    yield ""
    yield about_calibration(whole)
    yield about_speakers(whole, found)
    for key in dict.fromkeys(condition.key for condition in found.conditions):
        yield ""
        yield f"by {key}:"
        yield from table(_conditions([c for c in found.conditions if c.key == key], whole))
    if found.against is not None:
        yield ""
        yield from _compared(found.against)


def counted(whole: Performance) -> str:
    """How much there was to measure on."""
    n_trials = whole.n_targets + whole.n_nontargets
    return (
        f"{n_trials:,} trials ({whole.n_targets:,} target, {whole.n_nontargets:,} nontarget) of "
        f"{whole.n_speakers:,} speakers"
    )


def about_calibration(whole: Performance) -> str:
    """Whether the scores can be taken at their word."""
    cllr, least, loss = whole.cllr.value, whole.min_cllr.value, whole.calibration_loss
    if not math.isfinite(loss):
        above = "above its minimum of 0"
    elif loss >= 10:
        above = f"{loss + 1:,.0f} times its minimum"
    else:
        above = f"{loss:.0%} above its minimum"
    if whole.calibrated:
        return f"calibrated: Cllr is {above}: a score may be read as a log-likelihood ratio"
    remedy = "`audiogmm fuse` learns a calibration from other trials"
    if cllr >= 1 > least:
        return f"not calibrated: Cllr is {above}, and over 1: worse than no scores at all; {remedy}"
    return f"not calibrated: Cllr is {above} ({CALIBRATED:.0%} would pass); {remedy}"


def about_speakers(whole: Performance, found: Evaluation) -> str:
    """What the intervals are worth."""
    share = f"{found.draws.confidence:.0%} intervals"
    if whole.n_speakers < 2:
        return "no intervals: one speaker is no sample of speakers"
    drawn = f"from {found.draws.replicates:,} draws of {whole.n_speakers:,} speakers"
    if whole.n_target_speakers != whole.n_speakers:
        drawn += f", {whole.n_target_speakers:,} of them with target trials"
    if whole.indicative:
        return f"{share} {drawn}: indicative only, under {FEW_SPEAKERS} speakers with target trials"
    return f"{share} {drawn}"


def table(rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Rows of cells in columns, the first one to the left, numbers under each other.

    Examples
    --------
    >>> list(table([("", "EER"), ("all", "7.7 %"), ("long", "10.2 %")]))
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


def _figures(found: Evaluation) -> Iterator[tuple[str, ...]]:
    whole = found.overall
    yield "", "", f"{found.draws.confidence:.0%} interval", ""
    yield (
        "EER",
        percent(whole.eer.value),
        between(whole.eer, percent),
        "targets rejected = others accepted, at the threshold where they are equal",
    )
    for i, (point, least, actual) in enumerate(zip(whole.points, whole.min_dcf, whole.act_dcf, strict=True)):
        at = f" ({point})"
        yield (
            f"min DCF{at}",
            plain(least.value),
            between(least, plain),
            "" if i else "cost at the best threshold; 1: not listening",
        )
        yield (
            f"act DCF{at}",
            plain(actual.value),
            between(actual, plain),
            f"cost when scores from {point.threshold:.2f} on are accepted",
        )
    yield (
        "Cllr",
        plain(whole.cllr.value),
        between(whole.cllr, plain),
        "bits lost by taking scores as ratios; 0: none, 1: all",
    )
    yield (
        "min Cllr",
        plain(whole.min_cllr.value),
        between(whole.min_cllr, plain),
        "what the best calibration would leave",
    )


def _conditions(conditions: Sequence[Condition], whole: Performance) -> Iterator[tuple[str, ...]]:
    point = whole.points[0] if whole.points else None
    costs = () if point is None else (f"min DCF ({point})",)
    yield ("", "trials", "targets", "speakers", "EER", "interval", *costs, "Cllr", "min Cllr", "")
    for condition in conditions:
        found = condition.performance
        if found is None:
            yield condition.value, f"{condition.n_trials:,}", f"not evaluated: {condition.reason}"
            continue
        least = () if point is None else (plain(found.min_dcf[0].value),)
        yield (
            condition.value,
            f"{condition.n_trials:,}",
            f"{found.n_targets:,}",
            f"{found.n_speakers:,}",
            percent(found.eer.value),
            between(found.eer, percent),
            *least,
            plain(found.cllr.value),
            plain(found.min_cllr.value),
            "indicative" if found.indicative else "",
        )


def _compared(other: Comparison) -> Iterator[str]:
    yield f"against {other.path}, on the same trials and draws:"
    points = other.performance.points
    rows: list[tuple[str, Difference, Unit]] = [("EER", other.eer, percent)]
    for point, least, actual in zip(points, other.min_dcf, other.act_dcf, strict=True):
        rows += [(f"min DCF ({point})", least, plain), (f"act DCF ({point})", actual, plain)]
    rows += [("Cllr", other.cllr, plain), ("min Cllr", other.min_cllr, plain)]
    cells = [("", "this", "that", "that - this", "interval", "p")]
    for name, difference, unit in rows:
        change = unit(difference.second - difference.first)
        known = math.isfinite(difference.low)
        ends = f"{unit(difference.low).removesuffix(' %')} to {unit(difference.high)}" if known else ""
        p_value = f"{difference.p_value:.3f}" if known else ""
        cells.append((name, unit(difference.first), unit(difference.second), change, ends, p_value))
    yield from table(cells)
    yield ""
    eer = other.eer
    if not math.isfinite(eer.low):
        yield "no interval: one speaker is no sample of speakers"
    elif eer.low <= 0 <= eer.high:
        yield "by EER, these speakers do not tell which of the two is better"
    else:
        better = other.path if eer.high < 0 else "this system"
        yield f"by EER, {better} is better (p = {eer.p_value:.3f})"
