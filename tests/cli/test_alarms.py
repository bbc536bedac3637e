"""A budget of alarms on the command line: kept, refused, and told."""

from __future__ import annotations

import json
import shlex
import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile

from audiogmm.manifest import read_manifest, write_manifest
from tests.cli.calls import Audiogmm


@pytest.fixture(scope="module")
def trained(recordings: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of the site; 36 s of normal audio, all of which took its turn to be held out."""
    import audiogmm as ag

    path = tmp_path_factory.mktemp("alarms") / "room.agmm"
    entries = list(read_manifest(recordings / "train.jsonl"))
    ag.train(entries, ag.FrontEnd.preset("ambient"), n_components=4).save(path)
    return path


@pytest.fixture
def room(trained: Path, workshop: Path) -> Path:
    shutil.copy(trained, workshop / "room.agmm")
    return workshop


def test_short_corpora_are_cross_fitted(room: Path) -> None:
    import audiogmm as ag

    detector = ag.load(room / "room.agmm").metadata.detector
    assert detector["recordings"] == sorted(e.id for e in read_manifest(room / "train.jsonl"))


def test_a_budget_is_kept_and_said(room: Path, audiogmm: Audiogmm) -> None:
    done = audiogmm("detect", "room.agmm", "test.jsonl", "--alarms-per-hour", 400, "-o", "e.jsonl", "--json")
    assert done.status == 0
    budget = done.json["budget"]
    assert isinstance(budget, dict)
    assert budget["alarms_per_hour"] == pytest.approx(400) and budget["low"] < 400 < budget["high"]
    assert budget["hours"] == pytest.approx(36 / 3600, rel=0.02)
    assert "Normal audio is expected to raise 400 alarms an hour" in done.err
    rows = [json.loads(line) for line in (room / "e.jsonl").read_text().splitlines()]
    assert rows and all(row["alarms_per_hour"] > 0 and row["severity"] >= 1 for row in rows)


def test_too_much_is_not_promised(room: Path, audiogmm: Audiogmm) -> None:
    done = audiogmm("detect", "room.agmm", "test.jsonl", "--alarms-per-day", 1, "-o", "e.jsonl")
    assert done.status == 1
    assert "a budget of 1 alarm a day, and 35.9 s of normal audio; needed: about 24.00 h of it" in done.err
    assert not (room / "e.jsonl").exists()
    command, more = done.err.strip().rpartition("; try: ")[2].split(", or more normal audio: ")
    assert more == "audiogmm calibrate room.agmm NORMAL.jsonl -o CALIBRATED.agmm"
    pasted = shlex.split(command)
    assert pasted[:2] == ["audiogmm", "detect"] and pasted[-2] == "--alarms-per-hour"
    assert audiogmm(*pasted[1:]).status == 0 and (room / "e.jsonl").exists()


@pytest.mark.parametrize(
    ("how", "said"),
    [
        (["--alarms-per-day", 9, "--alarms-per-hour", 3], "give one of them"),
        (["--quantile", 0.99, "--alarms-per-hour", 3], "a quantile of 0.99 and 3 alarms an hour"),
        (["--alarms-per-hour", 0], "0 is not in the range x>0"),
    ],
)
def test_contradictions_are_wrong_usage(room: Path, audiogmm: Audiogmm, how: list[object], said: str) -> None:
    done = audiogmm("detect", "room.agmm", "test.jsonl", "-o", "e.jsonl", *how)
    assert done.status == 2
    assert said in done.err


def test_by_default_a_budget_is_kept_where_there_is_enough_normal_audio(
    workshop: Path, audiogmm: Audiogmm
) -> None:
    """Eleven minutes of one recording: two alarms in them, 11 an hour; and a stream says what detect says."""
    rng = np.random.default_rng(0)
    soundfile.write("normal.wav", 0.05 * rng.normal(size=660 * 4000), 4000)
    soundfile.write("new.wav", 0.05 * rng.normal(size=300 * 4000) * np.repeat([1.0, 1.5, 1.0], 400_000), 4000)
    trained = audiogmm("train", "normal.wav", "--preset", "ambient", "-k", 1, "--passes", 2, "-o", "m.agmm")
    assert "note: Normal audio is expected to raise 11 alarms an hour (90 % interval: " in trained.out
    done = audiogmm("detect", "m.agmm", "new.wav", "-o", "e.jsonl", "--json")
    budget = done.json["budget"]
    assert isinstance(budget, dict) and budget["n_events"] == 2 and budget["alarms_per_hour"] == 11.0
    assert f"note: {done.json['note']}" in done.err
    streamed = [json.loads(line) for line in audiogmm("stream", "m.agmm", "new.wav").out.splitlines()]
    closed = [line["event"] for line in streamed if line["type"] == "closed"]
    assert closed == [json.loads(line) for line in Path("e.jsonl").read_text().splitlines()] != []
    plain = audiogmm("detect", "m.agmm", "new.wav", "-o", "f.jsonl", "--json", "--quantile", 0.999)
    assert plain.json["budget"] is None and plain.json["threshold"] != done.json["threshold"]
    again = audiogmm("calibrate", "m.agmm", "new.wav", "-o", "c.agmm", "--json")
    assert again.json["budget"] is None and again.json["quantile"] == 0.999  # five minutes


def test_calibrate_keeps_a_budget_in_the_model(room: Path, audiogmm: Audiogmm) -> None:
    again = ["calibrate", "room.agmm", "train.jsonl", "-o", "b.agmm", "--json"]
    done = audiogmm(*again, "--alarms-per-hour", 500)
    assert done.status == 0
    found = audiogmm("detect", "b.agmm", "test.jsonl", "-o", "e.jsonl", "--json")
    assert found.json["threshold"] == done.json["threshold"]
    assert found.json["budget"] == done.json["budget"]
    loose = audiogmm("detect", "b.agmm", "test.jsonl", "-o", "f.jsonl", "--json", "--quantile", 0.9)
    assert loose.json["budget"] is None


@pytest.mark.parametrize(
    "words", [["calibrate", "room.agmm", "train.jsonl", "-o", "b.agmm"], ["stream", "room.agmm", "-"]]
)
def test_every_command_names_the_one_that_would_help(
    room: Path, audiogmm: Audiogmm, words: list[str]
) -> None:
    done = audiogmm(*words, "--alarms-per-day", 1)
    assert done.status == 1
    assert f"try: audiogmm {shlex.join(words)} --alarms-per-hour " in done.err


def test_a_recording_with_another_gain_is_asked_about(room: Path, audiogmm: Audiogmm) -> None:
    entry = next(entry for entry in read_manifest(room / "test.jsonl") if not entry.events)
    samples, rate = soundfile.read(entry.path)
    soundfile.write(room / "loud.wav", 4 * samples, rate)
    assert audiogmm("detect", "room.agmm", "loud.wav", "-o", "e.jsonl").status == 0
    (row,) = [json.loads(line) for line in (room / "e.jsonl").read_text().splitlines()]
    assert row["explanation"]["whole"]["db"] == pytest.approx(12, abs=2)
    assert row["reasons"][0].endswith("another gain, codec or microphone?")


def test_pieces_of_one_file_take_turns(room: Path, audiogmm: Audiogmm) -> None:
    """In order of time, where there is no other file: each piece is scored by a model of others."""
    from dataclasses import replace

    import audiogmm as ag

    entry = next(iter(read_manifest(room / "train.jsonl")))
    pieces = [replace(entry, id=f"p{i}", offset=1.0 * i, duration=1.0) for i in range(6)]
    write_manifest(pieces, room / "pieces.jsonl")
    done = audiogmm("train", "pieces.jsonl", "--preset", "ambient", "-k", 2, "-o", "p.agmm", "--json")
    assert done.status == 0
    assert ag.load(room / "p.agmm").metadata.detector["recordings"] == [f"p{i}" for i in range(6)]
