"""The corpus: the same for a seed, its truth true, its foreign sounds no louder than what they hide in."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from audiogmm.errors import ChoiceError
from audiogmm.evaluation.detection.frame_metrics import frame_auc, frame_truth, score_loudness
from audiogmm.synth import SynthRecording, make_scenes, make_speakers, write_corpus
from audiogmm.synth.foreign import FOREIGN, add_foreign_sounds
from audiogmm.synth.noise import SAMPLE_RATE, rms
from audiogmm.synth.sites import SITES, make_background
from audiogmm.timeline import FrameClock

CLOCK = FrameClock(SAMPLE_RATE, 160, 400)


@pytest.fixture(scope="module")
def corpus() -> list[SynthRecording]:
    return list(make_scenes(0, train=1, test=4, duration=10.0))


def test_a_seed_is_a_corpus(corpus: list[SynthRecording]) -> None:
    again = list(make_scenes(0, train=1, test=4, duration=10.0))
    for one, other in zip(corpus, again, strict=True):
        assert one.name == other.name
        assert one.samples.tobytes() == other.samples.tobytes()
    assert not np.array_equal(corpus[0].samples, next(make_scenes(1, train=1, duration=10.0)).samples)


def test_a_recording_does_not_depend_on_how_many_there_are(corpus: list[SynthRecording]) -> None:
    fewer = {r.name: r for r in make_scenes(0, train=1, test=2, duration=10.0)}
    for recording in corpus:
        if recording.name in fewer:
            assert recording.samples.tobytes() == fewer[recording.name].samples.tobytes()


def test_samples_are_sound(corpus: list[SynthRecording]) -> None:
    assert {r.site for r in corpus} == set(SITES)
    for recording in corpus:
        assert recording.samples.dtype == np.float32
        assert np.isfinite(recording.samples).all()
        assert 0.005 < rms(recording.samples) < np.abs(recording.samples).max() < 1.0


def test_only_every_second_test_recording_holds_foreign_sounds(corpus: list[SynthRecording]) -> None:
    for recording in corpus:
        expected = recording.split == "test" and int(recording.name[-2:]) % 2 == 1
        assert bool(recording.events) == bool(recording.sounds) == expected
        ends = [0.0, *(event.end for event in recording.events)]
        assert all(e.start > before for e, before in zip(recording.events, ends, strict=False))
        assert ends[-1] < 10.0


@pytest.mark.parametrize("seed", range(6))
def test_a_mixture_has_the_level_of_its_background_and_differs_in_the_events_only(seed: int) -> None:
    rng = np.random.default_rng(seed)
    before = make_background(SITES[seed % 3], 10 * SAMPLE_RATE, rng)
    after, events, sounds = add_foreign_sounds(before, rng)
    assert len(events) == len(sounds)
    n = CLOCK.n_frames(len(before))
    truth = frame_truth(CLOCK, n, events)
    levels = [score_loudness(samples.astype(np.float32), CLOCK).scores for samples in (before, after)]
    assert np.abs(levels[0] - levels[1]).max() < 5  # dB, in any frame
    assert np.abs(levels[0] - levels[1])[truth].mean() < 0.5
    for event in events:
        inside = slice(round(event.start * SAMPLE_RATE), round(event.end * SAMPLE_RATE))
        assert rms((after - before)[inside]) > 0.4 * rms(before[inside])
        before[inside] = after[inside] = 0.0
    changed = np.abs(after - before) > 1e-6
    assert changed.mean() < 0.02  # the levels are compared over 20 ms, which reach beyond an event


def test_loudness_gives_nothing_away() -> None:
    scores, truth = [], []
    for recording in make_scenes(0, train=0, test=10, duration=10.0):
        track = score_loudness(recording.samples, CLOCK)
        scores.append(track.scores)
        truth.append(frame_truth(CLOCK, len(track), recording.events))
    auc = frame_auc(np.concatenate(scores), np.concatenate(truth))
    assert 0.4 < auc < 0.6


@pytest.mark.parametrize("kind", sorted(FOREIGN))
@pytest.mark.parametrize("seed", range(5))
def test_foreign_sounds_are_heard(kind: str, seed: int) -> None:
    sound = FOREIGN[kind](16_000, np.random.default_rng(seed))
    assert sound.shape == (16_000,)
    assert np.isfinite(sound).all()
    assert rms(sound) > 0


def test_speakers_differ_more_than_their_recordings() -> None:
    spectra: dict[str, list[np.ndarray]] = {}
    for recording in make_speakers(0, count=3, train=2, test=1, duration=3.0):
        power = np.square(np.abs(np.fft.rfft(recording.samples)))[: 12_000 // 2]
        bands = np.log(np.add.reduceat(power, np.arange(0, len(power), 250)))
        spectra.setdefault(recording.speaker, []).append(bands - bands.mean())
    means = {name: np.mean(rows, axis=0) for name, rows in spectra.items()}
    within = np.mean([np.std(np.array(rows), axis=0).mean() for rows in spectra.values()])
    assert np.std(list(means.values()), axis=0).mean() > within


def test_a_corpus_is_written_with_its_truth(tmp_path: Path, corpus: list[SynthRecording]) -> None:
    assert write_corpus(tmp_path / "corpus", iter(corpus)) == {"train": 3, "test": 12}
    written = {r.name: r for r in corpus}
    for split in ("train", "test"):
        for line in (tmp_path / "corpus" / f"{split}.jsonl").read_text().splitlines():
            entry = json.loads(line)
            recording = written[entry["id"]]
            samples, rate = soundfile.read(tmp_path / "corpus" / entry["audio_filepath"], dtype="float32")
            assert rate == SAMPLE_RATE
            assert entry["duration"] == 10.0
            assert entry["site"] == recording.site
            np.testing.assert_allclose(samples, recording.samples, atol=1 / 32768)
            assert [(e["start"], e["end"]) for e in entry["events"]] == [
                (e.start, e.end) for e in recording.events
            ]


def test_scenes_that_are_too_short_are_refused() -> None:
    with pytest.raises(ChoiceError, match=r"scenes of 2\.0 s; needed: at least 5 s"):
        next(make_scenes(duration=2.0))
