"""Events by hour of day and by day, as tables of a page."""

from __future__ import annotations

from collections.abc import Mapping

from audiogmm.reporting.page.markup import Markup, joined, tag
from audiogmm.reporting.page.wording import shortened
from audiogmm.types import Json

MOST_DAYS = 366
"""Days that are listed, the last ones."""


def times_section(times: Json) -> Markup:
    """Return the tables of events by hour of day and by day.

    Parameters
    ----------
    times : dict
        As `HourTable.summary` returns it.
    """
    zone = shortened(str(times.get("zone", "")), 60)
    by_hour, by_day = times.get("by_hour") or {}, times.get("by_day") or {}
    parts = []
    if by_hour:
        parts.append(_table("Hour of day", f"By hour of day, {zone}", by_hour))
    days = dict(list(by_day.items())[-MOST_DAYS:])
    if days:
        more = f" (the last {MOST_DAYS})" if len(days) < len(by_day) else ""
        parts.append(_table("Day", f"By day{more}", days))
    return joined(parts)


def _table(name: str, title: str, rows: Mapping[str, Json]) -> Markup:
    most = max((float(row.get("events_per_hour") or 0) for row in rows.values()), default=0.0)
    head = tag(
        "tr", *(tag("th", text, scope="col") for text in (name, "Events", "Hours of sound", "Events an hour"))
    )
    body = []
    for place, row in rows.items():
        rate = row.get("events_per_hour")
        shown = "" if rate is None else f"{float(rate):.3g}"
        is_most = rate is not None and most > 0 and float(rate) == most
        body.append(
            tag(
                "tr",
                tag("th", f"{place}:00" if name == "Hour of day" else place, scope="row"),
                tag("td", f"{int(row.get('events', 0)):,}"),
                tag("td", f"{float(row.get('hours', 0)):,.3g}"),
                tag("td", tag("strong", shown) if is_most else shown),
            )
        )
    table = tag("table", tag("thead", head), tag("tbody", *body))
    return tag(
        "details", tag("summary", title), tag("div", table, class_="scroll"), class_="further", open=True
    )
