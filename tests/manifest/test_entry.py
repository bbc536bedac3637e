"""Entries, and the names that they get."""

from __future__ import annotations

import copy
import pickle
from dataclasses import FrozenInstanceError, fields

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audiogmm.errors import ManifestError
from audiogmm.manifest.entry import Entry, EntryDraft, default_id, safe_id
from audiogmm.timeline import Segment

PATHS = st.text(st.characters(codec=None), max_size=300) | st.text("ab/.-_ é\x00\ud800", max_size=20)


@settings(max_examples=50, deadline=None)
@given(PATHS)
def test_a_safe_id_names_a_file_and_is_its_own_safe_id(text: str) -> None:
    name = safe_id(text)
    assert safe_id(name) == name
    assert 1 <= len(name.encode()) <= 200
    assert not set(name) & set('/\\\0\n\t <>:"|?*')
    assert name[0] not in ".-"


@settings(max_examples=50, deadline=None)
@given(st.text("ab/.", min_size=1, max_size=12).filter(lambda text: text.strip("/.")))
def test_the_quick_way_to_a_safe_id_is_the_slow_one(text: str) -> None:
    slow = "--".join(part for part in text.split("/") if part not in ("", ".", "..")).lstrip(".-")
    assert safe_id(text) == (slow or "recording")


def test_long_paths_stay_apart_and_keep_their_end() -> None:
    first, second = (safe_id(f"{folder * 250}/take-17") for folder in ("a", "b"))
    assert first != second
    assert first.endswith("--take-17")
    assert len(first) == 200


@pytest.mark.parametrize(
    ("path", "offset", "channel", "name"),
    [
        ("fsdd/0_george_5.wav", 0.0, None, "fsdd--0_george_5"),
        ("../wav/a b.flac", 0.0, None, "wav--a_b"),
        ("/data/a.wav", 0.0, None, "data--a"),
        ("./.hidden/.wav", 0.0, None, "hidden"),
        ("take.1", 0.0, None, "take.1"),
        ("take.1.wav", 0.0, None, "take.1"),
        ("x.y/z", 0.0, None, "x.y--z"),
        ("a.wav", 0.1, None, "a@0.1"),
        ("a.wav", 3600.0, 0, "a-ch0@3600"),
        ("https://x.org/a.wav?sig=1", 0.0, None, "https--x.org--a.wav_sig=1"),
        ("..", 0.0, None, "recording"),
        ("-", 0.0, None, "stdin"),
    ],
)
def test_default_names(path: str, offset: float, channel: int | None, name: str) -> None:
    assert default_id(path, offset, channel) == name


@pytest.mark.parametrize("name", ["a/b", "../a", "", ".a", "a b", "a\nb", "x" * 201, "é" * 101])
def test_an_id_that_names_no_file_is_refused_and_another_is_offered(name: str) -> None:
    with pytest.raises(ManifestError) as caught:
        Entry(audio_filepath="/a.wav", id=name, source="all.jsonl:3")
    assert repr(name) in str(caught.value)
    assert "all.jsonl:3" in str(caught.value)
    assert safe_id(name) in caught.value.remedy


@pytest.mark.parametrize(("audio", "features"), [(None, None), ("/a.wav", "/a.npy"), ("", None)])
def test_exactly_one_path(audio: str | None, features: str | None) -> None:
    with pytest.raises(ManifestError, match="exactly one of the two"):
        Entry(audio_filepath=audio, features_filepath=features, id="a")


def test_an_entry_is_frozen_hashable_and_travels() -> None:
    entry = Entry(
        audio_filepath="/a.wav",
        id="a",
        events=(Segment(1.0, 2.0),),
        extra={"fold": 1, "tags": ["x"]},
        source="x:1",
    )
    with pytest.raises(FrozenInstanceError):
        entry.id = "b"  # type: ignore[misc]
    assert pickle.loads(pickle.dumps(entry)) == entry == copy.deepcopy(entry)
    assert len({entry, pickle.loads(pickle.dumps(entry))}) == 1
    assert pickle.loads(pickle.dumps(entry)).source == "x:1"


def test_a_draft_becomes_an_entry() -> None:
    values = [f"{field.name}!" for field in fields(Entry)]
    draft = EntryDraft(*values)
    draft.__class__ = Entry
    assert type(draft) is Entry
    assert [getattr(draft, field.name) for field in fields(Entry)] == values
    with pytest.raises(FrozenInstanceError):
        draft.id = "b"
