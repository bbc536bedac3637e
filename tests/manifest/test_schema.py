"""The schema, its file, and the examples of every format."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest

from audiogmm.errors import ManifestError
from audiogmm.manifest import read_manifest
from audiogmm.manifest.folder import ManifestFolder
from audiogmm.manifest.record import entry_of
from audiogmm.manifest.schema import json_schema

EXAMPLES = Path(__file__).parents[2] / "data_manifests"


def test_the_schema_file_is_what_the_code_says() -> None:
    printed = subprocess.run(
        [sys.executable, "-m", "audiogmm.manifest.schema"], capture_output=True, text=True, check=True
    ).stdout
    kept = json.loads((EXAMPLES / "schema.json").read_text())  # pydantic's versions write 0 and 0.0
    assert kept == json.loads(printed), "the README there says how to write it again"
    assert kept == json_schema()


@pytest.fixture(scope="module")
def validator() -> jsonschema.Draft202012Validator:
    jsonschema.Draft202012Validator.check_schema(json_schema())
    return jsonschema.Draft202012Validator(json_schema())


@pytest.mark.parametrize("name", ["example.jsonl", "nemo.jsonl"])
def test_the_examples_are_valid(validator: jsonschema.Draft202012Validator, name: str) -> None:
    lines = (EXAMPLES / name).read_text().splitlines()
    assert lines
    assert [error.message for line in lines for error in validator.iter_errors(json.loads(line))] == []


@pytest.mark.parametrize(
    "line",
    [
        {"audio_filepath": "a"},
        {"audio_filepath": "a", "features_filepath": None},
        {"audio_filepath": "a", "channel": 1.0, "sample_rate": 8000.0, "speaker": 3},
        {"audio_filepath": "a", "duration": None, "events": [{"start": 1, "end": 1, "snr_db": 3}]},
        {},
        {"audio_filepath": None},
        {"audio_filepath": "a", "features_filepath": "b"},
        {"audio_filepath": "a", "duration": 0},
        {"audio_filepath": "a", "duration": "1"},
        {"audio_filepath": "a", "offset": -1},
        {"audio_filepath": "a", "channel": True},
        {"audio_filepath": "a", "channel": 0.5},
        {"audio_filepath": "a", "speaker": 1.5},
        {"audio_filepath": "a", "id": ""},
        {"audio_filepath": "a", "events": [{"start": 1}]},
        {"audio_filepath": "a", "events": [3]},
    ],
    ids=str,
)
def test_the_schema_takes_what_the_reader_takes(
    validator: jsonschema.Draft202012Validator, line: dict[str, object]
) -> None:
    try:
        entry_of(line, ManifestFolder("/data"), "m:1")
        read = True
    except ManifestError:
        read = False
    assert validator.is_valid(line) is read


@pytest.mark.parametrize(
    ("name", "ids"),
    [
        ("example.csv", ["wav--ann--001", "meeting-ben", "wav--pump"]),
        ("nemo.jsonl", ["wav--ann--001", "wav--meeting@63.5"]),
        ("kaldi", ["ann-001", "ben-063"]),
        ("lhotse", ["ann-001", "ben-063"]),
        ("lhotse_cuts.jsonl", ["ben-063"]),
    ],
)
def test_the_examples_of_every_format_are_read(name: str, ids: list[str]) -> None:
    assert [entry.id for entry in read_manifest(EXAMPLES / name)] == ids


def test_the_example_of_our_own_shows_every_key() -> None:
    entries = list(read_manifest(EXAMPLES / "example.jsonl"))
    assert entries[3].events
    assert entries[3].extra["shift"] == "night"
    assert entries[4].extra == {"events": []}
    assert entries[5].path == "s3://bucket/calls/17.ogg"
    assert entries[6].features_filepath == f"{EXAMPLES}/frames/embeddings.npy"
    assert entries[6].frame_rate == 50.0
