"""The recordings of each site, within which scores are compared."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from audiogmm.errors import ChoiceError, ManifestError
from audiogmm.evaluation.detection.dcase import DOMAINS
from audiogmm.evaluation.detection.events import FoundEvents
from audiogmm.runs.aside import Aside
from audiogmm.words import amount

if TYPE_CHECKING:
    from audiogmm.manifest import Entry

NAMED = ("speaker", "label", "channel")
"""Keys of an entry that have a field of their own."""

ABSENT = "(none)"


def key_of(entry: Entry, key: str) -> Any:
    """Return the value of a key of an entry, or None.

    Examples
    --------
    >>> from audiogmm.manifest import Entry
    >>> key_of(Entry("a.wav", id="a", extra={"site": "roof"}), "site")
    'roof'
    """
    return getattr(entry, key) if key in NAMED else entry.extra.get(key)


def site_of(entry: Entry, by: Sequence[str]) -> str:
    """Return the site of an entry: its values under some keys.

    Examples
    --------
    >>> from audiogmm.manifest import Entry
    >>> site_of(Entry("a.wav", id="a", extra={"site": "roof", "unit": 3}), ["site", "unit"])
    'roof / 3'
    """
    values = [key_of(entry, key) for key in by]
    return " / ".join(ABSENT if value is None else str(value) for value in values)


def section_of(entry: Entry, year: int) -> tuple[str, str]:
    """Return the machine and the section of an entry of DCASE Task 2.

    Raises
    ------
    ManifestError
        If it does not name them, or (from 2021 on) no domain.
    """
    needed = ("machine", "section") if year == 2020 else ("machine", "section", "domain")
    missing = [key for key in needed if key_of(entry, key) is None]
    if missing:
        raise ManifestError(
            f"{entry.source or entry.id}: no {' and no '.join(missing)}",
            needed=f"the keys {', '.join(needed)} for the score of {year}",
            remedy="scripts/recipe_dcase.py makes such a manifest of the unpacked folders",
        )
    domain = key_of(entry, "domain")
    if year != 2020 and domain not in DOMAINS:
        raise ManifestError(f"{entry.source or entry.id}: the domain {domain!r}", needed=" or ".join(DOMAINS))
    return str(key_of(entry, "machine")), str(key_of(entry, "section"))


def require_keys(entries: Iterable[Entry], by: Sequence[str]) -> None:
    """Refuse a key that no entry has, such as a misspelled one.

    Raises
    ------
    ChoiceError
        If there is one.
    """
    missing = set(by)
    known: set[str] = set()
    for entry in entries:
        missing = {key for key in missing if key_of(entry, key) is None}
        if not missing:
            return
        known.update(key for key in (*NAMED, *entry.extra) if key_of(entry, key) is not None)
    if missing:
        there = ", ".join(sorted(known - {"events", "id"})) or "none"
        raise ChoiceError(f"by {', '.join(sorted(missing))}", needed=f"a key of the manifest: {there}")


@dataclass
class SiteEntries:
    """The recordings of each site."""

    entries: dict[str, list[Entry]]  # by the site's name
    # machine and section of each site, where the score of DCASE is wanted
    sections: dict[str, tuple[str, str]]
    named: bool  # whether all entries have a key `site`


def group_by_site(
    entries: Iterable[Entry],
    name: str,
    by: Sequence[str],
    dcase: int | None,
    found: FoundEvents,
    aside: Aside,
) -> SiteEntries:
    """Group recordings by site; those without a section, and events of no recording, are set aside.

    Parameters
    ----------
    entries : iterable of Entry
        Read once.
    name : str
        Of the manifest, for messages.
    by : sequence of str
        Keys whose values make the sites.
    dcase : int or None
        Year of DCASE whose machines and sections make them instead.
    found : FoundEvents
        The events found.
    aside : Aside
        Takes recordings without a section, and events of no recording.

    Raises
    ------
    ChoiceError
        If no entry has one of the keys.
    """
    groups = SiteEntries(defaultdict(list), {}, True)
    ids: set[str] = set()
    for entry in entries:
        ids.add(entry.id)
        groups.named = groups.named and "site" in entry.extra
        site = site_of(entry, by)
        if dcase is not None:
            try:
                section = section_of(entry, dcase)
            except ManifestError as error:
                aside.put(entry.id, entry.path, error)
                continue
            site = " ".join(section)
            groups.sections[site] = section
        groups.entries[site].append(entry)
    require_keys((entry for those in groups.entries.values() for entry in those), by)
    for id in sorted(set(found.of) - ids):
        unknown = ManifestError(
            f"{amount(len(found.of[id]), 'event')} of {id}, which is not in {name}",
            needed="events of the recordings of this manifest",
        )
        aside.put(id, ", ".join(found.files), unknown)
    return groups
