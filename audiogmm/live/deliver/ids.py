"""The id of a row that is delivered: the same whenever the same event is found."""

from __future__ import annotations

import hashlib

from audiogmm.live.outlet import text_of
from audiogmm.run_id import run_id
from audiogmm.types import Json

LEFT_OUT = ("reasons", "explanation", "clip", "kind", "verdict", "change")
"""Keys of an event that say more of it, and do not make it another one."""


def event_id(row: Json) -> str:
    """Return 16 hexadecimal digits that depend on the input, the type of the line, and the event.

    An event of a recording, or of a known time of day, has the same id in every run that finds it, to the
    last bit of its scores. One of a stream without either is that of this run.

    Examples
    --------
    >>> row = {"type": "closed", "input": "a.wav", "event": {"audio_filepath": "a.wav", "start": 1.0}}
    >>> event_id(row) == event_id(row | {"wall": "noon"}), event_id(row) == event_id(row | {"type": "open"})
    (True, False)
    """
    event = {name: value for name, value in row["event"].items() if name not in LEFT_OUT}
    is_known = event.get("audio_filepath") is not None or isinstance(event.get("time"), str)
    about = {
        "type": row["type"],
        "input": None if is_known else row.get("input"),
        "event": dict(sorted(event.items())),
        "run": None if is_known else [run_id(), row.get("number")],
    }
    return hashlib.blake2b(text_of(about).encode("utf-8", "backslashreplace"), digest_size=8).hexdigest()


def kind_name(row: Json) -> str | None:
    """Return the name of the kind of an event, or "group 3"; None where it is of none.

    Examples
    --------
    >>> kind_name({"event": {"kind": {"group": 3, "name": None}}}), kind_name({"event": {}})
    ('group 3', None)
    """
    kind = row.get("event", {}).get("kind")
    if not isinstance(kind, dict) or kind.get("group") is None:
        return None
    return str(kind.get("name") or f"group {kind['group']}")
