"""What shows a data set of Hugging Face, and what it calls otherwise than we do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from audiogmm.types import Json

METADATA = ("metadata.csv", "metadata.jsonl", "metadata.parquet")
"""The table of a folder of recordings."""


def audio_column(path: str) -> str | None:
    """Return the column of a Parquet file that holds recordings: bytes and a path; None without one."""
    import pyarrow.parquet as pq

    schema = pq.read_schema(path)
    for field in schema:
        names = {field.type.field(k).name for k in range(field.type.num_fields)}
        if names >= {"bytes", "path"}:
            return str(field.name)
    return None


def named_as_ours(row: Mapping[str, Any]) -> Json:
    """Return a row with `audio_filepath` and `speaker` for what Hugging Face's data sets call otherwise."""
    record = {key: value for key, value in row.items() if value is not None}
    if "file_name" in record and "audio_filepath" not in record:
        record["audio_filepath"] = record.pop("file_name")
    if "speaker" not in record and isinstance(record.get("speaker_id"), str | int):
        record["speaker"] = record["speaker_id"]
    return record
