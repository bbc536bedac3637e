"""What a stream promises beside its bytes: latency, clock, marks, and what it refuses."""

from __future__ import annotations

import numpy as np
import pytest

from audiogmm.audio.frontend.frontend import FrontEnd
from audiogmm.errors import AudioDataError, FrontEndError

RATE = 8000


def noise(seconds, level=0.1, seed=0, rate=RATE):
    return (level * np.random.default_rng(seed).standard_normal(int(seconds * rate))).astype(np.float32)


def voiced(frontend, samples, rate=RATE):
    stream = frontend.stream(rate)
    return np.concatenate([block.voiced for block in stream.push(samples) + stream.flush()])


def speech_like(level=0.1):
    """Four seconds of faint noise, with a loud second in the midst."""
    samples = noise(4, level * 1e-3)
    samples[int(1.5 * RATE) : int(2.5 * RATE)] += noise(1, level, seed=1)
    return samples


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"cmvn_window": 0.51},
        {"cmvn": "online"},
        {"cmvn": "warping", "deltas": 2},
        {"cmvn": "warping", "cmvn_window": 0.51, "vad": "none"},
        {"cmvn": "warping", "cmvn_window": 0.03, "vad": "none", "deltas": 3},
        {"cmvn": "none", "vad_window": 0.5},
        {"vad": "none", "deltas": 0},
        {"cmvn": "none", "vad": "none", "deltas": 3},
        {"cmvn": "none", "vad": "none", "deltas": 0},
    ],
)
def test_a_frame_comes_out_when_the_latency_says(changes):
    frontend = FrontEnd.preset("speech", **changes)
    clock, latency = frontend.clock(RATE), frontend.latency_at(RATE)
    stream = frontend.stream(RATE)
    samples, n_out, waits = noise(8), 0, []
    for start in range(0, len(samples), clock.hop):
        n_complete = clock.n_frames(start + clock.hop)
        for block in stream.push(samples[start : start + clock.hop]):
            waits += [n_complete - 1 - i for i in range(n_out, n_out + len(block))]
            n_out += len(block)
    assert max(waits) == latency.worst
    assert waits[-1] == latency.steady
    rest = sum(map(len, stream.flush()))
    assert n_out + rest == clock.n_frames(len(samples))
    assert stream.flush() == []


def test_latency_is_given_for_each_stage():
    latency = FrontEnd.preset("speech", cmvn="sliding", deltas=2).latency
    assert {name: (s.steady, s.worst) for name, s in latency.stages.items()} == {
        "framing": (0, 0),
        "deltas": (4, 4),
        "cmvn": (149, 299),
        "vad": (151, 299),
    }
    assert (latency.steady, latency.worst) == (153, 303)
    assert FrontEnd.preset("kaldi").latency.worst == 0
    warping = FrontEnd.preset("speech", cmvn="warping").latency.stages["cmvn"]
    assert (warping.steady, warping.worst) == (150, 300)  # a window of 301 frames, as in the paper


def test_blocks_lie_on_the_clock_of_the_recording():
    frontend = FrontEnd.preset("kaldi", sample_rate=8000)
    blocks = frontend.stream(16000, offset=2.0).push(noise(1, rate=16000))
    assert blocks[0].clock == frontend.clock(16000, 2.0)
    assert blocks[0].clock.sample_rate == 8000
    assert blocks[0].times[0] == pytest.approx(2.0125)
    assert blocks[0].frames.flags.c_contiguous


@pytest.mark.parametrize("n", [0, 1, 199])
def test_less_than_a_frame_gives_no_frames(n):
    assert FrontEnd.preset("speech")(noise(1)[:n], RATE).shape == (0, 40)


def test_one_frame_is_enough():
    assert np.isfinite(FrontEnd.preset("speech")(noise(1)[:200], RATE)).all()


@pytest.mark.parametrize("preset", ["speech", "ambient", "librosa", "kaldi"])
def test_exact_silence_is_never_voiced_and_always_finite(preset):
    frontend = FrontEnd.preset(preset).without_global()
    samples = noise(3)
    samples[RATE : 2 * RATE] = 0.0
    stream = frontend.stream(RATE)
    blocks = stream.push(samples) + stream.flush()
    marks = np.concatenate([block.voiced for block in blocks])
    length, hop, _ = frontend.sizes(RATE)
    silent = np.array([not samples[i * hop : i * hop + length].any() for i in range(len(marks))])
    assert silent.sum() > 10
    assert not marks[silent].any()
    if frontend.vad == "none":
        assert marks[~silent].all()
    assert all(np.isfinite(block.frames).all() for block in blocks)


def test_dither_does_not_hide_exact_silence():
    marks = voiced(FrontEnd.preset("kaldi", dither=1.0), np.zeros(RATE, np.float32))
    assert not marks.any()


def test_dither_is_gaussian_seeded_and_as_strong_as_asked():
    silence = np.zeros(4 * RATE, np.float32)

    def log_energy(**changes):
        frontend = FrontEnd.preset("kaldi", dither=2.0, remove_dc=False, **changes)
        return frontend(silence, RATE)[:, 0]

    assert np.mean(np.exp(log_energy())) == pytest.approx(200 * 2.0**2, rel=0.05)
    assert np.array_equal(log_energy(), log_energy())
    assert not np.array_equal(log_energy(), log_energy(dither_seed=1))


def test_the_detector_finds_the_loud_second_at_any_level():
    frontend = FrontEnd.preset("speech")
    marks = voiced(frontend, speech_like())
    times = frontend.clock(RATE).center(np.arange(len(marks)))
    inside = (times > 1.5) & (times < 2.5)
    near = (times > 1.4) & (times < 2.6)
    assert marks[inside].mean() > 0.98
    assert not marks[~near].any()
    assert np.array_equal(voiced(frontend, speech_like(0.1 * 10 ** (-30 / 20))), marks)


def test_stationary_noise_is_not_voiced():
    for level in (1e-4, 1e-2, 0.5):
        assert voiced(FrontEnd.preset("speech"), noise(5, level)).mean() < 0.01


def test_the_detector_follows_a_rising_noise_floor():
    marks = voiced(FrontEnd.preset("speech"), np.concatenate([noise(6, 1e-3), noise(6, 3e-2, seed=1)]))
    assert marks[:400].mean() < 0.01
    assert marks[-400:].mean() < 0.01


def test_a_large_chunk_goes_through_in_pieces():
    blocks = FrontEnd.preset("kaldi").stream(RATE).push(noise(60))
    assert len(blocks) > 2
    assert max(map(len, blocks)) < 2000


@pytest.mark.parametrize("cmvn", ["sliding", "warping"])
def test_a_stream_keeps_only_what_it_needs(cmvn):
    stream = FrontEnd.preset("speech", cmvn=cmvn, cmvn_window=0.5, vad_window=0.5).stream(RATE)
    for seed in range(20):
        stream.push(noise(3, seed=seed))
    for kept in (stream._framer._kept, stream._stages[0]._kept, stream._stages[1]._kept, stream._vad._levels):
        assert kept.end - kept.first < 400
        assert len(kept._array) < 100_000


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("place", [0, 12345, 39999])
def test_a_sample_that_is_not_finite_is_named_with_its_time(value, place):
    samples = noise(5)
    samples[place] = value
    stream = FrontEnd.preset("speech").stream(RATE, offset=10.0)
    with pytest.raises(AudioDataError) as caught:
        for start in range(0, len(samples), 1000):
            stream.push(samples[start : start + 1000])
    assert f"sample {place} (at {10 + place / RATE:.6f} s) is {value}" in str(caught.value)


def test_what_is_not_a_row_of_samples_is_refused():
    stream = FrontEnd.preset("speech").stream(RATE)
    with pytest.raises(AudioDataError, match=r"int16.*\(10,\).*floating-point"):
        stream.push(np.zeros(10, np.int16))
    with pytest.raises(AudioDataError, match=r"\(10, 2\).*mix channels down"):
        stream.push(np.zeros((10, 2), np.float32))


def test_float64_and_strided_samples_are_taken():
    samples = noise(1)
    frontend = FrontEnd.preset("kaldi")
    assert np.array_equal(frontend(samples.astype(np.float64), RATE), frontend(samples, RATE))
    assert np.array_equal(frontend(np.repeat(samples, 2)[::2], RATE), frontend(samples, RATE))


def test_float64_samples_beyond_float32_are_not_finite():
    with pytest.raises(AudioDataError, match="is inf"):
        FrontEnd.preset("kaldi").stream(RATE).push(np.full(10, 1e60))


def test_nothing_may_follow_the_flush():
    stream = FrontEnd.preset("speech").stream(RATE)
    stream.flush()
    with pytest.raises(FrontEndError, match="after its flush"):
        stream.push(noise(1))


def test_whole_recording_normalisation_does_not_stream():
    with pytest.raises(FrontEndError, match=r"'utterance'.*two_passes"):
        FrontEnd(cmvn="utterance").stream(RATE)


def test_global_normalisation_needs_its_statistics():
    ambient = FrontEnd.preset("ambient")
    with pytest.raises(FrontEndError, match=r"'global' and no statistics.*without_global"):
        ambient.stream(RATE)
    plain = ambient.without_global()(noise(2), RATE)
    done = ambient.with_global(plain.mean(axis=0), plain.std(axis=0))(noise(2), RATE)
    assert np.allclose(done.mean(axis=0), 0, atol=1e-4)
    assert np.allclose(done.std(axis=0), 1, atol=1e-4)
