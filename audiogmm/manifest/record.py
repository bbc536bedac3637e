"""From the object on a manifest line to an `Entry`, quickly, and back."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import Any, cast

from audiogmm.errors import ManifestError
from audiogmm.manifest.entry import Entry, EntryDraft, default_id, safe_id
from audiogmm.manifest.folder import ManifestFolder
from audiogmm.manifest.in_memory import MemoryEntry
from audiogmm.timeline import Segment
from audiogmm.types import Json
from audiogmm.wall_clock import exact_time, parse_time

_LARGEST = sys.float_info.max


def _text(value: Any) -> bool:
    return type(value) is str and value != ""


def _start(value: Any) -> bool:
    return (type(value) is float or type(value) is int) and 0 <= value <= _LARGEST


def _length(value: Any) -> bool:
    return (type(value) is float or type(value) is int) and 0 < value <= _LARGEST


def _time(value: Any) -> bool:
    try:
        parse_time(value)
    except ValueError:
        return False
    return True


def _channel(value: Any) -> bool:
    return type(value) is int and value >= 0


def _rate(value: Any) -> bool:
    return type(value) is int and value > 0


def _events(value: Any) -> bool:
    """Whether these are events that say no more than a `Segment` does."""
    return type(value) is list and all(
        type(event) is dict
        and event.keys() == {"start", "end"}
        and _start(event["start"])
        and _start(event["end"])
        and event["start"] <= event["end"]
        for event in value
    )


_PLAIN: dict[str, Callable[[Any], bool]] = {
    "audio_filepath": _text,
    "features_filepath": _text,
    "id": _text,
    "offset": _start,
    "duration": _length,
    "channel": _channel,  # a list of several has the second look
    "speaker": _text,
    "label": _text,
    "frame_rate": _length,
    "sample_rate": _rate,
    "events": _events,
    "time": _time,
}
"""The keys of ours, in the order in which they are written, and the plain form that needs no second look."""

KEYS = tuple(_PLAIN)


def entry_of(record: Mapping[str, Any], folder: ManifestFolder, source: str) -> Entry:
    """Read one object of a manifest.

    Plain values are checked here, by hand: several times as fast as the model in
    `audiogmm.manifest.schema`, to which everything else goes, to be read or to be explained.

    Parameters
    ----------
    record : mapping
        The keys of one line.
    folder : ManifestFolder
        Where the manifest lies.
    source : str
        ``train.jsonl:17``.

    Raises
    ------
    ManifestError
        With the place, the value, what was needed and what to try.

    Examples
    --------
    >>> entry = entry_of({"audio_filepath": "a.wav", "sex": "F"}, ManifestFolder("/data"), "train.jsonl:1")
    >>> entry.audio_filepath, entry.id, entry.extra
    ('/data/a.wav', 'a', {'sex': 'F'})
    """
    ours: Json = {}
    extra: Json = {}
    for key, value in record.items():
        plain = _PLAIN.get(key)
        if plain is None:
            extra[key] = value
        elif value is not None:
            if not plain(value):
                return _second_look(record, folder, source)
            ours[key] = value
    get = ours.get
    audio, features = get("audio_filepath"), get("features_filepath")
    if (audio is None) is (features is None):
        return _second_look(record, folder, source)
    offset, channel = get("offset", 0.0), get("channel")
    name = get("id")
    if name is None:
        name = default_id(audio or features or "", offset, channel)
    else:
        given, name = name, safe_id(name)
        if name != given:
            extra["id"] = given
    time = get("time")
    duration, frame_rate, events = get("duration"), get("frame_rate"), get("events")
    if events == []:  # "nothing happens here" is not "nobody looked"
        extra["events"] = events
    draft = EntryDraft(
        audio and folder.resolve(audio),
        features and folder.resolve(features),
        name,
        float(offset),
        duration and float(duration),
        channel,
        get("speaker"),
        get("label"),
        frame_rate and float(frame_rate),
        get("sample_rate"),
        tuple(Segment(float(event["start"]), float(event["end"])) for event in events) if events else (),
        None if time is None else parse_time(time),
        extra,
        source,
    )
    draft.__class__ = Entry
    return cast(Entry, draft)


def _second_look(record: Mapping[str, Any], folder: ManifestFolder, source: str) -> Entry:
    """Read or explain an unusual line; pydantic is imported only now."""
    from audiogmm.manifest.schema import explained_entry

    return explained_entry(record, folder, source)


def record_of(entry: Entry, folder: ManifestFolder) -> Json:
    """Return what to write for an entry, so that reading it gives the same entry; empty keys are left out.

    Parameters
    ----------
    entry : Entry
        An entry.
    folder : ManifestFolder
        Where the manifest is to lie; paths are written relative to it where they are near.

    Raises
    ------
    ManifestError
        If it is in memory.

    Examples
    --------
    >>> record_of(Entry(audio_filepath="/data/x/a.wav", id="x--a", speaker="ann"), ManifestFolder("/data"))
    {'audio_filepath': 'x/a.wav', 'speaker': 'ann'}
    """
    if isinstance(entry, MemoryEntry):
        raise ManifestError(
            f"{entry.id} is in memory, and a manifest holds paths",
            needed="a recording or a table in a file",
            remedy="soundfile.write, or to_parquet",
        )
    record: Json = {}
    if entry.audio_filepath:
        written = record["audio_filepath"] = folder.relative(entry.audio_filepath)
    else:
        written = record["features_filepath"] = folder.relative(entry.features_filepath or "")
    if "id" in entry.extra or entry.id != default_id(written, entry.offset, entry.channel):
        record["id"] = _as_given(entry, "id", entry.id)
    if entry.offset:
        record["offset"] = entry.offset
    for key in ("duration", "channel", "speaker", "label", "frame_rate", "sample_rate"):
        value = getattr(entry, key)
        if value is not None:
            record[key] = list(value) if type(value) is tuple else _as_given(entry, key, value)
    if entry.events or "events" in entry.extra:
        record["events"] = _as_given(entry, "events", entry.events)
    if entry.time is not None:
        record["time"] = exact_time(entry.time)
    for key, value in entry.extra.items():
        if key not in _PLAIN:
            record[key] = value
    return record


def dict_of(entry: Entry) -> Json:
    """Return what an entry says, by the keys of a manifest, with its path as it is; empty keys are left out.

    Examples
    --------
    >>> dict_of(Entry("x/a.wav", speaker="ann", extra={"sex": "F"}))
    {'audio_filepath': 'x/a.wav', 'id': 'a', 'speaker': 'ann', 'sex': 'F'}
    """
    record = record_of(entry, ManifestFolder("/"))
    path = "audio_filepath" if entry.audio_filepath else "features_filepath"
    return {path: entry.path, "id": entry.id} | {key: record[key] for key in record if key != path}


def _as_given(entry: Entry, key: str, value: Any) -> Any:
    """The original that `Entry.extra` keeps for a key of ours, if it still says what the field says."""
    given = entry.extra.get(key)
    if key == "events":
        if given is not None and value == tuple(Segment(event["start"], event["end"]) for event in given):
            return given
        return [{"start": event.start, "end": event.end} for event in value]
    if given is None:
        return value
    return given if value == (safe_id(str(given)) if key == "id" else str(given)) else value
