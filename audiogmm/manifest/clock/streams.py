"""Which entries are pieces of one stream, and in which order."""

from __future__ import annotations

from audiogmm.manifest.entry import Entry

STREAM_KEY = "stream"
"""The key of a manifest that names the stream of an entry, unless another one is named."""


def key_of(entry: Entry, key: str) -> str | None:
    """Return what an entry says under any key of the manifest, as text; None where it says nothing."""
    value = entry.extra.get(key)
    if value is None and key in ("speaker", "label", "channel", "id"):
        value = getattr(entry, key)
    return None if value is None else str(value)


def stream_of(entry: Entry, key: str = STREAM_KEY) -> str:
    """Return the name of an entry's stream; empty where it names none: all of those are one.

    Examples
    --------
    >>> stream_of(Entry("a.wav", extra={"site": 3}), "site"), stream_of(Entry("a.wav"))
    ('3', '')
    """
    return key_of(entry, key) or ""
