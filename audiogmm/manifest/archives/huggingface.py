"""Hugging Face: folders with a table `metadata`, and Parquet files with a column of recordings."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from audiogmm.errors import ManifestError
from audiogmm.manifest import table
from audiogmm.manifest.entry import Entry, safe_id
from audiogmm.manifest.folder import ManifestFolder
from audiogmm.manifest.hub import METADATA, audio_column, named_as_ours
from audiogmm.manifest.inside import cell_address
from audiogmm.manifest.jsonl import ManifestLine, objects
from audiogmm.manifest.record import entry_of, record_of
from audiogmm.types import Json

_BATCH = 1024  # rows


def read(path: str) -> Iterator[ManifestLine]:
    """Read a folder with `metadata.csv`, `.jsonl` or `.parquet`, in it or in its folders; or Parquet files.

    `file_name` is the path of a recording; an id that is not given begins with the folders below `path`, as
    splits have files of the same names. Of Parquet, only the columns beside the recordings are read, and
    of a row group at a time. `speaker_id` is the speaker where there is no `speaker`. See
    `ManifestFormat.read`.
    """
    folder = Path(path)
    if not folder.is_dir():
        files = [folder]
    else:
        files = sorted(file for name in METADATA for file in (*folder.glob(name), *folder.glob(f"*/{name}")))
        files = files or sorted((*folder.glob("*.parquet"), *folder.glob("*/*.parquet")))
    for file in files:
        below = "" if file == folder else file.relative_to(folder).parent.as_posix()
        lies_in = ManifestFolder.of(str(file))
        if file.suffix == ".csv":
            for number, entry in table.read(str(file)):
                yield number, _below(below, lies_in, _with_speaker(entry))
            continue
        rows = objects(str(file)) if file.suffix == ".jsonl" else _rows(str(file), below)
        for number, row in rows:
            if isinstance(row, ManifestError):
                yield number, row
                continue
            record = named_as_ours(row)
            try:
                yield number, _below(below, lies_in, entry_of(record, lies_in, f"{file}:{number}"))
            except ManifestError as error:
                yield number, error


def _with_speaker(entry: Entry | ManifestError) -> Entry | ManifestError:
    if isinstance(entry, ManifestError) or entry.speaker is not None or "speaker_id" not in entry.extra:
        return entry
    return replace(entry, speaker=str(entry.extra["speaker_id"]))


def _below(below: str, folder: ManifestFolder, entry: Entry | ManifestError) -> Entry | ManifestError:
    """An entry that was named after its path alone, with the folders of its table in its id."""
    if below in ("", ".") or isinstance(entry, ManifestError) or "id" in record_of(entry, folder):
        return entry
    return replace(entry, id=safe_id(f"{below}/{entry.id}"))


def _rows(path: str, below: str) -> Iterator[tuple[int, Json]]:
    """The rows of a Parquet file, the recordings as addresses of their cells, whose bytes are not read."""
    import pyarrow.parquet as pq

    audio = audio_column(path)
    full = str(Path(path).absolute())
    with pq.ParquetFile(path) as file:
        leaves = [file.schema.column(k).path for k in range(len(file.schema))]
        wanted = [leaf for leaf in leaves if leaf.split(".")[0] != audio]
        if audio is not None:
            wanted.append(f"{audio}.path")
        number = 0
        for batch in file.iter_batches(batch_size=_BATCH, columns=wanted):
            for row in batch.to_pylist():
                if audio is not None:
                    named = (row.pop(audio) or {}).get("path")
                    row["audio_filepath"] = cell_address(full, audio, number)
                    row |= {"id": safe_id(f"{below}/{Path(path).stem}-{number}"), "path": named}
                number += 1
                yield number, row
