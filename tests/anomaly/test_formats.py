"""Events in files: what a format keeps comes back; what is not an event is named."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audiogmm.anomaly.event import Event
from audiogmm.anomaly.formats import FORMATS, EventWriter, read_events, write_events
from audiogmm.errors import ChoiceError, ManifestError, OutputError

FULL = Event(
    *("a b.wav", "a b", 1.25, 2.0625, -61.5, -70.125, 1.5, -55.0, 0.001, 2.5, 0.25),
    reasons=("too bright", "1, 2 kHz"),
    explanation={"kind": "colour"},
)
BARE = Event(None, "zwölf", 0.0, 0.1)
SUFFIX = {name: event_format.suffix for name, event_format in FORMATS.items()}

text = st.text(
    st.characters(codec="utf-8", exclude_characters="|\r\n\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"), max_size=9
)
number = st.none() | st.floats(allow_nan=False, allow_infinity=False)
events = st.builds(
    Event,
    audio_filepath=st.none() | text.filter(bool),
    id=text.filter(bool),
    start=st.floats(0, 1e5),
    end=st.floats(0, 1e5),
    score=number,
    peak=number,
    peak_time=number,
    threshold=number,
    p_value=number,
    severity=number,
    alarms_per_hour=number,
    explanation=st.none() | st.dictionaries(text, number | text, max_size=2),
    reasons=st.lists(text.filter(lambda t: bool(t.strip())), max_size=2).map(tuple),
)


@pytest.mark.parametrize("name", ["jsonl", "csv"])
@settings(max_examples=40, deadline=None)
@given(written=st.lists(events, max_size=4))
def test_these_formats_keep_everything(
    tmp_path_factory: pytest.TempPathFactory, name: str, written: list[Event]
) -> None:
    path = tmp_path_factory.mktemp("events") / f"events{SUFFIX[name]}"
    assert write_events(written, path) == len(written)
    assert list(read_events(path)) == written


def test_rttm_keeps_place_and_score(tmp_path: Path) -> None:
    write_events([FULL, BARE], tmp_path / "e.rttm")
    first = (tmp_path / "e.rttm").read_text().splitlines()[0]
    assert first == "SPEAKER a_b 1 1.25 0.8125 <NA> <NA> anomaly -61.5 <NA>"
    assert list(read_events(tmp_path / "e.rttm")) == [Event(None, "a_b", 1.25, 2.0625, score=-61.5), BARE]


def test_audacity_opens_labels(tmp_path: Path) -> None:
    write_events([FULL, BARE], tmp_path / "e.txt")
    assert (tmp_path / "e.txt").read_text() == "1.25\t2.0625\ta b -70.125\n0.0\t0.1\tzwölf -\n"
    assert list(read_events(tmp_path / "e.txt")) == [Event(None, "a b", 1.25, 2.0625, peak=-70.125), BARE]


def test_jsonl_has_the_promised_keys(tmp_path: Path) -> None:
    write_events([FULL, BARE], tmp_path / "e.jsonl")
    full, bare = map(json.loads, (tmp_path / "e.jsonl").read_text().splitlines())
    promised = ["audio_filepath", "id", "start", "end", "score", "peak", "peak_time", "threshold"]
    assert list(bare) == promised
    assert list(full) == [*promised, "p_value", "severity", "alarms_per_hour", "reasons", "explanation"]


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_no_event_is_a_file_too(tmp_path: Path, name: str) -> None:
    path = tmp_path / "none.dat"
    assert write_events([], path, name) == 0
    assert list(read_events(path, name)) == []


@pytest.mark.parametrize(
    ("name", "line", "message"),
    [
        ("jsonl", "{", "is not an event"),
        ("jsonl", "[1]", "not an object"),
        ("jsonl", '{"id": "a", "start": 1}', "KeyError: 'end'"),
        ("csv", "a.wav,a,1", "is not an event"),
        ("rttm", "SPKR-INFO a 1 <NA> <NA> <NA> <NA> b <NA>", "is not an event"),
        ("audacity", "1.0 2.0 a", "is not an event"),
    ],
)
def test_a_line_that_is_no_event_is_named(tmp_path: Path, name: str, line: str, message: str) -> None:
    path = tmp_path / f"events{SUFFIX[name]}"
    write_events([BARE], path)
    n = len(path.read_text().splitlines()) + 1
    with path.open("a") as file:
        file.write(f"{line}\n")
    with pytest.raises(ManifestError, match=rf"events{SUFFIX[name]}:{n}: .*{message}"):
        list(read_events(path))


def test_a_csv_of_something_else_is_named(tmp_path: Path) -> None:
    (tmp_path / "e.csv").write_text("name,age\nx,3\n")
    with pytest.raises(ManifestError, match=r"e\.csv:1: 'name,age'; needed: the header audio_filepath,id"):
        list(read_events(tmp_path / "e.csv"))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match=r"none\.jsonl does not exist"):
        list(read_events(tmp_path / "none.jsonl"))


def test_unknown_formats_are_refused(tmp_path: Path) -> None:
    with pytest.raises(
        ChoiceError, match=r"as \.xml; needed: a name that ends in \.jsonl, \.csv, \.rttm, \.txt"
    ):
        EventWriter(tmp_path / "e.xml")
    with pytest.raises(
        ChoiceError, match="'xml'; needed: one of jsonl, csv, rttm, audacity, raven, birdnet, textgrid"
    ):
        EventWriter(tmp_path / "e.jsonl", "xml")


def test_nothing_is_left_of_events_that_were_broken_off(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), EventWriter(tmp_path / "e.jsonl") as writer:
        writer.write(FULL)
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []


def test_events_are_not_overwritten_unasked(tmp_path: Path) -> None:
    write_events([FULL], tmp_path / "e.jsonl")
    with pytest.raises(OutputError, match=r"e\.jsonl exists already"):
        write_events([], tmp_path / "e.jsonl")
    assert write_events([], tmp_path / "e.jsonl", force=True) == 0


@pytest.mark.parametrize("name", ["rttm", "audacity", "raven", "birdnet", "textgrid"])
def test_a_folder_holds_a_file_for_each_recording(tmp_path: Path, name: str) -> None:
    found = [
        Event("/x/a.wav", "a", 1.0, 2.0, -61.5, p_value=0.25, severity=2.0),
        Event("/x/b.wav", "y--b", 0.0, 0.5, -60.0, severity=1.25),
        Event("/x/a.wav", "a", 3.0, 4.5, -62.0, severity=3.0),
    ]
    write_events(found, tmp_path / "events", name)
    suffix = FORMATS[name].suffix
    assert sorted(file.name for file in (tmp_path / "events").iterdir()) == [f"a{suffix}", f"y--b{suffix}"]
    read = [(event.id, event.start, event.end) for event in read_events(tmp_path / "events", name)]
    assert read == [("a", 1.0, 2.0), ("a", 3.0, 4.5), ("y--b", 0.0, 0.5)]
    labels = (tmp_path / "events" / f"a{suffix}").read_text()
    assert "anomaly" in labels
    assert ("severity 2.0" in labels) == (name in ("audacity", "textgrid"))


def test_tables_of_raven_and_birdnet_keep_paths_and_ids(tmp_path: Path) -> None:
    found = Event("/x/a b.wav", "y--a_b", 1.0, 2.0, -61.5, p_value=0.25)
    write_events([found, BARE], tmp_path / "e.selections.txt")
    write_events([found, BARE], tmp_path / "e.BirdNET.results.csv")
    raven, birdnet = (tmp_path / name for name in ("e.selections.txt", "e.BirdNET.results.csv"))
    assert list(read_events(raven)) == [
        Event("/x/a b.wav", "y--a_b", 1.0, 2.0, -61.5),
        Event("zwölf", "zwölf", 0.0, 0.1),
    ]
    assert birdnet.read_text().splitlines()[1] == "1.0,2.0,anomaly,anomaly,0.75,/x/a b.wav,y--a_b"
    assert [event.id for event in read_events(birdnet)] == ["y--a_b", "zwölf"]


def test_a_textgrid_is_of_one_recording(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match=r"2 recordings cannot be in one textgrid file.*without a suffix"):
        write_events([FULL, BARE], tmp_path / "e.TextGrid")
    assert list(tmp_path.iterdir()) == []


def test_only_a_table_has_columns_of_times(tmp_path: Path) -> None:
    """`timed` asks for them; the lines of JSON have the keys where an event has them, and need no column."""
    for name in ("e.csv", "e.jsonl"):
        with EventWriter(tmp_path / name, timed=True) as writer:
            writer.write(BARE)
    head, row = (tmp_path / "e.csv").read_text().splitlines()
    assert head.endswith(",time,end_time") and row.endswith(",,")
    assert json.loads((tmp_path / "e.jsonl").read_text()) == BARE.to_dict()
