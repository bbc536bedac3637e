"""What stands for recordings or tables: every verb takes it, and gives what it gives of a manifest."""

from __future__ import annotations

import contextlib
import io
import pickle
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas
import polars
import pyarrow as pa
import pytest
import soundfile

import audiogmm as ag
from audiogmm.audio.recording import Recording
from audiogmm.errors import AudioDataError, ChoiceError, FeatureError, KindError, ManifestError, MismatchError
from audiogmm.manifest.entry import default_id
from audiogmm.runs.progress import Silent
from audiogmm.runs.sources import entries_from, entry_from, is_one

RATE = 8000
WAVES = [np.random.default_rng(i).normal(0, 3000, RATE).astype(np.int16) for i in range(3)]
FLOATS = [wave.astype(np.float32) / 32768 for wave in WAVES]
FRONTEND = ag.FrontEnd.preset("kaldi", sample_rate=RATE)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sources")
    for i, wave in enumerate(WAVES):
        soundfile.write(folder / f"{i}.wav", wave, RATE)
    lines = [f'{{"audio_filepath": "{i}.wav", "speaker": "s{i}"}}\n' for i in range(3)]
    (folder / "all.jsonl").write_text("".join(lines))
    return folder


def paths(folder: Path) -> list[str]:
    return [str(folder / f"{i}.wav") for i in range(3)]


def cuts(folder: Path) -> Any:
    pytest.importorskip("lhotse", reason="pip install lhotse")
    from lhotse import CutSet, Recording

    return CutSet.from_cuts(
        Recording.from_file(path, recording_id=Path(path).stem).to_cut() for path in paths(folder)
    )


MANY: dict[str, Callable[[Path], Any]] = {
    "path": lambda folder: folder / "all.jsonl",
    "manifest": lambda folder: ag.read_manifest(folder / "all.jsonl"),
    "paths": paths,
    "Paths and entries": lambda folder: [Path(paths(folder)[0]), *map(ag.Entry, paths(folder)[1:])],
    "generator of entries": lambda folder: map(ag.Entry, paths(folder)),
    "generator of paths": lambda folder: (path for path in paths(folder)),
    "pairs": lambda _: [(wave, RATE) for wave in WAVES],
    "pairs of SciPy": lambda _: [(RATE, wave) for wave in WAVES],
    "arrays with one rate": lambda _: (FLOATS, RATE),
    "generator of pairs": lambda _: ((wave, RATE) for wave in FLOATS),
    "pandas": lambda folder: ag.read_manifest(folder / "all.jsonl").to_pandas(),
    "polars": lambda folder: polars.DataFrame({"path": paths(folder), "note": ["x"] * 3}),
    "Arrow": lambda folder: pa.table({"audio_filepath": paths(folder)}),
    "CutSet": cuts,
}
"""Three recordings."""


@pytest.fixture(scope="module")
def expected(folder: Path) -> dict[str, Any]:
    """What the verbs make of the manifest."""
    model = ag.train(folder / "all.jsonl", FRONTEND, n_components=2, passes=2, hold_out=0)
    return {
        "model": model,
        "update": ag.update(model, folder / "all.jsonl").mixture.fingerprint,
        "score": [track.scores.tobytes() for track in ag.score(model, folder / "all.jsonl")],
        "detect": _times(ag.detect(ag.calibrate(model, folder / "all.jsonl"), folder / "all.jsonl")),
    }


def _times(events: list[ag.Event]) -> list[tuple[float, float, float]]:
    return [(event.start, event.end, event.score) for event in events]


@pytest.mark.parametrize("kind", MANY)
def test_train_takes(kind: str, folder: Path, expected: dict[str, Any]) -> None:
    model = ag.train(MANY[kind](folder), "kaldi", sample_rate=RATE, n_components=2, passes=2, hold_out=0)
    assert model.mixture.fingerprint == expected["model"].mixture.fingerprint
    assert model.metadata.frontend == expected["model"].metadata.frontend


@pytest.mark.parametrize("kind", MANY)
def test_the_verbs_of_a_model_take(kind: str, folder: Path, expected: dict[str, Any]) -> None:
    model, given = expected["model"], MANY[kind]
    assert ag.update(model, given(folder)).mixture.fingerprint == expected["update"]
    assert [track.scores.tobytes() for track in ag.score(model, given(folder))] == expected["score"]
    detector = ag.calibrate(model, given(folder))
    assert _times(ag.detect(detector, given(folder))) == expected["detect"]
    assert ag.select(given(folder), FRONTEND, n_components="1,2", passes=1, hold_out=0).recommended


ONE: dict[str, Callable[[Path], Any]] = {
    "path": lambda folder: paths(folder)[0],
    "Path": lambda folder: Path(paths(folder)[0]),
    "entry": lambda folder: ag.Entry(paths(folder)[0]),
    "pair": lambda _: (WAVES[0], RATE),
    "floats": lambda _: (FLOATS[0], float(RATE)),
    "32 bits": lambda _: (WAVES[0].astype(np.int32) << 16, np.int64(RATE)),
    "float64": lambda _: (FLOATS[0].astype(np.float64), RATE),
    "cut": lambda folder: cuts(folder)[0],
}


@pytest.mark.parametrize("kind", ONE)
def test_one_recording_gives_one_track(kind: str, folder: Path, expected: dict[str, Any]) -> None:
    found = ag.score(expected["model"], ONE[kind](folder))
    assert found.scores.tobytes() == expected["score"][0]
    assert is_one(ONE[kind](folder))
    assert [track.scores.tobytes() for track in ag.score(expected["model"], [ONE[kind](folder)])] == [
        expected["score"][0]
    ]


def test_speakers_of_a_data_frame_and_arrays(folder: Path, tmp_path: Path, expected: dict[str, Any]) -> None:
    gallery = ag.enroll(expected["model"], ag.read_manifest(folder / "all.jsonl").to_pandas(), tmp_path / "g")
    names = [found.speaker for found in ag.identify(gallery, [(wave, RATE) for wave in WAVES], closed=True)]
    assert names == ["s0", "s1", "s2"]
    trials: list[tuple[str, Any]] = [
        ("s0", (WAVES[0], RATE)),
        ("s0", (WAVES[1], RATE)),
        ("s0", paths(folder)[0]),
    ]
    own, other, file = ag.verify(gallery, trials)
    assert own.score == file.score > other.score


# Tables

ROWS = {"rpm": np.linspace(900, 1100, 40), "temp": np.sin(np.arange(40.0)), "n": np.arange(40) % 7}
TABLES: dict[str, Callable[[], Any]] = {
    "pandas": lambda: pandas.DataFrame(ROWS, index=pandas.date_range("2024-05-01", periods=40)),
    "polars": lambda: polars.DataFrame(ROWS),
    "lazy polars": lambda: polars.LazyFrame(ROWS),
    "Arrow": lambda: pa.table(ROWS),
    "batch of Arrow": lambda: pa.record_batch(ROWS),
    "reader of Arrow": lambda: pa.table(ROWS).to_reader(),
    "nullable pandas": lambda: pandas.DataFrame(ROWS).convert_dtypes(),
    "structured array": lambda: pandas.DataFrame(ROWS).to_records(index=False),
}


@pytest.fixture(scope="module")
def table_model(tmp_path_factory: pytest.TempPathFactory) -> ag.Model:
    path = tmp_path_factory.mktemp("tables") / "a.csv"
    pandas.DataFrame(ROWS).to_csv(path, index=False)
    return ag.train(path, n_components=2, passes=2)


@pytest.mark.parametrize("kind", TABLES)
def test_tables_in_memory(kind: str, table_model: ag.Model) -> None:
    model = ag.train(TABLES[kind](), n_components=2, passes=2)
    assert model.mixture.fingerprint == table_model.mixture.fingerprint
    assert model.metadata.columns == ["rpm", "temp", "n"]
    scores = ag.score(model, TABLES[kind]()).scores
    np.testing.assert_array_equal(scores, ag.score(table_model, TABLES["pandas"]()).scores)


def test_columns_in_memory_are_found_by_name(table_model: ag.Model) -> None:
    plain = ag.score(table_model, TABLES["polars"]()).scores
    mixed = TABLES["polars"]().select("n", "temp", polars.lit("x").alias("site"), "rpm")
    np.testing.assert_array_equal(ag.score(table_model, mixed).scores, plain)
    np.testing.assert_array_equal(ag.score(table_model, np.column_stack(list(ROWS.values()))).scores, plain)
    with pytest.raises(FeatureError, match="table has no column 'n'; it has columns 'rpm', 'temp'"):
        ag.score(table_model, mixed.select("rpm", "temp"))
    with pytest.raises(FeatureError, match=r"column 'site' holds 'x' in its first rows.*--exclude site"):
        ag.train(mixed, n_components=2)
    said = Silent()
    stamped = mixed.with_columns(when=polars.datetime_range(*_MAY, interval="1d", eager=True))
    model = ag.train(stamped, n_components=1, exclude=["site"], progress=said)
    assert model.metadata.columns == ["n", "temp", "rpm"]
    assert said.messages[0] == "columns left out: 'when' (times); --columns takes those that it names"


_MAY = polars.date(2024, 5, 1), polars.date(2024, 6, 9)


def test_a_null_is_named() -> None:
    frame = polars.DataFrame({"a": [1, None], "b": [1.0, 2.0]})
    with pytest.raises(FeatureError, match=r"table: row 1 \(counted from 0\), column 'a' is nan"):
        ag.train(frame, n_components=1)
    with pytest.raises(FeatureError, match=r"table: row 1 \(counted from 0\), column 'a' is nan"):
        ag.train(frame.to_pandas().convert_dtypes(), n_components=1)


def test_matrices_are_tables_of_a_list(table_model: ag.Model) -> None:
    X = np.column_stack(list(ROWS.values()))
    halves = ag.train([X[:20], X[20:]], n_components=2, passes=2, hold_out=0)
    assert halves.metadata.data["n_recordings"] == 2
    assert [len(track.scores) for track in ag.score(halves, [X[:3], X[3:]])] == [3, 37]


# Arrays of samples


def test_either_axis_is_time_and_that_is_said() -> None:
    stereo, notes = np.stack([WAVES[0], WAVES[1]]), list[str]()
    for samples, shape in ((stereo, "(2, 8000)"), (stereo.T, "(8000, 2)")):
        entry = entry_from((samples, RATE))
        assert entry.data.tobytes() == np.ascontiguousarray(stereo.T).tobytes()  # type: ignore[attr-defined]
        list(entries_from([(samples, RATE)], say=notes.append))
        assert notes.pop() == f"array-0: shape {shape} is taken as 2 channels of 8,000 samples"
    list(entries_from((WAVES[0][None], RATE), say=notes.append))
    assert notes == []  # one channel is no matter of doubt


@pytest.mark.parametrize(
    ("given", "kind", "message"),
    [
        ({"a": 1}, KindError, "got a dict; needed: a manifest, a path, an Entry"),
        (None, KindError, "got a NoneType"),
        (3, KindError, "got an int"),
        ([3.5], KindError, "got a float"),
        ([[WAVES[0]]], KindError, "got a list"),
        (b"RIFF", KindError, "got a bytes"),
        ((WAVES[0] * 1j, RATE), AudioDataError, "samples of type complex128.*try: samples.real"),
        ((np.array([{}]), RATE), AudioDataError, "samples of type object"),
        ((np.zeros(0), RATE), AudioDataError, r"samples of shape \(0,\)"),
        ((np.zeros((2, 2, 2)), RATE), AudioDataError, r"samples of shape \(2, 2, 2\)"),
        ((WAVES[0].astype(np.int64), RATE), AudioDataError, "samples of type int64"),
        ((WAVES[0], 0), ChoiceError, "a sample rate of 0; needed: a positive whole number"),
        ((WAVES[0], -8000), ChoiceError, "a sample rate of -8000"),
        ((WAVES[0], "8000"), ChoiceError, "a sample rate of '8000'"),
        ((WAVES[0], float("nan")), ChoiceError, "a sample rate of nan"),
        ((WAVES[0], float("inf")), ChoiceError, "a sample rate of inf"),
        ((WAVES[0], True), ChoiceError, "a sample rate of True"),
        ((WAVES[0], None), ChoiceError, "a sample rate of None"),
        (
            WAVES[0],
            FeatureError,
            r"shape \(8000,\) and type int16, without a sample rate.*\(samples, 16000\)",
        ),
        (np.zeros((0, 2)), FeatureError, "table has no rows"),
        (np.array([["a"]]), FeatureError, "type <U1"),
        (np.zeros((3, 2), complex), FeatureError, "type complex128"),
        (["gone.wav"], ManifestError, "gone.wav does not exist"),
    ],
)
def test_what_is_not_taken(given: Any, kind: type[Exception], message: str) -> None:
    with pytest.raises(kind, match=message):
        list(entries_from(given))
    with pytest.raises(kind, match=message):
        ag.train(given, n_components=1)


def test_a_sample_that_is_no_number_is_named(expected: dict[str, Any]) -> None:
    wave = FLOATS[0].copy()
    wave[4000] = np.nan
    with pytest.raises(AudioDataError, match=r"array.*0\.500"):
        ag.score(expected["model"], (wave, RATE))


def test_names_of_listed_files_differ(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "0.wav").write_bytes((folder / "0.wav").read_bytes())
    first, other, again, third = entries_from(
        [paths(folder)[0], tmp_path / "0.wav", tmp_path / "0.wav", WAVES_PAIR]
    )
    assert (first.id, third.id) == ("0", "array-3")
    assert other.id.endswith("--0")
    assert again.id == f"{other.id}-2"


WAVES_PAIR = (WAVES[0], RATE)


# Blocks and front ends


def test_a_model_of_blocks_keeps_the_front_end_that_is_given(expected: dict[str, Any]) -> None:
    stream = ag.FrontEnd.preset("kaldi").stream(RATE)
    blocks = [*stream.push(FLOATS[0]), *stream.flush()]
    model = ag.train(blocks, "kaldi", n_components=2)
    assert model.metadata.sample_rate == RATE
    assert len(ag.score(model, (FLOATS[1], RATE)).scores) == 98
    assert ag.train(blocks, n_components=2).metadata.frontend is None
    with pytest.raises(MismatchError, match="blocks of 80 samples a step and 200 a frame at 8000 Hz"):
        ag.train(blocks, "kaldi", n_components=2, sample_rate=16000)
    with pytest.raises(MismatchError, match="blocks of 13 features; needed: those of the front end: 39"):
        ag.train(blocks, ag.FrontEnd.preset("kaldi", deltas=2), n_components=2)


def test_a_front_end_of_another_type() -> None:
    with pytest.raises(KindError, match="a front end of the type dict"):
        ag.train((WAVES[0], RATE), {"n_mfcc": 3}, n_components=2)  # type: ignore[arg-type]


def test_a_data_frame_is_read_as_a_manifest_and_checked(folder: Path, tmp_path: Path) -> None:
    frame = polars.DataFrame({"path": [*paths(folder), str(tmp_path / "gone.wav")], "label": ["normal"] * 4})
    manifest = ag.read_manifest(frame)
    assert [(entry.id, entry.label) for entry in manifest[:3]] == [
        (default_id(p), "normal") for p in paths(folder)
    ]
    found = ag.check_manifest(frame)
    assert (found.entries, len(found.problems)) == (4, 1)
    assert "gone.wav is missing" in str(found.problems[0])
    with pytest.raises(ManifestError, match="a data frame with a column audio_filepath"):
        ag.read_manifest(TABLES["pandas"]())


def test_clusters_of_samples(expected: dict[str, Any], tmp_path: Path) -> None:
    found = ag.cluster(expected["model"], [(wave, RATE) for wave in WAVES], tmp_path / "c")
    assert (found.recordings, found.sounds) == (3, 3)


def test_samples_and_tables_travel_to_worker_processes() -> None:
    for given, frontend in (((FLOATS[0], RATE), FRONTEND), (TABLES["polars"](), None)):
        recording = Recording(entry_from(given), frontend)
        here, there = (next(iter(each)).frames for each in (recording, pickle.loads(pickle.dumps(recording))))
        assert here.tobytes() == there.tobytes()


def test_entries_in_memory_are_equal_if_they_hold_the_same_samples() -> None:
    first, other = entry_from((WAVES[0][:, None], RATE)), entry_from((WAVES[1][:, None], RATE))
    assert first != other
    assert first == replace(first)
    assert len({first, other, replace(first)}) == 2


def test_an_entry_in_memory_is_not_written_as_a_path(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match="array is in memory, and a manifest holds paths"):
        ag.write_manifest([entry_from((WAVES[0], RATE))], tmp_path / "a.jsonl")


def test_a_frame_cache_wants_files(tmp_path: Path) -> None:
    found = ag.features((WAVES[0], RATE), tmp_path / "frames")
    assert [row.reason.partition(";")[0] for row in found.aside.rows] == ["array is in memory"]


# Ids and faults of what is no file


def test_ids_of_lists_are_checked(folder: Path, tmp_path: Path, expected: dict[str, Any]) -> None:
    lists = []
    for name in "ab":
        (tmp_path / name).mkdir()
        (tmp_path / name / "0.wav").write_bytes((folder / "0.wav").read_bytes())
        (tmp_path / name / "m.jsonl").write_text('{"audio_filepath": "0.wav"}\n')
        lists.append(tmp_path / name / "m.jsonl")
    entries = [ag.Entry(tmp_path / name / "0.wav") for name in "ab"]
    with pytest.raises(ManifestError, match=r"b/m\.jsonl:1: the id '0' is that of item 0 of the list"):
        list(entries_from(lists))
    for source in (lists, entries, iter(entries), dict(zip("ab", entries, strict=True)).values()):
        refused: list[tuple[str, str]] = []
        found = entries_from(source, on_error=lambda path, error: refused.append((path, error.what)))  # noqa: B023
        assert [Path(entry.path).parent.name for entry in found] == ["a"]
        assert [what.partition("/0.wav")[0] != what for _, what in refused] == [source is not lists]
    rows = [entry.id for entry in entries_from([entries[0], tmp_path / "b" / "0.wav"])]
    assert rows[0] == "0" and rows[1].endswith("b--0")
    ag.cluster(expected["model"], lists, tmp_path / "out")
    assert "'0' is that of item 0" in (tmp_path / "out.errors.jsonl").read_text()


@pytest.mark.parametrize("kind", ["pandas", "polars", "CutSet", "datasets"])
def test_a_bad_item_of_an_object_does_not_end_the_others(kind: str, folder: Path) -> None:
    frame = pandas.DataFrame({"audio_filepath": paths(folder), "offset": [0.0, -3.0, 0.0]})
    source: Any = frame if kind == "pandas" else polars.from_pandas(frame)
    if kind == "CutSet":
        source = cuts(folder)
        list(source)[1].start = -3.0
        source = type(source)(list(source))
    elif kind == "datasets":
        datasets: Any = pytest.importorskip("datasets")
        source = datasets.Dataset.from_dict({"audio": paths(folder), "offset": [0.0, -3.0, 0.0]})
        source = source.cast_column("audio", datasets.Audio(decode=False))
    for read in (
        lambda refuse: entries_from(source, on_error=lambda _, fault: refuse(fault)),
        lambda refuse: entries_from(ag.read_manifest(source), on_error=lambda _, fault: refuse(fault)),
        lambda refuse: entries_from([source], on_error=lambda _, fault: refuse(fault)),
        lambda refuse: ag.read_manifest(source, on_error=refuse),
    ):
        refused: list[ManifestError] = []
        assert [Path(entry.path).name for entry in read(refused.append)] == ["0.wav", "2.wav"]
        assert ["-3.0" in str(error) for error in refused] == [True]
    with pytest.raises(ManifestError, match=r"-3\.0"):
        list(entries_from(source))


@pytest.mark.parametrize("opened", ["rb", "SoundFile", "BytesIO"])
def test_an_open_file_is_refused_with_its_path(opened: str, folder: Path) -> None:
    path = folder / "0.wav"
    with contextlib.ExitStack() as stack:
        file: Any = io.BytesIO(path.read_bytes())
        if opened != "BytesIO":
            how = soundfile.SoundFile(str(path)) if opened == "SoundFile" else path.open("rb")
            file = stack.enter_context(how)
        remedy = "its path" if opened == "BytesIO" else repr(str(path))
        for source in (file, [file]):
            with pytest.raises(KindError, match=rf"got a file object \(.*; try: {re.escape(remedy)}"):
                list(entries_from(source))
