"""An evaluation of detection in words and tables, for the person who reads it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

from audiogmm.evaluation.detection.dcase_score import DcaseScore
from audiogmm.evaluation.detection.evaluation import DetectionEvaluation
from audiogmm.evaluation.detection.event_figures import EventFigures
from audiogmm.evaluation.detection.site_figures import SiteFigures
from audiogmm.evaluation.intervals import INDICATIVE_BELOW, Interval
from audiogmm.evaluation.tables import align_columns, format_interval, format_number
from audiogmm.words import amount

LEVELS = {"frame": "frames", "segment": "segments", "clip": "recordings"}

MOST_SITES = 60
"""Rows of a table of sites; the JSON has all."""


def shown(value: float) -> str:
    """Format a figure; a dash where there is none.

    Examples
    --------
    >>> shown(0.91234), shown(float("nan"))
    ('0.912', '-')
    """
    return format_number(value) if math.isfinite(value) else "-"


def hourly(value: float) -> str:
    """Format a number of events an hour, three digits.

    Examples
    --------
    >>> hourly(48.637), hourly(0.01234), hourly(0.0), hourly(1234.5), hourly(float("nan"))
    ('48.6', '0.0123', '0', '1,234', '-')
    """
    if not math.isfinite(value):
        return "-"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def with_interval(figure: Interval, unit: str = "", show: Callable[[float], str] = shown) -> str:
    """Format a figure with its interval.

    Examples
    --------
    >>> with_interval(Interval(0.5, 0.4, 0.6), " s"), with_interval(Interval(2.0))
    ('0.500 s (0.400 to 0.600)', '2.000')
    """
    ends = format_interval(figure, show)
    return f"{show(figure.value)}{unit}" + (f" ({ends})" if ends else "")


def evaluation_lines(found: DetectionEvaluation) -> Iterator[str]:
    """Yield the lines that `evaluate detect` prints."""
    n_sites = len(found.sites)
    sites = f" of {amount(n_sites, 'site')}" if n_sites > 1 else ""
    yield (
        f"{found.manifest}: {amount(found.n_recordings, 'recording')}{sites}, "
        f"{found.n_anomalous:,} of them anomalous, {found.hours:.3g} hours"
    )
    for note in found.notes:
        yield f"note: {note}"
    if found.dcase is not None:
        yield ""
        yield from official_table(found.dcase)
    elif found.means:
        yield ""
        yield from align_columns(_areas(found))
    yield ""
    yield from align_columns(_rates(found))
    yield ""
    yield from _events(found.detected)
    yield about_intervals(found)
    if n_sites > 1 and found.dcase is None:
        yield ""
        yield f"by {', '.join(found.by)}:"
        yield from align_columns(_sites(found.sites[:MOST_SITES]))
        if n_sites > MOST_SITES:
            yield f"  and {n_sites - MOST_SITES:,} more"


def _areas(found: DetectionEvaluation) -> Iterator[tuple[str, ...]]:
    yield "", "AUC", "interval", "pAUC", "interval", "harmonic mean of both", ""
    sizes = {"frame": found.criteria.window, "segment": found.criteria.segment}
    for level, means in found.means.items():
        size = f", {sizes[level]:g} s" if level in sizes else f", {found.criteria.clip} score"
        yield (
            f"{LEVELS[level]}{size}",
            shown(means.auc.value),
            format_interval(means.auc, format_number),
            shown(means.pauc.value),
            format_interval(means.pauc, format_number),
            with_interval(means.harmonic_mean),
            "" if len(found.sites) == 1 else f"mean of {means.n_sites} of {len(found.sites)} sites",
        )


def _rates(found: DetectionEvaluation) -> Iterator[tuple[str, ...]]:
    collars, detected = found.criteria.collars, found.detected
    yield "", "precision", "recall", "F1", "interval", "error rate", "right", "found", "true"
    rows = (
        (f"events, onset to {collars.collar:g} s", detected.onset),
        (f"and offset (or {collars.offset_share:.0%})", detected.event),
        (f"segments of {found.criteria.segment:g} s", detected.segment),
        ("recordings with any event", detected.recording),
    )
    for name, rates in rows:
        if rates is not None:
            yield (
                name,
                shown(rates.precision.value),
                shown(rates.recall.value),
                shown(rates.f1.value),
                format_interval(rates.f1, format_number),
                shown(rates.error_rate.value),
                *(f"{n:,}" for n in (rates.n_right, rates.n_found, rates.n_true)),
            )


def _events(detected: EventFigures) -> Iterator[str]:
    delay, alarms = detected.delay, detected.false_alarms
    if delay is not None:
        n_true = delay.n_caught + delay.n_missed
        text = f"{delay.n_caught:,} of {amount(n_true, 'true event')} found, {delay.n_missed:,} missed"
        if delay.n_caught:
            text += (
                f"; delay from onset to start: median {with_interval(delay.median, ' s')}, "
                f"90th percentile {with_interval(delay.p90, ' s')}"
            )
        yield text
    if alarms.hours > 0:
        yield (
            f"false alarms: {alarms.n:,} in {alarms.hours:.3g} hours of normal audio, "
            f"{with_interval(alarms.per_hour, show=hourly)} an hour"
        )
    else:
        yield "false alarms: unknown, since no recording has the times of its events"


def about_intervals(found: DetectionEvaluation) -> str:
    """Say where the intervals come from."""
    if all(site.n_recordings < 2 for site in found.sites):
        return "no intervals: they need at least two recordings of a site"
    share = f"{found.draws.confidence:.0%} intervals"
    drawn = f"{share} from {found.draws.replicates:,} draws of the recordings of each site"
    if found.indicative:
        return f"{drawn}: indicative only, under {INDICATIVE_BELOW} recordings"
    return drawn


def _sites(sites: tuple[SiteFigures, ...]) -> Iterator[tuple[str, ...]]:
    levels = [level for level in LEVELS if any(level in site.areas for site in sites)][:1]
    heads = [f"{head}" for level in levels for head in (f"{level} AUC", "interval", "pAUC")]
    yield ("", "recordings", *heads, "event F1", "onset F1", "delay, s", "false alarms an hour", "")
    for site in sites:
        cells: list[str] = []
        for level in levels:
            areas = site.areas.get(level)
            if areas is None:
                cells += ["-", "", "-"]
            else:
                cells += [
                    shown(areas.auc.value),
                    format_interval(areas.auc, format_number),
                    shown(areas.pauc.value),
                ]
        found = site.detected
        delay = math.nan if found.delay is None else found.delay.median.value
        remarks = ["indicative"] if site.indicative else []
        remarks += [reason for level, reason in site.left_out.items() if level in levels]
        yield (
            site.site,
            f"{site.n_recordings:,}",
            *cells,
            *(shown(math.nan if rates is None else rates.f1.value) for rates in (found.event, found.onset)),
            shown(delay),
            hourly(found.false_alarms.per_hour.value),
            "; ".join(remarks),
        )


def official_table(found: DcaseScore) -> Iterator[str]:
    """Yield the table of DCASE Task 2: sections, means of machines, and the score."""
    names = list(dict.fromkeys(name for section in found.sections for name in section.figures))
    domains = list(dict.fromkeys(domain for section in found.sections for domain in section.decisions))
    heads = [f"{what} ({domain})" if domain else what for what in ("F1",) for domain in domains]
    rows = [("machine", "section", *names, *heads, "")]
    for machine in dict.fromkeys(section.machine for section in found.sections):
        for section in found.sections:
            if section.machine != machine:
                continue
            rates = [section.decisions.get(domain) for domain in domains]
            rows.append(
                (
                    machine,
                    section.section,
                    *(shown(section.figures[name].value) for name in names),
                    *("-" if rate is None else shown(rate.f1.value) for rate in rates),
                    f"left out: {section.reason}" if section.reason else "",
                )
            )
        if machine in found.machines:
            means = found.machines[machine]
            rows.append((machine, f"{found.mean} mean", *(shown(means[name].value) for name in names)))
    yield from align_columns(rows)
    yield ""
    what = "AUC and pAUC over machines" if found.year == 2020 else f"all {' and '.join(_kinds(names))}"
    score = with_interval(found.score)
    yield f"DCASE {found.year} Task 2, official score: {score}, the {found.mean} mean of {what}"


def _kinds(names: list[str]) -> list[str]:
    return list(dict.fromkeys(name.split(" ")[0] for name in names))
