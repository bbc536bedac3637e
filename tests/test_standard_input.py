"""44.1 kHz through standard input gives the bytes of the whole; every block-relative stage shows."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import soundfile

from audiogmm.anomaly import stream as stream_module
from audiogmm.anomaly.detector import Detector
from audiogmm.anomaly.detector_calibration import calibrate_detector
from audiogmm.anomaly.detector_settings import DetectorSettings
from audiogmm.anomaly.event import Event
from audiogmm.anomaly.smoothing import Smoother
from audiogmm.anomaly.stream import EventStream
from audiogmm.audio.frontend.frontend import FrontEnd
from audiogmm.audio.frontend.stream import FrameStream
from audiogmm.audio.recording import Recording
from audiogmm.manifest import Entry
from audiogmm.mixture.evaluator import Evaluator
from audiogmm.mixture.gaussian import Mixture
from audiogmm.scoring.likelihood import score_blocks
from audiogmm.scoring.track import ScoreTrack
from tests.audio.frontend.test_chunks import MUTANTS, sliding_twin
from tests.audio.frontend.test_chunks import restarted_stage as anew

RATE = 44100
FRONTEND = FrontEnd.preset(
    "speech",
    sample_rate=16000,
    dither=0.001,
    cmvn="sliding",
    cmvn_window=0.6,
    vad_window=0.6,
    deltas=2,
)


@dataclass(frozen=True)
class Heard:
    """What came of a recording."""

    frames: bytes
    voiced: bytes
    scores: bytes
    events: tuple[Event, ...]


def samples() -> np.ndarray:
    """Bursts over a faint floor, with something foreign in them: longer than three blocks of the decoder."""
    rng = np.random.default_rng(3)
    n = 5 * 65536 + 1234
    loud = np.repeat(rng.random(n // 4000 + 1) > 0.4, 4000)[:n]
    sound = rng.standard_normal(n) * np.where(loud, 0.1, 0.002)
    for at in (65536, 3 * 65536):
        sound[at - 9000 : at + 9000] = 0.2 * np.sin(np.arange(18000) * 0.9)
    return np.asarray(sound, dtype=np.float32)


class SlowPipe(io.RawIOBase):
    """A stream that cannot seek, and gives a few bytes at a time."""

    def __init__(self, content: bytes) -> None:
        self._content = io.BytesIO(content)
        self._rng = np.random.default_rng(1)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        piece = self._content.read(min(len(buffer), int(self._rng.integers(1, 30000))))
        buffer[: len(piece)] = piece
        return len(piece)


def through_standard_input(
    monkeypatch: pytest.MonkeyPatch, frontend: FrontEnd, judge: Callable[[Recording], Heard]
) -> Heard:
    """Pipe the recording as 16-bit wav of a length that its header does not tell."""
    file = io.BytesIO()
    soundfile.write(file, samples(), RATE, format="WAV", subtype="FLOAT")
    content = file.getvalue()
    at = content.index(b"data") + 4
    piped = content[:at] + b"\xff\xff\xff\xff" + content[at + 4 :]
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BufferedReader(SlowPipe(piped))))
    return judge(Recording(Entry("-", id="stdin"), frontend, warn=lambda _: None))


def evaluator() -> Evaluator:
    n = FRONTEND.n_features(16000)
    rng = np.random.default_rng(0)
    return Evaluator(Mixture([0.3, 0.7], rng.normal(size=(2, n)) * 2, np.full((2, n), 9.0), "diag"))


def detector(scores: np.ndarray, frame_rate: int = 100) -> Detector:
    """One whose threshold lies within these scores, so that there are events to compare."""
    from audiogmm.timeline import FrameClock

    track = ScoreTrack("normal", scores, np.ones(len(scores), bool), FrameClock(16000, 160, 400))
    return calibrate_detector([track], DetectorSettings(window=0.3, quantile=0.2, release_quantile=0.3))


def heard(blocks: Any, density: Any, found_by: Detector | None) -> Heard:
    """Score and look for events block by block."""
    frames, voiced, scores, events, stream = [], [], [], [], None
    shard = type("Blocks", (), {"id": "stdin", "__iter__": lambda self: iter(blocks)})()
    for block, values in score_blocks(density, shard):
        frames.append(block.frames.tobytes())
        voiced.append(block.voiced.tobytes())
        scores.append(values)
        if found_by is not None:
            stream = stream or EventStream(found_by, block.clock, "stdin")
            events += stream.push(values, block.voiced)
    if stream is not None:
        events += stream.flush()
    return Heard(b"".join(frames), b"".join(voiced), np.concatenate(scores).tobytes(), tuple(events))


@pytest.fixture
def whole() -> Callable[[FrontEnd], tuple[Heard, Detector]]:
    """The recording in one piece, past decoder and pipe."""

    def judge(frontend: FrontEnd) -> tuple[Heard, Detector]:
        stream = frontend.stream(RATE)
        blocks = stream.push(samples()) + stream.flush()
        scores = np.frombuffer(heard(blocks, evaluator(), None).scores)
        found_by = detector(scores)
        result = heard(blocks, evaluator(), found_by)
        assert len(result.events) >= 2
        return result, found_by

    return judge


def test_standard_input_gives_the_bytes_of_the_whole(monkeypatch: Any, whole: Any) -> None:
    expected, found_by = whole(FRONTEND)
    assert (
        through_standard_input(monkeypatch, FRONTEND, lambda r: heard(r, evaluator(), found_by)) == expected
    )


FRONTENDS = {
    "dither": FRONTEND,
    "cmvn-online": FrontEnd.preset("speech", sample_rate=16000, cmvn="online", cmvn_window=0.6, deltas=2),
    "cmvn-warping": FrontEnd.preset("speech", sample_rate=16000, cmvn="warping", cmvn_window=0.6, deltas=2),
}


@pytest.mark.parametrize("stage", MUTANTS)
def test_a_block_relative_stage_shows_through_standard_input(
    stage: str, monkeypatch: Any, whole: Any
) -> None:
    frontend = FRONTENDS.get(stage, FRONTEND)
    expected, found_by = whole(frontend)
    mutate = MUTANTS[stage]
    if stage in ("cmvn-sliding", "cmvn-online"):
        from audiogmm.audio.frontend.cmvn import SlidingCmvn

        mutate = anew(SlidingCmvn, sliding_twin)
    elif stage == "deltas":
        from audiogmm.audio.frontend.context import Deltas

        mutate = anew(Deltas, lambda deltas: Deltas(deltas._width, 2, 2))
    plain = FrameStream.__init__

    def mutated(self: FrameStream, *arguments: Any, **named: Any) -> None:
        plain(self, *arguments, **named)
        mutate(self)

    monkeypatch.setattr(FrameStream, "__init__", mutated)
    found = through_standard_input(monkeypatch, frontend, lambda r: heard(r, evaluator(), found_by))
    assert (found.voiced if stage == "vad" else found.frames) != (
        expected.voiced if stage == "vad" else expected.frames
    )
    if stage != "vad":
        assert found.scores != expected.scores


def test_block_relative_scores_show_through_standard_input(monkeypatch: Any, whole: Any) -> None:
    expected, found_by = whole(FRONTEND)

    class Relative:
        """Takes each block's first frame for the origin."""

        def log_likelihood(self, frames: np.ndarray) -> np.ndarray:
            return evaluator().log_likelihood(frames - frames[:1])

    found = through_standard_input(monkeypatch, FRONTEND, lambda r: heard(r, Relative(), found_by))
    assert found.frames == expected.frames
    assert found.scores != expected.scores


def test_a_block_relative_smoother_shows_through_standard_input(monkeypatch: Any, whole: Any) -> None:
    expected, found_by = whole(FRONTEND)

    class Relative(Smoother):
        """Starts anew with every block."""

        def push(self, scores: np.ndarray, voiced: np.ndarray) -> np.ndarray:
            stage = Smoother(self.half)
            return np.concatenate([stage.push(scores, voiced), stage.flush()])

        def flush(self) -> np.ndarray:
            return np.empty(0)

    monkeypatch.setattr(stream_module, "Smoother", Relative)
    found = through_standard_input(monkeypatch, FRONTEND, lambda r: heard(r, evaluator(), found_by))
    assert found.scores == expected.scores
    assert found.events != expected.events
