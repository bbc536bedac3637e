"""The frame cache gives the same bytes, finds its own, refuses what is not, and survives company."""

from __future__ import annotations

import dataclasses
import os
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from audiogmm.audio import recording as recording_module
from audiogmm.audio.decoders.notices import Notices
from audiogmm.audio.frame_cache.cache import FrameCache, declared_front_end, is_frame_cache
from audiogmm.audio.frame_cache.frame_file import WINDOW, FrameWriter, open_frames
from audiogmm.audio.frontend.frontend import FrontEnd
from audiogmm.audio.recording import Recording
from audiogmm.blocks import FrameBlock
from audiogmm.errors import AudioFileError, FeatureError, MismatchError, OutputError
from audiogmm.manifest import Entry, read_manifest
from audiogmm.timeline import FrameClock

SPEECH = FrontEnd.preset("speech")


@pytest.fixture
def wav(tmp_path: Path) -> Path:
    path = tmp_path / "a.wav"
    write(path, seed=0)
    return path


def write(path: Path, seed: int, seconds: float = 1.5) -> None:
    samples = np.random.default_rng(seed).standard_normal(round(seconds * 8000)) * 0.1
    soundfile.write(path, samples, 8000)


def everything(recording: Recording) -> tuple[bytes, bytes, FrameClock]:
    blocks = list(recording)
    starts = np.cumsum([0, *map(len, blocks)])[:-1]
    assert [block.start for block in blocks] == starts.tolist()
    frames = np.concatenate([block.frames for block in blocks])
    levels = np.concatenate([b.levels for b in blocks if b.levels is not None])
    assert len(levels) == len(frames)
    marks = np.concatenate([b.voiced for b in blocks])
    return frames.tobytes(), marks.tobytes() + levels.tobytes(), blocks[0].clock


def fill(recording: Recording) -> None:
    """Compute the frames, and enter the recording, as the job `features` does."""
    everything(recording)
    assert recording.cache is not None and recording.frontend is not None
    FrameCache(recording.cache).add_entry(recording.entry, recording.frontend)


def forbid_decoding(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("decoded, though the frames are there")

    monkeypatch.setattr(recording_module, "open_audio", refuse)


@pytest.mark.parametrize("preset", ["speech", "ambient", "librosa", "kaldi"])
def test_the_same_bytes_without_decoding(
    wav: Path, tmp_path: Path, preset: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    frontend = FrontEnd.preset(preset)
    if frontend.cmvn == "global":
        n = frontend.n_features()
        frontend = frontend.with_global(np.arange(n) / 7, np.arange(1, n + 1) / 3)
    entry = Entry(str(wav), id="a", offset=0.25, duration=1.0)
    plain = everything(Recording(entry, frontend))
    assert everything(Recording(entry, frontend, cache=tmp_path / "cache")) == plain
    forbid_decoding(monkeypatch)
    assert everything(Recording(entry, frontend, cache=tmp_path / "cache")) == plain


def test_global_statistics_do_not_part_the_frames(
    wav: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ambient, entry, folder = FrontEnd.preset("ambient"), Entry(str(wav), id="a"), tmp_path / "cache"
    plain, marks, _ = everything(Recording(entry, ambient.without_global(), cache=folder))
    forbid_decoding(monkeypatch)
    n = ambient.n_features()
    normalized = Recording(entry, ambient.with_global([1.0] * n, [2.0] * n), cache=folder)
    frames, same_marks, _ = everything(normalized)
    expected = (np.frombuffer(plain, np.float32) - 1) / 2
    np.testing.assert_allclose(np.frombuffer(frames, np.float32), expected, rtol=1e-6, atol=1e-6)
    assert same_marks == marks


def test_a_moved_file_is_found_and_a_changed_one_is_not(
    wav: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "cache"
    first = everything(Recording(Entry(str(wav), id="a"), SPEECH, cache=folder))
    moved = wav.rename(tmp_path / "b.wav")
    write(wav, seed=1)
    os.utime(wav, ns=(1, 1))
    assert everything(Recording(Entry(str(wav), id="a"), SPEECH, cache=folder)) != first
    forbid_decoding(monkeypatch)
    assert everything(Recording(Entry(str(moved), id="b"), SPEECH, cache=folder)) == first


def test_frames_outlive_their_recording(wav: Path, tmp_path: Path) -> None:
    entry = Entry(str(wav), id="a")
    first = everything(Recording(entry, SPEECH, cache=tmp_path / "cache"))
    wav.unlink()
    assert everything(Recording(entry, SPEECH, cache=tmp_path / "cache")) == first
    with pytest.raises(AudioFileError, match=r"a\.wav is missing"):
        list(Recording(entry, SPEECH, cache=tmp_path / "other"))


def test_pieces_channels_rates_and_settings_are_kept_apart(tmp_path: Path) -> None:
    path = tmp_path / "s.wav"
    soundfile.write(path, np.random.default_rng(0).standard_normal((16000, 2)) * 0.1, 16000)
    variants = [
        Recording(Entry(str(path), id="s", **cut), frontend, sample_rate=rate, warn=Notices())
        for cut in ({}, {"channel": 0}, {"channel": 1}, {"offset": 0.1}, {"duration": 0.6})
        for frontend in (SPEECH, FrontEnd.preset("speech", n_mfcc=12))
        for rate in (16000, 8000)
    ]
    folder = tmp_path / "cache"
    plain = [everything(variant) for variant in variants]
    for i, variant in enumerate(variants):  # ids differ, as in a manifest
        entry = dataclasses.replace(variant.entry, id=f"s{i}")
        assert everything(dataclasses.replace(variant, entry=entry, cache=folder)) == plain[i]
    assert len(set(plain)) == len(list(folder.glob("frames/*/*.frames"))) == len(variants)


def test_the_recordings_own_rate_and_the_same_rate_asked_for_are_one(wav: Path, tmp_path: Path) -> None:
    for rate in (None, 8000):
        list(Recording(Entry(str(wav), id="a"), SPEECH, sample_rate=rate, cache=tmp_path / "cache"))
    assert len(list(tmp_path.glob("cache/frames/*/*.frames"))) == 1
    with pytest.raises(MismatchError, match="8000 Hz; needed: 16000 Hz"):
        list(Recording(Entry(str(wav), id="a"), SPEECH, sample_rate=16000, cache=tmp_path / "cache"))


def test_the_folder_is_a_manifest(tmp_path: Path) -> None:
    entries = []
    for seed, name in enumerate("ab"):
        write(tmp_path / f"{name}.wav", seed)
        entries.append(Entry(str(tmp_path / f"{name}.wav"), id=name, speaker=name, extra={"sex": "F"}))
    folder = tmp_path / "cache"
    assert not is_frame_cache(folder)
    for _ in range(2):
        for entry in entries:
            fill(Recording(entry, SPEECH, cache=folder))
    assert is_frame_cache(folder)
    listed = list(read_manifest(str(folder)))
    assert [(e.id, e.speaker, e.extra) for e in listed] == [(e.id, e.speaker, e.extra) for e in entries]
    assert all(Path(a.path).samefile(b.path) for a, b in zip(listed, entries, strict=True))
    for entry in entries:  # the index names the same files by other ways
        Path(entry.path).unlink()
    for entry, other in zip(entries, listed, strict=True):
        recordings = (Recording(each, SPEECH, cache=folder) for each in (other, entry))
        assert everything(next(recordings)) == everything(next(recordings))


def test_another_front_end_is_refused_and_the_settings_named(wav: Path, tmp_path: Path) -> None:
    cache = FrameCache(tmp_path / "cache")
    ambient = FrontEnd.preset("ambient")
    cache.declare(ambient)
    fill(Recording(Entry(str(wav), id="a"), ambient.without_global(), cache=cache.folder))
    assert declared_front_end(cache.folder) == ambient
    cache.require(ambient)
    cache.require(ambient.with_global([0.0] * ambient.n_features(), [1.0] * ambient.n_features()))
    other = dataclasses.replace(ambient, n_mels=ambient.n_mels + 1, sample_rate=8000)
    with pytest.raises(MismatchError, match=f"n_mels: {ambient.n_mels} != {ambient.n_mels + 1}"):
        cache.require(other)
    with pytest.raises(MismatchError, match=f"n_mels: {ambient.n_mels} != {ambient.n_mels + 1}"):
        cache.declare(other)
    assert declared_front_end(wav) is None


def test_notices_are_kept_with_the_frames(tmp_path: Path) -> None:
    path = tmp_path / "zeros.wav"
    soundfile.write(path, np.zeros(8000), 8000)
    for _ in range(2):
        notices = Notices()
        list(Recording(Entry(str(path), id="a"), SPEECH, cache=tmp_path / "cache", warn=notices))
        assert "zeros.wav holds nothing but zeros: 1.000 s" in notices.messages[0]


def test_nothing_is_kept_of_an_iteration_that_was_given_up(wav: Path, tmp_path: Path) -> None:
    folder = tmp_path / "cache"
    blocks = iter(Recording(Entry(str(wav), id="a"), FrontEnd.preset("kaldi"), cache=folder))
    next(blocks)
    blocks.close()  # type: ignore[attr-defined]
    assert [path for path in folder.rglob("*") if path.is_file() and path.suffix != ".sqlite"] == []


def test_a_torn_frame_file_is_computed_again(wav: Path, tmp_path: Path) -> None:
    recording = Recording(Entry(str(wav), id="a"), SPEECH, cache=tmp_path / "cache")
    first = everything(recording)
    (path,) = tmp_path.glob("cache/frames/*/*.frames")
    path.write_bytes(path.read_bytes()[:-1])
    assert everything(recording) == first
    assert open_frames(path) is not None


def test_damage_is_named_and_never_scored(wav: Path, tmp_path: Path) -> None:
    recording = Recording(Entry(str(wav), id="a"), SPEECH, cache=tmp_path / "cache")
    first = everything(recording)
    (path,) = tmp_path.glob("cache/frames/*/*.frames")
    whole = path.read_bytes()
    at = len(whole) // 2
    path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
    with pytest.raises(FeatureError, match=r"\.frames is damaged: frames 0 to \d+ are not those written"):
        everything(recording)
    path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))  # behind the frames: computed again
    assert everything(recording) == first


def test_a_torn_line_of_the_index_is_cut_off(wav: Path, tmp_path: Path) -> None:
    folder = tmp_path / "cache"
    fill(Recording(Entry(str(wav), id="a"), SPEECH, cache=folder))
    with (folder / "index.jsonl").open("a") as index:
        index.write('{"audio_filepath": "' + 400 * "b")  # a process was killed here
    write(tmp_path / "c.wav", seed=2)
    fill(Recording(Entry(str(tmp_path / "c.wav"), id="c"), SPEECH, cache=folder))
    assert [entry.id for entry in read_manifest(str(folder))] == ["a", "c"]


def test_many_writers_at_once(tmp_path: Path) -> None:
    entries = []
    for i in range(6):
        write(tmp_path / f"{i}.wav", seed=i, seconds=0.3)
        entries.append(Entry(str(tmp_path / f"{i}.wav"), id=str(i)))
    plain = [everything(Recording(entry, SPEECH)) for entry in entries]
    cached = [Recording(entry, SPEECH, cache=tmp_path / "cache") for entry in entries] * 4
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(everything, cached)) == plain * 4
        list(pool.map(fill, cached))
    assert sorted(entry.id for entry in read_manifest(str(tmp_path / "cache"))) == list("012345")


def test_one_id_for_two_recordings_is_refused(wav: Path, tmp_path: Path) -> None:
    fill(Recording(Entry(str(wav), id="a"), SPEECH, cache=tmp_path / "cache"))
    write(tmp_path / "b.wav", seed=1)
    with pytest.raises(OutputError, match=r"under the id 'a', and now comes .*b\.wav"):
        fill(Recording(Entry(str(tmp_path / "b.wav"), id="a"), SPEECH, cache=tmp_path / "cache"))


def test_a_run_that_lost_power_begins_where_the_one_before_it_ended(wav: Path, tmp_path: Path) -> None:
    cache, index = FrameCache(tmp_path / "cache"), tmp_path / "cache" / "index.jsonl"
    database = tmp_path / "cache" / "ledger.sqlite"
    one, two = (Entry(str(wav), id=id, duration=duration) for id, duration in (("a", 0.5), ("b", 0.25)))
    with cache.growing():
        cache.add_entry(one, SPEECH)
    before = index.read_bytes()
    assert {path.name for path in index.parent.iterdir()} == {index.name, database.name}
    cut_off = cache.growing()
    cut_off.__enter__()
    cache.add_entry(two, SPEECH)
    whole = index.read_bytes()
    database.write_bytes(bytes(database.stat().st_size))  # what the disk has of what was not synced
    index.write_bytes(before + bytes(len(whole) - len(before)))
    ask = "from audiogmm.temporaries import owner_mark; print(owner_mark())"
    dead = subprocess.run(
        [sys.executable, "-c", ask], capture_output=True, text=True, check=True
    ).stdout.strip()
    left = tmp_path / "cache" / "frames" / "zz" / f".0.{dead}.part.frames"
    left.parent.mkdir(parents=True)
    left.touch()
    with cache.growing():
        assert index.read_bytes() == before
        assert not left.exists()
        cache.add_entry(one, SPEECH)
        cache.add_entry(two, SPEECH)
    assert index.read_bytes() == whole
    assert len(cache.frontends()) == 1
    assert {path.name for path in index.parent.iterdir()} == {"frames", index.name, database.name}


def test_a_folder_that_cannot_be_one(wav: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="file"):
        list(Recording(Entry(str(wav), id="a"), SPEECH, cache=tmp_path / "file"))
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "ledger.sqlite").write_text(
        "not a data base, but long enough to look like one" * 20
    )
    with pytest.raises(OutputError, match=r"ledger\.sqlite cannot be used: file is not a database"):
        list(Recording(Entry(str(wav), id="a"), SPEECH, cache=tmp_path / "cache"))


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TRIGGER t AFTER INSERT ON files BEGIN DELETE FROM entries; END",
        "CREATE VIEW v AS WITH RECURSIVE r(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM r) SELECT x FROM r",
        "CREATE TABLE other (a TEXT CHECK (a > 1))",
        "CREATE INDEX i ON files (upper(content))",
    ],
)
def test_an_index_that_would_run_something_is_refused(statement: str, wav: Path, tmp_path: Path) -> None:
    fill(Recording(Entry(str(wav), id="a"), SPEECH, cache=tmp_path / "cache"))
    with closing(sqlite3.connect(tmp_path / "cache" / "ledger.sqlite")) as database:
        database.execute(statement)
    with pytest.raises(OutputError, match=r"ledger\.sqlite cannot be used: '\w+' in it is no table"):
        list(FrameCache(tmp_path / "cache").frontends())


@settings(max_examples=30, deadline=None)
@given(
    sizes=st.lists(st.integers(1, 3 * WINDOW), max_size=4),
    n_features=st.integers(1, 3),
    levelled=st.booleans(),
)
def test_frame_files_come_back(
    tmp_path_factory: pytest.TempPathFactory, sizes: list[int], n_features: int, levelled: bool
) -> None:
    path = tmp_path_factory.mktemp("frames") / "x.frames"
    rng = np.random.default_rng(sum(sizes))
    clock = FrameClock(8000, 80, 200, offset=1.5)
    frames = rng.standard_normal((sum(sizes), n_features)).astype(np.float32)
    voiced = rng.random(sum(sizes)) < 0.5
    levels = np.where(voiced, rng.normal(-30, 9, sum(sizes)), -np.inf).astype(np.float32)
    with path.open("wb") as file:
        writer = FrameWriter(file)
        for start, size in zip(np.cumsum([0, *sizes]), sizes, strict=False):
            cut = slice(start, start + size)
            its = levels[cut] if levelled else None
            writer.write(FrameBlock(frames[cut], voiced[cut], int(start), clock, its))
        writer.finish(["it is clipped"])
    found = open_frames(path)
    assert found is not None
    blocks = list(found)
    assert all(len(block) <= WINDOW for block in blocks)
    assert found.notices == ("it is clipped",)
    if sizes:
        assert found.clock == clock
        np.testing.assert_array_equal(np.concatenate([block.frames for block in blocks]), frames)
        np.testing.assert_array_equal(np.concatenate([block.voiced for block in blocks]), voiced)
        assert all(block.frames.flags.c_contiguous for block in blocks)
        if levelled:
            np.testing.assert_array_equal(np.concatenate([block.levels for block in blocks]), levels)
        else:
            assert all(block.levels is None for block in blocks)
