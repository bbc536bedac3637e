"""The picture: whole or not at all, the same for the same data, and an error where it cannot be drawn."""

from __future__ import annotations

import builtins
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from audiogmm.anomaly.event import Event
from audiogmm.errors import ChoiceError, OutputError
from audiogmm.reporting.picture import RecordingPicture, draw_picture, score_limits, spectrogram, thin
from audiogmm.timeline import FrameClock, Segment

MAGIC = {".png": b"\x89PNG", ".svg": b"<?xml", ".pdf": b"%PDF"}


def picture(**changes: Any) -> RecordingPicture:
    rng = np.random.default_rng(0)
    clock = FrameClock(8000, 80, 200, offset=30.0)
    samples = rng.normal(0, 0.1, 16_000).astype(np.float32)
    scores = rng.normal(-50, 1, clock.n_frames(16_000))
    event = Event("a.wav", "a", 30.5, 31.0, -70.0, -80.0, 30.7, -60.0)
    shown: dict[str, Any] = {
        "samples": samples,
        "sample_rate": 8000,
        "scores": scores,
        "clock": clock,
        "threshold": -60.0,
        "release": -55.0,
        "events": [event],
        "truth": [Segment(30.6, 31.1)],
        "title": "a",
    }
    return RecordingPicture(**(shown | changes))


@pytest.mark.parametrize("suffix", sorted(MAGIC))
def test_a_picture_is_a_file_of_its_kind(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    draw_picture(picture(), path)
    assert path.read_bytes().startswith(MAGIC[suffix])
    assert list(tmp_path.iterdir()) == [path]


def test_the_same_picture_is_the_same_file(tmp_path: Path) -> None:
    for name in ("a.svg", "b.svg"):
        draw_picture(picture(), tmp_path / name)
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()


def test_the_picture_says_what_it_shows(tmp_path: Path) -> None:
    draw_picture(picture(), tmp_path / "a.svg")
    text = (tmp_path / "a.svg").read_text()
    for words in ("Time, s", "Frequency, kHz", "nats", "threshold", "detected (1)", "true events (1)"):
        assert words in text
    draw_picture(picture(events=[], truth=None, release=None), tmp_path / "b.svg")
    text = (tmp_path / "b.svg").read_text()
    assert "detected (0)" in text
    assert "truth" not in text


@pytest.mark.parametrize("n", [10, 200, 3000])
def test_short_recordings_are_drawn(tmp_path: Path, n: int) -> None:
    draw_picture(
        picture(samples=np.zeros(n, np.float32), scores=np.full(3, -50.0), events=[]), tmp_path / "a.png"
    )
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "a.png").stat().st_size > 5000


def test_what_cannot_be_drawn_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ChoiceError, match=r"to .*a\.gif; needed: a name that ends in \.png, \.svg, \.pdf"):
        draw_picture(picture(), tmp_path / "a.gif")
    with pytest.raises(ChoiceError, match="0 samples"):
        draw_picture(picture(samples=np.zeros(0, np.float32)), tmp_path / "a.png")
    (tmp_path / "a.png").write_bytes(b"mine")
    with pytest.raises(OutputError, match=r"a\.png exists already"):
        draw_picture(picture(), tmp_path / "a.png")
    assert (tmp_path / "a.png").read_bytes() == b"mine"


def test_without_matplotlib_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def refuse(
        name: str,
        globals: Mapping[str, object] | None = None,
        locals: Mapping[str, object] | None = None,
        fromlist: Sequence[str] | None = (),
        level: int = 0,
    ) -> object:
        if name.split(".")[0] == "matplotlib":
            raise ImportError(name)
        return real(name, globals, locals, fromlist or (), level)

    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(ChoiceError, match=r"need matplotlib, which is not installed.*'audiogmm\[plot\]'"):
        draw_picture(picture(), tmp_path / "a.png")
    assert list(tmp_path.iterdir()) == []


def test_a_tone_is_seen_at_its_place() -> None:
    time = np.arange(16_000) / 8000
    samples = np.where(time > 1, np.sin(2 * np.pi * 1000 * time), 0).astype(np.float32)
    levels, times, frequencies = spectrogram(samples, 8000)
    assert times[0] == 0.0
    assert times[-1] == pytest.approx(2.0)
    column = levels[:, np.searchsorted(times, 1.5)]
    assert frequencies[column.argmax()] <= 1000 <= frequencies[column.argmax() + 1]
    assert column.max() == pytest.approx(0, abs=1.5)
    assert levels[:, np.searchsorted(times, 0.5)].max() < -100


def test_long_recordings_stay_small() -> None:
    levels, times, _ = spectrogram(np.zeros(3_000_000, np.float32), 8000)
    assert levels.shape[1] <= 1000
    assert len(times) == levels.shape[1] + 1
    values = np.random.default_rng(0).normal(size=1_000_000)
    shown_times, shown = thin(np.arange(1_000_000.0), values)
    assert len(shown) == len(shown_times) <= 2400
    assert (shown.min(), shown.max()) == (values.min(), values.max())


def test_an_absurd_score_does_not_flatten_the_rest() -> None:
    scores = np.r_[np.full(100, -50.0), -1e12]
    low, high = score_limits(scores, -60.0)
    assert -500 < low < -60 < high
