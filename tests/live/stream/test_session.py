"""Sessions: gaps, lost devices, stalls, failures and changes of the format."""

from __future__ import annotations

from pathlib import Path

import pytest

from audiogmm.errors import AudioDataError, MismatchError
from audiogmm.live.arrival import Back, Ended, Gap, Lost, Opened, Sound
from audiogmm.live.stream.settings import StreamSettings
from tests.live.rooms import RATE, room, with_whistles
from tests.live.stream.analysis import Played, analysis, faster, lines_of, played, played_all, rows


def test_a_gap_is_reported_and_new_stages_begin_after_it() -> None:
    before, behind = with_whistles(5.0, (2.0,)), with_whistles(5.0, (2.0,), seed=5)
    lines = played(
        Opened(0.0, RATE, 1, "RAW PCM_16"),
        Sound(before),
        Gap(5.0, 7.5, "it was not taken in time"),
        Sound(behind),
        Ended("enough"),
    )
    gap = next(line for line in lines if line["type"] == "gap")
    assert (gap["start"], gap["end"], gap["seconds"], gap["time"]) == (5.0, 7.5, 2.5, 7.5)
    closed = [line for line in lines if line["type"] == "closed"]
    first = [line.body for line in rows(lines_of(analysis(StreamSettings(heartbeat=0)), [before]), "closed")]
    second = [line.body for line in rows(lines_of(analysis(StreamSettings(heartbeat=0)), [behind]), "closed")]
    assert [line["event"]["start"] for line in closed] == [
        *(body["event"]["start"] for body in first),
        *(7.5 + body["event"]["start"] for body in second),
    ]
    numbers = [line["number"] for line in lines if line["type"] == "open"]
    assert numbers == list(range(len(numbers)))
    assert lines[-1] == {
        "type": "end",
        "input": "played",
        "time": 12.5,
        "reason": "enough",
        "frames": 996,
        "hours": 996 / 360000,
        "events": len(closed),
        "unheard": 2.5,
    }


def test_an_event_that_a_gap_cuts_off_is_closed_before_it() -> None:
    cut = with_whistles(5.0, (2.0,))[: round(2.5 * RATE)]
    lines = played(Opened(0.0, RATE, 1, ""), Sound(cut), Gap(2.5, 3.0, "late"), Sound(room(1.0)), Ended("."))
    kinds = [line["type"] for line in lines]
    assert kinds.index("open") < kinds.index("closed") < kinds.index("gap")


def test_a_lost_device_is_reported_with_the_time_that_is_missing() -> None:
    lines = played(
        Opened(0.0, RATE, 1, "USB"),
        Sound(room(2.0)),
        Lost(2.0, "the device stopped"),
        Back(12.0, 10.0),
        Opened(12.0, 48000, 2, "USB"),
        Sound(faster(room(2.0), 3)),
        Ended("enough"),
        drops=True,
    )
    lines = [line for line in lines if "event" not in line]
    assert [line["type"] for line in lines] == ["start", "lost", "back", "start", "end"]
    assert lines[2] == {
        "type": "back",
        "input": "played",
        "time": 12.0,
        "start": 2.0,
        "end": 12.0,
        "seconds": 10.0,
    }
    assert lines[3]["sample_rate"] == 48000
    assert (lines[4]["unheard"], lines[4]["time"]) == (10.0, 14.0)


def test_a_stall_is_reported_with_the_wall_time() -> None:
    lines = played(
        Opened(0.0, RATE, 1, ""),
        Sound(room(1.0)),
        lambda waiting: waiting.idle(7.25),
        Ended("enough"),
        how=StreamSettings(heartbeat=10.0),
    )
    beat = next(line for line in lines if line["type"] == "heartbeat")
    assert (beat["stalled"], beat["wall"], beat["time"]) == (7.25, "day one, 100 s", 1.0)
    assert beat["frames"] == 96  # two more wait for their deltas


def test_lines_before_a_failure_are_written(tmp_path: Path) -> None:
    error = AudioDataError("the sample at 4.0 s is NaN")
    with pytest.raises(AudioDataError, match="is NaN"):
        played(Opened(0.0, RATE, 1, ""), Sound(room(2.0)), error)
    good = Played(Opened(0.0, RATE, 1, ""), Sound(room(2.0)), Ended("enough"), name="good")
    bad = Played(Opened(0.0, RATE, 1, ""), Sound(with_whistles(3.0, (2.0,))), error, name="bad")
    lines = played_all([good, bad])
    ended = {line["input"]: line for line in lines if line["type"] == "end"}
    assert ended["good"]["reason"] == "enough" and "error" not in ended["good"]
    assert ended["bad"]["error"] == "the sample at 4.0 s is NaN"
    assert [line["input"] for line in lines if line["type"] == "closed"] == ["bad"]


def test_an_unexpected_error_is_raised() -> None:
    with pytest.raises(ZeroDivisionError):
        played(Opened(0.0, RATE, 1, ""), ZeroDivisionError())


def test_a_rate_that_is_too_low_is_refused_unless_upsampled() -> None:
    low = [Opened(0.0, 8000, 1, ""), Sound(room(2.0)[::2].copy()), Ended("enough")]
    with pytest.raises(MismatchError, match="played has a sample rate of 8000 Hz; needed: 16000 Hz"):
        played(*low)
    lines = played(*low, how=StreamSettings(heartbeat=0.5, upsample=True))
    beats = [line for line in lines if line["type"] == "heartbeat"]
    assert len(beats) == 3 and lines[-1]["frames"] == 198


def test_a_change_of_rate_begins_a_new_stretch() -> None:
    lines = played(
        Opened(0.0, RATE, 1, ""),
        Sound(room(2.0)),
        Opened(2.0, 32000, 1, ""),
        Sound(faster(with_whistles(4.0, (1.0,)), 2)),
        Ended("enough"),
    )
    starts = [(line["time"], line["sample_rate"]) for line in lines if line["type"] == "start"]
    assert starts == [(0.0, RATE), (2.0, 32000)]
    closed = [line["event"] for line in lines if line["type"] == "closed"]
    assert any(event["start"] < 3.2 and event["end"] > 3.6 for event in closed)
