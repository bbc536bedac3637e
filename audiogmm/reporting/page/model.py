"""The model of a page: normal scores, training, the choice of its size, and the sound of its components."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence

import numpy as np

from audiogmm.reporting.criteria import CriteriaPicture, render_criteria
from audiogmm.reporting.page.charts import histogram, line_chart
from audiogmm.reporting.page.content import ComponentClips, DetectorSummary, NormalSummary
from audiogmm.reporting.page.events import EventAnchors, play_button, sound_data
from audiogmm.reporting.page.markup import Markup, joined, tag
from audiogmm.reporting.page.wording import brief_names, number, shortened, span
from audiogmm.words import amount


def normal_section(normal: NormalSummary, detector: DetectorSummary, peaks: Sequence[float]) -> Markup:
    """Draw the histogram of the scores of normal windows, with the threshold and the events.

    Parameters
    ----------
    normal : NormalSummary
    detector : DetectorSummary
    peaks : sequence of float
        Lowest scores of events, nats.
    """
    windows, threshold = normal.windows, detector.threshold
    under = float(np.searchsorted(windows, threshold, side="right")) / len(windows)
    n = f"{normal.n_independent:,.0f}"
    what = f"{n} windows of {normal.seconds:g} s of normal audio"
    if not detector.unit:
        what = f"{n} means over {amount(normal.seconds, 'row')} of normal data"
    low, high = (number(float(np.quantile(windows, share))) for share in (0.25, 0.75))
    text = (
        f"{what} that the model was not trained on. Half of them score between {low} and {high} nats; "
        + (f"{100 * under:.2g} % are" if under else "none is")
        + f" at or below the threshold of {number(threshold)}."
    )
    if peaks:
        text += f" Short lines mark the lowest score of {amount(len(peaks), 'event')}."
    parts = [
        tag("h3", "Normal scores"),
        tag("p", text),
        histogram(windows, threshold, detector.release, peaks, "Histogram. " + text),
        tag("p", "score, nats (lower is less normal)", class_="unit"),
    ]
    if normal.note:
        note = normal.note.removesuffix(".") + "."
        parts.append(tag("p", note[0].upper() + note[1:], class_="note"))
    if normal.facts:
        parts.append(facts_list({key.replace("_", " "): value for key, value in normal.facts.items()}))
    return tag("section", *parts, class_="panel")


def training_section(history: Sequence[tuple[int, float]], ending: str) -> Markup:
    """Draw the log-likelihood of each pass.

    Parameters
    ----------
    history : sequence of (int, float)
        Number of the pass, and nats per frame; at least one.
    ending : str
        Why training ended, in a sentence.
    """
    first, last = history[0][1], history[-1][1]
    passes = amount(len(history), "pass", "passes")
    text = f"{passes}, from {number(first, 2)} to {number(last, 2)} nats per frame. {ending}"
    return tag(
        "section",
        tag("h3", "Training"),
        tag("p", text),
        line_chart([(float(n), value) for n, value in history], "Line chart. " + text),
        tag("p", "pass; log-likelihood, nats per frame", class_="unit"),
        class_="panel",
    )


def selection_section(picture: CriteriaPicture) -> Markup:
    """Show the picture of a selection, as `audiogmm select --plot` draws it.

    Raises
    ------
    ChoiceError
        If matplotlib is missing, or there is nothing to draw.
    """
    text = "Criteria: " + "; ".join(panel.title for panel in picture.panels) + "."
    if picture.recommended is not None:
        form, size = picture.recommended
        text += f" Recommended: {form}, {amount(size, 'component')}."
    source = "data:image/svg+xml;base64," + base64.b64encode(render_criteria(picture)).decode("ascii")
    alt = "Line charts. " + text
    return tag(
        "section",
        tag("h3", "Number of components"),
        tag("p", text),
        tag("img", src=source, alt=alt, class_="picture", loading="lazy", decoding="async"),
        class_="panel wide",
    )


def component_section(
    components: Sequence[ComponentClips], caption: str, unit: str, heading: str = "Components"
) -> Markup:
    """List components with their share of the frames, and buttons that play segments of each.

    Parameters
    ----------
    components : sequence of ComponentClips
        In the order of the list.
    caption : str
        A sentence above the list.
    unit : str
        "s", or "" for a table, whose rows have no time.
    heading : str
        "Classes" where they are those of a model with labels.
    """
    names = brief_names(name for one in components for name, _ in one.clips)
    largest = max((one.share for one in components), default=1.0) or 1.0
    rows, sounds = [], []
    for number_, one in enumerate(components):
        buttons = []
        for k, (name, clip) in enumerate(one.clips):
            anchor = f"c{number_}s{k}"
            when = span(clip.start, clip.start + clip.duration, unit)
            what = f"{one.label}: {names[name]}, {when}"
            buttons.append(play_button(EventAnchors(sound=anchor), what))
            sounds.append(sound_data(clip, anchor))
        rect = tag("rect", width=f"{100 * one.share / largest:.1f}%", height="100%", rx=2)
        bar = tag("svg", rect, class_="depth calm", aria_hidden="true")
        text = f"{100 * one.share:.1f} %"
        if one.distinctness is not None:
            text += f", {number(one.distinctness)} nats"
        rows.append(
            tag(
                "li",
                tag("span", shortened(one.label, 40), class_="number"),
                tag("div", bar, tag("span", text), class_="share"),
                tag("div", *buttons, class_="buttons"),
            )
        )
    return tag(
        "section",
        tag("h3", heading),
        tag("p", caption),
        tag("ol", *rows, class_="clusters"),
        *sounds,
        class_="panel wide",
    )


def facts_list(facts: Mapping[str, str]) -> Markup:
    """List names and values in small type."""
    rows = (tag("div", tag("dt", key), tag("dd", value)) for key, value in facts.items())
    return tag("dl", joined(rows), class_="small")
