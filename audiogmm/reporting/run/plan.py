"""Which recordings of a run a page shows, and what is known of them before they are scored again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from audiogmm.reporting.page.content import RecordingRow, ReportedEvent, ReportedRecording
from audiogmm.reporting.page.wording import brief_names
from audiogmm.reporting.run.events import RunEvents, collect_events, summarize_events
from audiogmm.reporting.run.files import DetectionRun, choose_entries, entry_of_event, read_set_aside
from audiogmm.runs.aside import Aside

if TYPE_CHECKING:
    from audiogmm.manifest import Entry

MOST_LISTED = 300
"""Most events in the list of the most severe."""

MOST_ROWS = 1000
"""Most recordings in the table of those that are not shown in full."""

MOST_KEPT = 400
"""Most events of one recording that its outline marks and its list names."""


@dataclass(frozen=True)
class PagePlan:
    """The choice of what a page shows."""

    events: RunEvents  # the number of events, and the most severe ones
    # for each recording to be shown that has events, their number, and the events, the most severe first
    found: Mapping[str, tuple[int, list[ReportedEvent]]]
    # recordings to score again: those with events, the most severe first, then some without
    wanted: Sequence[Entry]
    missing: Sequence[ReportedRecording]  # recordings with events whose place is not known
    names: Mapping[str, str]  # short name of each recording
    # path and reason, by id, of inputs that the run set aside; the first of them
    earlier: Mapping[str, tuple[str, str]]
    n_earlier: int  # number of inputs that the run set aside
    note: str  # a note on where the recordings are; "" if there is none

    def rows(self, shown: set[str]) -> list[RecordingRow]:
        """Return the recordings with events that are not shown, the most severe first."""
        left = [
            RecordingRow(one.id, one.n_events, one.found) for one in self.events.worst if one.id not in shown
        ]
        return left[:MOST_ROWS]


def plan_page(run: DetectionRun, manifest: str | None, most: int, *, audio: bool, aside: Aside) -> PagePlan:
    """Choose what a page shows; reads the events twice and the manifest once.

    Parameters
    ----------
    run : DetectionRun
    manifest : str or None
        Where the manifest is; None: where the record of the run says.
    most : int
        Most recordings shown.
    audio : bool
        Whether the model was trained on audio.
    aside : Aside
        Takes bad lines of the manifest.

    Raises
    ------
    ManifestError
        If the events or a manifest that was named cannot be read.
    """
    entries, note = run.entries(manifest, aside)
    events = summarize_events(run.events, MOST_LISTED, most + MOST_ROWS)
    worst = {one.id: one for one in events.worst[:most]}
    earlier, n_earlier = read_set_aside(run)
    there, quiet = choose_entries(entries, list(worst), earlier, most - len(worst))
    found = collect_events(run.events, set(worst), MOST_KEPT)
    missing = []
    for id, one in worst.items():
        if id in there:
            continue
        entry = entry_of_event(one.found, audio=audio)
        if entry is not None:
            there[id] = entry
        else:
            n, kept = found[id]
            why = (
                "the manifest does not name it"
                if entries is not None
                else "the events do not say where it is"
            )
            missing.append(ReportedRecording(id, one.found.event.audio_filepath or "", n, kept, error=why))
    wanted = [*(there[id] for id in worst if id in there), *quiet]
    named = (
        (one.id for one in events.worst),
        (one.event.id for one in events.severest),
        (e.id for e in wanted),
    )
    names = brief_names(id for ids in named for id in ids)
    return PagePlan(events, found, wanted, missing, names, earlier, n_earlier, note)
