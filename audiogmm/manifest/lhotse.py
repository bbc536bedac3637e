"""Lhotse: a file of cuts, or recordings with supervisions beside them; plain or ``.gz``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from typing import Any

from audiogmm.errors import ManifestError
from audiogmm.items import json_items, yaml_items
from audiogmm.manifest.entry import Entry
from audiogmm.manifest.ids import SeenIds
from audiogmm.manifest.jsonl import ManifestLine, line_writer, objects, write_objects
from audiogmm.manifest.lhotse_cuts import Recordings, entries_of_record
from audiogmm.manifest.lhotse_records import custom_of, cut_of, recording_of, supervision_of
from audiogmm.manifest.lookup import Lookup
from audiogmm.manifest.text import head, open_text
from audiogmm.manifest.toolkits import PathBase
from audiogmm.reading import reading

_FURTHER = ("language", "gender")
"""Further keys of a supervision; no use is made of them."""

_CUT_FILE = (".jsonl", ".gz")

_AGAIN = "write it again, best as JSONL"
_END = object()


def read(path: str) -> Iterator[ManifestLine]:
    """Read recordings, recordings and supervisions, or cuts.

    Of recordings and supervisions, which lie beside each other under names that differ in that word, each
    supervision is an entry; of recordings alone, each recording; of cuts, each cut, or each of several
    supervisions of one. `toolkits.PathBase` says where relative paths are found. What `custom` holds, `text`
    and the like become further keys. See `lhotse_cuts` for mixed cuts, and `ManifestFormat.read`.

    Raises
    ------
    ManifestError
        If a file is missing or cannot be read.
    """
    file = _recordings_file(path)
    base = PathBase(Path(file).parent)
    supervisions, recordings = _beside(file, "supervisions"), _beside(file, "recordings")
    first = next((record for _, record in read_objects(file) if not isinstance(record, ManifestError)), {})
    lookup: Recordings | None = None
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
            for entry in entries_of_record(record, lookup, base, source):
                yield number, entry
        except ManifestError as error:
            yield number, error


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


def read_objects(file: str) -> Iterator[tuple[int, Mapping[str, Any] | ManifestError]]:
    """Yield the records of a file as Lhotse names them: JSON lines, one JSON array, or YAML.

    The records of an array and of YAML are read one after another, and counted, in place of lines.

    Raises
    ------
    ManifestError
        If the file cannot be read, or is no list.
    """
    name = file.removesuffix(".gz")
    if not name.endswith((".json", ".yaml", ".yml")) or head(file, 64).lstrip()[:1] == b"{":
        yield from objects(file)
        return
    is_json = name.endswith(".json")
    if not is_json and find_spec("yaml") is None:
        raise ManifestError(f"{file} is YAML", needed="PyYAML", remedy="pip install pyyaml, or write JSONL")
    needed, what = "a list of records", "is not JSON" if is_json else "is not YAML"
    with open_text(file) as text:
        records = json_items(text) if is_json else yaml_items(text)
        for number in count(1):
            with reading(file, ManifestError, needed=needed, remedy=_AGAIN, what=what):
                record = next(records, _END)
            if record is _END:
                return
            if isinstance(record, dict):
                yield number, record
            else:
                yield number, ManifestError(f"{file}: record {number} is {record!r:.60}", needed="an object")


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


def _lookup(file: str) -> Recordings:
    return Lookup(
        lambda: (
            (str(record.get("id")), record)
            for _, record in read_objects(file)
            if not isinstance(record, ManifestError)
        )
    )
