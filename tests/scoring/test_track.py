"""Tracks: written in pieces, read back whole; half a track is never seen."""

from __future__ import annotations

import errno
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audiogmm.blocks import FrameBlock
from audiogmm.errors import ChoiceError, FeatureError, OutputError
from audiogmm.scoring import track_file as track_module
from audiogmm.scoring.track import ScoreTrack
from audiogmm.scoring.track_file import TrackWriter, read_track
from audiogmm.timeline import FrameClock
from tests.scoring.tracks import write_track

CLOCK = FrameClock(8000, 80, 200, offset=1.25)


def a_track(n: int = 1000, clock: FrameClock = CLOCK) -> ScoreTrack:
    rng = np.random.default_rng(0)
    return ScoreTrack("room_1", rng.normal(-60, 5, n), rng.random(n) < 0.7, clock)


def block(track: ScoreTrack, first: int, last: int) -> FrameBlock:
    frames = np.zeros((last - first, 1), np.float32)
    return FrameBlock(frames, track.voiced[first:last], first, track.clock)


def write_in_pieces(track: ScoreTrack, path: Path, cuts: list[int]) -> TrackWriter:
    bounds = [0, *sorted(cuts), len(track)]
    with TrackWriter(path, track.id) as writer:
        for first, last in pairwise(bounds):
            writer.write(block(track, first, last), track.scores[first:last])
    return writer


@pytest.mark.parametrize("suffix", [".npz", ".csv"])
def test_what_is_written_is_read_back_bit_for_bit(tmp_path: Path, suffix: str) -> None:
    track = a_track()
    write_track(track, tmp_path / f"room_1{suffix}")
    back = read_track(tmp_path / f"room_1{suffix}")
    assert back.id == "room_1"
    np.testing.assert_array_equal(back.scores, track.scores)
    np.testing.assert_array_equal(back.voiced, track.voiced)
    np.testing.assert_allclose(back.times, track.times, atol=1e-9)


def test_an_npz_track_holds_what_it_promises_and_nothing_pickled(tmp_path: Path) -> None:
    track = a_track()
    write_track(track, tmp_path / "a.npz")
    with np.load(tmp_path / "a.npz", allow_pickle=False) as archive:
        assert archive["scores"].dtype == np.float64
        assert archive["voiced"].dtype == np.bool_
        np.testing.assert_array_equal(archive["times"], track.times)
    assert read_track(tmp_path / "a.npz").clock == track.clock


@pytest.mark.parametrize("suffix", [".npz", ".csv"])
@settings(max_examples=20, deadline=None)
@given(cuts=st.lists(st.integers(0, 300), max_size=8))
def test_any_cut_gives_the_same_bytes(
    tmp_path_factory: pytest.TempPathFactory, suffix: str, cuts: list[int]
) -> None:
    folder, track = tmp_path_factory.mktemp("cuts"), a_track(300)
    whole = write_track(track, folder / f"whole{suffix}")
    pieces = write_in_pieces(track, folder / f"pieces{suffix}", cuts)
    assert (folder / f"whole{suffix}").read_bytes() == (folder / f"pieces{suffix}").read_bytes()
    assert pieces.summary == whole


def test_windows_of_a_long_track_are_assembled_in_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(track_module, "WINDOW", 64)
    track = a_track(1000)
    write_in_pieces(track, tmp_path / "a.npz", [10, 500])
    with np.load(tmp_path / "a.npz") as archive:
        np.testing.assert_array_equal(archive["scores"], track.scores)
        np.testing.assert_array_equal(archive["times"], track.times)


def test_an_empty_track_is_a_track(tmp_path: Path) -> None:
    with TrackWriter(tmp_path / "a.npz", "a") as writer:
        pass
    assert len(read_track(tmp_path / "a.npz")) == 0
    assert writer.summary.frames == 0
    assert writer.summary.mean is None


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_score_that_is_not_finite_is_named(tmp_path: Path, bad: float) -> None:
    track = a_track(20)
    scores = track.scores.copy()
    scores[7] = bad
    with (
        pytest.raises(FeatureError, match=r"room_1: the score of frame 7 at 1\.333 s is (nan|-?inf)"),
        TrackWriter(tmp_path / "a.npz", track.id) as writer,
    ):
        writer.write(block(track, 0, 20), scores)
    assert list(tmp_path.iterdir()) == []


def test_a_gap_is_refused(tmp_path: Path) -> None:
    track = a_track(20)
    with (
        pytest.raises(FeatureError, match=r"from frame 12 on; needed: .* from frame 10 on"),
        TrackWriter(tmp_path / "a.npz", track.id) as writer,
    ):
        writer.write(block(track, 0, 10), track.scores[:10])
        writer.write(block(track, 12, 20), track.scores[12:])


@pytest.mark.parametrize("ending", [KeyboardInterrupt(), OSError(errno.ENOSPC, "No space left on device")])
def test_nothing_is_left_of_a_track_that_was_broken_off(tmp_path: Path, ending: BaseException) -> None:
    track = a_track(20)
    with (
        pytest.raises((KeyboardInterrupt, OutputError)),
        TrackWriter(tmp_path / "a.npz", track.id) as writer,
    ):
        writer.write(block(track, 0, 10), track.scores[:10])
        raise ending
    assert list(tmp_path.iterdir()) == []


def test_a_track_is_not_overwritten_unasked(tmp_path: Path) -> None:
    write_track(a_track(), tmp_path / "a.npz")
    with pytest.raises(OutputError, match=r"a\.npz exists already"):
        write_track(a_track(), tmp_path / "a.npz")
    write_track(a_track(5), tmp_path / "a.npz", force=True)
    assert len(read_track(tmp_path / "a.npz")) == 5


def test_another_suffix_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ChoiceError, match=r"a\.mat; needed: a name that ends in \.npz or \.csv"):
        TrackWriter(tmp_path / "a.mat", "a")


def test_a_track_of_another_program_gets_a_clock_from_its_times(tmp_path: Path) -> None:
    times = 0.5 + 0.02 * np.arange(50)
    np.savez(tmp_path / "a.npz", scores=np.zeros(50), times=times, voiced=np.ones(50, bool))
    np.testing.assert_allclose(read_track(tmp_path / "a.npz").times, times, atol=1e-9)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not a track"),
        (b"PK\x03\x04 cut off", "not a track"),
        (b"\x93NUMPY\x01\x00", "not a track"),
    ],
)
def test_what_is_no_track_is_named(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "a.npz").write_bytes(content)
    with pytest.raises(FeatureError, match=rf"a\.npz is {message}"):
        read_track(tmp_path / "a.npz")


def test_a_pickle_is_not_opened(tmp_path: Path) -> None:
    np.savez(
        tmp_path / "a.npz", scores=np.array([{}], dtype=object), times=np.zeros(1), voiced=np.ones(1, bool)
    )
    with pytest.raises(FeatureError, match="not a track"):
        read_track(tmp_path / "a.npz")


def test_a_truncated_track_is_refused(tmp_path: Path) -> None:
    write_track(a_track(), tmp_path / "a.npz")
    whole = (tmp_path / "a.npz").read_bytes()
    (tmp_path / "a.npz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(FeatureError, match="not a whole one"):
        read_track(tmp_path / "a.npz")


def test_a_csv_that_lacks_a_column_or_a_number_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("times,scores\n0.1,-3\n")
    with pytest.raises(FeatureError, match="voiced"):
        read_track(tmp_path / "a.csv")
    (tmp_path / "a.csv").write_text("times,scores,voiced\n0.1,high,1\n")
    with pytest.raises(FeatureError, match="'high'"):
        read_track(tmp_path / "a.csv")


def test_a_missing_track_is_named(tmp_path: Path) -> None:
    with pytest.raises(FeatureError, match=r"a\.npz does not exist"):
        read_track(tmp_path / "a.npz")
