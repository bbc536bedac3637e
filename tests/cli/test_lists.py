"""Lists of other programs on the command line: converted, and as the truth."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

import audiogmm as ag
from audiogmm.anomaly.event import Event
from audiogmm.anomaly.formats import read_events, write_events
from tests.audio.decoders.test_ffmpeg import needs_ffmpeg
from tests.cli.calls import Audiogmm


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def make(*names: str) -> None:
    for name in names:
        sf.write(f"{name}.wav", np.random.default_rng(0).integers(-99, 99, 40000).astype(np.int16), 8000)


def test_segments_become_events_and_labels(audiogmm: Audiogmm, folder: None) -> None:
    make("a", "b")
    Path("t.rttm").write_text("SPEAKER a 1 1.0 0.5 <NA> <NA> x <NA> <NA>\nSPEAKER b 1 4.0 1.0 <NA> <NA> x\n")
    assert audiogmm("manifest", "convert", "t.rttm", "--events", "-o", "truth.jsonl").status == 0
    first = json.loads(Path("truth.jsonl").read_text().splitlines()[0])
    assert first == {"audio_filepath": "a.wav", "events": [{"start": 1.0, "end": 1.5}]}
    for truth in ("t.rttm", "truth.jsonl"):
        found = ag.evaluate_detect([Event("a.wav", "a", 1.1, 1.5)], truth).detected.event
        assert (found.precision.value, found.recall.value) == (1.0, 0.5)
    assert audiogmm("manifest", "convert", "truth.jsonl", "--to", "raven", "-o", "labels").status == 0
    assert "\t1.0\t1.5\t" in Path("labels/a.selections.txt").read_text()


@pytest.mark.parametrize("name", ["events.jsonl", "events.csv"])
def test_events_become_segments(audiogmm: Audiogmm, folder: None, name: str) -> None:
    """The recording is 5 s long; events of one recording share its id."""
    make("a")
    events = [Event("a.wav", "a", start, start + 0.5, score=2.0, threshold=1.0) for start in (1.0, 3.0)]
    write_events(events, name)
    done = audiogmm("manifest", "convert", name, "--to", "raven", "-o", "a.selections.txt")
    assert done.status == 0, done.err
    found = list(read_events("a.selections.txt"))
    assert [(event.start, event.end, event.score) for event in found] == [(1.0, 1.5, 2.0), (3.0, 3.5, 2.0)]
    assert audiogmm("manifest", "convert", name, "--to", "audacity", "-o", "labels").status == 0
    labels = [line.split("\t") for line in Path("labels/a.txt").read_text().splitlines()]
    assert [(float(a), float(b), c) for a, b, c in labels] == [(1.0, 1.5, "anomaly"), (3.0, 3.5, "anomaly")]


def test_lines_of_a_list_that_are_alike_are_one(audiogmm: Audiogmm, folder: None) -> None:
    make("a")
    Path("bad.jsonl").write_text('{"audio_filepath": "a.wav"}\n' + '{"audio": "a.wav"}\n' * 1000)
    done = audiogmm("manifest", "convert", "bad.jsonl", "-o", "x.jsonl")
    assert done.status == 3
    assert [line for line in done.err.splitlines() if "bad.jsonl:" in line] == [
        "  bad.jsonl:2: no audio_filepath, and no features_filepath in its place; needed: exactly one of "
        'audio_filepath and features_filepath; try: {"audio_filepath": "a.wav"} (and 999 others like it)'
    ]
    checked = audiogmm("manifest", "check", "bad.jsonl")
    assert "bad.jsonl: 999 other lines like it: no audio_filepath" in checked.out
    assert len(checked.out.splitlines()) == 3


@needs_ffmpeg
def test_recordings_are_measured_where_a_format_wants_it(audiogmm: Audiogmm, folder: None) -> None:
    make("a", "b")
    sweep = "sine=frequency=1000:duration=5:sample_rate=16000"
    streamed = ["-q:a", "4", "-write_xing", "0", "v.mp3"]  # its length is known at its end alone
    subprocess.run(["ffmpeg", "-v", "error", "-f", "lavfi", "-i", sweep, *streamed], check=True)
    Path("b.wav").write_bytes(b"RIFF" + bytes(50))
    Path("all.jsonl").write_text(
        "".join(f'{{"audio_filepath": "{n}"}}\n' for n in ("a.wav", "b.wav", "v.mp3"))
    )
    done = audiogmm("manifest", "convert", "all.jsonl", "--to", "nemo", "-o", "nemo.jsonl")
    assert done.status == 3, done.err
    assert "b.wav" in Path("nemo.jsonl.errors.jsonl").read_text()
    durations = [json.loads(line)["duration"] for line in Path("nemo.jsonl").read_text().splitlines()]
    assert durations[0] == 5.0
    assert len(durations) == 2 and 5.0 < durations[1] < 5.2
