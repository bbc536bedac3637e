"""How noisy a recording is, and what a score is worth in noise."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

import audiogmm as ag
from audiogmm.audio.added_noise import AddedNoise, NoiseStream
from audiogmm.audio.recording import Recording
from audiogmm.blocks import FrameBlock
from audiogmm.evaluation.verification.metrics import cllr
from audiogmm.jobs.verify import verify_to_file
from audiogmm.manifest import Entry
from audiogmm.synth import write_corpus
from audiogmm.synth.corpus import make_speakers
from audiogmm.timeline import FrameClock
from audiogmm.verification.backend import read_backend
from audiogmm.verification.background import BackgroundRecording, concatenate
from audiogmm.verification.calibration import Calibration
from audiogmm.verification.calibration_fitting import extend_calibration
from audiogmm.verification.quality import FLOOR_SHARE, STEP, SignalToNoise, noise
from audiogmm.verification.recordings.background_reader import LabeledRecording, read_frames
from tests.cli.calls import Audiogmm
from tests.naive import quality as naive

CLOCK = FrameClock(8000, 80, 200)


def ratio_of(levels: np.ndarray, voiced: np.ndarray, cuts: list[int] | None = None) -> float:
    heard, places = SignalToNoise(), sorted({0, len(levels), *(cuts or [])})
    for start, stop in itertools.pairwise(places):
        heard.push(levels[start:stop], voiced[start:stop])
    return heard.decibels


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 10_000), n=st.integers(1, 400), cuts=st.lists(st.integers(0, 400), max_size=20))
def test_the_ratio_is_the_formula_however_frames_are_cut(seed: int, n: int, cuts: list[int]) -> None:
    rng = np.random.default_rng(seed)
    levels = rng.normal(-40, 15, n).astype(np.float32)
    voiced = rng.random(n) < 0.6
    voiced[rng.integers(n)] = True
    levels[(rng.random(n) < 0.2) & ~voiced] = -np.inf
    whole = ratio_of(levels, voiced)
    assert ratio_of(levels, voiced, [min(cut, n) for cut in cuts]) == whole
    assert whole == pytest.approx(
        naive.signal_to_noise(levels.tolist(), voiced.tolist(), FLOOR_SHARE), abs=STEP
    )


@pytest.mark.parametrize("decibels", [30.0, 15.0, 5.0])
@pytest.mark.parametrize("gain", [1.0, 1e-3])
def test_speech_in_noise_has_about_the_ratio_that_it_was_mixed_at(decibels: float, gain: float) -> None:
    rng = np.random.default_rng(3)
    n = 80_000
    loud = (np.arange(n) // 8000) % 2 == 0  # a second of sound, a second of pause
    signal = np.where(loud, rng.normal(0, 0.2, n), 0.0)
    samples = signal + rng.normal(0, 0.2 * 10 ** (-decibels / 20), n)
    stream = ag.FrontEnd.preset("speech").stream(8000)
    heard = SignalToNoise()
    for block in stream.push((gain * samples).astype(np.float32)) + stream.flush():
        heard.push(block.levels, (block.times % 2) < 1)
    speech = 10 * math.log10(1 + 10 ** (decibels / 10))  # voiced frames hold the noise too
    assert heard.decibels == pytest.approx(speech, abs=3.0)


def test_what_has_no_levels_or_no_voice_has_no_ratio() -> None:
    heard = SignalToNoise()
    heard.push(None, np.ones(3, bool))
    heard.push(np.full(3, -np.inf, np.float32), np.zeros(3, bool))
    assert math.isnan(heard.decibels)
    assert noise([math.nan, 10.0, 10.0], [30.0, math.nan, 10.0]).tolist() == [0.0, 1.5, 0.0]


def test_a_recording_is_heard_through_noise(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    rng = np.random.default_rng(1)
    loud = np.repeat([0.2, 0.0002], 8000)
    soundfile.write(path, np.tile(rng.normal(0, 1, 16000) * loud, 2), 8000)
    plain = Recording(Entry(str(path), id="a"), ag.FrontEnd.preset("speech"), cache=tmp_path / "cache")
    found = {}
    for decibels in (None, 20.0, 10.0):
        heard = SignalToNoise()
        which = None if decibels is None else AddedNoise(decibels)
        for block in replace(plain, noise=which):
            heard.push(block.levels, block.voiced)
        found[decibels] = heard.decibels
    assert found[None] > 45
    assert found[20.0] == pytest.approx(24, abs=3)  # a recording of which half is speech
    assert found[10.0] == pytest.approx(14, abs=3)
    assert len(list((tmp_path / "cache").glob("frames/*/*"))) == 1, "noise is not kept"


class Blocks:
    """A recording cut into blocks of some length."""

    id = "a"

    def __init__(self, length: int) -> None:
        rng = np.random.default_rng(2)
        self.frames = rng.normal(size=(300, 2)).astype(np.float32)
        self.voiced = rng.random(300) < 0.5
        self.levels = rng.normal(-30, 5, 300).astype(np.float32)
        self.length = length

    def __iter__(self):
        for start in range(0, 300, self.length):
            cut = slice(start, start + self.length)
            yield FrameBlock(self.frames[cut], self.voiced[cut], start, CLOCK, self.levels[cut])


@pytest.mark.parametrize("most", [60, 1000])
def test_what_is_kept_of_a_voice_does_not_depend_on_blocks(most: int) -> None:
    found = [
        read_frames(LabeledRecording("ann", "", Blocks(length), max_bytes=8 * most), 2, 1)
        for length in (300, 7, 1)
    ]
    assert len(found[0].frames) == min(most, Blocks(1).voiced.sum())
    for other in found[1:]:
        for part in ("frames", "levels", "voiced"):
            if most == 60:  # what lies behind the last frame kept is not heard
                assert getattr(other, part).tobytes() == getattr(found[0], part).tobytes()
    assert found[0].voiced.sum() == len(found[0].frames)
    assert found[0].decibels == pytest.approx(
        naive.signal_to_noise(found[0].levels.tolist(), found[0].voiced.tolist(), FLOOR_SHARE), abs=STEP
    )


def test_a_part_of_a_voice_has_what_lies_between_its_frames() -> None:
    whole = read_frames(LabeledRecording("ann", "", Blocks(50)), 2, 1)
    n = len(whole.frames)
    parts = [whole.part(0, 40), whole.part(40, 90), whole.part(90, n)]
    again = concatenate(parts)
    for name in ("frames", "levels", "voiced"):
        np.testing.assert_array_equal(getattr(again, name), getattr(whole, name))
    assert parts[1].voiced[0] and parts[1].voiced.sum() == 50
    bare = BackgroundRecording("a", "ann", "", whole.frames, 100.0)
    assert math.isnan(bare.decibels) and len(bare.part(3, 9).frames) == 6


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 1000), prior=st.sampled_from([0.1, 0.5]), l2=st.sampled_from([1e-4, 1e-2]))
def test_an_extension_is_where_a_generic_optimiser_ends(seed: int, prior: float, l2: float) -> None:
    rng = np.random.default_rng(seed)
    target = np.arange(80) < 20
    columns = {"s": rng.normal(target * 2.0, 1.0), "noise": rng.uniform(0, 2, 80)}
    base = Calibration(("s",), (1.5,), -0.5, prior)
    found = extend_calibration(base, columns, target, ["noise", "noise*s"], l2=l2)
    assert (found.weights[:1], found.offset) == (base.weights, base.offset)
    x = np.column_stack([columns["noise"], columns["noise"] * columns["s"]])
    alpha = np.where(target, prior / 20, (1 - prior) / 60)
    ours = np.array(found.weights[1:]) * np.sqrt(alpha @ np.square(x))
    log_odds = base.apply(columns) + math.log(prior / (1 - prior))
    cost = (x, target, log_odds, prior, l2)
    theirs = minimize(naive.extension_cost, np.zeros(2), cost, method="BFGS")
    assert naive.extension_cost(ours, *cost) <= theirs.fun + 1e-9
    quiet = columns | {"noise": np.zeros(80)}
    np.testing.assert_array_equal(found.apply(quiet), base.apply(quiet))


def test_a_speaker_keeps_the_ratio_of_each_recording(town: Path, tmp_path: Path) -> None:
    entries = list(ag.read_manifest(town / "people" / "train.jsonl"))
    gallery = ag.enroll(ag.load(town / "ubm.agmm"), entries[:3], tmp_path / "known")
    name = gallery.names[0]
    ratios = gallery[name].decibels
    assert len(ratios) == gallery[name].n_recordings == 3 and all(5 < ratio < 80 for ratio in ratios)
    assert gallery[name].signal_to_noise == pytest.approx(np.mean(ratios))
    old = replace(gallery[name], decibels=())
    gallery.add(old)
    assert math.isnan(gallery[name].signal_to_noise)
    both = old.plus(replace(gallery[name], decibels=(math.nan, 12.0, 14.0)))
    assert both.signal_to_noise == 13.0 and len(both.decibels) == 6


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A background model with a back end; others to be enrolled, with tests as they are and in noise."""
    folder = tmp_path_factory.mktemp("noisy")
    write_corpus(folder / "background", make_speakers(seed=11, count=24, train=1, test=0, duration=8.0))
    write_corpus(folder / "people", make_speakers(seed=12, count=10, train=3, test=4, duration=3.0))
    entries = ag.read_manifest(folder / "background" / "train.jsonl")
    ag.train(entries, ag.FrontEnd.preset("speech"), n_components=16, passes=4, seed=0, speakers="yes").save(
        folder / "ubm.agmm"
    )
    rows = ["model,audio_filepath,target"]
    for i, entry in enumerate(ag.read_manifest(folder / "people" / "test.jsonl")):
        samples, rate = soundfile.read(entry.path, dtype="float32")
        power = float(np.mean(np.square(samples)))
        heard = NoiseStream(AddedNoise((25.0, 8.0, 4.0)[i % 3], 0.3, i), power).push(samples)
        soundfile.write(folder / f"{entry.id}.wav", heard, rate, subtype="FLOAT")
        rows += [f"speaker_{k},{entry.id}.wav,{int(entry.speaker == f'speaker_{k}')}" for k in range(10)]
    (folder / "noisy.csv").write_text("\n".join(rows) + "\n")
    return folder


def test_a_score_is_worth_less_in_noise(town: Path, tmp_path: Path, audiogmm: Audiogmm) -> None:
    model = ag.load(town / "ubm.agmm")
    backend = read_backend(model)
    assert backend is not None and backend.about["n_noisy_trials"] > 100
    learned = backend.calibrations.get("none")
    assert learned is not None
    assert learned.names[4:] == ("noise", "noise*raw", "noise*space")
    deaf = replace(learned, names=learned.names[:4], weights=learned.weights[:4])
    entries = [e for e in ag.read_manifest(town / "people" / "train.jsonl") if e.id.endswith("_0")]
    gallery = ag.enroll(model, entries, tmp_path / "known")
    lost = {}
    for name, calibration in (("deaf", deaf), ("hears", learned)):
        gallery.calibrate(calibration)
        verify_to_file(gallery.folder, str(town / "noisy.csv"), tmp_path / f"{name}.csv")
        rows = [line.split(",") for line in (tmp_path / f"{name}.csv").read_text().splitlines()]
        header, table = rows[0], rows[1:]
        scores = np.array([float(row[header.index("score")]) for row in table])
        target = np.array([row[header.index("target")] == "1" for row in table])
        lost[name] = cllr(scores[target], scores[~target])
    assert lost["hears"] < 0.9 * lost["deaf"]
    ratios = np.array([float(row[header.index("snr")]) for row in table])[::10]  # one a recording
    assert ratios[0::3].mean() > ratios[1::3].mean() + 5 > ratios[2::3].mean() + 7
    done = audiogmm(
        "fuse",
        str(tmp_path / "deaf.csv"),
        "--train",
        str(tmp_path / "deaf.csv"),
        "--quality",
        "snr",
        "-o",
        str(tmp_path / "fused.csv"),
        "--json",
    )
    assert done.status == 0, done.err
    assert done.json["calibration"]["names"] == ["score", "snr"]
