"""What a line of a manifest may say: the model that explains a bad one, and the JSON Schema made from it."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import Annotated, Any

from annotated_types import Ge, Gt, MinLen
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StrictInt, ValidationError, model_validator

from audiogmm.errors import ManifestError
from audiogmm.manifest.entry import Entry, default_id, one_or_several, safe_id
from audiogmm.manifest.folder import ManifestFolder
from audiogmm.timeline import Segment
from audiogmm.types import Json
from audiogmm.wall_clock import NEEDED, parse_time


def _all_different(channels: list[int]) -> list[int]:
    if len(set(channels)) < len(channels):
        raise ValueError(f"{channels} names a channel twice; needed: each channel once")
    return channels


def _readable(time: float | str) -> float | str:
    parse_time(time)
    return time


_Text = Annotated[str, MinLen(1)]
_Name = Annotated[str, MinLen(1)] | StrictInt
_Start = Annotated[float, Ge(0)]
_Channel = Annotated[int, Ge(0)]
_Channels = Annotated[list[_Channel], MinLen(1), AfterValidator(_all_different)]
_Length = Annotated[float, Gt(0)]


class EventLine(BaseModel):
    """A stretch of the recording that is out of the ordinary."""

    model_config = ConfigDict(extra="allow", strict=True, allow_inf_nan=False, title="Event")

    start: _Start = Field(description="seconds into the recording, at least 0")
    end: _Start = Field(description="seconds into the recording, not before start")

    @model_validator(mode="after")
    def _ordered(self) -> EventLine:
        if self.end < self.start:
            raise ValueError(f"an event from {self.start} s to {self.end} s; needed: start <= end")
        return self


class EntryLine(BaseModel):
    """One recording, or a piece of one: exactly one of `audio_filepath` and `features_filepath`."""

    model_config = ConfigDict(
        extra="allow",
        strict=True,
        allow_inf_nan=False,
        title="audiogmm manifest: one object a line",
        json_schema_extra={
            "oneOf": [
                {
                    "required": [one],
                    "properties": {one: {"type": "string"}, other: {"type": "null"}},
                }
                for one, other in [
                    ("audio_filepath", "features_filepath"),
                    ("features_filepath", "audio_filepath"),
                ]
            ]
        },
    )

    audio_filepath: _Text | None = Field(
        None,
        description="a recording: a path relative to the manifest, an absolute one, a URL that fsspec opens, "
        'or "-" for a wav stream on standard input',
    )
    features_filepath: _Text | None = Field(
        None, description="a feature matrix in place of audio: .npy, CSV, Parquet or a Kaldi ark"
    )
    id: _Name | None = Field(
        None, description="a name, unique in the manifest; by default the path without its suffix"
    )
    offset: _Start | None = Field(None, description="seconds to skip, at least 0")
    duration: _Length | None = Field(
        None, description="seconds to read, above 0; left out, everything to the end"
    )
    channel: _Channel | _Channels | None = Field(
        None,
        description="a channel number from 0, or a list of them, whose mean is taken; left out, all are "
        "mixed down",
    )
    speaker: _Name | None = Field(None, description="who speaks, a text or a whole number")
    label: _Name | None = Field(None, description="what the recording is, a text or a whole number")
    frame_rate: _Length | None = Field(None, description="rows a second of a feature matrix, above 0")
    sample_rate: Annotated[int, Gt(0)] | None = Field(None, description="samples a second, above 0")
    events: list[EventLine] | None = Field(
        None, description="the truth for `evaluate detect`: objects with start and end, in seconds"
    )

    time: Annotated[float | str, AfterValidator(_readable)] | None = Field(
        None, description=f"when the entry begins: {NEEDED}"
    )

    @model_validator(mode="after")
    def _one_path(self) -> EntryLine:
        if (self.audio_filepath is None) is (self.features_filepath is None):
            raise ValueError(
                "both audio_filepath and features_filepath"
                if self.audio_filepath
                else "no audio_filepath, and no features_filepath in its place"
            )
        return self


def json_schema() -> Json:
    """Return the JSON Schema (draft 2020-12) of one line of a JSONL manifest.

    Examples
    --------
    >>> sorted(json_schema()["properties"])[:3]
    ['audio_filepath', 'channel', 'duration']
    """
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **EntryLine.model_json_schema(),
    }


def explained_entry(record: Mapping[str, Any], folder: ManifestFolder, source: str) -> Entry:
    """Read a line with every check, slowly: what cannot be used is named.

    Gives what `audiogmm.manifest.record.entry_of` gives for the lines that it takes, and takes more.

    Raises
    ------
    ManifestError
        With the place, the value, what was needed and what to try.
    """
    try:
        line = EntryLine.model_validate(_integral(record))
    except ValidationError as error:
        raise _explain(error, source) from None
    extra = {key: value for key, value in record.items() if key not in EntryLine.model_fields}
    written = line.audio_filepath or line.features_filepath or ""
    offset = line.offset or 0.0
    channel = one_or_several(line.channel)
    name = default_id(written, offset, channel) if line.id is None else safe_id(str(line.id))
    for key, given in (("id", line.id), ("speaker", line.speaker), ("label", line.label)):
        if isinstance(given, int) or (key == "id" and given not in (None, name)):
            extra[key] = given
    if line.events == [] or any(event.model_extra for event in line.events or ()):
        extra["events"] = record["events"]
    return Entry(
        audio_filepath=line.audio_filepath and folder.resolve(line.audio_filepath),
        features_filepath=line.features_filepath and folder.resolve(line.features_filepath),
        id=name,
        offset=offset,
        duration=line.duration,
        channel=channel,
        speaker=None if line.speaker is None else str(line.speaker),
        label=None if line.label is None else str(line.label),
        frame_rate=line.frame_rate,
        sample_rate=line.sample_rate,
        events=tuple(Segment(event.start, event.end) for event in line.events or ()),
        time=None if line.time is None else parse_time(line.time),
        extra=extra,
        source=source,
    )


def _integral(record: Mapping[str, Any]) -> Json:
    """The record with 16000.0 as 16000: JSON, and the tables that it is made from, know only numbers."""
    return {
        key: int(value)
        if key in ("channel", "sample_rate") and isinstance(value, float) and value.is_integer()
        else value
        for key, value in record.items()
    }


def _explain(error: ValidationError, source: str) -> ManifestError:
    """Say what is wrong first in a line."""
    first = error.errors(include_url=False)[0]
    path = [part for part in first["loc"] if isinstance(part, int) or part in _KEYS]
    if not path:
        return ManifestError(
            f"{source}: {first['msg'].removeprefix('Value error, ')}",
            needed="exactly one of audio_filepath and features_filepath",
            remedy='{"audio_filepath": "a.wav"}',
        )
    place = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).lstrip(".")
    if first["type"] == "missing":
        return ManifestError(f"{source}: {place} is missing", needed=_needed(path))
    if first["type"] == "value_error":
        what, _, needed = first["msg"].removeprefix("Value error, ").partition("; needed: ")
        return ManifestError(f"{source}: {place}: {what}", needed=needed)
    return ManifestError(
        f"{source}: {place} is {_shown(first['input'])}",
        needed=_needed(path),
        remedy="correct it" if len(path) > 1 else "correct it, or leave it out",
    )


_KEYS = {*EntryLine.model_fields, *EventLine.model_fields}


def _needed(path: list[str | int]) -> str:
    """What a key is to hold, in the words of the schema."""
    model: type[BaseModel] = EntryLine if len(path) < 3 else EventLine
    name = next(str(part) for part in reversed(path) if isinstance(part, str))
    return model.model_fields[name].description or ""


def _shown(value: object) -> str:
    """A value as it stands in a message, not too long."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def main() -> None:
    """Print the schema, as ``data_manifests/schema.json`` holds it."""
    sys.stdout.write(json.dumps(json_schema(), indent=2) + "\n")


if __name__ == "__main__":
    main()
