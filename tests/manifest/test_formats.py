"""One contract for every format: what is written is read again, whole or not at all, as often as wanted."""

from __future__ import annotations

import json
import pickle
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audiogmm.errors import ChoiceError, ManifestError, OutputError
from audiogmm.manifest import FORMATS, Entry, ManifestWarning, read_manifest, write_manifest
from audiogmm.manifest.segments import SPAN_FORMATS
from audiogmm.timeline import Segment

TARGETS = {
    "jsonl": "all.jsonl",
    "jsonl.gz": "all.jsonl.gz",
    "csv": "all.csv",
    "tsv": "all.tsv",
    "kaldi": "kaldi",
    "lhotse": "lhotse",
    "lhotse cuts": "cuts.jsonl.gz",
    "nemo": "nemo.jsonl",
}


def format_of(target: str) -> str | None:
    return None if target in ("jsonl.gz", "tsv") else target.split()[0]


@pytest.fixture(params=TARGETS)
def target(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def entries(folder: Path) -> list[Entry]:
    """Entries of what every format can hold, their ids in order."""
    return [
        Entry(
            f"{folder}/a b.wav", id="a", duration=3.0, speaker="ann", sample_rate=8000, extra={"text": "one"}
        ),
        Entry(f"{folder}/b.wav", id="b", duration=1.5, sample_rate=8000, extra={"channels": 1}),
        Entry(
            f"{folder}/two.wav",
            id="c",
            offset=0.1,
            duration=0.2,
            channel=1,
            speaker="cy",
            sample_rate=16000,
            extra={"channels": 2, "num_samples": 160000, "recording_id": "two"},
        ),
    ]


def write(entries: list[Entry] | Iterator[Entry], folder: Path, target: str, force: bool = False) -> Path:
    path = folder / TARGETS[target]
    if target == "kaldi":
        with pytest.warns(ManifestWarning, match="kaldi format cannot hold .*sample_rate"):
            write_manifest(entries, path, format_of(target), force)
    else:
        write_manifest(entries, path, format_of(target), force)
    return path


def test_every_format_is_covered() -> None:
    assert {format_of(target) or target for target in TARGETS} >= {
        name for name in FORMATS.keys() - SPAN_FORMATS.keys() if FORMATS[name].is_written
    }


def test_what_is_written_is_read(tmp_path: Path, target: str) -> None:
    first = entries(tmp_path)
    second = list(read_manifest(write(first, tmp_path, target)))
    for one, other in zip(first, second, strict=True):
        for name in ("path", "id", "offset", "duration", "channel", "speaker"):
            assert getattr(one, name) == getattr(other, name), name
        assert other.extra.get("text") == (one.extra.get("text") or {"nemo": ""}.get(target))
        if target != "kaldi":
            assert one.sample_rate == other.sample_rate
            assert one.extra.items() <= other.extra.items()


def test_a_manifest_is_read_again_and_travels(tmp_path: Path, target: str) -> None:
    manifest = read_manifest(write(entries(tmp_path), tmp_path, target))
    assert list(manifest) == list(manifest) == list(pickle.loads(pickle.dumps(manifest)))
    assert manifest.count() == 3
    assert all(str(manifest.path) in entry.source for entry in manifest)


def test_writing_what_was_read_gives_the_same_bytes(tmp_path: Path, target: str) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    first = write(entries(tmp_path), tmp_path / "one", target)
    read = (replace(entry, sample_rate=entry.sample_rate or 8000) for entry in read_manifest(first))
    second = write(read, tmp_path / "two", target)
    files = sorted(first.iterdir()) if first.is_dir() else [first]
    assert [file.name for file in files] == [
        file.name for file in (sorted(second.iterdir()) if second.is_dir() else [second])
    ]
    for file in files:
        other = second / file.name if second.is_dir() else second
        if target != "lhotse":  # its second writing knows the number of channels
            assert file.read_bytes() == other.read_bytes(), file.name


def test_nothing_is_overwritten_unless_forced(tmp_path: Path, target: str) -> None:
    write(entries(tmp_path), tmp_path, target)
    with pytest.raises(OutputError, match=f"{TARGETS[target]}.*--force"):
        write_manifest(entries(tmp_path), tmp_path / TARGETS[target], format_of(target))
    path = write(entries(tmp_path)[:1], tmp_path, target, force=True)
    assert [entry.id for entry in read_manifest(path)] == ["a"]


def test_a_failure_half_way_leaves_what_was_there(tmp_path: Path, target: str) -> None:
    def stopped() -> Iterator[Entry]:
        yield entries(tmp_path)[2]
        raise KeyboardInterrupt

    path = tmp_path / TARGETS[target]
    with pytest.raises(KeyboardInterrupt):
        write_manifest(stopped(), path, format_of(target))
    assert list(tmp_path.iterdir()) == []
    write(entries(tmp_path), tmp_path, target)
    before = list(read_manifest(path))
    with pytest.raises(KeyboardInterrupt):
        write_manifest(stopped(), path, format_of(target), force=True)
    assert list(tmp_path.iterdir()) == [path]
    assert list(read_manifest(path)) == before


EXTRA = st.dictionaries(
    st.text("xyz_ ,;\"'\n\té", min_size=1, max_size=5),
    st.none()
    | st.booleans()
    | st.integers(-10, 10**20)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8)
    | st.sampled_from(["7", "007", "1.50", "true", "null", '"', '"x"', "[1]", "NaN", "", " ", "{", "a,b\n;c"])
    | st.lists(st.integers(0, 3) | st.text(max_size=2), max_size=2)
    | st.dictionaries(st.text(max_size=2), st.integers(0, 3), max_size=2),
    max_size=4,
)


@pytest.mark.parametrize("name", ["all.jsonl", "all.csv", "all.tsv"])
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(extras=st.lists(EXTRA, min_size=1, max_size=3))
def test_further_keys_come_back_as_they_were(tmp_path: Path, name: str, extras: list[dict]) -> None:  # type: ignore[type-arg]
    if name != "all.jsonl":  # a table has no cell for a null, and strips no header
        extras = [
            {key.strip() or "x": value for key, value in extra.items() if value is not None}
            for extra in extras
        ]
        extras = [{key: value for key, value in extra.items() if "\n" not in key} for extra in extras]
    wanted = [
        Entry(f"{tmp_path}/{i}.wav", id=str(i), events=(Segment(0.0, 1.5),), label="7", extra=extra)
        for i, extra in enumerate(extras)
    ]
    write_manifest(wanted, tmp_path / name, force=True)
    assert list(read_manifest(tmp_path / name)) == wanted


def test_the_name_must_tell_the_format(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match=r"name all\.xml does not say"):
        write_manifest([], tmp_path / "all.xml")
    with pytest.raises(ChoiceError, match=r"'xml'.*jsonl, csv, kaldi, lhotse, nemo"):
        write_manifest([], tmp_path / "all.xml", "xml")
    with pytest.raises(ChoiceError, match="'xml'"):
        read_manifest(tmp_path / "all.xml", "xml")


def test_recordings_beside_the_manifest_move_with_it(tmp_path: Path) -> None:
    corpus = tmp_path / "corpus"
    (corpus / "lists").mkdir(parents=True)
    write_manifest([Entry(f"{corpus}/wav/a.wav", id="a")], corpus / "lists" / "all.jsonl")
    assert json.loads((corpus / "lists" / "all.jsonl").read_text())["audio_filepath"] == "../wav/a.wav"
    corpus.rename(tmp_path / "moved")
    (entry,) = read_manifest(tmp_path / "moved" / "lists" / "all.jsonl")
    assert Path(entry.path).resolve() == tmp_path / "moved" / "wav" / "a.wav"


def test_nemo_needs_durations_which_a_measure_gives(tmp_path: Path) -> None:
    class Info:
        sample_rate, channels, n_samples = 8000, 1, 20000

    entry = Entry("/x/a.wav", id="a", offset=0.5, source="all.jsonl:9")
    with pytest.raises(ManifestError, match=r"all\.jsonl:9: /x/a\.wav has no duration.*NeMo"):
        write_manifest([entry], tmp_path / "n.jsonl", "nemo")
    write_manifest([entry], tmp_path / "n.jsonl", "nemo", measure=lambda _: Info())
    assert json.loads((tmp_path / "n.jsonl").read_text()) == {
        "audio_filepath": "/x/a.wav",
        "duration": 2.0,
        "text": "",
        "id": "a",
        "offset": 0.5,
        "sample_rate": 8000,
        "channels": 1,
        "num_samples": 20000,
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("speaker,sound\nann,a.wav\n", r":?1? ?has the columns 'speaker,sound'.*audio_filepath"),
        (
            "audio_filepath,speaker\na.wav\n",
            r"all\.csv:2: 1 cell where the header names 2; needed: a cell for each",
        ),
        ("audio_filepath,duration\na.wav,long\n", r"all\.csv:2: duration is 'long'"),
        ("audio_filepath,duration\na.wav,nan\n", r"all\.csv:2: duration is nan"),
        ("audio_filepath,duration\n,1\n", r"all\.csv:2: no audio_filepath"),
        ("audio_filepath,x,x\na.wav,1,2\n", r"names the column 'x' twice"),
        ('audio_filepath,x\na.wav,"1\n', r"all\.csv:2 is not CSV"),
        ('audio_filepath,x\nb.wav,"1\n2"\na.wav,1,2\n', r"all\.csv:4: 3 cells where the header names 2"),
    ],
)
def test_bad_tables(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "all.csv"
    file.write_text(text)
    with pytest.raises(ManifestError, match=message):
        list(read_manifest(file))


def test_tables_of_other_hands(tmp_path: Path) -> None:
    file = tmp_path / "all.csv"
    file.write_bytes("\ufeffspeaker;audio_filepath;take\r\nann;a.wav;007\r\n\r\n;b.wav;1.50\r\n".encode())
    first, second = read_manifest(file)
    assert (first.speaker, first.extra, second.speaker, second.extra) == (
        "ann",
        {"take": "007"},
        None,
        {"take": "1.50"},
    )
    file.write_bytes(b"audio_filepath,speaker\na.wav,Andr\xe9\n")
    with pytest.raises(ManifestError, match=r"all\.csv is not UTF-8 text.*iconv"):
        list(read_manifest(file))
