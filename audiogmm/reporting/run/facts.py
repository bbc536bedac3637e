"""The title, figures and notes of a page."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from audiogmm.reporting.page.wording import length, number
from audiogmm.reporting.run.files import DetectionRun
from audiogmm.reporting.run.plan import PagePlan
from audiogmm.runs.aside import Aside
from audiogmm.types import Seconds
from audiogmm.words import Terms, amount

if TYPE_CHECKING:
    from audiogmm.mixture.store import Model

MOST_ASIDE = 100
"""Most inputs set aside that are named."""


def make_title(run: DetectionRun, manifest: str | None) -> str:
    """Return a title for the page of a run."""
    source = manifest or (run.record.source if run.record else run.events.name)
    return f"Events in {Path(source).name if source != '-' else 'standard input'}"


def summarize_run(
    run: DetectionRun, plan: PagePlan, seconds: Seconds, threshold: float, terms: Terms
) -> list[tuple[str, str]]:
    """Return the figures at the top of the page; of the whole run where there is a record of it.

    Parameters
    ----------
    run : DetectionRun
    plan : PagePlan
    seconds : Seconds
        Length of the recordings that were scored again.
    threshold : float
        Nats.
    terms : Terms
        Of the model.

    Returns
    -------
    list of (str, str)
        Name and figure.
    """
    record, events, unit = run.record, plan.events, terms.unit.strip()
    recordings = f"{terms.recording}s"
    facts = [("events", f"{events.n_events:,}"), (f"{recordings} with events", f"{events.n_recordings:,}")]
    if record is not None:
        facts.insert(0, (recordings, f"{record.recordings:,}"))
        facts.insert(1, ("audio" if unit else "rows", length(record.seconds, unit).removesuffix(" rows")))
        if unit and record.seconds > 0:
            rate = 3600 * events.n_events / record.seconds
            facts.append(("events an hour", f"{rate:,.0f}" if rate >= 100 else f"{rate:.3g}"))
            promised = record.detector.get("alarms_per_hour")
            if isinstance(promised, (int, float)) and not isinstance(promised, bool):
                facts.append(("alarms an hour, as set", f"{promised:.3g}"))
            if events.n_events:
                facts.append(("time in events", f"{100 * min(1.0, events.seconds / record.seconds):.2g} %"))
    elif seconds:
        facts.insert(0, ("scored again", length(seconds, unit)))
    facts.append((f"threshold, {terms.of('nats a frame')}", number(threshold)))
    return facts


def describe_omissions(
    run: DetectionRun, plan: PagePlan, shown: set[str], n_rows: int, terms: Terms
) -> list[str]:
    """Say in sentences which recordings have no room on the page."""
    sentences = []
    with_events = sum(one.id in shown for one in plan.events.worst)
    further = plan.events.n_recordings - with_events - n_rows
    if further > 0:
        verb = "is" if further == 1 else "are"
        sentences.append(f"{terms.recordings(further)} with milder events {verb} not listed here.")
    if run.record is not None:
        without = run.record.recordings - run.record.heard - (len(shown) - with_events)
        if without > 0:
            verb = "is" if without == 1 else "are"
            sentences.append(f"{terms.recordings(without)} without an event {verb} not shown.")
    return sentences


def list_set_aside(plan: PagePlan, aside: Aside) -> tuple[int, list[tuple[str, str]]]:
    """Return how many inputs the run and the page set aside, and the first of them, each with its reason."""
    then = [(id, reason) for id, (_, reason) in plan.earlier.items()]
    now = [
        (plan.names.get(row.id, row.id) or row.path, row.reason)
        for row in aside.rows
        if row.id not in plan.earlier
    ]
    return max(plan.n_earlier, len(then)) + len(now), [*now, *then][:MOST_ASIDE]


def describe_page(run: DetectionRun, path: Path, model: Model, terms: Terms) -> dict[str, str]:
    """Return what the page was made from, for its foot."""
    from audiogmm.version import __version__

    mixture, data = model.mixture, model.metadata.data
    about = {
        "model": f"{path.name}: {amount(mixture.n_components, 'component')}, {mixture.covariance_type} "
        f"covariance, {amount(mixture.n_features, 'feature')}",
        "fingerprint": model.fingerprint[:16],
        "events": run.events.name,
    }
    if data.get("n_recordings"):
        hours = f", {length(data['seconds'])}" if model.metadata.frontend and data.get("seconds") else ""
        about["trained on"] = f"{terms.recordings(data['n_recordings'])}{hours}"
    if model.metadata.sample_rate:
        about["sample rate"] = f"{model.metadata.sample_rate:,} Hz"
    if run.record is not None:
        about[f"{terms.recording}s"] = run.record.source
        about["run finished"] = run.record.finished
        about["found by"] = f"audiogmm {run.record.version}"
    about["page by"] = f"audiogmm {__version__}"
    return about
