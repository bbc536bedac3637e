"""Training on a stream: a cold start, steps that do not depend on chunks, a model that works at once."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from audiogmm.anomaly.learning.model_parts import read_detector
from audiogmm.anomaly.scorer import FrameScores
from audiogmm.audio.frontend.frontend import FrontEnd
from audiogmm.errors import AudioDataError, ChoiceError, MismatchError, OutputError, TrainingError
from audiogmm.jobs.detect import detect
from audiogmm.jobs.info import info
from audiogmm.jobs.score import score
from audiogmm.jobs.stream_learn import learn_from_stream
from audiogmm.jobs.train import train
from audiogmm.jobs.update import update
from audiogmm.live.stream.cold_start import ColdStart
from audiogmm.live.stream.learn_settings import LearnSettings
from audiogmm.live.stream.learner import LatestScores
from audiogmm.live.stream.sources import StreamInputs
from audiogmm.live.stream.training import TrainingPipeline, TrainingPlan
from audiogmm.manifest import Entry
from audiogmm.mixture.evaluator import Evaluator
from audiogmm.mixture.store import load
from audiogmm.timeline import FrameClock
from tests.live.rooms import RATE, bursts, model, room, with_whistles
from tests.live.streams import chunks, set_standard_input, wav

SETTINGS = LearnSettings(n_components=2, cold_start=10.0, heartbeat=0, save_every=0.5)


def learning(
    output: Path, preset: str = "ambient", how: LearnSettings = SETTINGS, **plan: Any
) -> TrainingPipeline:
    frontend = plan.pop("frontend", FrontEnd.preset(preset))
    return TrainingPipeline(
        TrainingPlan(output, frontend, how, plan.pop("start", None)), "-", dict, lambda _: None
    )


def learned(output: Path, pieces: Any, *arguments: Any, **named: Any) -> list[Any]:
    pipeline = learning(output, *arguments, **named)
    pipeline.begin(RATE, 0.0)
    lines = [line for piece in pieces for line in pipeline.push(piece)]
    return lines + pipeline.flush() + pipeline.close()


@pytest.fixture(scope="module")
def sound() -> np.ndarray:
    return room(90.0, seed=20)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory, sound: np.ndarray) -> Path:
    """A model that was learned from the sound in one go."""
    path = tmp_path_factory.mktemp("learned") / "room.agmm"
    learned(path, [sound])
    return path


def test_a_model_is_saved_as_it_goes_and_at_the_end(tmp_path: Path, sound: np.ndarray) -> None:
    lines = learned(tmp_path / "a.agmm", chunks(sound, np.random.default_rng(0), 20000))
    types = [(line.type, round(line.time, 1)) for line in lines]
    assert types == [("learning", 10.0), ("saved", 30.0), ("saved", 60.0), ("saved", 90.0)]
    assert lines[0].body == {"components": 2, "learned": 1000}
    assert [line.body["learned"] for line in lines[1:]] == [2792, 5864, 8998]
    likelihoods = [line.body["log_likelihood"] for line in lines[1:]]
    assert likelihoods[-1] > likelihoods[0]


@pytest.mark.parametrize("most", [1000, 33333, 10**6])
@pytest.mark.parametrize("preset", ["ambient", "speech"])
def test_any_chunking_learns_the_same_model(tmp_path: Path, preset: str, most: int) -> None:
    sound = np.concatenate([np.zeros(30001, np.float32), room(40.0, seed=3) * bursts(40.0)])
    whole = learned(tmp_path / "whole.agmm", [sound], preset)
    cut = learned(tmp_path / "cut.agmm", chunks(sound, np.random.default_rng(most), most), preset)
    assert [(line.type, line.time) for line in cut] == [(line.type, line.time) for line in whole]
    if preset == "ambient":  # the cold start begins with the first sound
        assert whole[0].time == pytest.approx(30001 / RATE + 10.015)
    assert (tmp_path / "cut.agmm").read_bytes() == (tmp_path / "whole.agmm").read_bytes()


def test_what_was_learned_is_ready_to_score_and_to_detect(tmp_path: Path, path: Path) -> None:
    soundfile.write(tmp_path / "b.wav", with_whistles(12.0, (5.0,)), RATE)
    entry = Entry(audio_filepath=str(tmp_path / "b.wav"), id="b")
    found = load(path)
    assert len(score(found, entry)) == 1198
    events = detect(found, entry)
    assert any(abs(event.start - 5.0) < 0.2 for event in events)
    about = info(path).summary()
    assert about["training"]["algorithm"] == "online" and about["training"]["online"]["steps"] > 30
    assert about["data"]["n_frames"] == 8998 and about["training"]["floor"]
    assert list(info(path).lines())


def test_the_first_sounds_complete_the_front_end(path: Path, sound: np.ndarray) -> None:
    settings = load(path).metadata.frontend
    first = sound[: 10 * RATE].astype(np.float64)
    level = np.sqrt(np.mean((settings["sample_scale"] * first) ** 2))
    assert 20 * np.log10(level) == pytest.approx(-25, abs=0.01)
    plain = FrontEnd.from_dict(settings).without_global()
    frames = plain(sound[: 10 * RATE], RATE)
    np.testing.assert_allclose(
        settings["cmvn_mean"], frames.mean(axis=0, dtype=np.float64), rtol=1e-4, atol=1e-4
    )


def test_the_likelihood_is_near_that_of_batch_training(tmp_path: Path, path: Path, sound: np.ndarray) -> None:
    """Under one front end, on the same sound: what one pass loses against EM until it stands still."""
    online = load(path)
    frontend = FrontEnd.from_dict(online.metadata.frontend)
    soundfile.write(tmp_path / "a.wav", sound, RATE)
    entry = Entry(audio_filepath=str(tmp_path / "a.wav"), id="a")
    batch = train([entry], frontend, n_components=2, hold_out=0)
    frames = frontend(sound, RATE)
    likelihoods = [Evaluator(m.mixture).log_likelihood(frames).mean() for m in (online, batch)]
    cold = train([replace(entry, duration=10.0)], frontend, n_components=2, hold_out=0)
    started = Evaluator(cold.mixture).log_likelihood(frames).mean()
    assert likelihoods[1] - 0.6 < likelihoods[0] <= likelihoods[1] + 1e-6
    assert likelihoods[0] - started > 0.8 * (likelihoods[1] - started)


def test_scores_are_those_of_a_model_that_had_not_seen_the_frame(path: Path, sound: np.ndarray) -> None:
    """The first batch behind the cold start is scored by the model of the cold start alone."""
    found = load(path)
    frontend = FrontEnd.from_dict(found.metadata.frontend)
    pipeline = learning(path.with_name("unused"), frontend=frontend)
    pipeline.begin(RATE, 0.0)
    pipeline.push(sound[: 10 * RATE + 720])  # 1000 frames, and not yet a batch more
    learner = pipeline._learner
    assert learner is not None and learner.has_started and learner.latest.n_seen == 0
    cold = Evaluator(learner.online.settled)  # type: ignore[arg-type]
    frames = frontend(sound, RATE)[1000 : 1000 + 256]
    pipeline.push(sound[10 * RATE + 720 : 14 * RATE])
    np.testing.assert_allclose(learner.latest.last(10**6)[0][:256], cold.log_likelihood(frames), rtol=1e-6)


def test_the_detector_rests_on_the_later_half(path: Path) -> None:
    normal = read_detector(load(path)).normal
    assert normal.ids == ("stream",) and len(normal.scores) == 6000  # a minute: half of what there is is less
    latest = LatestScores(most=50_000)
    clock = FrameClock(8000, 80, 200)
    for i in range(40):
        latest.push(FrameScores(np.full(1000, float(i)), np.ones(1000, bool)))
    track = latest.track(clock)
    assert track is not None and len(track) == 20_000 and track.scores[0] == 20.0


def test_forgetting_follows_what_changes(tmp_path: Path) -> None:
    """A room, and then another one: with a half-life of 10 s little is left of the first."""
    sound = np.concatenate([room(60.0, seed=1), 0.3 * np.random.default_rng(0).standard_normal(60 * RATE)])
    likelihoods = []
    for half_life in (None, 10 / 3600):
        path = tmp_path / "a.agmm"
        frontend = FrontEnd.preset("speech", vad="none", sample_rate=RATE)
        how = replace(SETTINGS, half_life=half_life, exponent=1.0)
        learned(path, [sound.astype(np.float32)], how=how, frontend=frontend)
        late = frontend(sound[90 * RATE :].astype(np.float32), RATE)
        likelihoods.append(Evaluator(load(path).mixture).log_likelihood(late).mean())
    assert likelihoods[1] > likelihoods[0] + 0.5


def test_training_continues_from_a_model(tmp_path: Path, path: Path, sound: np.ndarray) -> None:
    begin = load(path)
    frontend = FrontEnd.from_dict(begin.metadata.frontend)
    more = room(30.0, seed=21)
    lines = learned(tmp_path / "on.agmm", [more], frontend=frontend, start=begin)
    assert [line.type for line in lines] == ["saved"]
    after = load(tmp_path / "on.agmm")
    assert after.metadata.data == {
        "n_recordings": 2,
        "n_frames": 8998 + 2998,
        "seconds": pytest.approx(89.98 + 29.98),
        "fingerprint": None,
    }
    assert after.metadata.training["online"]["steps"] > begin.metadata.training["online"]["steps"]
    assert after.mixture != begin.mixture and after.metadata.frontend == begin.metadata.frontend


def test_statistics_are_worth_the_frames_that_count(tmp_path: Path, path: Path) -> None:
    """So `update` weighs more recordings against them as it should."""
    found = load(path)
    assert found.statistics is not None
    online = found.metadata.training["online"]
    assert online["steps"] == pytest.approx(8998 / online["batch"])  # those that waited at the end, too
    rho = min((online["steps"] + 2) ** -online["exponent"], online["batch"] / (online["memory"] * 2))
    assert found.statistics.n_frames == pytest.approx(min(8998, online["batch"] / rho))
    soundfile.write(tmp_path / "b.wav", room(5.0, seed=8), RATE)
    updated = update(found, [Entry(audio_filepath=str(tmp_path / "b.wav"), id="b")])
    assert updated.statistics is not None
    assert updated.statistics.n_frames == pytest.approx(found.statistics.n_frames + 498)


def test_a_gap_in_the_cold_start_and_behind_it(tmp_path: Path, sound: np.ndarray) -> None:
    pipeline = learning(tmp_path / "a.agmm")
    for at, first in ((0.0, 0), (6.0, 4), (20.0, 12), (40.0, 20)):
        pipeline.begin(RATE, at)
        lines = pipeline.push(sound[first * RATE : (first + 8) * RATE]) + pipeline.flush()
        assert [line.type for line in lines] == {6.0: ["learning"], 40.0: ["saved"]}.get(at, [])
    (saved,) = pipeline.close()
    assert saved.time == pytest.approx(48.0, abs=0.03)
    assert pipeline.totals["frames"] == pytest.approx(3200, abs=10)


def test_digital_silence_before_the_first_sound_teaches_nothing(tmp_path: Path) -> None:
    cold = ColdStart(1.0, RATE)
    for _ in range(60):
        assert cold.push(np.zeros(60 * RATE, np.float32)) == 60 * RATE
    assert not len(cold.samples) and cold.skipped == 3600 * RATE and not cold.enough
    with pytest.raises(AudioDataError, match=r"3600.000 s of digital silence"):
        learned(tmp_path / "a.agmm", [np.zeros(60 * RATE, np.float32)] * 60)


def test_an_hour_without_speech_is_not_kept(tmp_path: Path) -> None:
    pipeline = learning(tmp_path / "a.agmm", "speech")
    pipeline.begin(RATE, 0.0)
    for _ in range(20):
        assert pipeline.push(np.zeros(60 * RATE, np.float32)) == []
    learner = pipeline._learner
    assert learner is not None and learner.n_cold == 0 and learner._cold == []
    with pytest.raises(TrainingError, match=r"the stream held 0 voiced frames; needed: at least 2"):
        pipeline.flush()
        pipeline.close()


def test_a_short_stream_is_learned_from_all_the_same(tmp_path: Path) -> None:
    lines = learned(tmp_path / "a.agmm", [room(4.0)])
    assert [line.type for line in lines] == ["saved"]
    assert load(tmp_path / "a.agmm").metadata.data["n_frames"] == 398


def test_a_disk_that_is_full_for_a_while_does_not_end_it(
    tmp_path: Path, sound: np.ndarray, monkeypatch: Any
) -> None:
    from audiogmm.mixture.store import Model

    plain, tries, said = Model.save, [], []

    def save(self: Model, path: Path, force: bool = False) -> None:
        tries.append(path)
        if len(tries) == 1:
            raise OutputError(f"{path} cannot be written: No space left on device")
        plain(self, path, force)

    monkeypatch.setattr(Model, "save", save)
    pipeline = TrainingPipeline(
        TrainingPlan(tmp_path / "a", FrontEnd.preset("ambient"), SETTINGS, None), "-", dict, said.append
    )
    pipeline.begin(RATE, 0.0)
    lines = pipeline.push(sound) + pipeline.flush() + pipeline.close()
    assert [line.type for line in lines] == ["learning", "saved", "saved"]
    assert said == [f"{tmp_path / 'a'} cannot be written: No space left on device; learning goes on"]


def through_standard_input(monkeypatch: Any, content: bytes, output: Path, **named: Any) -> list[Any]:
    texts: list[str] = []
    set_standard_input(monkeypatch, content)
    learn_from_stream(output, StreamInputs(), texts.append, settings=SETTINGS, **named)
    return [json.loads(line) for line in "".join(texts).splitlines()]


def test_the_first_sound_decides_the_rate(monkeypatch: Any, tmp_path: Path, sound: np.ndarray) -> None:
    lines = through_standard_input(monkeypatch, wav(sound[: 15 * RATE]), tmp_path / "a.agmm")
    assert [line["type"] for line in lines] == ["start", "learning", "saved", "end"]
    assert load(tmp_path / "a.agmm").metadata.sample_rate == RATE
    lines = through_standard_input(
        monkeypatch, wav(sound[: 15 * RATE]), tmp_path / "b.agmm", sample_rate=8000
    )
    assert load(tmp_path / "b.agmm").metadata.sample_rate == 8000
    with pytest.raises(MismatchError, match="16000 Hz; needed: 44100 Hz"):
        through_standard_input(monkeypatch, wav(sound), tmp_path / "c.agmm", sample_rate=44100)


def test_what_cannot_be_learned_from_is_refused_before_any_sound(tmp_path: Path, path: Path) -> None:
    def learn(names: tuple[str, ...] = ("-",), output: str = "new.agmm", **named: Any) -> None:
        learn_from_stream(
            tmp_path / output, StreamInputs(names), print, settings=named.pop("how", None), **named
        )

    with pytest.raises(ChoiceError, match="2 inputs to learn from"):
        learn(("-", "/dev/null"))
    (tmp_path / "there.agmm").write_bytes(b"x")
    with pytest.raises(OutputError, match=r"there.agmm exists already"):
        learn(output="there.agmm")
    for start in (path, str(path), load(path)):
        with pytest.raises(ChoiceError, match="3 full components, and a start of 2 full ones"):
            learn(start=start, how=LearnSettings(n_components=3))
    with pytest.raises(MismatchError, match="another front end"):
        learn(start=path, frontend=FrontEnd.preset("speech"))
    bare = replace(model(), metadata=replace(model().metadata, frontend=None))
    bare.save(tmp_path / "bare.agmm")
    with pytest.raises(ChoiceError, match=r"bare.agmm was trained on precomputed features"):
        learn(start=tmp_path / "bare.agmm")
