"""Frames of a stream on the clocks of its entries, and of the world."""

from __future__ import annotations

import numpy as np
import pytest

from audiogmm.anomaly import piece_table
from audiogmm.anomaly.detector import Detector
from audiogmm.anomaly.normal import NormalScores
from audiogmm.anomaly.stream import EventStream
from audiogmm.blocks import StreamPiece
from audiogmm.scoring.track import ScoreTrack
from audiogmm.timeline import FrameClock

CLOCK = FrameClock(8000, 80, 200)


@pytest.fixture(scope="module")
def detector() -> Detector:
    normal = np.random.default_rng(0).normal(-40, 1, 60_000)
    return Detector(NormalScores.of([ScoreTrack("calm", normal, np.ones(60_000, bool), CLOCK)]))


def notices(detector: Detector, scores: np.ndarray, per_piece: int = 8) -> list[object]:
    """Events of a stream of pieces of so many frames, each 10 s after the last one."""
    stream = EventStream(detector, CLOCK, "p0", "p0.wav")
    found = []
    for first in range(0, len(scores), per_piece):
        n = first // per_piece
        stream.place(StreamPiece(f"p{n}", f"p{n}.wav", first, 100.0 * n, 10.0 * n))
        part = scores[first : first + per_piece]
        found += stream.push(part, np.ones(len(part), bool))
    return [notice.event for notice in [*found, *stream.flush()] if notice.kind == "closed"]


def test_an_event_over_pieces_has_the_clock_of_the_first(detector: Detector) -> None:
    scores = np.random.default_rng(1).normal(-40, 1, 4000)
    scores[1600:1760] = -80.0  # pieces 200 to 219
    (event,) = notices(detector, scores)
    assert (event.id, event.audio_filepath) == ("p200", "p200.wav")
    assert event.time == pytest.approx(2000.0, abs=0.1)
    assert event.end_time == pytest.approx(2190.0, abs=0.11)
    assert event.start == pytest.approx(20000.0, abs=0.1)
    assert event.end - event.start == pytest.approx(event.end_time - event.time)
    assert event.start <= event.peak_time <= event.end


def test_forgotten_pieces_change_nothing(detector: Detector, monkeypatch: pytest.MonkeyPatch) -> None:
    scores = np.random.default_rng(2).normal(-40, 1, 40_000)
    for first in (400, 9_000, 30_000):
        scores[first : first + 100] = -80.0
    scores[12_000:28_000] = -70.0  # longer than what is kept
    whole = notices(detector, scores)
    kept = []
    original = piece_table.PieceTable.keep

    def keep(table: piece_table.PieceTable, ranges: list[tuple[int, int]]) -> None:
        original(table, ranges)
        kept.append(len(table._pieces))

    monkeypatch.setattr(piece_table.PieceTable, "keep", keep)
    monkeypatch.setattr(piece_table, "MOST", 4)
    assert notices(detector, scores) == whole
    assert sum(event.severity > 10 for event in whole) == 4
    assert max(kept) < 12_000 // 8 + 60  # two minutes of frames, and the edges of an event


def test_a_recording_alone_is_as_its_clock_has_it(detector: Detector) -> None:
    scores = np.random.default_rng(3).normal(-40, 1, 1000)
    scores[500:550] = -80.0
    plain, timed = EventStream(detector, CLOCK, "a"), EventStream(detector, CLOCK, "a", time=1714564800.0)
    events = []
    for stream in (plain, timed):
        found = [*stream.push(scores, np.ones(1000, bool)), *stream.flush()]
        events.append(next(notice.event for notice in found if notice.kind == "closed"))
    assert (events[0].start, events[0].end) == (events[1].start, events[1].end)
    assert events[0].time is None
    assert events[1].time == 1714564800.0 + events[1].start
    assert events[1].to_dict()["time"] == "2024-05-01T12:00:05.000Z"
