"""Lists of segments that other programs write, and read."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

import audiogmm as ag
from audiogmm.errors import ManifestError
from audiogmm.manifest import Entry, read_manifest, write_manifest
from audiogmm.manifest.scan import find_recordings
from audiogmm.manifest.segments import SPAN_FORMATS, read_truth
from audiogmm.manifest.segments.span import Span
from audiogmm.timeline import Segment

RAVEN = """Selection\tView\tChannel\tBegin Time (s)\tEnd Time (s)\tLow Freq (Hz)\tHigh Freq (Hz)\tSpecies
1\tWaveform 1\t1\t0.25\t0.5\t1000.0\t2500.0\tcrow
1\tSpectrogram 1\t1\t0.25\t0.5\t1000.0\t2500.0\tcrow
2\tSpectrogram 1\t1\t1.0\t1.75\t500.0\t900.0\towl
"""
TEXTGRID = """File type = "ooTextFile"
Object class = "TextGrid"

xmin = 0
xmax = 2
tiers? <exists>
size = 2
item []:
    item [1]:
        class = "IntervalTier"
        name = "calls 2"
        xmin = 0
        xmax = 2
        intervals: size = 4
        intervals [1]:
            xmin = 0
            xmax = 0.25
            text = ""
        intervals [2]:
            xmin = 0.25
            xmax = 0.5
            text = "crow"
        intervals [3]:
            xmin = 0.5
            xmax = 1
            text = ""
        intervals [4]:
            xmin = 1
            xmax = 1.75
            text = "owl"
    item [2]:
        class = "TextTier"
        name = "clicks"
        xmin = 0
        xmax = 2
        points: size = 1
        points [1]:
            number = 1.5
            mark = "click"
"""
WRITTEN = {
    "a.rttm": (
        "SPEAKER a 1 0.25 0.25 <NA> <NA> crow <NA> <NA>\n;; a comment\nSPEAKER a 1 1.0 0.75 <NA> <NA> owl\n"
    ),
    "a.txt": "0.250000\t0.500000\tcrow\n\\\t1000.0\t2500.0\n1.000000\t1.750000\towl\n",
    "a.Table.1.selections.txt": RAVEN,
    "a.BirdNET.results.csv": (
        "Start (s),End (s),Scientific name,Common name,Confidence\n"
        "0.25,0.5,Corvus corone,crow,0.75\n1.0,1.75,Strix aluco,owl,0.5\n"
    ),
    "a.TextGrid": TEXTGRID,
}


@pytest.fixture(autouse=True)
def recording(tmp_path: Path) -> Path:
    sf.write(tmp_path / "a.wav", np.zeros(16000), 8000)
    return tmp_path / "a.wav"


def said(path: Path) -> list[tuple[object, ...]]:
    return [(Path(e.path).name, e.offset, e.duration, e.label or e.speaker) for e in read_manifest(path)]


CROW_AND_OWL = [("a.wav", 0.25, 0.25, "crow"), ("a.wav", 1.0, 0.75, "owl")]


@pytest.mark.parametrize("name", WRITTEN)
def test_segments_are_entries_or_events(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text(WRITTEN[name])
    assert said(tmp_path / name) == CROW_AND_OWL
    (entry,) = read_truth(read_manifest(tmp_path / name))
    assert (entry.id, entry.events) == ("a", (Segment(0.25, 0.5), Segment(1.0, 1.75)))


def test_what_a_table_says_beside_times_is_kept(tmp_path: Path) -> None:
    for name in ("a.Table.1.selections.txt", "a.BirdNET.results.csv", "a.TextGrid"):
        (tmp_path / name).write_text(WRITTEN[name])
    raven, birdnet, praat = (next(iter(read_manifest(tmp_path / name))) for name in list(WRITTEN)[2:])
    assert (raven.channel, raven.extra) == (0, {"low_frequency": 1000.0, "high_frequency": 2500.0})
    assert birdnet.extra == {"scientific_name": "Corvus corone", "score": 0.75}
    assert praat.extra == {"tier": "calls 2"}


@pytest.mark.parametrize("name", SPAN_FORMATS)
def test_what_is_written_is_read_again(tmp_path: Path, name: str) -> None:
    sf.write(tmp_path / "b.wav", np.zeros(16000), 8000)
    rows = [("a", 0.25, 0.25, "crow"), ("b", 0.0, 2.0, "crow"), ("a", 1.0, 0.75, 'an "owl"')]
    if name == "rttm":
        rows[2] = ("a", 1.0, 0.75, "owl")
    entries = [
        Entry(str(tmp_path / f"{n}.wav"), id=f"x{k}", offset=o, duration=d, label=who, sample_rate=8000)
        for k, (n, o, d, who) in enumerate(rows)
    ]
    assert write_manifest(entries, tmp_path / "lists", name) == 3
    files = sorted((tmp_path / "lists").iterdir())
    assert [file.name for file in files] == [f"{n}{SPAN_FORMATS[name].suffix}" for n in "ab"]
    for file in files:
        file.rename(tmp_path / file.name)
    wanted = [(f"{n}.wav", o, d, who) for n, o, d, who in rows]
    assert said(tmp_path / files[0].name) + said(tmp_path / files[1].name) == [
        wanted[0],
        wanted[2],
        wanted[1],
    ]
    one = tmp_path / f"all{SPAN_FORMATS[name].suffix}"
    if SPAN_FORMATS[name].is_of_one:
        with pytest.raises(
            ManifestError, match=r"segments of 2 recordings cannot be in one.*without a suffix"
        ):
            write_manifest(entries, one, name)
    else:
        write_manifest(entries, one, name)
        assert said(one) == wanted


def test_a_file_of_labels_without_one_says_that_nothing_happens(tmp_path: Path) -> None:
    (tmp_path / "a.txt").touch()
    (entry,) = read_truth(read_manifest(tmp_path / "a.txt", "audacity"))
    assert (entry.events, entry.extra["events"]) == ((), [])


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        (
            "a.rttm",
            "SPEAKER a 1 x 1 <NA> <NA> b <NA> <NA>\n",
            r"a\.rttm:1 is 'SPEAKER a 1 x.*needed: SPEAKER",
        ),
        ("a.rttm", "SPEAKER gone 1 0 1 <NA> <NA> b <NA> <NA>\n", r"a\.rttm:1: there is no recording 'gone'"),
        ("a.txt", "2.0\t1.0\tcrow\n", r"a\.txt:1 .*from 2\.0 s to 1\.0 s; needed: "),
        ("a.txt", "1.0\t1.0\tcrow\n", r"a\.txt:1 is a point at 1\.0 s"),
        ("a.selections.txt", "Selection\tView\n", r"needed: a header with the columns begin time \(s\), end"),
        ("a.BirdNET.results.csv", "Start (s),End (s)\n,\n1,x\n", r"csv:3 is '1,x': could not convert"),
        (
            "a.TextGrid",
            'File type = "ooTextFile"\n',
            r"TextGrid is not a TextGrid of Praat: it ends too early",
        ),
    ],
)
def test_what_cannot_be_used_is_named(tmp_path: Path, name: str, text: str, message: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(ManifestError, match=message):
        list(read_manifest(tmp_path / name))


def test_a_textgrid_in_utf_16_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.TextGrid").write_bytes(TEXTGRID.replace("owl", "h\u00fbou").encode("utf-16"))
    assert [row[3] for row in said(tmp_path / "a.TextGrid")] == ["crow", "h\u00fbou"]


def test_a_bad_file_of_a_folder_does_not_end_the_others(tmp_path: Path) -> None:
    (tmp_path / "a.TextGrid").write_text(TEXTGRID)
    (tmp_path / "b.TextGrid").write_text("no")
    problems: list[ManifestError] = []
    assert len(list(read_manifest(tmp_path, on_error=problems.append))) == 2
    assert "b.TextGrid is not a TextGrid" in str(problems[0])


def test_recordings_are_found_by_a_path_of_another_machine(tmp_path: Path) -> None:
    (tmp_path / "audio").mkdir()
    (tmp_path / "a.wav").rename(tmp_path / "audio" / "a.wav")
    text = "Start (s),End (s),Common name,Confidence,File\n0,1,crow,0.5,C:\\\\birds\\\\a.wav\n"
    (tmp_path / "all.csv").write_text(text)
    (entry,) = read_manifest(tmp_path / "all.csv")
    assert entry.path == str(tmp_path / "audio" / "a.wav")


def test_labels_lie_in_a_folder_of_their_own(tmp_path: Path) -> None:
    entries = [Entry(str(tmp_path / "a.wav"), id="a", offset=0.5, duration=0.5, label="crow")]
    write_manifest(entries, tmp_path / "labels", "textgrid")
    assert said(tmp_path / "labels") == [("a.wav", 0.5, 0.5, "crow")]


def test_segments_that_overlap_go_to_a_further_tier(tmp_path: Path) -> None:
    spans = [(0.5, 0.75), (1.0, 0.5), (1.25, 0.5)]
    entries = [
        Entry(str(tmp_path / "a.wav"), id=f"a{k}", offset=o, duration=d) for k, (o, d) in enumerate(spans)
    ]
    write_manifest(entries, tmp_path / "a.TextGrid")
    found = [
        (entry.offset, entry.duration, entry.extra["tier"])
        for entry in read_manifest(tmp_path / "a.TextGrid")
    ]
    assert found == [(0.5, 0.75, "segments"), (1.25, 0.5, "segments"), (1.0, 0.5, "segments+")]


def test_a_file_of_labels_without_a_recording_does_not_end_the_others(tmp_path: Path) -> None:
    for name in ("a", "gone"):
        (tmp_path / f"{name}.txt").write_text("0.5\t1.0\tcrow\n")
    refused: list[ManifestError] = []
    (entry,) = read_truth(read_manifest(tmp_path, "audacity", on_error=refused.append))
    assert (entry.id, entry.events) == ("a", (Segment(0.5, 1.0),))
    assert ["no recording 'gone'" in str(error) for error in refused] == [True]


def test_recordings_of_one_name_are_told_apart_by_folders(tmp_path: Path) -> None:
    rows, names = "Begin Time (s)\tEnd Time (s)\tBegin Path\n", ["1/r.wav", "2/r.wav", "2/r.flac", "a.wav"]
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        sf.write(tmp_path / name, np.zeros(16000), 8000)
        rows += f"0.5\t1.0\t{name}\n"
    (tmp_path / "all.selections.txt").write_text(rows)
    truth = list(read_truth(read_manifest(tmp_path / "all.selections.txt")))
    assert [entry.id for entry in truth] == ["1--r", "2--r.wav", "2--r.flac", "a"]
    assert {entry.id: entry.path for entry in truth} == {
        entry.id: entry.path for entry in find_recordings(tmp_path)
    }
    events = [ag.Event(str(tmp_path / "1/r.wav"), "1--r", 0.5, 1.0)]
    found = ag.evaluate_detect(events, tmp_path / "all.selections.txt")
    assert found.detected.event is not None and found.detected.event.precision.value == 1.0


def test_raven_keeps_which_channel_it_was(tmp_path: Path) -> None:
    channels = [None, 0, 1]
    entries = [Entry("a.wav", id=f"{c}", offset=0.5, duration=0.5, channel=c) for c in channels]
    entries = [replace(entry, audio_filepath=str(tmp_path / "a.wav")) for entry in entries]
    write_manifest(entries, tmp_path / "a.selections.txt")
    assert [entry.channel for entry in read_manifest(tmp_path / "a.selections.txt")] == channels


def test_points_leave_no_mark_in_a_textgrid() -> None:
    form = SPAN_FORMATS["textgrid"]
    interval = Span("a", 2.0, 3.0, label="crow")
    assert form.text([Span("a", 1.0, 1.0, label="click"), interval]) == form.text([interval])
