"""From a record of Lhotse (a recording, a supervision, a cut) to entries."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from audiogmm.errors import ManifestError
from audiogmm.manifest.entry import Entry
from audiogmm.manifest.folder import ManifestFolder
from audiogmm.manifest.inside import lhotse_address
from audiogmm.manifest.lhotse_records import SUPERVISION_KEYS
from audiogmm.manifest.lookup import Lookup
from audiogmm.manifest.record import entry_of
from audiogmm.manifest.toolkits import PathBase, refuse_command
from audiogmm.types import Json, Seconds
from audiogmm.wall_clock import exact_time, parse_time

Recordings = Lookup[Mapping[str, Any]]
"""Recordings by their ids."""


def entries_of_record(
    record: Mapping[str, Any], recordings: Recordings | None, base: PathBase, source: str
) -> Iterator[Entry]:
    """Yield the entries of a record: one, or one for each of several supervisions of a cut.

    Parameters
    ----------
    record : mapping
        A recording, a supervision, or a cut, as Lhotse writes it.
    recordings : Lookup or None
        Those that supervisions are of.
    base : PathBase
        Where relative paths count from.
    source : str
        ``cuts.jsonl:17``, for messages.

    Raises
    ------
    ManifestError
        If it is none of these, or its recording cannot be read.
    """
    try:
        record = _without_padding(record)
        if record.get("type") == "MixedCut":
            record = _as_one_recording(record, base, source)
        for one in _by_supervision(record):
            yield _entry(one, recordings, base, source)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        if isinstance(error, ManifestError):
            raise
        what = f"lacks {error}" if isinstance(error, KeyError) else f"is not as Lhotse writes it: {error}"
        raise ManifestError(f"{source} {what}", needed="a recording, a supervision or a cut") from error


def _without_padding(record: Mapping[str, Any]) -> Mapping[str, Any]:
    """The cut in a mixed cut of one cut and silence, as `CutSet.pad` makes; else the record."""
    tracks = record.get("tracks")
    if record.get("type") != "MixedCut" or not isinstance(tracks, list) or record.get("transforms"):
        return record
    sounding = [track for track in tracks if track["cut"].get("type", track.get("type")) != "PaddingCut"]
    if len(sounding) != 1 or sounding[0].get("snr") is not None:
        return record
    return {**sounding[0]["cut"], "id": record["id"]}


def _as_one_recording(cut: Mapping[str, Any], base: PathBase, source: str) -> Json:
    """A cut of the sound that a mixed or appended cut makes: its supervisions are those of its tracks.

    Supervisions past the end of the cut, and those of padding, are left out.
    """
    sounding = [track for track in cut["tracks"] if "recording" in track["cut"]]
    if not sounding:
        raise ManifestError(f"{source} has no recording: {cut['id']!r}", needed="a cut with a recording")
    rate = sounding[0]["cut"]["recording"]["sampling_rate"]
    end = max(track.get("offset", 0.0) + track["cut"]["duration"] for track in cut["tracks"])
    spans = [
        {**span, "start": round(span["start"] + track.get("offset", 0.0), 9)}
        for track in sounding
        for span in track["cut"].get("supervisions") or []
    ]
    recording = {
        "id": cut["id"],
        "sources": [{"type": "file", "channels": [0], "source": _by_lhotse(cut, base, source)}],
        "sampling_rate": rate,
        "num_samples": round(end * rate),
    }
    return {
        "id": cut["id"],
        "start": 0.0,
        "duration": round(end, 9),
        "channel": 0,
        "supervisions": spans,
        "recording": recording,
    }


def _as_made(cut: Mapping[str, Any], base: PathBase, source: str) -> Json:
    """A cut of the whole of what Lhotse makes of a cut of a recording that is transformed."""
    channel, recording = cut.get("channel"), cut["recording"]
    n_channels = len(channel) if isinstance(channel, list) else 1
    made = {
        "id": recording["id"],
        "sources": [
            {
                "type": "file",
                "channels": list(range(n_channels)),
                "source": _by_lhotse({**cut, "supervisions": []}, base, source),
            }
        ],
        "sampling_rate": recording["sampling_rate"],
        "num_samples": round(cut["duration"] * recording["sampling_rate"]),
    }
    return {**cut, "start": 0.0, "channel": None, "recording": made}


def _by_lhotse(record: Mapping[str, Any], base: PathBase, source: str) -> str:
    """The address of the sound that Lhotse makes of a cut or of a recording."""

    def absolute(value: Any) -> Any:
        if isinstance(value, Mapping):
            if value.get("type") == "command":
                refuse_command(str(value.get("source")), source)
            changed = {key: absolute(item) for key, item in value.items()}
            if value.get("type") == "file" and isinstance(value.get("source"), str):
                changed["source"] = base.resolve(value["source"])
            return changed
        return [absolute(item) for item in value] if isinstance(value, list) else value

    return lhotse_address(str(record["id"]), absolute(record))


def _by_supervision(record: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """A cut for each of several supervisions of a cut, clipped to it; any other record as it is."""
    spans = record.get("supervisions") or []
    if "recording" not in record or len(spans) < 2:
        yield record
        return
    for span in spans:
        start = max(0.0, span["start"])
        duration = min(span["start"] + span["duration"], record["duration"]) - start
        if duration > 0:
            cut = {"start": round(record["start"] + start, 9), "duration": round(duration, 9)}
            named = {
                "id": f"{record['id']}-{span['id']}",
                "channel": span.get("channel", record.get("channel")),
            }
            custom = _later(record.get("custom") or {}, start)
            yield {**record, **cut, **named, "supervisions": [{**span, "start": 0.0}], "custom": custom}


def _later(custom: Mapping[str, Any], seconds: Seconds) -> Mapping[str, Any]:
    """The custom keys of a piece that begins so many seconds into its cut, with its own `time`."""
    try:
        return {**custom, "time": exact_time(parse_time(custom["time"]) + seconds)}
    except (KeyError, ValueError):  # what is no time is named where the entry is read
        return custom


def _as_in_its_file(recording: Mapping[str, Any]) -> Mapping[str, Any]:
    """A recording without its resampling: the front end resamples by itself."""
    transforms = recording.get("transforms") or []
    if not transforms or any(transform["name"] != "Resample" for transform in transforms):
        return recording
    rate = transforms[0]["kwargs"]["source_sampling_rate"]
    n_samples = round(recording["num_samples"] * rate / recording["sampling_rate"])
    return {**recording, "sampling_rate": rate, "num_samples": n_samples, "transforms": None}


def _entry(
    record: Mapping[str, Any], recordings: Lookup[Mapping[str, Any]] | None, base: PathBase, source: str
) -> Entry:
    """Read a recording, a supervision of one of `recordings`, or a cut."""
    if record.get("type") == "PaddingCut":
        raise ManifestError(f"{source} is a PaddingCut: {record.get('id')!r}", needed="a recording in it")
    if "sources" in record:
        said = {"duration": record["duration"]}
        return _of(record, record, said, base, source)
    if "recording" in record:
        if _as_in_its_file(record["recording"]).get("transforms"):
            record = _as_made(record, base, source)
        spans = record.get("supervisions") or []
        said = {"offset": record["start"], "duration": record["duration"], "channel": record.get("channel")}
        speakers = {span.get("speaker") for span in spans}
        if len(speakers) == 1:
            said["speaker"] = speakers.pop()
        if len(spans) == 1 and spans[0].get("text") is not None:
            said["text"] = spans[0]["text"]
        if len(spans) > 1 or any(span.keys() - SUPERVISION_KEYS for span in spans):
            said["supervisions"] = spans
        return _of(record, record["recording"], said, base, source)
    if recordings is None:
        raise ManifestError(f"{source} has no recording", needed="a cut with its recording")
    recording = recordings.get(str(record["recording_id"]))
    if recording is None:
        raise ManifestError(
            f"{source}: the recording {record['recording_id']!r} is not among the recordings",
            needed="a recording for every supervision",
            remedy="lhotse.fix_manifests",
        )
    said = {
        key: value for key, value in record.items() if key not in ("id", "start", "recording_id", "custom")
    }
    return _of(record, recording, {"offset": record["start"], **said}, base, source)


def _of(
    named: Mapping[str, Any], recording: Mapping[str, Any], said: Json, base: PathBase, source: str
) -> Entry:
    """An entry with the name and the custom keys of `named`, of a recording, and what is said of it."""
    recording = _as_in_its_file(recording)
    channel = said.pop("channel", None)
    wanted = channel if isinstance(channel, list) else [] if channel is None else [channel]
    location, inside, channels = _source(recording, wanted, base, source)
    record: Json = {
        "audio_filepath": base.resolve(location),
        "id": str(named["id"]),
        "sample_rate": recording["sampling_rate"],
        "channel": inside[0] if len(inside) == 1 else inside or None,
        **said,
        "num_samples": recording["num_samples"],
        "channels": channels,
    }
    if named["id"] != recording["id"]:
        record["recording_id"] = recording["id"]
    for key, value in (named.get("custom") or {}).items():
        record.setdefault(key, value)
    return entry_of(record, ManifestFolder("/"), source)


def _source(
    recording: Mapping[str, Any], wanted: Sequence[int], base: PathBase, source: str
) -> tuple[str, list[int], int]:
    """The file that holds some channels, their numbers in it (none if all), and how many it has."""
    if recording.get("transforms"):
        numbers = recording.get("channel_ids") or [
            channel for file in recording["sources"] for channel in file["channels"]
        ]
        inside = [numbers.index(channel) for channel in wanted] if set(wanted) != set(numbers) else []
        return _by_lhotse(recording, base, source), inside, len(numbers)
    files = recording["sources"]
    if len(files) > 1 and wanted:
        files = [file for file in files if set(wanted) <= set(file["channels"])]
    if len(files) != 1:
        raise ManifestError(
            f"{source}: the recording {recording['id']!r} lies in {len(recording['sources'])} files",
            needed="one file, or a channel that is in one of them",
            remedy="a cut or a supervision for each channel",
        )
    file = files[0]
    if file["type"] == "command":
        refuse_command(str(file["source"]), source)
    if file["type"] not in ("file", "url"):
        raise ManifestError(f"{source}: a source of type {file['type']!r}", needed="a file or a URL")
    numbers = file["channels"]
    inside = [numbers.index(channel) for channel in wanted] if set(wanted) != set(numbers) else []
    return file["source"], inside, len(numbers)
