"""The quick reading of a line against the model, and back."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audiogmm.errors import ManifestError
from audiogmm.manifest import record as quick
from audiogmm.manifest.folder import ManifestFolder
from audiogmm.manifest.record import KEYS, entry_of, record_of
from audiogmm.manifest.schema import EntryLine, explained_entry

FOLDER = ManifestFolder("/data/lists")

VALUES = (
    st.none()
    | st.booleans()
    | st.integers(-2, 10)
    | st.sampled_from([10**400, -(10**400), 0.0, -0.5, 2.5, 16000.0, "", "a", "a/b c", "é", [], {}, "\ud800"])
    | st.floats(0, 100)
    | st.lists(
        st.dictionaries(st.sampled_from(["start", "end", "snr_db"]), st.integers(-1, 3) | st.floats(0, 3)),
        max_size=2,
    )
)
RECORDS = st.fixed_dictionaries(
    {"audio_filepath": st.sampled_from(["a.wav", "x/b.flac", "/c.wav", "s3://d/e.wav", "", None, 3])},
    optional=dict.fromkeys((*KEYS[1:], "fold", "text"), VALUES),
)


@settings(max_examples=200, deadline=None)
@given(RECORDS)
def test_what_is_read_quickly_is_what_the_model_reads(record: dict[str, object]) -> None:
    looked = []

    def second_look(*_: object) -> None:
        looked.append(True)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(quick, "_second_look", second_look)
        entry = entry_of(record, FOLDER, "m:1")
    if not looked:
        assert explained_entry(record, FOLDER, "m:1") == entry


@settings(max_examples=100, deadline=None)
@given(RECORDS)
def test_what_is_read_is_written_back(record: dict[str, object]) -> None:
    try:
        entry = entry_of(record, FOLDER, "m:1")
    except ManifestError:
        return
    written = record_of(entry, FOLDER)
    assert entry_of(json.loads(json.dumps(written)), FOLDER, "m:1") == entry
    for key, value in record.items():
        if value is None and key in KEYS:
            continue
        if key == "offset" and value == 0:
            continue
        if key == "audio_filepath":
            continue
        if key == "id" and key not in written:
            assert value == entry.id
            continue
        assert written[key] == value, key


def test_the_quick_reading_knows_the_keys_of_the_model() -> None:
    assert set(KEYS) == set(EntryLine.model_fields)


def test_events_keep_their_further_keys_until_they_change() -> None:
    from dataclasses import replace

    from audiogmm.timeline import Segment

    events = [{"start": 1, "end": 2.5, "snr_db": 10}]
    entry = entry_of({"audio_filepath": "a.wav", "events": events}, FOLDER, "m:1")
    assert entry.events == (Segment(1.0, 2.5),)
    assert record_of(entry, FOLDER)["events"] == events
    moved = replace(entry, events=(Segment(2.0, 3.0),))
    assert record_of(moved, FOLDER)["events"] == [{"start": 2.0, "end": 3.0}]


def test_no_events_is_not_no_truth() -> None:
    looked = entry_of({"audio_filepath": "a.wav", "events": []}, FOLDER, "m:1")
    not_looked = entry_of({"audio_filepath": "a.wav"}, FOLDER, "m:1")
    assert record_of(looked, FOLDER)["events"] == []
    assert "events" not in record_of(not_looked, FOLDER)


def test_numbers_for_names_and_unsafe_ids_come_back_as_they_were() -> None:
    line = {"audio_filepath": "a.wav", "id": "id10001/7", "speaker": 103, "label": 4}
    entry = entry_of(line, FOLDER, "m:1")
    assert (entry.id, entry.speaker, entry.label) == ("id10001--7", "103", "4")
    assert record_of(entry, FOLDER) == line


@pytest.mark.parametrize(
    ("path", "written"),
    [
        ("/data/lists/x/a.wav", "x/a.wav"),
        ("/data/wav/a.wav", "../wav/a.wav"),
        ("/data/lists/../wav/a.wav", "../wav/a.wav"),
        ("/elsewhere/a.wav", "/elsewhere/a.wav"),
        ("s3://bucket/a.wav", "s3://bucket/a.wav"),
        ("-", "-"),
        ("/data/lists/-", "./-"),
        ("/data/lists/s3://b", "./s3://b"),
    ],
)
def test_paths_are_written_near_and_found_again(path: str, written: str) -> None:
    assert FOLDER.relative(path) == written
    again = FOLDER.resolve(written)
    assert str(Path(again)).replace("lists/../", "") == str(Path(path)).replace("lists/../", "")


def test_a_far_folder_is_not_climbed_to() -> None:
    assert ManifestFolder("/data/a/b/c").relative("/data/x.wav") == "/data/x.wav"
    assert ManifestFolder("/data/a/b").relative("/data/x.wav") == "../../x.wav"


def test_a_manifest_behind_a_url_has_its_recordings_there() -> None:
    folder = ManifestFolder.of("s3://bucket/lists/all.jsonl")
    assert folder.resolve("wav/a.wav") == "s3://bucket/lists/wav/a.wav"
    assert folder.resolve("/a.wav") == "/a.wav"


def test_a_linked_folder_is_left_to_the_system(tmp_path: Path) -> None:
    (tmp_path / "real" / "lists").mkdir(parents=True)
    (tmp_path / "real" / "a.wav").write_text("the right one")
    (tmp_path / "a.wav").write_text("the wrong one")
    (tmp_path / "link").symlink_to(tmp_path / "real" / "lists")
    folder = ManifestFolder.of(tmp_path / "link" / "all.jsonl")
    full = folder.resolve("../a.wav")
    assert Path(full).read_text() == "the right one"
    assert Path(folder.resolve(folder.relative(full))).read_text() == "the right one"
