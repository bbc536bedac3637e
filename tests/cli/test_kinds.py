"""`detect --kinds` and `stream --kinds`: events get their kind, and those of normal kinds are left out."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

import audiogmm as ag
from audiogmm.anomaly.formats import read_events
from audiogmm.live.stream import kinds as live
from tests.anomaly.kinds.recorded import RATE, day
from tests.cli.calls import Audiogmm

KNOWN = ["hum", "clicks", "hiss"] * 3
TODAY = ["clicks", "siren", "hum", "hiss", "clicks", "siren"]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of a quiet room, the groups of three sounds of three kinds each, and a day with others, too."""
    folder = tmp_path_factory.mktemp("kinds")
    quiet = np.random.default_rng(5).normal(0, 0.003, 120 * RATE)
    ag.train((quiet, RATE), "ambient", n_components=2).save(folder / "m.agmm")
    for name, kinds, seed in (("yesterday", KNOWN, 1), ("today", TODAY, 2)):
        samples, starts = day(kinds, seed)
        soundfile.write(folder / f"{name}.wav", samples, RATE, subtype="FLOAT")
        (folder / f"{name}.json").write_text(json.dumps(starts))
    return folder


@pytest.fixture
def folder(made: Path, audiogmm: Audiogmm, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    monkeypatch.chdir(made)
    if not Path("kinds").exists():
        assert audiogmm("detect", "m.agmm", "yesterday.wav", "-o", "known.jsonl").status == 0
        assert [round(event.start) for event in read_events(Path("known.jsonl"))] == [
            round(start) for start in json.loads(Path("yesterday.json").read_text())
        ]
        assert audiogmm("group", "known.jsonl", "-o", "kinds").status == 0
        for row, kind in zip(rows("kinds/groups.jsonl")[:3], KNOWN, strict=False):
            assert audiogmm("name", "kinds", row["group"], kind, *["--normal"] * (kind == "hum")).status == 0
    return tmp_path


def rows(path: str | Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in Path(path).read_text(encoding="utf-8").splitlines()]


def test_events_have_their_kind_and_normal_ones_are_left_out(folder: Path, audiogmm: Audiogmm) -> None:
    done = audiogmm("detect", "m.agmm", "today.wav", "-o", folder / "e.jsonl", "--kinds", "kinds")
    assert done.status == 0, done.err
    assert "5 events in 1 recording" in done.out and "left out: 1 event of normal kinds" in done.out
    events = rows(folder / "e.jsonl")
    assert [event["kind"]["name"] for event in events] == ["clicks", "", "hiss", "clicks", ""]
    assert [event["kind"]["group"] is None for event in events] == [False, True, False, False, True]
    assert all(0.5 < event["kind"]["probability"] <= 1 for event in events)
    plain = audiogmm("detect", "m.agmm", "today.wav", "-o", folder / "p.jsonl", "--json")
    assert plain.json["events"] == 6
    without = [{key: value for key, value in event.items() if key != "kind"} for event in events]
    found = rows(folder / "p.jsonl")
    assert without == [*found[:2], *found[3:]]  # without the hum


def test_csv_keeps_kinds(folder: Path, audiogmm: Audiogmm) -> None:
    for name in ("e.jsonl", "e.csv"):
        assert audiogmm("detect", "m.agmm", "today.wav", "-o", folder / name, "--kinds", "kinds").status == 0
    assert list(read_events(folder / "e.csv")) == list(read_events(folder / "e.jsonl"))
    header = (folder / "e.csv").read_text().splitlines()[0]
    assert header.endswith("explanation,group,name,group_probability")


def test_a_stream_says_the_same_in_any_chunks(folder: Path, audiogmm: Audiogmm) -> None:
    assert audiogmm("detect", "m.agmm", "today.wav", "-o", folder / "e.jsonl", "--kinds", "kinds").status == 0
    wanted = rows(folder / "e.jsonl")
    done = audiogmm("stream", "m.agmm", "today.wav", "--kinds", "kinds")
    lines = [json.loads(line) for line in done.out.splitlines()]
    closed = [line["event"] for line in lines if line["type"] == "closed"]
    (dropped,) = [line["event"] for line in lines if line["type"] == "dropped"]
    assert dropped["kind"]["name"] == "hum"
    assert lines[-1]["events"] == len(closed) == len(wanted)
    for found, event in zip(closed, wanted, strict=True):
        assert found["start"] == event["start"] and found["kind"]["group"] == event["kind"]["group"]
        assert found["kind"]["probability"] == pytest.approx(event["kind"]["probability"], abs=0.01)
    samples = soundfile.read("today.wav", dtype="float32")[0]
    for size in (1000, len(samples)):
        chunks = (samples[first : first + size] for first in range(0, len(samples), size))
        again = list(ag.stream("m.agmm", chunks, sample_rate=RATE, kinds="kinds"))
        assert [event.kind for event in again] == [event["kind"] for event in closed]


def test_a_stream_keeps_a_bounded_past(
    folder: Path, monkeypatch: pytest.MonkeyPatch, audiogmm: Audiogmm
) -> None:
    most = 0
    forget = live.KindStage.forget

    def counted(stage: live.KindStage, now: float) -> None:
        nonlocal most
        forget(stage, now)
        most = max(most, sum(map(len, stage._blocks)))

    monkeypatch.setattr(live.KindStage, "forget", counted)
    monkeypatch.setattr(live, "BACK", 3.0)
    monkeypatch.setattr(live, "LONGEST", 4.0)
    monkeypatch.setattr(live, "SLACK", 1.0)
    samples = soundfile.read("today.wav", dtype="float32")[0]
    loud = np.random.default_rng(0).normal(0, 0.3, 30 * RATE).astype(np.float32)
    samples = np.concatenate([samples, loud, samples])
    chunks = (samples[first : first + 1000] for first in range(0, len(samples), 1000))
    found = list(ag.stream("m.agmm", chunks, sample_rate=RATE, kinds="kinds"))
    assert len(found) >= 5
    assert RATE / 186 * 3 < most < RATE / 186 * 12  # frames in 3 and in 12 of 95 seconds


def test_what_cannot_be(folder: Path, audiogmm: Audiogmm) -> None:
    done = audiogmm("detect", "m.agmm", "today.wav", "-o", folder / "e.jsonl", "--kinds", "none")
    assert done.status != 0 and "kinds.agmm does not exist" in done.err
    done = audiogmm("stream", "m.agmm", "today.wav", "--kinds", "kinds", "--emit", "scores")
    assert done.status != 0 and "without events in --emit" in done.err
    table = np.random.default_rng(0).normal(size=(4000, 3)).astype(np.float32)
    ag.train(table, n_components=2).save(folder / "t.agmm")
    np.save(folder / "t.npy", table)
    done = audiogmm(
        "detect", folder / "t.agmm", folder / "t.npy", "-o", folder / "t.jsonl", "--kinds", "kinds"
    )
    assert done.status != 0 and "trained on tables" in done.err
