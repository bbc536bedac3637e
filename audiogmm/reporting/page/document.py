"""The page as a whole: one HTML file that loads nothing."""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import files

from audiogmm.escapes import ESCAPED
from audiogmm.files import replacing
from audiogmm.reporting.page.content import DetectorSummary, RecordingRow, ReportedEvent
from audiogmm.reporting.page.events import LONGEST, EventAnchors, event_list, icon
from audiogmm.reporting.page.figure import recordings_legend
from audiogmm.reporting.page.markup import Markup, joined, tag
from audiogmm.reporting.page.model import facts_list
from audiogmm.reporting.page.recording import RecordingCard
from audiogmm.reporting.page.wording import number, shortened, span
from audiogmm.words import amount

MOST_BYTES = 25_000_000
"""Largest size of a page."""

ICONS = {
    "play": "M8 5v14l11-7z",
    "pause": "M7 5h4v14H7zM13 5h4v14h-4z",
    "next": "M6 5v14l9-7zM16 5h2.5v14H16z",
    "back": "M18 5v14l-9-7zM5.500 5H8v14H5.500z",
    "close": "M6.400 5 12 10.600 17.600 5 19 6.400 13.400 12 19 17.600 17.600 19 12 13.400 6.400 19 5 17.600 "
    "10.600 12 5 6.400z",
}
"""Paths of the icons, on a grid of 24 by 24."""


@dataclass(frozen=True, eq=False)
class Page:
    """All that a page shows.

    Attributes
    ----------
    title : str
    facts : sequence of (str, str)
        Names and figures at the top.
    n_events : int
        Number of events of the run.
    detector : DetectorSummary
    notes : sequence of str
        Remarks below the figures.
    events : sequence of ReportedEvent
        The most severe events of the run.
    names : mapping of str to str
        Short names of recordings.
    cards : sequence of RecordingCard
        Recordings in full, in order.
    rows : sequence of RecordingRow
        Recordings that are only listed, the most severe first.
    omissions : sequence of str
        What there was no room for, in sentences.
    panels : sequence of Markup
        Sections on the model.
    times : Markup or None
        Events by hour of day and by day, where recordings have a time.
    aside : sequence of (str, str)
        Inputs that were set aside, and why; some of them.
    n_aside : int
        How many there are.
    about : mapping of str to str
        Names and values at the foot.
    has_truth : bool
        Whether a recording shows its true events.
    """

    title: str
    facts: Sequence[tuple[str, str]]
    n_events: int
    detector: DetectorSummary
    notes: Sequence[str] = ()
    events: Sequence[ReportedEvent] = ()
    names: Mapping[str, str] = field(default_factory=dict)
    cards: Sequence[RecordingCard] = ()
    rows: Sequence[RecordingRow] = ()
    omissions: Sequence[str] = ()
    panels: Sequence[Markup] = ()
    times: Markup | None = None
    aside: Sequence[tuple[str, str]] = ()
    n_aside: int = 0
    about: Mapping[str, str] = field(default_factory=dict)
    has_truth: bool = False

    @property
    def anchors(self) -> dict[tuple[str, float], EventAnchors]:
        """The ids of each event by recording and start."""
        return {key: ids for card in self.cards for key, ids in card.anchors.items()}


def page_html(page: Page) -> str:
    """Write the page as text."""
    style, script = _resource("page.css"), _resource("page.js")
    policy = (
        f"default-src 'none'; style-src 'sha256-{_digest(style)}'; script-src 'sha256-{_digest(script)}'; "
        f"img-src data:; media-src blob:; base-uri 'none'; form-action 'none'"
    )
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=policy),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("meta", name="referrer", content="no-referrer"),
        tag("title", page.title),
        tag("link", rel="icon", href="data:,"),
        tag("style", Markup(style)),
    )
    sections = [_events(page), _times(page), _recordings(page), _model(page), _aside(page)]
    shown = [section for section in sections if section is not None]
    body = tag(
        "body",
        _icons(),
        tag("a", "Skip to the events", href="#events", class_="skip"),
        tag(
            "div", _header(page), tag("main", *(html for _, _, html in shown)), _footer(page), class_="sheet"
        ),
        _player(),
        tag("script", Markup(script)),
    )
    links = joined(tag("a", title, href=f"#{anchor}") for anchor, title, _ in shown)
    body = Markup(body.replace("<nav></nav>", tag("nav", links, aria_label="Sections"), 1))
    return "<!doctype html>\n" + tag("html", head, body, lang="en") + "\n"


def size_of(page: Page) -> int:
    """Return the size of the page, bytes."""
    return len(page_html(page).encode("utf-8", ESCAPED))


def write_page(page: Page, path: str | os.PathLike[str], *, force: bool = False) -> int:
    """Write the page to a file, and return its size, bytes.

    Raises
    ------
    OutputError
        If the file exists (and not `force`), or cannot be written.
    """
    content = page_html(page).encode("utf-8", ESCAPED)
    with replacing(path, force=force) as temporary:
        temporary.write_bytes(content)
    return len(content)


def _header(page: Page) -> Markup:
    switch = tag(
        "button",
        "Dark",
        type="button",
        id="theme",
        class_="switch",
        aria_label="Switch between light and dark",
    )
    facts = joined(tag("div", tag("dt", what), tag("dd", figure)) for what, figure in page.facts)
    return tag(
        "header",
        tag("div", tag("h1", page.title), switch, class_="top"),
        tag("dl", facts, class_="facts"),
        *(tag("p", note, class_="note") for note in page.notes),
        tag("noscript", tag("p", "Playing sound needs JavaScript, which is off.", class_="note")),
        Markup("<nav></nav>"),
        class_="head",
    )


def _events(page: Page) -> tuple[str, str, Markup]:
    if page.events:
        lead = "The most severe first." if page.n_events > 1 else ""
        listed = event_list(page.events, page.anchors, page.names, page.n_events, page.detector)
        content = joined([tag("p", lead, class_="quiet"), listed])
    else:
        text = f"No score is at or below the threshold of {number(page.detector.threshold)} nats."
        if page.cards:
            text += " Each recording below is shown with its least normal moment."
        content = tag("p", text, class_="calm")
    return "events", "Events", _section("events", "Events", content)


def _times(page: Page) -> tuple[str, str, Markup] | None:
    return None if page.times is None else ("times", "Times", _section("times", "Times", page.times))


def _recordings(page: Page) -> tuple[str, str, Markup] | None:
    if not (page.cards or page.rows):
        return None
    parts: list[Markup] = [recordings_legend(page.has_truth, page.detector.unit)] if page.cards else []
    parts += [card.html for card in page.cards]
    if page.rows:
        parts.append(_summary(page))
    parts += [tag("p", sentence, class_="quiet") for sentence in page.omissions]
    return "recordings", "Recordings", _section("recordings", "Recordings", joined(parts))


def _summary(page: Page) -> Markup:
    """List recordings in a table."""
    rows = []
    for row in page.rows:
        event = row.worst.event
        peak = "" if event.peak is None else number(event.peak)
        rows.append(
            tag(
                "tr",
                tag(
                    "th",
                    shortened(page.names.get(row.id, row.id), 120),
                    scope="row",
                    title=shortened(row.id, LONGEST),
                ),
                tag("td", f"{row.n_events:,}"),
                tag("td", peak),
                tag("td", span(event.start, event.end, page.detector.unit)),
            )
        )
    names = ("Recording", "Events", "Lowest score", "Most severe event")
    head = tag("tr", *(tag("th", name, scope="col") for name in names))
    table = tag("table", tag("thead", head), tag("tbody", *rows))
    return tag(
        "details",
        tag("summary", f"{amount(len(rows), 'further recording')} with events, the most severe first"),
        tag("div", table, class_="scroll"),
        class_="further",
        open=not page.cards,
    )


def _model(page: Page) -> tuple[str, str, Markup] | None:
    if not page.panels:
        return None
    content = tag("div", *page.panels, class_="panels")
    return "model", "Model", _section("model", "Model", content)


def _aside(page: Page) -> tuple[str, str, Markup] | None:
    if not page.n_aside:
        return None
    rows = [
        tag("tr", tag("th", shortened(what, LONGEST), scope="row"), tag("td", shortened(why, 2 * LONGEST)))
        for what, why in page.aside
    ]
    table = tag("div", tag("table", tag("tbody", *rows), class_="aside"), class_="scroll")
    parts = [tag("p", f"{amount(page.n_aside, 'input was', 'inputs were')} not used:", class_="quiet")]
    parts.append(table)
    if page.n_aside > len(rows):
        parts.append(tag("p", f"and {page.n_aside - len(rows):,} more", class_="quiet"))
    return "aside", "Set aside", _section("aside", "Set aside", joined(parts))


def _section(anchor: str, title: str, content: Markup) -> Markup:
    heading = tag("h2", title, id=f"{anchor}-title")
    return tag("section", heading, content, id=anchor, class_="part", aria_labelledby=f"{anchor}-title")


def _footer(page: Page) -> Markup:
    return tag("footer", facts_list(page.about))


def _icons() -> Markup:
    symbols = (
        tag("symbol", tag("path", d=path), id=f"i-{name}", viewBox="0 0 24 24")
        for name, path in ICONS.items()
    )
    return tag("svg", joined(symbols), class_="icons", width=0, height=0, aria_hidden="true")


def _player() -> Markup:
    """Make the player, which appears at the bottom when a sound is played."""

    def button(name: str, label: str) -> Markup:
        return tag("button", icon(name), type="button", id=f"player-{name}", aria_label=label)

    return tag(
        "div",
        button("back", "Previous event"),
        button("play", "Play or pause"),
        button("next", "Next event"),
        tag(
            "div",
            tag("a", "", href="#events", id="player-what"),
            tag("input", type="range", id="player-place", min=0, max=1000, value=0, aria_label="Position"),
            class_="now",
        ),
        tag("output", "", id="player-time"),
        button("close", "Close the player"),
        tag("p", "", id="player-said", role="status", class_="unseen"),
        id="player",
        role="region",
        aria_label="Player",
        hidden=True,
    )


def _resource(name: str) -> str:
    return files("audiogmm.reporting.page").joinpath(name).read_text(encoding="utf-8")


def _digest(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode("ascii")
