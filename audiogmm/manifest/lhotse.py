"""Lhotse: a file of cuts, or recordings with supervisions beside them; plain or ``.gz``."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from audiogmm.errors import ManifestError
from audiogmm.manifest.entry import Entry
from audiogmm.manifest.folder import ManifestFolder
from audiogmm.manifest.ids import SeenIds
from audiogmm.manifest.jsonl import ManifestLine, line_writer, objects, write_objects
from audiogmm.manifest.lhotse_records import SUPERVISION_KEYS, custom_of, cut_of, recording_of, supervision_of
from audiogmm.manifest.lookup import Lookup
from audiogmm.manifest.record import entry_of
from audiogmm.manifest.text import head, open_text
from audiogmm.manifest.toolkits import PathBase, refuse_command
from audiogmm.types import Json

_FURTHER = ("language", "gender")
"""Further keys of a supervision; no use is made of them."""

_CUT_FILE = (".jsonl", ".gz")


def read(path: str) -> Iterator[ManifestLine]:
    """Read recordings, recordings and supervisions, or cuts.

    Of recordings and supervisions, which lie beside each other under names that differ in that word, each
    supervision is an entry; of recordings alone, each recording; of cuts, each cut, or each of several
    supervisions of one. Padding is left out, and resampling is left to the front end. `toolkits.PathBase`
    says where relative paths are found. What `custom` holds, `text` and the like become further keys. Other
    mixed cuts, recordings that are otherwise transformed or lie in several files, and commands in place of
    files are refused. See `ManifestFormat.read`.

    Raises
    ------
    ManifestError
        If a file is missing or cannot be read.
    """
    file = _recordings_file(path)
    base = PathBase(Path(file).parent)
    supervisions, recordings = _beside(file, "supervisions"), _beside(file, "recordings")
    first = next((record for _, record in read_objects(file) if not isinstance(record, ManifestError)), {})
    lookup: Lookup[Mapping[str, Any]] | None = None
    if "sources" in first and supervisions:
        file, lookup = supervisions, _lookup(file)
    elif "recording_id" in first and "recording" not in first:
        if recordings is None:
            raise ManifestError(
                f"{file} holds supervisions, and no recordings lie beside it",
                needed="a file of the same name, with 'recordings' in place of 'supervisions'",
                remedy="put it there",
            )
        lookup = _lookup(recordings)
    for number, record in read_objects(file):
        source = f"{file}:{number}"
        try:
            if isinstance(record, ManifestError):
                raise record
            for one in _by_supervision(_without_padding(record)):
                yield number, _entry(one, lookup, base, source)
        except ManifestError as error:
            yield number, error
        except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
            what = f"lacks {error}" if isinstance(error, KeyError) else f"is not as Lhotse writes it: {error}"
            yield number, ManifestError(f"{source} {what}", needed="a recording, a supervision or a cut")


def write(entries: Iterable[Entry], file: Path, final: Path) -> int:
    """Write cuts if the final name ends in ``.jsonl`` or ``.jsonl.gz``, else a folder of two files.

    Paths are absolute, since Lhotse looks from the working folder. See `ManifestFormat.write`.

    Raises
    ------
    ManifestError
        If an entry has features in place of audio, or its sample rate or length is not known: Lhotse needs
        them.
    """
    if final.suffix in _CUT_FILE:
        return write_objects(map(cut_of, entries), file, final)
    file.mkdir()
    seen = SeenIds()
    count = 0
    names = [file / f"{name}.jsonl.gz" for name in ("recordings", "supervisions")]
    with ExitStack() as stack:
        recordings, supervisions = (stack.enter_context(line_writer(name, packed=True)) for name in names)
        for count, entry in enumerate(entries, 1):
            recording = recording_of(entry)
            if not seen.add([recording["id"]], [count]):
                recordings(recording)
            custom = custom_of(entry)
            span = {key: custom.pop(key) for key in _FURTHER if isinstance(custom.get(key), str)}
            supervisions({**supervision_of(entry, recording, entry.offset), **span, "custom": custom})
    return count


def _without_padding(record: Mapping[str, Any]) -> Mapping[str, Any]:
    """The cut in a mixed cut of one cut and silence, as `CutSet.pad` makes; else the record."""
    tracks = record.get("tracks")
    if record.get("type") != "MixedCut" or not isinstance(tracks, list) or record.get("transforms"):
        return record
    sounding = [track for track in tracks if track["cut"].get("type", track.get("type")) != "PaddingCut"]
    if len(sounding) != 1 or sounding[0].get("snr") is not None:
        return record
    return {**sounding[0]["cut"], "id": record["id"]}


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
            yield {**record, **cut, **named, "supervisions": [{**span, "start": 0.0}]}


def _as_in_its_file(recording: Mapping[str, Any]) -> Mapping[str, Any]:
    """A recording without its resampling: the front end resamples by itself."""
    transforms = recording.get("transforms") or []
    if not transforms or any(transform["name"] != "Resample" for transform in transforms):
        return recording
    rate = transforms[0]["kwargs"]["source_sampling_rate"]
    n_samples = round(recording["num_samples"] * rate / recording["sampling_rate"])
    return {**recording, "sampling_rate": rate, "num_samples": n_samples, "transforms": None}


def read_objects(file: str) -> Iterator[tuple[int, Mapping[str, Any] | ManifestError]]:
    """Yield the records of a file as Lhotse names them: JSON lines, one JSON array, or YAML.

    An array and YAML are held in memory whole; their records are counted, in place of lines.

    Raises
    ------
    ManifestError
        If the file cannot be read, or is no list.
    """
    name = file.removesuffix(".gz")
    if not name.endswith((".json", ".yaml", ".yml")) or head(file, 64).lstrip()[:1] == b"{":
        yield from objects(file)
        return
    with open_text(file) as text:
        try:
            if name.endswith(".json"):
                records = json.load(text)
            else:
                import yaml

                records = yaml.safe_load(text)
        except ImportError:
            raise ManifestError(
                f"{file} is YAML", needed="PyYAML", remedy="pip install pyyaml, or write JSONL"
            ) from None
        except ValueError as error:
            raise ManifestError(f"{file} is not JSON: {error}", needed="a list of records") from error
    for number, record in enumerate(records if isinstance(records, list) else [records], 1):
        if isinstance(record, dict):
            yield number, record
        else:
            yield number, ManifestError(f"{file}: record {number} is {record!r:.60}", needed="an object")


def _entry(
    record: Mapping[str, Any], recordings: Lookup[Mapping[str, Any]] | None, base: PathBase, source: str
) -> Entry:
    """Read a recording, a supervision of one of `recordings`, or a cut."""
    kind = record.get("type")
    if kind in ("MixedCut", "PaddingCut"):
        raise ManifestError(
            f"{source} is a {kind}: {record.get('id')!r}",
            needed="cuts of one recording each",
            remedy="CutSet.save_audios() writes mixed cuts as recordings",
        )
    if "sources" in record:
        said = {"duration": record["duration"]}
        return _of(record, record, said, base, source)
    if "recording" in record:
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
    location, inside, channels = _source(recording, wanted, source)
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


def _source(recording: Mapping[str, Any], wanted: Sequence[int], source: str) -> tuple[str, list[int], int]:
    """The file that holds some channels, their numbers in it (none if all), and how many it has."""
    if recording.get("transforms"):
        raise ManifestError(
            f"{source}: the recording {recording['id']!r} has transforms: {recording['transforms']!s:.80}",
            needed="recordings as they are in their files",
            remedy="Recording.move_to_memory or CutSet.save_audios() apply the transforms",
        )
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


def _recordings_file(path: str) -> str:
    if not Path(path).is_dir():
        return path
    for end in ("", ".gz"):
        file = Path(path, f"recordings.jsonl{end}")
        if file.exists():
            return str(file)
    raise ManifestError(f"{path} holds no recordings.jsonl(.gz)", needed="a folder as Lhotse writes it")


def _beside(file: str, word: str) -> str | None:
    """Return the file whose name differs in that word alone, if it is there."""
    other = "recordings" if word == "supervisions" else "supervisions"
    path = Path(file)
    for end in ("", ".gz"):
        found = path.with_name(path.name.removesuffix(".gz").replace(other, word) + end)
        if other in path.name and found.exists():
            return str(found)
    return None


def _lookup(file: str) -> Lookup[Mapping[str, Any]]:
    return Lookup(
        lambda: (
            (str(record.get("id")), record)
            for _, record in read_objects(file)
            if not isinstance(record, ManifestError)
        )
    )
