"""Enroll, list, verify: from recordings to scores, by the command line and in Python."""

from __future__ import annotations

import csv
import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

import audiogmm as ag
from audiogmm.errors import ChoiceError, MismatchError
from audiogmm.synth import write_corpus
from audiogmm.synth.corpus import make_speakers
from audiogmm.verification.adaptation import Adaptation
from audiogmm.verification.calibration import Calibration
from tests.cli.calls import Audiogmm


@pytest.fixture(scope="session")
def voices(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three speakers: `train.jsonl`, `test.jsonl`, and a background model `ubm.agmm` of them all."""
    folder = tmp_path_factory.mktemp("voices") / "corpus"
    write_corpus(folder, make_speakers(seed=2, count=3, train=2, test=2, duration=3.0))
    frontend = ag.FrontEnd.preset(
        "speech", cmvn="none"
    )  # what tells these voices apart is their mean spectrum
    entries = ag.read_manifest(folder / "train.jsonl")
    model = ag.train(entries, frontend, n_components=8, passes=5, seed=0)
    model.save(folder / "ubm.agmm")
    return folder


@pytest.fixture
def workshop(voices: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the voices in the working folder, with a list of all trials."""
    folder = tmp_path / "work"
    shutil.copytree(voices, folder)
    monkeypatch.chdir(folder)
    rows = [
        (f"speaker_{k}", f"test/{entry.id}.wav", int(entry.speaker == f"speaker_{k}"), "x,y")
        for entry in ag.read_manifest("test.jsonl")
        for k in range(3)
    ]
    write_trials("trials.csv", rows)
    return folder


def write_trials(
    path: str, rows: list[tuple[object, ...]], header: str = "model,audio_filepath,target,note"
) -> None:
    with Path(path).open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header.split(","))
        writer.writerows(rows)


def read_scores(path: str) -> list[dict[str, str]]:
    with Path(path).open(newline="") as file:
        return list(csv.DictReader(file))


def reasons(path: str) -> dict[str, str]:
    return {row["id"]: row["reason"] for row in map(json.loads, Path(path).read_text().splitlines())}


def test_from_recordings_to_scores(workshop: Path, audiogmm: Audiogmm) -> None:
    done = audiogmm("enroll", "ubm.agmm", "train.jsonl", "-o", "known", "--json")
    assert done.status == 0, done.err
    assert (done.json["enrolled"], done.json["recordings"]) == (3, 6)
    listed = audiogmm("speakers", "known", "--json")
    rows = listed.json["speakers"]
    assert [(row["name"], row["recordings"]) for row in rows] == [(f"speaker_{k}", 2) for k in range(3)]  # type: ignore[attr-defined]

    done = audiogmm("verify", "known", "trials.csv", "-o", "scores.csv", "--json")
    assert done.status == 0, done.err
    assert "not calibrated" in done.err
    found = read_scores("scores.csv")
    assert list(found[0])[:4] == ["model", "audio_filepath", "target", "note"]
    assert list(found[0])[4:] == ["score", "decision", "raw", "space", "voiced_seconds", "snr", "flag"]
    assert [row["note"] for row in found] == ["x,y"] * 18
    assert [row["model"] for row in found] == [f"speaker_{k}" for k in range(3)] * 6
    targets = [float(row["score"]) for row in found if row["target"] == "1"]
    others = [float(row["score"]) for row in found if row["target"] == "0"]
    assert min(targets) > max(others)

    gallery = ag.Gallery("known")
    entries = list(ag.read_manifest("test.jsonl"))
    verdicts = ag.verify(gallery, [(f"speaker_{k}", entry) for entry in entries for k in range(3)])
    np.testing.assert_allclose([v.score for v in verdicts], [float(row["score"]) for row in found], rtol=1e-9)
    track = ag.score(ag.Model(gallery.model("speaker_1"), metadata=gallery.background.metadata), entries[0])
    under = ag.score(gallery.background, entries[0])
    assert verdicts[1].raw == pytest.approx(np.mean((track.scores - under.scores)[track.voiced]), abs=1e-6)


def noise(path: str, seconds: float, level: float = 0.1, rate: int = 16000) -> None:
    rng = np.random.default_rng(5)
    soundfile.write(path, level * rng.normal(size=round(seconds * rate)), rate)


def test_what_cannot_be_scored_is_set_aside_by_line(workshop: Path, audiogmm: Audiogmm) -> None:
    assert audiogmm("enroll", "ubm.agmm", "train.jsonl", "-o", "known").status == 0
    good = "test/speaker_0_test_0.wav"
    noise("tiny.wav", 0.05)
    noise("tinier.wav", 0.01)
    noise("silent.wav", 1.0, level=0.0)
    rows = [
        ("speaker_0", good, 1, ""),
        ("nobody", good, 0, ""),
        ("speaker_0", "gone.wav", 0, ""),
        ("speaker_0", "tiny.wav", 0, ""),
        ("speaker_1", "tinier.wav", 0, ""),
        ("speaker_1", "silent.wav", 0, ""),
        ("speaker_0", good, 1, "again"),
        ("speaker_2", good, 0, ""),
        ("speaker_0", good),
        ("", good, 0, ""),
    ]
    write_trials("odd.csv", rows)
    done = audiogmm("verify", "known", "odd.csv", "-o", "scores.csv", "--json")
    assert done.status == 3
    found = read_scores("scores.csv")
    assert [(row["model"], row["audio_filepath"], row["flag"]) for row in found] == [
        ("speaker_0", good, ""),
        ("speaker_0", "tiny.wav", "short"),
        ("speaker_2", good, ""),
    ]
    assert all(np.isfinite(float(row["score"])) for row in found)
    why = reasons("scores.csv.errors.jsonl")
    assert sorted(why, key=lambda id: int(id.split(":")[1])) == [
        f"odd.csv:{n}" for n in (3, 4, 6, 7, 8, 10, 11)
    ]
    assert "'nobody'" in why["odd.csv:3"]
    assert "speaker_0, speaker_1, speaker_2" in why["odd.csv:3"]
    assert "gone.wav is missing" in why["odd.csv:4"]
    assert "tinier.wav is shorter than a frame" in why["odd.csv:6"]
    assert "silence" in why["odd.csv:7"]
    assert "the trial of line 2 again" in why["odd.csv:8"]
    assert "2 cells where the header names" in why["odd.csv:10"]
    assert "names no model" in why["odd.csv:11"]
    assert done.json["set_aside"] == 7
    strict = audiogmm("verify", "known", "odd.csv", "-o", "strict.csv", "--strict")
    assert strict.status in (1, 2)
    assert not Path("strict.csv").exists()


def named_trials(column: str, folder: str = "") -> None:
    """The list `trials.csv` once more, as `named.csv`: recordings by the ids of `all.jsonl`."""
    entries = list(ag.read_manifest("test.jsonl"))
    lines = [
        json.dumps({"audio_filepath": entry.path, "id": f"{folder}{entry.id}", "duration": 3.0})
        for entry in entries
    ]
    Path("all.jsonl").write_text("\n".join(lines) + "\n")
    rows = [
        (f"speaker_{k}", f"{folder}{e.id}", int(e.speaker == f"speaker_{k}"))
        for e in entries
        for k in range(3)
    ]
    write_trials("named.csv", rows, f"model,{column},target")


@pytest.mark.parametrize(("column", "folder"), [("id", ""), ("test", "id1/take/")])
def test_trials_may_name_the_entries_of_a_manifest(
    workshop: Path,
    audiogmm: Audiogmm,
    column: str,
    folder: str,
) -> None:
    named_trials(column, folder)
    assert audiogmm("enroll", "ubm.agmm", "train.jsonl", "-o", "known").status == 0
    assert audiogmm("verify", "known", "trials.csv", "-o", "by_path.csv").status == 0
    done = audiogmm("verify", "known", "named.csv", "--manifest", "all.jsonl", "-o", "by_id.csv", "--json")
    assert done.status == 0, done.err
    assert (done.json["trials"], done.json["recordings"]) == (18, 6)
    by_path, by_id = read_scores("by_path.csv"), read_scores("by_id.csv")
    assert [row["score"] for row in by_id] == [row["score"] for row in by_path]
    assert list(by_id[0])[:3] == ["model", column, "target"]
    judged = audiogmm("evaluate", "verify", "by_id.csv", "-o", "result.json", "--json")
    assert judged.status == 0, judged.err

    done = audiogmm("verify", "known", "named.csv", "-o", "no.csv")
    assert done.status == 1
    assert (
        "model and audio_filepath" in done.err
        and f"--manifest M, whose entries the column {column}" in done.err
    )
    done = audiogmm("verify", "known", "trials.csv", "--manifest", "all.jsonl", "-o", "no.csv")
    assert done.status == 1 and "the columns model and id" in done.err


def test_ids_that_are_not_there_are_named(workshop: Path, audiogmm: Audiogmm) -> None:
    named_trials("id")
    assert audiogmm("enroll", "ubm.agmm", "train.jsonl", "-o", "known").status == 0
    whole = "speaker_0_test_0"
    rows = [
        ("speaker_0", whole, "", ""),
        ("speaker_0", "speaker_9_test_0", "", ""),
        ("speaker_0", f"wav/{whole}.wav", "", ""),
        ("speaker_0", "", "", ""),
        ("speaker_0", whole, "0.5", "1.0"),
        ("speaker_0", whole, "2.0", ""),
        ("speaker_0", whole, "2.5", "1.0"),
        ("speaker_0", whole, "3.5", ""),
        ("speaker_0", whole, "late", ""),
        ("speaker_0", whole, "", ""),
    ]
    write_trials("named.csv", rows, "model,id,offset,duration")
    with Path("all.jsonl").open("a") as file:
        file.write("no JSON\n")
    done = audiogmm("verify", "known", "named.csv", "--manifest", "all.jsonl", "-o", "scores.csv", "--json")
    assert done.status == 3
    assert done.json["trials"] == 3
    why = [json.loads(line) for line in Path("scores.csv.errors.jsonl").read_text().splitlines()]
    told = {row["id"]: row["reason"] for row in why}
    assert "'speaker_9_test_0', which is no id in all.jsonl" in told["named.csv:3"]
    assert f"{whole!r}, which is there" in told["named.csv:4"]
    assert "names no recording" in told["named.csv:5"]
    assert "cuts 2.5 to 3.5 s out of 'speaker_0_test_0', which has 3 s" in told["named.csv:8"]
    assert "which has 3 s" in told["named.csv:9"]
    assert "late" in told["named.csv:10"]
    assert "the trial of line 2 again" in told["named.csv:11"]
    assert sum("all.jsonl:7" in row["reason"] for row in why) == 1, "a bad line is told once"
    entry = next(e for e in ag.read_manifest("test.jsonl") if e.id == whole)
    gallery = ag.Gallery("known")
    for row, cut in zip(read_scores("scores.csv")[1:], ((0.5, 1.0), (2.0, 1.0)), strict=True):
        piece = replace(entry, offset=cut[0], duration=cut[1])
        (verdict,) = ag.verify(gallery, [("speaker_0", piece)])
        assert float(row["raw"]) == pytest.approx(verdict.raw, abs=1e-9)


@pytest.mark.parametrize("variances", [False, True])
def test_a_further_recording_needs_no_earlier_one(workshop: Path, variances: bool) -> None:
    model, entries = ag.load("ubm.agmm"), list(ag.read_manifest("train.jsonl"))
    adapt = ["means", "weights", "variances"] if variances else None
    together = ag.enroll(model, entries, "together", adapt=adapt)
    ag.enroll(model, [entry for entry in entries if "train_0" in entry.id], "apart", adapt=adapt)
    for entry in entries:
        if "train_0" in entry.id:
            Path(entry.path).rename(entry.path + ".moved")
    apart = ag.enroll(model, [entry for entry in entries if "train_1" in entry.id], "apart")
    assert apart.names == together.names
    for name in apart.names:
        assert apart[name].recordings == together[name].recordings
        assert apart[name].voiced_seconds == pytest.approx(together[name].voiced_seconds)
        for part in ("weights", "means", "covariances"):
            one, other = (getattr(gallery.model(name), part) for gallery in (apart, together))
            np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-12)
    assert (apart.model("speaker_0").weights != model.weights).any() == variances
    assert (apart.model("speaker_0").covariances != model.covariances).any() == variances
    before = (apart.folder / "speakers" / "speaker_0.speaker").read_bytes()
    ag.enroll(model, [entry for entry in entries if "train_1" in entry.id], "apart")
    assert (apart.folder / "speakers" / "speaker_0.speaker").read_bytes() == before


def test_rounds_take_the_posteriors_of_the_round_before(workshop: Path) -> None:
    from audiogmm.mixture.evaluator import Evaluator
    from audiogmm.runs.aside import Aside
    from audiogmm.runs.inputs import open_inputs

    model = ag.load("ubm.agmm")
    entries = [e for e in ag.read_manifest("train.jsonl") if e.speaker == "speaker_1"]
    gallery = ag.enroll(model, entries, "known", iterations=3, tau=4.0, adapt=["means", "weights"])
    frames = np.concatenate(
        [
            block.frames[block.voiced]
            for shard in open_inputs(entries, model=model, aside=Aside(), say=lambda _: None)
            for block in shard
        ]
    )
    mixture = model.mixture
    for _ in range(3):
        stats = Evaluator(mixture).accumulate(frames)
        mixture = Adaptation(tau=4.0, weights=True)(model.mixture, stats)
    np.testing.assert_allclose(gallery.model("speaker_1").means, mixture.means, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(gallery.model("speaker_1").weights, mixture.weights, rtol=1e-6)
    once = Adaptation(tau=4.0, weights=True)(model.mixture, gallery["speaker_1"].statistics)
    assert np.abs(once.means - mixture.means).max() > 1e-3


def test_backgrounds_and_settings_are_not_mixed(workshop: Path, audiogmm: Audiogmm) -> None:
    model, entries = ag.load("ubm.agmm"), list(ag.read_manifest("train.jsonl"))
    gallery = ag.enroll(model, entries[:1], "known")
    frontend = ag.FrontEnd.preset("speech", cmvn="none")
    other = ag.train(entries, frontend, n_components=4, passes=2, seed=1)
    other.save("other.agmm")
    done = audiogmm("enroll", "other.agmm", "train.jsonl", "-o", "known")
    assert done.status == 1
    assert model.fingerprint[:12] in done.err
    assert other.fingerprint[:12] in done.err
    assert audiogmm("enroll", "ubm.agmm", "train.jsonl", "-o", "known", "--tau", 8).status == 2
    with pytest.raises(ChoiceError, match=r"--tau 8 .*needed: what known was made with: --tau 16 "):
        ag.enroll(model, entries, "known", tau=8)

    stranger = ag.enroll(other, entries[2:3], "strangers")
    shutil.copy(stranger.folder / "speakers" / "speaker_1.speaker", gallery.folder / "speakers")
    with pytest.raises(MismatchError, match=f"{other.fingerprint[:12]}; needed: .*{model.fingerprint[:12]}"):
        gallery["speaker_1"]
    write_trials("two.csv", [(f"speaker_{k}", "test/speaker_0_test_0.wav", 1, "") for k in range(2)])
    assert audiogmm("verify", "known", "two.csv", "-o", "scores.csv").status == 3
    assert [row["model"] for row in read_scores("scores.csv")] == ["speaker_0"]
    assert other.fingerprint[:12] in reasons("scores.csv.errors.jsonl")["two.csv:3"]


def test_a_speaker_of_whom_nothing_is_heard_is_named(workshop: Path, audiogmm: Audiogmm) -> None:
    noise("silent.wav", 1.0, level=0.0)
    lines = Path("train.jsonl").read_text() + json.dumps({"audio_filepath": "silent.wav", "speaker": "ghost"})
    Path("more.jsonl").write_text(
        lines + "\n" + json.dumps({"audio_filepath": "silent.wav", "id": "x"}) + "\n"
    )
    done = audiogmm("enroll", "ubm.agmm", "more.jsonl", "-o", "known", "--json")
    assert done.status == 3
    assert done.json["enrolled"] == 3
    why = reasons("known.errors.jsonl")
    assert "none of its" in why["silent"]
    assert "'ghost'" in why["ghost"]
    assert "names no speaker" in why["x"]

    assert audiogmm("speakers", "known", "--remove", "ghost").status == 2
    done = audiogmm("speakers", "known", "--remove", "speaker_1", "--json")
    assert done.json["removed"] == ["speaker_1"]
    assert ag.Gallery("known").names == ("speaker_0", "speaker_2")


def test_scores_are_the_same_bytes_however_they_are_computed(
    workshop: Path,
    audiogmm: Audiogmm,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert audiogmm("enroll", "ubm.agmm", "train.jsonl", "-o", "known", "--threads", 1).status == 0
    assert audiogmm("enroll", "ubm.agmm", "train.jsonl", "-o", "again", "--workers", 1).status == 0
    for file in sorted(Path("known/speakers").iterdir()):
        assert (Path("again/speakers") / file.name).read_bytes() == file.read_bytes()
    for scoring in ("exact", "top", "linear"):
        one = ["verify", "known", "trials.csv", "--scoring", scoring, "-o"]
        assert audiogmm(*one, "one.csv", "--threads", 1, "--force").status == 0
        monkeypatch.setattr("audiogmm.jobs.verify.MAX_TRIALS", 4)
        monkeypatch.setattr("audiogmm.jobs.verify.MAX_MODELS", 2)
        assert audiogmm(*one, "other.csv", "--threads", 3, "--force").status == 0
        monkeypatch.undo()
        monkeypatch.chdir(workshop)
        assert Path("one.csv").read_bytes() == Path("other.csv").read_bytes()
    assert audiogmm(*one, "third.csv", "--workers", 1).status == 0
    assert Path("one.csv").read_bytes() == Path("third.csv").read_bytes()


def test_a_stopped_run_goes_on(
    workshop: Path,
    audiogmm: Audiogmm,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from audiogmm.verification.recordings.segment_scorer import SegmentScorer

    assert audiogmm("enroll", "ubm.agmm", "train.jsonl", "-o", "known").status == 0
    assert audiogmm("verify", "known", "trials.csv", "-o", "whole.csv").status == 0
    judged: list[str] = []
    plain = SegmentScorer.__call__

    def stopping(self: SegmentScorer, cut):  # type: ignore[no-untyped-def]
        if len(judged) == 2:
            raise KeyboardInterrupt
        judged.append(cut.id)
        return plain(self, cut)

    monkeypatch.setattr(SegmentScorer, "__call__", stopping)
    stopped = audiogmm("verify", "known", "trials.csv", "-o", "parts.csv", "--threads", 1)
    assert stopped.status == 130
    assert "--resume" in stopped.err
    assert not Path("parts.csv").exists()
    judged.clear()
    monkeypatch.setattr(
        SegmentScorer, "__call__", lambda self, cut: (judged.append(cut.id), plain(self, cut))[1]
    )
    assert audiogmm("verify", "known", "trials.csv", "-o", "parts.csv", "--resume").status == 0
    assert len(judged) == 4
    assert Path("parts.csv").read_bytes() == Path("whole.csv").read_bytes()


def test_a_calibration_gives_decisions(workshop: Path, audiogmm: Audiogmm) -> None:
    gallery = ag.enroll(ag.load("ubm.agmm"), ag.read_manifest("train.jsonl"), "known")
    gallery.calibrate(Calibration(("raw", "log_voiced_seconds"), (3.0, 0.5), -1.0))
    costs = ["--prior", 0.2, "--cost-miss", 2, "--cost-false-alarm", 3]
    done = audiogmm("verify", "known", "trials.csv", "-o", "scores.csv", *costs, "--json")
    assert done.json["threshold"] == pytest.approx(np.log(0.8 / 0.2 * 3 / 2))
    found = read_scores("scores.csv")
    for row in found:
        llr = 3 * float(row["raw"]) + 0.5 * np.log(float(row["voiced_seconds"])) - 1
        assert float(row["score"]) == pytest.approx(llr, abs=1e-3)
        assert row["decision"] == ("accept" if llr >= np.log(6) else "reject")
    assert {row["decision"] for row in found} == {"accept", "reject"}
    assert done.json["accepted"] == sum(row["decision"] == "accept" for row in found)
    with pytest.raises(ChoiceError, match="normalization 'q'"):
        ag.verify(gallery, [], normalisation="q")  # the former keyword


@pytest.mark.data
def test_digits_are_told_apart(data: Path, tmp_path: Path) -> None:
    """Six speakers, words of 0.4 s; the background is of the enrollment itself, so this is no figure."""
    entries = [entry for i, entry in enumerate(ag.read_manifest(data / "fsdd_enroll.jsonl")) if i % 3 == 0]
    model = ag.train(entries, n_components=8, passes=5, seed=0, sample_rate=8000)
    gallery = ag.enroll(model, entries, tmp_path / "known")
    tests = [entry for i, entry in enumerate(ag.read_manifest(data / "fsdd_test.jsonl")) if i % 10 == 0]
    verdicts = ag.verify(gallery, [(name, entry) for entry in tests for name in gallery.names], scoring="top")
    best = np.array([v.score for v in verdicts]).reshape(len(tests), -1).argmax(axis=1)
    right = np.mean([gallery.names[i] == entry.speaker for i, entry in zip(best, tests, strict=True)])
    assert len(tests) == 30
    assert right >= 0.7
