"""Lists of other programs on the command line: converted, and as the truth."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

import audiogmm as ag
from audiogmm.anomaly.event import Event
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
