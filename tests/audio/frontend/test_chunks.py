"""Any chunking gives the same bytes; and a stage that counts from its block's edge would be caught.

`MUTANTS` breaks one stage at a time, the way such a mistake is really made: the stage starts again with
every block and so measures from the block's first row. The same check that passes for the front end as it
is must fail for each.
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audiogmm.audio.frontend.cmvn import SlidingCmvn
from audiogmm.audio.frontend.context import Deltas
from audiogmm.audio.frontend.framing import Dither, Framer
from audiogmm.audio.frontend.frontend import FrontEnd
from audiogmm.audio.frontend.resample import Resampler
from audiogmm.audio.frontend.vad import EnergyVad
from audiogmm.audio.frontend.warping import FeatureWarping

SHORT = {"cmvn_window": 0.3, "vad_window": 0.25}
"""Windows that pass several times over the test's second and a half."""

CASES = {
    "resample": (44100, FrontEnd.preset("speech", cmvn="sliding", sample_rate=16000, **SHORT)),
    "resample-telephone": (11025, FrontEnd.preset("speech", cmvn="sliding", sample_rate=8000, **SHORT)),
    "framing": (16000, FrontEnd.preset("librosa", n_mfcc=13)),
    "gaps-between-frames": (8000, FrontEnd.preset("kaldi", hop_length=0.04)),
    "odd-transform": (8000, FrontEnd.preset("kaldi", n_fft=201, n_mels=15)),
    "dither": (8000, FrontEnd.preset("kaldi", dither=1.0)),
    "preemphasis": (8000, FrontEnd.preset("kaldi")),
    "deltas": (8000, FrontEnd.preset("kaldi", deltas=3)),
    "cmvn-sliding": (8000, FrontEnd.preset("kaldi", cmvn="sliding", **SHORT)),
    "cmvn-sliding-variance": (8000, FrontEnd.preset("speech", cmvn="sliding", cmvn_variance=True, **SHORT)),
    "cmvn-online": (8000, FrontEnd.preset("kaldi", cmvn="online", **SHORT)),
    "cmvn-online-variance": (8000, FrontEnd.preset("speech", cmvn="online", cmvn_variance=True, **SHORT)),
    "cmvn-warping": (8000, FrontEnd.preset("kaldi", cmvn="warping", deltas=1, **SHORT)),
    "cmvn-global": (16000, FrontEnd.preset("ambient").with_global([1.0] * 39, [2.0] * 39)),
    "vad": (8000, FrontEnd.preset("kaldi", vad="energy", **SHORT)),
}


def recording(rate):
    """Noise in bursts over a faint floor, with a stretch of exact silence."""
    rng = np.random.default_rng(5)
    n = int(1.5 * rate) + 17
    loud = np.repeat(rng.random(n // (rate // 8) + 1) > 0.5, rate // 8)[:n]
    samples = rng.standard_normal(n) * np.where(loud, 0.2, 0.002)
    samples[n // 2 : n // 2 + rate // 10] = 0.0
    return samples.astype(np.float32)


def result(frontend, rate, sizes, mutate=None):
    """Frames and marks as bytes, for chunks of these sizes in turn; the last takes all that is left."""
    samples = recording(rate)
    stream = frontend.stream(rate, offset=0.5)
    if mutate:
        mutate(stream)
    blocks, start = [], 0
    for size in sizes:
        blocks += stream.push(samples[start : start + size])
        start += size
    blocks += stream.push(samples[start:]) + stream.flush()
    index = 0
    for block in blocks:
        assert block.start == index
        assert len(block.frames) == len(block.voiced) == len(block.levels) > 0
        assert block.clock == frontend.clock(rate, 0.5)
        index += len(block)
    marks = b"".join(b.voiced.tobytes() for b in blocks) + b"".join(b.levels.tobytes() for b in blocks)
    return b"".join(b.frames.tobytes() for b in blocks), marks


@pytest.mark.parametrize("case", CASES)
@settings(max_examples=20, deadline=None)
@given(sizes=st.lists(st.integers(0, 5000) | st.integers(0, 200), max_size=40))
def test_random_chunks_leave_no_trace(case, sizes):
    rate, frontend = CASES[case]
    assert result(frontend, rate, sizes) == result(frontend, rate, [])


@pytest.mark.parametrize("case", CASES)
def test_single_samples_leave_no_trace(case):
    rate, frontend = CASES[case]
    assert result(frontend, rate, [1] * int(1.6 * rate)) == result(frontend, rate, [])


def test_pieces_of_a_large_chunk_leave_no_trace(monkeypatch):
    rate, frontend = CASES["resample"]
    whole = result(frontend, rate, [])
    monkeypatch.setattr("audiogmm.audio.frontend.stream.PIECE", 1000)
    assert result(frontend, rate, []) == whole


class Restarting:
    """A stage that starts again with every block."""

    def __init__(self, make, nothing):
        self.make = make
        self.nothing = nothing

    def push(self, rows):
        stage = self.make()
        first = stage.push(rows)
        return np.concatenate([first, stage.flush()]) if hasattr(stage, "flush") else first

    def flush(self):
        return self.nothing


def restarted_resample(stream):
    stream._resampler = Restarting(lambda: Resampler(44100, 16000), np.empty(0, np.float32))


def restarted_framing(stream):
    advance = stream._advance

    def restart(samples):
        stream._framer = stream._dithered = Framer(stream.clock)
        return advance(samples)

    stream._advance = restart


def restarted_dither(stream):
    dither = stream._dither
    stream._dither = Restarting(lambda: Dither(dither._deviation, dither._seed), None)


def restarted_preemphasis(stream):
    advance = stream._advance
    stream._advance = lambda samples: advance(
        samples - np.float32(0.5) * np.append(samples[:1], samples[:-1])
    )


def restarted_stage(kind, make):
    def mutate(stream):
        (place,) = [i for i, stage in enumerate(stream._stages) if isinstance(stage, kind)]
        stage = stream._stages[place]
        nothing = stage.push(np.empty((0, stage._width), np.float32))
        stream._stages[place] = Restarting(lambda: make(stage), nothing)

    return mutate


def sliding_twin(stage):
    return SlidingCmvn(stage._width, stage._window, len(stage._sums) == 2, stage._causal)


def warping_twin(stage):
    return FeatureWarping(stage._width, stage._window)


def restarted_vad(stream):
    window, _, _, margin, depth = stream._vad._settings
    before, after = stream._vad._before, stream._vad._after
    stream._vad = Restarting(lambda: EnergyVad(window, margin, depth, before, after), np.empty(0, np.bool_))


MUTANTS = {
    "resample": restarted_resample,
    "framing": restarted_framing,
    "dither": restarted_dither,
    "preemphasis": restarted_preemphasis,
    "deltas": restarted_stage(Deltas, lambda stage: Deltas(stage._width, 3, 2)),
    "cmvn-sliding": restarted_stage(SlidingCmvn, sliding_twin),
    "cmvn-online": restarted_stage(SlidingCmvn, sliding_twin),
    "cmvn-warping": restarted_stage(FeatureWarping, warping_twin),
    "vad": restarted_vad,
}


@pytest.mark.parametrize("case", MUTANTS)
def test_a_block_relative_stage_is_caught(case):
    rate, frontend = CASES[case]
    sizes = [3000] * 4
    assert result(frontend, rate, sizes) == result(frontend, rate, [])
    frames, marks = result(frontend, rate, [])
    mutated_frames, mutated_marks = result(frontend, rate, [], MUTANTS[case])
    chunked_frames, chunked_marks = result(frontend, rate, sizes, MUTANTS[case])
    # the mutant is harmless on the whole recording (but for emphasis, which it adds), and wrong on its blocks
    assert case == "preemphasis" or (mutated_frames, mutated_marks) == (frames, marks)
    assert (chunked_frames, chunked_marks) != (mutated_frames, mutated_marks)
    assert (chunked_marks if case == "vad" else chunked_frames) != (marks if case == "vad" else frames)
