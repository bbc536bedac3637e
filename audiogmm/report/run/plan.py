"""Which recordings of a run a page shows, and what it knows of them before it listens again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from audiogmm.report.page.shown import Found, Row, Shown
from audiogmm.report.page.wording import brief_names
from audiogmm.report.run.events import RunEvents, gather, survey
from audiogmm.report.run.files import Run, chosen, entry_of_event, set_aside_then
from audiogmm.runs.aside import Aside

if TYPE_CHECKING:
    from audiogmm.manifest import Entry

MOST_LISTED = 300
"""Events in the list of the most severe."""

MOST_ROWS = 1000
"""Recordings in the table of those that are not shown in full."""

MOST_KEPT = 400
"""Events of one recording that its outline marks and its list names."""


@dataclass(frozen=True)
class Plan:
    """What a page is made of.

    Attributes
    ----------
    events : RunEvents
        How many there are, and the worst.
    found : mapping of str to (int, list of Found)
        Of each recording to be shown that has events, how many, and the worst of them in order.
    wanted : sequence of Entry
        Recordings to listen to again: with events, the most severe first, then quiet ones.
    missing : sequence of Shown
        Recordings with events that nothing says the place of.
    names : mapping of str to str
        Brief names of recordings.
    earlier : mapping of str to (str, str)
        What the run set aside: path and reason by id; there may be more than are listed.
    n_earlier : int
        How many those are.
    note : str
        What should be known of where the recordings are.
    """

    events: RunEvents
    found: Mapping[str, tuple[int, list[Found]]]
    wanted: Sequence[Entry]
    missing: Sequence[Shown]
    names: Mapping[str, str]
    earlier: Mapping[str, tuple[str, str]]
    n_earlier: int
    note: str

    def rows(self, shown: set[str]) -> list[Row]:
        """Recordings with events that are not shown, the most severe first."""
        left = [Row(one.id, one.n_events, one.found) for one in self.events.worst if one.id not in shown]
        return left[:MOST_ROWS]


def plan_page(run: Run, manifest: str | None, most: int, *, audio: bool, aside: Aside) -> Plan:
    """Read the events twice and the manifest once, and choose.

    Parameters
    ----------
    run : Run
    manifest : str or None
        Where the manifest is now, if not where the run found it.
    most : int
        Recordings shown, at most.
    audio : bool
        Whether the model listens to audio.
    aside : Aside
        Where bad lines of the manifest go.

    Raises
    ------
    ManifestError
        If the events or a manifest that was named cannot be read.
    """
    entries, note = run.entries(manifest, aside)
    events = survey(run.events, MOST_LISTED, most + MOST_ROWS)
    worst = {one.id: one for one in events.worst[:most]}
    earlier, n_earlier = set_aside_then(run)
    there, quiet = chosen(entries, list(worst), earlier, most - len(worst))
    found = gather(run.events, set(worst), MOST_KEPT)
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
                "the manifest does not name it" if entries is not None else "nothing says where its sound is"
            )
            missing.append(Shown(id, one.found.event.audio_filepath or "", n, kept, trouble=why))
    wanted = [*(there[id] for id in worst if id in there), *quiet]
    named = (
        (one.id for one in events.worst),
        (one.event.id for one in events.severest),
        (e.id for e in wanted),
    )
    names = brief_names(id for ids in named for id in ids)
    return Plan(events, found, wanted, missing, names, earlier, n_earlier, note)
