"""What is normal here: scores of normal windows, how the model was trained, what its parts sound like."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from audiogmm.report.page.charts import histogram, legend, lines_chart
from audiogmm.report.page.content import ClusterSounds, CriterionChart, NormalSummary
from audiogmm.report.page.events import EventAnchors, play_button, sound_data
from audiogmm.report.page.markup import Markup, joined, tag
from audiogmm.report.page.wording import brief_names, count, number, span


def normal_scores(
    normal: NormalSummary, threshold: float, release: float | None, peaks: Sequence[float], unit: str
) -> Markup:
    """Histogram of the scores of normal windows, with the threshold and the events."""
    windows = normal.windows
    under = float(np.searchsorted(windows, threshold, side="right")) / len(windows)
    size = f"{normal.seconds:g} s" if unit else f"{normal.seconds:g} rows"
    text = (
        f"{normal.n_independent:,.0f} windows of {size} of normal sound that the model was not trained on: "
        f"half of them score between {number(float(np.quantile(windows, 0.25)))} and "
        f"{number(float(np.quantile(windows, 0.75)))} nats a frame. "
        + ("None of them lies" if not under else f"{100 * under:.2g} % lie")
        + f" at or under the threshold of {number(threshold)}."
    )
    if peaks:
        text += f" The short lines mark the lowest score of {count(len(peaks), 'event')}."
    parts = [
        tag("h3", "Scores of normal sound"),
        tag("p", text),
        histogram(windows, threshold, release, peaks, "Histogram. " + text),
        tag("p", "nats a frame; further left is less normal", class_="unit"),
    ]
    if normal.note:
        parts.append(tag("p", normal.note, class_="note"))
    if normal.facts:
        rows = (
            tag("div", tag("dt", key.replace("_", " ")), tag("dd", value))
            for key, value in normal.facts.items()
        )
        parts.append(tag("dl", joined(rows), class_="small"))
    return tag("section", *parts, class_="panel")


def training_history(history: Sequence[tuple[int, float]], told: str) -> Markup:
    """The log-likelihood a frame, pass by pass."""
    first, last = history[0][1], history[-1][1]
    passes = count(len(history), "pass", "passes")
    text = f"{passes}: from {number(first, 2)} to {number(last, 2)} nats a frame. {told}"
    return tag(
        "section",
        tag("h3", "How the model was trained"),
        tag("p", text),
        lines_chart({"log-likelihood": [(float(n), value) for n, value in history]}, "Line chart. " + text),
        tag("p", "pass; log-likelihood, nats a frame", class_="unit"),
        class_="panel",
    )


def selection(criteria: Sequence[CriterionChart]) -> Markup:
    """Each criterion against the number of components, a curve a covariance form."""
    names = list(dict.fromkeys(name for one in criteria for name in one.curves))
    parts = []
    for one in criteria:
        text = f"{one.title} against the number of components, {one.unit}"
        chart = lines_chart(
            {name: [(float(k), value) for k, value in points] for name, points in one.curves.items()},
            text,
            logarithmic=True,
            marked=one.recommended and (one.recommended[0], float(one.recommended[1])),
        )
        parts.append(
            tag("div", tag("h4", one.title), chart, tag("p", f"components; {one.unit}", class_="unit"))
        )
    chosen = next((one.recommended for one in criteria if one.recommended), None)
    text = "Every size that was compared."
    if chosen is not None:
        text += f" The ring is the recommended one: {chosen[0]}, {count(chosen[1], 'component')}."
    return tag(
        "section",
        tag("h3", "How many components"),
        tag("p", text),
        legend(names),
        tag("div", *parts, class_="charts"),
        class_="panel wide",
    )


def clusters(found: Sequence[ClusterSounds], told: str, unit: str) -> Markup:
    """What the components sound like."""
    names = brief_names(name for one in found for name, _ in one.clips)
    largest = max((one.share for one in found), default=1.0) or 1.0
    rows, sounds = [], []
    for one in found:
        buttons = []
        for k, (name, clip) in enumerate(one.clips):
            anchor = f"c{one.component}s{k}"
            when = span(clip.start, clip.start + clip.duration, unit)
            what = f"component {one.component}: {names[name]}, {when}"
            buttons.append(play_button(EventAnchors(sound=anchor), what))
            sounds.append(sound_data(clip, anchor))
        bar = tag(
            "svg",
            tag("rect", width=f"{100 * one.share / largest:.1f}%", height="100%", rx=2),
            class_="depth calm",
            aria_hidden="true",
        )
        rows.append(
            tag(
                "li",
                tag("span", f"{one.component}", class_="number"),
                tag("div", bar, tag("span", f"{100 * one.share:.1f} % of the frames"), class_="share"),
                tag("div", *buttons, class_="buttons"),
            )
        )
    return tag(
        "section",
        tag("h3", "Clusters to listen to"),
        tag("p", told),
        tag("ol", *rows, class_="clusters"),
        *sounds,
        class_="panel wide",
    )


def facts_list(facts: Mapping[str, str]) -> Markup:
    """Names and values, small."""
    rows = (tag("div", tag("dt", key), tag("dd", value)) for key, value in facts.items())
    return tag("dl", joined(rows), class_="small")
