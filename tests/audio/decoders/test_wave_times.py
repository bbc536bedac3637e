"""Times that recorders write into wav files."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from audiogmm.audio.decoders.wave_times import read_wave_times
from audiogmm.wall_clock import find_zone

NOON = 1714564800.0


def chunk(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("<I", len(body)) + body + b"\0" * (len(body) & 1)


def bext(date: bytes, time: bytes, reference: int = 0) -> bytes:
    return chunk(
        b"bext", b"\0" * 320 + date.ljust(10, b"\0") + time.ljust(8, b"\0") + struct.pack("<Q", reference)
    )


def comment(text: str) -> bytes:
    return chunk(b"LIST", b"INFO" + chunk(b"ICMT", text.encode() + b"\0"))


def guano(text: str) -> bytes:
    return chunk(b"guan", text.encode())


def wav(folder: Path, before: bytes = b"", after: bytes = b"") -> str:
    body = chunk(b"fmt ", struct.pack("<HHIIHH", 1, 1, 8000, 16000, 2, 16)) + before
    body += chunk(b"data", b"\1\0" * 801) + after
    path = folder / "a.wav"
    path.write_bytes(b"RIFF" + struct.pack("<I", len(body) + 4) + b"WAVE" + body)
    return str(path)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (bext(b"2024-05-01", b"12:00:00"), b"", {"BWF": NOON}),
        (bext(b"2024-05-01", b"12:00:00", 8000 * 43200 + 2000), b"", {"BWF": NOON + 0.25}),
        (bext(b"2024:05:01", b"12-00-00", 77), b"", {"BWF": NOON}),
        (b"", guano("GUANO|Version: 1.0\nTimestamp: 2024-05-01T14:00:00+02:00\n"), {"GUANO": NOON}),
        (b"", guano("Timestamp:2024-05-01 12:00:00.5"), {"GUANO": NOON + 0.5}),
        (comment("Recorded at 12:00:00 01/05/2024 (UTC) by AudioMoth 24F319 at"), b"", {"AudioMoth": NOON}),
        (comment("Recorded at 14:00:00 01/05/2024 (UTC+2) by AudioMoth"), b"", {"AudioMoth": NOON}),
        (comment("Recorded at 08:30:00.250 01/05/2024 (UTC-3:30) by"), b"", {"AudioMoth": NOON + 0.25}),
        (bext(b"2024-13-01", b"12:00:00"), b"", {}),
        (bext(b"", b""), b"", {}),
        (comment("nothing"), guano("Timestamp: yesterday"), {}),
        (b"", b"", {}),
    ],
)
def test_metadata(tmp_path: Path, before: bytes, after: bytes, expected: dict[str, float]) -> None:
    assert read_wave_times(wav(tmp_path, before, after)) == expected


def test_what_names_no_zone_is_in_that_of_the_option(tmp_path: Path) -> None:
    path = wav(tmp_path, bext(b"2024-05-01", b"14:00:00"))
    assert read_wave_times(path, find_zone("Europe/Berlin")) == {"BWF": NOON}


@pytest.mark.parametrize("size", [0, 11, 20, 50, 100, 420])
def test_a_damaged_file_has_no_times_and_no_error(tmp_path: Path, size: int) -> None:
    path = Path(wav(tmp_path, bext(b"2024-05-01", b"12:00:00")))
    path.write_bytes(path.read_bytes()[:size])
    assert set(read_wave_times(str(path))) <= {"BWF"}
    assert read_wave_times(str(tmp_path / "missing.wav")) == {}
