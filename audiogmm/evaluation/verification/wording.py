"""The text and tables of an evaluation of verification."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence

from audiogmm.evaluation.intervals import INDICATIVE_BELOW, Interval
from audiogmm.evaluation.tables import align_columns, format_interval, format_number, format_percent
from audiogmm.evaluation.verification.comparison import Difference
from audiogmm.evaluation.verification.evaluation import Comparison, Condition, VerificationEvaluation
from audiogmm.evaluation.verification.performance import CALIBRATED, Performance
from audiogmm.words import amount

Cells = tuple[str, ...]


def evaluation_lines(found: VerificationEvaluation) -> Iterator[str]:
    """Yield the lines that `evaluate verify` prints."""
    whole = found.overall
    yield f"{found.path}: {describe_trials(whole)}"
    for note in found.notes:
        yield f"note: {note}"
    yield ""
    yield from align_columns(_figures(found))
    yield ""
    yield calibration_line(whole)
    yield interval_line(whole, found)
    for key in dict.fromkeys(condition.key for condition in found.conditions):
        yield ""
        yield f"by {key}:"
        yield from align_columns(_conditions([c for c in found.conditions if c.key == key], whole))
    if found.against is not None:
        yield ""
        yield from _compared(found.against)


def describe_trials(whole: Performance) -> str:
    """Say how many trials and speakers there are."""
    return (
        f"{amount(whole.n_targets + whole.n_nontargets, 'trial')} ({whole.n_targets:,} target, "
        f"{whole.n_nontargets:,} nontarget) of {amount(whole.n_speakers, 'speaker')}"
    )


def calibration_line(whole: Performance) -> str:
    """Say whether the scores are calibrated."""
    cllr, least, loss = whole.cllr.value, whole.min_cllr.value, whole.calibration_loss
    if not math.isfinite(loss):
        above = "above its minimum of 0"
    elif loss >= 10:
        above = f"{loss + 1:,.0f} times its minimum"
    else:
        above = f"{loss:.0%} above its minimum"
    if whole.calibrated:
        return f"calibrated: Cllr is {above}, so that scores can be read as log-likelihood ratios"
    remedy = "`audiogmm fuse` learns a calibration from other trials"
    if cllr >= 1 > least:
        return f"not calibrated: Cllr is {above}, and over 1, the cost without scores; {remedy}"
    return f"not calibrated: Cllr is {above} (at most {CALIBRATED:.0%} is called calibrated); {remedy}"


def interval_line(whole: Performance, found: VerificationEvaluation) -> str:
    """Say what the intervals rest on."""
    share = f"{found.draws.confidence:.0%} intervals"
    if whole.n_speakers < 2:
        return "no intervals: these need two speakers or more"
    drawn = f"from {amount(found.draws.replicates, 'draw')} of {amount(whole.n_speakers, 'speaker')}"
    if whole.n_target_speakers != whole.n_speakers:
        drawn += f", {whole.n_target_speakers:,} of them with target trials"
    if whole.indicative:
        return f"{share} {drawn}: indicative only, under {INDICATIVE_BELOW} speakers with target trials"
    return f"{share} {drawn}"


def _figures(found: VerificationEvaluation) -> Iterator[Cells]:
    whole = found.overall

    def row(name: str, figure: Interval, remark: str, show: Callable[[float], str] = format_number) -> Cells:
        return name, show(figure.value), format_interval(figure, show), remark

    yield "", "", f"{found.draws.confidence:.0%} interval", ""
    remark = "miss rate and false-alarm rate, at the threshold where they are equal"
    yield row("EER", whole.eer, remark, format_percent)
    for i, (point, least, actual) in enumerate(zip(whole.points, whole.min_dcf, whole.act_dcf, strict=True)):
        yield row(f"min DCF ({point})", least, "" if i else "cost at the best threshold; 1: without scores")
        remark = f"cost when scores from {point.threshold:.2f} on are accepted"
        yield row(f"act DCF ({point})", actual, remark)
    yield row("Cllr", whole.cllr, "bits, cost of scores as log-likelihood ratios; 1: without scores")
    yield row("min Cllr", whole.min_cllr, "bits, after the best calibration")


def _conditions(conditions: Sequence[Condition], whole: Performance) -> Iterator[Cells]:
    point = whole.points[0] if whole.points else None
    costs = () if point is None else (f"min DCF ({point})",)
    yield ("", "trials", "targets", "speakers", "EER", "interval", *costs, "Cllr", "min Cllr", "")
    for condition in conditions:
        found = condition.performance
        if found is None:
            yield condition.value, f"{condition.n_trials:,}", f"not evaluated: {condition.reason}"
            continue
        least = () if point is None else (format_number(found.min_dcf[0].value),)
        yield (
            condition.value,
            f"{condition.n_trials:,}",
            f"{found.n_targets:,}",
            f"{found.n_speakers:,}",
            format_percent(found.eer.value),
            format_interval(found.eer, format_percent),
            *least,
            format_number(found.cllr.value),
            format_number(found.min_cllr.value),
            "indicative" if found.indicative else "",
        )


def _compared(other: Comparison) -> Iterator[str]:
    yield f"against {other.path}, on the same trials and draws:"
    points = other.performance.points
    rows: list[tuple[str, Difference, Callable[[float], str]]] = [("EER", other.eer, format_percent)]
    for point, least, actual in zip(points, other.min_dcf, other.act_dcf, strict=True):
        rows += [(f"min DCF ({point})", least, format_number), (f"act DCF ({point})", actual, format_number)]
    rows += [("Cllr", other.cllr, format_number), ("min Cllr", other.min_cllr, format_number)]
    cells = [("", "this", "other", "other - this", "interval", "p")]
    for name, difference, unit in rows:
        change = unit(difference.second - difference.first)
        known = math.isfinite(difference.low)
        ends = f"{unit(difference.low).removesuffix(' %')} to {unit(difference.high)}" if known else ""
        p_value = f"{difference.p_value:.3f}" if known else ""
        cells.append((name, unit(difference.first), unit(difference.second), change, ends, p_value))
    yield from align_columns(cells)
    yield ""
    eer = other.eer
    if not math.isfinite(eer.low):
        yield "no interval: it needs two speakers or more"
    elif eer.low <= 0 <= eer.high:
        yield "by EER, neither system is better: the interval of the difference contains 0"
    else:
        better = other.path if eer.high < 0 else "this system"
        yield f"by EER, {better} is better (p = {eer.p_value:.3f})"
