"""From recordings to the speakers of them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import audiogmm as ag
from audiogmm.errors import ChoiceError
from audiogmm.synth import write_corpus
from audiogmm.synth.corpus import make_speakers
from audiogmm.verification.calibration import Calibration
from audiogmm.verification.identification import compute_posteriors, share_prior
from audiogmm.verification.recalibration import CORRELATION
from audiogmm.verification.recordings.identifier import Identifier
from tests.cli.calls import Audiogmm
from tests.jobs.test_verify import reasons, voices, workshop  # noqa: F401
from tests.naive import identification as naive


def rows_of(path: str) -> list[dict]:
    return [json.loads(line) for line in Path(path).read_text().splitlines()]


@pytest.fixture
def known(workshop: Path, audiogmm: Audiogmm) -> Path:  # noqa: F811
    """Two of the three voices, enrolled."""
    rows = [row for row in rows_of("train.jsonl") if row["speaker"] != "speaker_2"]
    Path("people.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    done = audiogmm("enroll", "ubm.agmm", "people.jsonl", "-o", "known")
    assert done.status == 0, done.err
    return workshop / "known"


def test_from_recordings_to_who_it_is(known: Path, audiogmm: Audiogmm) -> None:
    (known / "calibration.json").unlink(missing_ok=True)
    done = audiogmm("identify", "known", "test.jsonl", "-o", "who.jsonl", "--closed", "--top", 1, "--json")
    assert done.status == 0, done.err
    assert "the gallery is not calibrated" in done.err
    expected = {"accuracy": 1.0, "of_enrolled": 4, "right": 4, "of_strangers": 2, "refused": 0, "nobody": 0}
    assert {key: done.json[key] for key in expected} == expected
    rows = rows_of("who.jsonl")
    assert [row["id"] for row in rows] == [entry.id for entry in ag.read_manifest("test.jsonl")]
    assert all(row["nobody"] == 0 and len(row["candidates"]) == 1 for row in rows)

    # a calibration that puts the threshold between own and other voices: the stranger is told apart
    gallery = ag.Gallery(known)
    found = ag.identify(gallery, ag.read_manifest("test.jsonl"))
    assert [i.to_dict() for i in found if i.truth != "speaker_2"] != []
    entries = list(ag.read_manifest("test.jsonl"))
    raw = {
        (v.id, v.model): v.raw for v in ag.verify(gallery, [(n, e) for e in entries for n in gallery.names])
    }
    own = min(raw[e.id, e.speaker] for e in entries if e.speaker in gallery.names)
    other = max(r for (id, name), r in raw.items() if name not in id)
    assert own > other
    slope = 20 / (own - other)
    gallery.calibrate(Calibration(("raw",), (slope,), -slope * (own + other) / 2))
    done = audiogmm("identify", "known", "test.jsonl", "-o", "who.jsonl", "--force", "--json")
    assert done.status == 0, done.err
    assert "not calibrated" not in done.err
    expected = {"accuracy": 1.0, "right": 4, "among_candidates": 4, "of_strangers": 2, "refused": 2}
    assert {key: done.json[key] for key in expected} == expected
    for row in rows_of("who.jsonl"):
        llr = [slope * (raw[row["id"], name] - (own + other) / 2) for name in gallery.names]
        by_formula = naive.posteriors(llr, [0.25, 0.25])
        assert row["nobody"] == pytest.approx(by_formula[-1], rel=1e-6)
        for candidate in row["candidates"]:
            place = gallery.names.index(candidate["speaker"])
            assert candidate["posterior"] == pytest.approx(by_formula[place], rel=1e-6)
        assert row["speaker"] == (None if row["truth"] == "speaker_2" else row["truth"])
        assert row["posterior"] == pytest.approx(max(by_formula))
    certain = ag.identify(gallery, entries, prior=1 - 1e-12)
    assert {identity.speaker for identity in certain} == set(gallery.names)


def test_many_workers_say_the_same(known: Path) -> None:
    gallery = ag.Gallery(known)
    entries = list(ag.read_manifest("test.jsonl"))
    assert ag.identify(gallery, entries, threads=1) == ag.identify(gallery, entries, threads=3)


def test_bad_recordings_and_speakers_are_set_aside(known: Path, audiogmm: Audiogmm) -> None:
    rows = [*rows_of("test.jsonl"), {"audio_filepath": "gone.wav"}, {"audio_filepath": "mad.wav"}]
    Path("mad.wav").write_bytes(b"RIFF not a wav at all")
    Path("mixed.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (known / "speakers" / "carl.speaker").write_bytes(b"not a speaker")
    done = audiogmm("identify", "known", "mixed.jsonl", "-o", "who.jsonl", "--json")
    assert done.status == 3, done.err
    assert (done.json["recordings"], done.json["speakers"], done.json["set_aside"]) == (6, 2, 3)
    why = reasons("who.jsonl.errors.jsonl")
    assert set(why) == {"carl", "gone", "mad"}
    assert "gone.wav" in why["gone"] and "carl.speaker" in why["carl"]
    strict = audiogmm("identify", "known", "mixed.jsonl", "-o", "strict.jsonl", "--strict")
    assert strict.status == 1
    assert not Path("strict.jsonl").exists()


def test_what_cannot_be_asked(known: Path, audiogmm: Audiogmm) -> None:
    both = audiogmm("identify", "known", "test.jsonl", "-o", "w.jsonl", "--closed", "--prior", 0.5)
    assert both.status == 2 and "a prior of 0.5 for a closed set" in both.err
    with pytest.raises(ChoiceError, match="top=0"):
        ag.identify(ag.Gallery(known), [], top=0)
    with pytest.raises(ChoiceError, match=r"a prior of 1\.5"):
        ag.identify(ag.Gallery(known), [], prior=1.5)
    for name in ("speaker_0", "speaker_1"):
        audiogmm("speakers", "known", "--remove", name)
    empty = audiogmm("identify", "known", "test.jsonl", "-o", "w.jsonl")
    assert empty.status == 2 and "has no speaker" in empty.err and "audiogmm enroll" in empty.err
    assert audiogmm("identify", "gone", "test.jsonl", "-o", "w.jsonl").status == 1


def test_a_stopped_run_goes_on(
    known: Path,
    audiogmm: Audiogmm,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    call = ["identify", "known", "test.jsonl", "--threads", 1, "-o"]
    assert audiogmm(*call, "whole.jsonl").status == 0
    heard: list[str] = []
    plain = Identifier.__call__

    def stopping(self: Identifier, recording):  # type: ignore[no-untyped-def]
        if len(heard) == 2:
            raise KeyboardInterrupt
        heard.append(recording.id)
        return plain(self, recording)

    monkeypatch.setattr(Identifier, "__call__", stopping)
    stopped = audiogmm(*call, "parts.jsonl")
    assert stopped.status == 130 and "--resume" in stopped.err
    assert not Path("parts.jsonl").exists()
    heard.clear()
    monkeypatch.setattr(Identifier, "__call__", lambda self, r: (heard.append(r.id), plain(self, r))[1])
    assert audiogmm(*call, "parts.jsonl", "--resume").status == 0
    assert len(heard) == 4
    assert Path("parts.jsonl").read_bytes() == Path("whole.jsonl").read_bytes()


def test_what_is_said_of_synthetic_voices_comes_true(tmp_path: Path) -> None:
    """Of outcomes given a probability P, P come true: of people enrolled and of as many strangers."""
    people = make_speakers(seed=21, count=24, train=4, test=8, duration=2.0)
    write_corpus(tmp_path / "background", make_speakers(seed=22, count=28, train=1, test=0, duration=6.0))
    write_corpus(tmp_path / "people", people)
    model = ag.train(
        ag.read_manifest(tmp_path / "background" / "train.jsonl"),
        ag.FrontEnd.preset("speech"),
        n_components=16,
        passes=4,
        speakers="yes",
    )
    enrolled = {f"speaker_{k}" for k in range(12)}
    entries = [e for e in ag.read_manifest(tmp_path / "people" / "train.jsonl") if e.speaker in enrolled]
    gallery = ag.enroll(model, entries, tmp_path / "known")
    assert gallery.calibrations.learned["method"] == "leave-one-out"
    found = ag.identify(gallery, ag.read_manifest(tmp_path / "people" / "test.jsonl"), prior=0.5, top=12)
    assert len(found) == 192
    truth = [f.truth if f.truth in enrolled else None for f in found]
    right = np.array([f.speaker == who for f, who in zip(found, truth, strict=True)])
    posterior = np.array([f.posterior for f in found])
    sure = posterior > 0.8
    assert sure.sum() > 40 and right[sure].mean() > posterior[sure].mean() - 0.05
    worth = len(found) / (1 + 7 * CORRELATION)  # eight recordings of each speaker, which are alike
    spread = np.sqrt(np.mean(posterior * (1 - posterior)) / worth)
    assert posterior.mean() == pytest.approx(right.mean(), abs=2 * spread)

    def lost(scale: float) -> float:
        """Nats a recording, had the ratios been `scale` times what they are."""
        total = 0.0
        for f, who in zip(found, truth, strict=True):
            names = [c.speaker for c in f.candidates]
            said = compute_posteriors([scale * c.llr for c in f.candidates], share_prior(12, 0.5))
            total -= np.log(said[names.index(who) if who else -1])
        return total / len(found)

    assert lost(1.0) < 1.2  # who knows but the priors loses (log 2 + log 24) / 2 = 1.94 nats
    assert lost(1.0) < lost(0.5) and lost(1.0) < lost(4.0), "neither far too cautious nor far too sure"
