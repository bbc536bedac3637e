"""What a page says in words and figures: of the run, of what was left out, and of itself."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from audiogmm.report.page.wording import count, length, number
from audiogmm.report.run.files import Run
from audiogmm.report.run.plan import Plan
from audiogmm.runs.aside import Aside
from audiogmm.types import Seconds

if TYPE_CHECKING:
    from audiogmm.mixture.store import Model

MOST_ASIDE = 100
"""Inputs set aside that are named."""


def title_of(run: Run, manifest: str | None) -> str:
    """A page's title, where none was given."""
    source = manifest or (run.record.source if run.record else run.events.name)
    return f"What was heard in {Path(source).name if source != '-' else 'standard input'}"


def facts_of(run: Run, plan: Plan, seconds: Seconds, threshold: float, unit: str) -> list[tuple[str, str]]:
    """The figures at the top; those of the whole run, where it says so.

    Parameters
    ----------
    run, plan
    seconds : Seconds
        Heard again.
    threshold : float
        Nats.
    unit : str
        Of time.
    """
    record, events = run.record, plan.events
    facts = [("events", f"{events.n_events:,}"), ("recordings with events", f"{events.n_recordings:,}")]
    if record is not None:
        facts.insert(0, ("recordings", f"{record.recordings:,}"))
        facts.insert(
            1, ("listened to" if unit else "rows", length(record.seconds, unit).removesuffix(" rows"))
        )
        if unit and record.seconds > 0:
            rate = 3600 * events.n_events / record.seconds
            facts.append(("events an hour", f"{rate:,.0f}" if rate >= 100 else f"{rate:.3g}"))
            promised = record.detector.get("alarms_per_hour")
            if isinstance(promised, (int, float)) and not isinstance(promised, bool):
                facts.append(("alarms an hour, as set", f"{promised:.3g}"))
            if events.n_events:
                facts.append(("of the time", f"{100 * min(1.0, events.seconds / record.seconds):.2g} %"))
    elif seconds:
        facts.insert(0, ("heard again", length(seconds, unit)))
    facts.append(("threshold, nats a frame", number(threshold)))
    return facts


def left_out(run: Run, plan: Plan, shown: set[str], n_rows: int) -> list[str]:
    """What has no room on the page, in sentences."""
    sentences = []
    with_events = sum(one.id in shown for one in plan.events.worst)
    further = plan.events.n_recordings - with_events - n_rows
    if further > 0:
        verb = "is" if further == 1 else "are"
        sentences.append(f"{count(further, 'recording')} with milder events {verb} not named here.")
    if run.record is not None:
        silent = run.record.recordings - run.record.heard - (len(shown) - with_events)
        if silent > 0:
            verb = "is" if silent == 1 else "are"
            sentences.append(f"{count(silent, 'recording')} without an event {verb} not shown.")
    return sentences


def set_aside_rows(plan: Plan, aside: Aside) -> tuple[int, list[tuple[str, str]]]:
    """How many inputs were set aside, by the run and by the page, and the first of them with the reason."""
    then = [(id, reason) for id, (_, reason) in plan.earlier.items()]
    now = [
        (plan.names.get(row.id, row.id) or row.path, row.reason)
        for row in aside.rows
        if row.id not in plan.earlier
    ]
    return max(plan.n_earlier, len(then)) + len(now), [*now, *then][:MOST_ASIDE]


def about_page(run: Run, path: Path, model: Model) -> dict[str, str]:
    """How the page came to be, for its foot."""
    from audiogmm.version import __version__

    mixture, data = model.mixture, model.metadata.data
    about = {
        "model": f"{path.name}: {mixture.n_components} components, {mixture.covariance_type} covariance, "
        f"{mixture.n_features} features",
        "fingerprint": model.fingerprint[:16],
        "events": run.events.name,
    }
    if data.get("n_recordings"):
        hours = f", {length(data['seconds'])}" if model.metadata.frontend and data.get("seconds") else ""
        about["trained on"] = f"{count(data['n_recordings'], 'recording')}{hours}"
    if model.metadata.sample_rate:
        about["sample rate"] = f"{model.metadata.sample_rate:,} Hz"
    if run.record is not None:
        about["recordings"] = run.record.source
        about["run finished"] = run.record.finished
        about["found by"] = f"audiogmm {run.record.version}"
    about["page by"] = f"audiogmm {__version__}"
    return about
