"""Samples of the caller's own: every kind of chunk gives the samples it holds, and nothing else is taken."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from audiogmm.errors import AudioDataError
from audiogmm.live.arrival import Opened, Sound
from audiogmm.live.chunks import Chunks
from audiogmm.live.pcm import Pcm
from audiogmm.live.source import WaitPolicy
from audiogmm.live.stop import Stop

SOUND = np.random.default_rng(0).uniform(-0.9, 0.9, 1000).astype(np.float32)
WHOLE = (SOUND * 32768).astype(np.int16)


@pytest.fixture
def waiting() -> Iterator[WaitPolicy]:
    stop = Stop()
    yield WaitPolicy(stop, lambda _: None, None)
    stop.close()


def samples_of(source: Chunks, waiting: WaitPolicy) -> np.ndarray:
    arrived = list(source.arrivals(waiting))
    assert isinstance(arrived[0], Opened)
    return np.concatenate([arrival.samples for arrival in arrived if isinstance(arrival, Sound)])


@pytest.mark.parametrize(
    ("chunks", "expected"),
    [
        (np.split(SOUND, 10), SOUND),
        ([SOUND.astype(np.float64), []], SOUND),
        ([SOUND[:, None]], SOUND),
        ([np.stack([SOUND, SOUND], axis=1)], SOUND),
        ([WHOLE[:7], WHOLE[7:]], WHOLE / np.float32(32768)),
        ([SOUND.tolist()], SOUND),
    ],
    ids=["float32", "float64 and an empty one", "a column", "two channels", "int16", "a list"],
)
def test_every_kind_of_chunk(chunks: list[Any], expected: np.ndarray, waiting: WaitPolicy) -> None:
    assert np.array_equal(samples_of(Chunks(chunks, 8000), waiting), expected.astype(np.float32))


def test_bytes_are_cut_anywhere(waiting: WaitPolicy) -> None:
    content = WHOLE.tobytes()
    pieces = [content[first : first + 33] for first in range(0, len(content), 33)]
    source = Chunks(pieces, 8000, raw=Pcm.parse("s16le:8000"))
    assert np.array_equal(samples_of(source, waiting), WHOLE / np.float32(32768))


@pytest.mark.parametrize(
    ("chunks", "message"),
    [
        ([], "zero length"),
        ([np.zeros(0)], "zero length"),
        ([np.zeros(9, np.int32)], r"a chunk of int32, shape \(9,\); needed: an array of float32"),
        ([np.zeros((2, 2, 2))], r"a chunk of float64, shape \(2, 2, 2\)"),
        ([{"a": 1}], "a chunk of dict"),
        ([b"\0\0"], r"a chunk of bytes; .* try: bytes with raw='s16le:16000'"),
        ([np.zeros(9), np.zeros((9, 2))], "a chunk of float32 and 2 channels; needed: the dtype"),
        ([np.array([0.0, np.nan])], "nan"),
    ],
)
def test_what_is_not_sound_is_refused(chunks: list[Any], message: str, waiting: WaitPolicy) -> None:
    with pytest.raises(AudioDataError, match=f"(?i){message}"):
        list(Chunks(chunks, 8000).arrivals(waiting))
