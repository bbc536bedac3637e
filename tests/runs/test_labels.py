"""Labels of recordings: by a key, or in files that a user has edited; and what is wrong with them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from audiogmm.errors import ManifestError
from audiogmm.manifest import Entry
from audiogmm.runs.labels import OTHER, Labels, read_labels

ENTRIES = [Entry(f"/data/{name}.wav", id=f"site--{name}", label=name) for name in ("a", "b", "c")]


def read(folder: Path, **files: str) -> tuple[Labels, list[str]]:
    for name, text in files.items():
        (folder / f"{name}.txt").write_text(text)
    notes: list[str] = []
    return read_labels(str(folder), ENTRIES, notes.append), notes


def test_a_key_labels_whole_recordings() -> None:
    entries = [*ENTRIES[:2], Entry("/d.wav", id="d"), Entry("/e.wav", id="e", extra={"site": 7})]
    notes: list[str] = []
    labels = read_labels("label", entries, notes.append)
    assert labels.names == ("a", "b")
    assert labels.spans["site--b"] == ((0.0, float("inf"), 1),)
    assert not labels.has_rest
    assert notes == ["2 recordings have no label, and are left out"]
    assert read_labels("site", entries, notes.append).names == ("7",)


def test_files_label_stretches_and_the_rest_is_other(tmp_path: Path) -> None:
    """A file is named after the id or the file of a recording."""
    files = {"site--a": "0.5\t2.0\thum\n2.0\t3.0\tknock\n", "b": "1.0\t2.0\thum\n", "x": "1\t2\thum\n"}
    labels, notes = read(tmp_path, **files)
    assert labels.names == ("hum", "knock", OTHER)
    assert labels.spans == {"site--a": ((0.5, 2.0, 0), (2.0, 3.0, 1)), "site--b": ((1.0, 2.0, 0),)}
    assert labels.has_rest
    assert notes == [
        "1 label file is of no recording of the manifest: x",
        "1 recording has no label, and is left out",
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "0\t2\thum\n1.5\t3\tknock\n",
            r"a.txt:2: 'knock' from 1.500 s on overlaps with 'hum', which ends",
        ),
        (
            "0\t2\thum\n2\t3\t\n",
            r"a.txt:2: the label at 2.000 s has no text; needed: a segment with the name",
        ),
        ("2\t2\thum\n", r"a.txt:1: the label at 2.000 s has no length"),
        ("two\t3\thum\n", r"a.txt:1"),
        ("", r"has 1 label file, and no label of a recording of the manifest; needed: files named after"),
    ],
)
def test_what_is_wrong_is_named(text: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match=message):
        read(tmp_path, a=text)


def test_overlaps_of_one_class_or_of_a_hand_are_none(tmp_path: Path) -> None:
    labels, _ = read(tmp_path, a="0\t2\thum\n1\t3\thum\n2.995\t4\tknock\n")
    assert [span[2] for span in labels.spans["site--a"]] == [0, 0, 1]


def test_a_key_that_is_none_is_named() -> None:
    with pytest.raises(ManifestError, match=r"no entry has the key 'kind'.*try: one of the keys label"):
        read_labels("kind", ENTRIES, print)
    with pytest.raises(
        ManifestError, match=r"q: tags is \['a', 'b'\]; needed: one label, a text or a number"
    ):
        read_labels("tags", [Entry("/q.wav", id="q", extra={"tags": ["a", "b"]})], print)


def test_a_file_that_could_be_of_several_recordings_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("0\t1\thum\n")
    first, second = (Entry(f"/data/{day}/a.wav", id=f"{day}--a") for day in (1, 2))
    with pytest.raises(ManifestError, match=r"'a'.*/1/a\.wav and of /data/2/a\.wav.*try:.*such as 2--a\.txt"):
        read_labels(str(tmp_path), [first, second], print)
    pieces = [replace(first, offset=offset, id=f"x{offset}") for offset in (0.0, 5.0)]
    assert set(read_labels(str(tmp_path), pieces, print).spans) == {"x0.0", "x5.0"}
    for entries in ([second, replace(first, id="a")], [replace(first, id="a"), second]):
        assert set(read_labels(str(tmp_path), entries, print).spans) == {"a"}
