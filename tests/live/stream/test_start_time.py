"""Lines and events of a stream have the time of day, where it is known when an input began."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile

import audiogmm as ag
from audiogmm.errors import ChoiceError
from audiogmm.jobs.stream import stream_to
from audiogmm.live.stream.settings import StreamSettings
from audiogmm.live.stream.sources import StreamInputs
from audiogmm.live.stream.start_time import StartTime
from audiogmm.mixture.store import Model

NOON = 1714564800.0


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("stream")
    random = np.random.default_rng(0)
    hum = [(0.05 * random.standard_normal(80_000), 8000) for _ in range(4)]
    model: Model = ag.train(hum, "ambient", n_components=2)
    model.save(folder / "m.agmm")
    today = 0.05 * random.standard_normal(80_000)
    today[32_000:40_000] *= 5
    soundfile.write(folder / "20240501_120000.wav", today, 8000, subtype="FLOAT")
    shutil.copy(folder / "20240501_120000.wav", folder / "a.wav")
    return folder


def rows(folder: Path, name: str, **options: object) -> list[dict[str, object]]:
    texts: list[str] = []
    inputs = StreamInputs((str(folder / name),), **options)
    stream_to(folder / "m.agmm", inputs, texts.append, settings=StreamSettings(heartbeat=5.0, reasons=False))
    return [json.loads(line) for line in "".join(texts).splitlines()]


def test_a_recording_whose_name_has_a_time(folder: Path) -> None:
    found = rows(folder, "20240501_120000.wav")
    closed = next(row for row in found if row["type"] == "closed")
    assert closed["event"]["time"].startswith(("2024-05-01T12:00:03.9", "2024-05-01T12:00:04.0"))
    assert found[0]["wall"] == "2024-05-01T12:00:00.000Z"
    assert found[-1]["wall"] == "2024-05-01T12:00:10.000Z"
    assert all("wall" in row for row in found)


def test_a_zone_and_a_start_that_is_given(folder: Path) -> None:
    assert rows(folder, "20240501_120000.wav", time_zone="+02:00")[0]["wall"] == "2024-05-01T10:00:00.000Z"
    assert rows(folder, "a.wav", began="2024-05-01T12:00:00Z")[0]["wall"] == "2024-05-01T12:00:00.000Z"


def test_without_a_time_lines_are_as_ever(folder: Path) -> None:
    found = rows(folder, "a.wav")
    assert not any("wall" in row for row in found)
    assert "time" not in next(row for row in found if row["type"] == "closed")["event"]


def test_a_live_input_begins_when_it_is_opened() -> None:
    class Clock:
        def stamp(self) -> str:
            return "2024-05-01T12:00:00+00:00"

    start = StartTime.parse("now")
    assert start.at(0.0) is None
    start.opened(0.0, Clock())
    assert start.at(2.0) == NOON + 2
    start.opened(90.0, Clock())  # the device is back, and its clock ran slow
    assert start.at(90.0) == NOON


def test_a_start_without_a_zone_is_refused() -> None:
    with pytest.raises(ChoiceError, match=r"--began: .* names no time zone"):
        StartTime.parse("2024-05-01T12:00:00")
