"""Clips: their sound, their names, and a folder of limited size that holds other files, too."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import soundfile

from audiogmm.live.deliver.clips import ClipFolder
from audiogmm.live.deliver.ring import SoundRing


def noise(n: int) -> np.ndarray:
    return np.random.default_rng(0).uniform(-0.5, 0.5, n).astype(np.float32)


def test_a_clip_is_the_sound_to_16_bits_named_by_time_and_id(tmp_path: Path) -> None:
    clips, sound = ClipFolder(tmp_path / "clips", 1e6, print), noise(4000)
    event = {"start": 3.0, "time": "2026-05-01T10:00:00.250Z"}
    path = clips.write(f"{1:016x}", event, sound, 16000)
    assert path is not None and path.name == f"audiogmm-2026-05-01T100000.250Z-{1:016x}.flac"
    back, rate = soundfile.read(path, dtype="float32")
    assert rate == 16000 and np.abs(back - sound).max() <= 2**-15


def test_the_oldest_clips_go_first_and_what_is_not_ours_stays(tmp_path: Path) -> None:
    clips = ClipFolder(tmp_path, 30_000, print)
    others = [
        tmp_path / "mine.flac",
        tmp_path / f"audiogmm-0000000.000-{99:016x}.flac",
        tmp_path / "notes.txt",
    ]
    for other in others:
        soundfile.write(other, noise(9000), 8000) if other.suffix == ".flac" else other.write_text("x" * 9000)
        os.utime(other, (0, 0))
    written = []
    for number in range(6):
        path = clips.write(f"{number:016x}", {"start": float(number)}, noise(4000), 8000)
        assert path is not None
        os.utime(path, (1000 + number, 1000 + number))
        written.append(path)
    assert all(
        other.exists() for other in others
    )  # the second has a name of ours, and does not say so inside
    left = [path for path in written if path.exists()]
    assert left == written[-len(left) :] and 1 <= len(left) < 6


def test_clips_that_cannot_be_written_are_said_once(tmp_path: Path) -> None:
    said: list[str] = []
    clips = ClipFolder(tmp_path / "clips", 1e6, said.append)
    (tmp_path / "clips").write_text("a file in its place")
    assert [clips.write("0" * 16, {"start": 1.0}, noise(100), 8000) for _ in range(3)] == [None] * 3
    assert len(said) == 1 and "the run goes on without them" in said[0]


@pytest.mark.parametrize("size", [1, 7, 100, 5000])
def test_a_ring_gives_the_samples_of_an_event_in_any_chunks_and_stays_small(size: int) -> None:
    ring, sound, rate = SoundRing(0.5, 1.0, longest=3.0), noise(20_000), 1000
    ring.begin(rate, 100.0)
    most = 0
    for first in range(0, len(sound), size):
        before, now = first, min(first + size, len(sound))
        ring.push(sound[first : first + size])
        if before < 5000 <= now:
            ring.hold("a", 104.0)  # heard of a second late
        if before < 15_000 <= now:
            found = ring.take("a", 104.0, 114.0)
            assert (found == sound[3500:7000]).all() and len(found) == 3500
        most = max(most, ring.kept)
    assert most <= 1500 + 3500 + 2 * size
    assert (ring.take("b", 119.0, 119.5) == sound[18_500:19_500]).all()


def test_a_gap_ends_what_a_ring_has() -> None:
    ring = SoundRing(1.0, 1.0)
    ring.begin(1000, 0.0)
    ring.push(noise(1000))
    ring.begin(1000, 5.0)
    ring.push(noise(500))
    assert len(ring.take("a", 5.25, 5.5)) == 500  # no sample of before the gap
