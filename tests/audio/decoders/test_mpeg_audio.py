"""The length of a frame is the encoder's."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from audiogmm.audio.decoders.mpeg_audio import ends_in_frame, find_first_frame, frame_length
from tests.audio.decoders.test_ffmpeg import encode, needs_ffmpeg, source

__all__ = ["source"]


@needs_ffmpeg
@pytest.mark.parametrize(
    ("name", "rate"),
    [("a.mp3", 11025), ("a.mp3", 24000), ("a.mp3", 44100), ("a.mp2", 24000), ("a.mp2", 48000)],
)
def test_frames_follow_one_another_to_the_end(source: Path, name: str, rate: int) -> None:
    """MPEG-2.5, 2 and 1; layers II and III."""
    content = encode(source, name, "-ar", str(rate)).read_bytes()
    stream = io.BytesIO(content)
    at, count = find_first_frame(stream)[0], 0
    while at < len(content):
        length = frame_length(content[at : at + 4])
        assert length > 20
        at, count = at + length, count + 1
    assert at == len(content) and count > 40
    assert not ends_in_frame(stream, len(content))
    for keep in (len(content) - 1, len(content) - length + 1):
        assert ends_in_frame(io.BytesIO(content[:keep]), keep)
