"""What a stream and `detect` send on: the same events with the same ids, and their sound."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from audiogmm.jobs.detect import detect_to_file
from audiogmm.jobs.stream import stream_to
from audiogmm.live.deliver.ids import event_id
from audiogmm.live.deliver.settings import DeliverySettings
from audiogmm.live.stream.sources import StreamInputs
from tests.live.deliver.receivers import row
from tests.live.rooms import RATE, saved, with_whistles


@pytest.fixture
def day(tmp_path: Path) -> Path:
    soundfile.write(tmp_path / "day.wav", with_whistles(12.0, (3.0, 7.0)), RATE)
    return tmp_path / "day.wav"


def settings(folder: Path, **more: Any) -> DeliverySettings:
    command = f"sh -c {shlex.quote(f'cat >> {folder}/got.jsonl')}"
    return DeliverySettings(command=command, spool=folder / "spool", clips=folder / "clips", **more)


def got(folder: Path) -> list[dict[str, Any]]:
    path = folder / "got.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def test_stream_and_detect_send_the_same_events_with_their_sound_once(tmp_path: Path, day: Path) -> None:
    model, texts = saved(tmp_path), list[str]()
    how = settings(tmp_path, pre_roll=0.5)
    stream_to(str(model), StreamInputs((str(day),)), texts.append, delivery=how)
    lines = [json.loads(line) for line in "".join(texts).splitlines()]
    closed = [line for line in lines if line["type"] == "closed"]
    assert len(closed) >= 2 and got(tmp_path) == closed
    sound, _ = soundfile.read(day, dtype="float32")
    for line in closed:
        clip, rate = soundfile.read(line["clip"], dtype="float32")
        first = round((line["event"]["start"] - 0.5) * RATE)
        assert rate == RATE and np.abs(clip - sound[first : first + len(clip)]).max() < 1e-4
        assert len(clip) == round((line["event"]["end"] - line["event"]["start"] + 0.5) * RATE)
    opened = next(line for line in lines if line["type"] == "open")
    assert opened["event_id"] not in {line["event_id"] for line in closed}

    manifest, events = tmp_path / "m.jsonl", tmp_path / "events.jsonl"
    manifest.write_text(json.dumps({"audio_filepath": str(day), "id": closed[0]["event"]["id"]}) + "\n")
    detect_to_file(model, str(manifest), events, delivery=how)
    assert got(tmp_path) == closed  # the spool knows them
    rows = [json.loads(line) for line in events.read_text().splitlines()]
    assert [Path(found["clip"]).name for found in rows] == [Path(line["clip"]).name for line in closed]


def test_only_the_types_that_are_asked_for_are_sent(tmp_path: Path, day: Path) -> None:
    model = saved(tmp_path)
    how = settings(tmp_path, types="open,dropped")
    stream_to(str(model), StreamInputs((str(day),)), lambda _: None, delivery=how)
    assert {line["type"] for line in got(tmp_path)} <= {"open", "dropped"} and got(tmp_path)


def test_an_id_is_that_of_the_event() -> None:
    first = row(1)
    del first["event_id"]
    assert event_id(first) == event_id(first | {"wall": "now", "clip": "x"})
    assert event_id(first) == event_id(first | {"input": "another name of the same file"})
    assert event_id(first) != event_id(row(2)) and event_id(first) != event_id(first | {"type": "open"})
    live = first | {"event": first["event"] | {"audio_filepath": None}}
    assert event_id(live) != event_id(live | {"number": 2}) and event_id(live) == event_id(dict(live))
