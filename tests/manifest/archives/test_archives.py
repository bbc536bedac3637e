"""Lists with the recordings in them, written by the libraries whose formats they are."""

from __future__ import annotations

import gzip
import importlib.util
import io
import json
import shutil
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile as sf

from audiogmm.audio.decode import open_audio
from audiogmm.errors import ManifestError
from audiogmm.manifest import Entry, read_manifest, write_manifest

NOISE = np.random.default_rng(0).integers(-9000, 9000, (4, 800)).astype(np.int16)


@pytest.fixture(autouse=True)
def no_monitor(monkeypatch: pytest.MonkeyPatch) -> None:
    """Progress bars of these libraries leave a thread behind."""
    if importlib.util.find_spec("tqdm"):
        monkeypatch.setattr("tqdm.tqdm.monitor_interval", 0)


def encoded(number: int, format: str = "WAV") -> bytes:
    data = io.BytesIO()
    sf.write(data, NOISE[number], 8000, format=format)
    return data.getvalue()


def check_samples(entries: list[Entry]) -> None:
    for number, entry in enumerate(entries):
        with open_audio(entry) as stream:
            found = np.concatenate(list(stream))
        np.testing.assert_array_equal(found, NOISE[number] / np.float32(32768), err_msg=entry.id)


def shards(folder: Path) -> str:
    """Two archives of two samples each, by the library."""
    webdataset = pytest.importorskip("webdataset")
    for shard in range(2):
        with webdataset.TarWriter(str(folder / f"shard-{shard:03d}.tar"), encoder=True) as writer:
            for number in (2 * shard, 2 * shard + 1):
                said = {"speaker": f"s{number}", "offset": 3.5, "snr": 10.0}
                sample = {"__key__": f"x/k{number}", "flac": encoded(number, "FLAC"), "json": said}
                writer.write({**sample, "txt": f"word {number}", "cls": number})
    return str(folder / "shard-{000..001}.tar")


def test_samples_of_webdataset(tmp_path: Path) -> None:
    pattern = shards(tmp_path)
    entries = list(read_manifest(pattern))
    assert [(e.id, e.speaker, e.label, e.offset) for e in entries] == [
        (f"x--k{n}", f"s{n}", str(n), 0.0) for n in range(4)
    ]
    assert entries[1].extra == {"id": "x/k1", "snr": 10.0, "text": "word 1"}
    check_samples(entries)
    assert list(read_manifest(tmp_path)) == entries
    assert list(read_manifest(tmp_path / "shard-000.tar")) == entries[:2]
    write_manifest(entries, tmp_path / "all.jsonl")
    check_samples(list(read_manifest(tmp_path / "all.jsonl")))


def test_samples_that_cannot_be_used_are_named(tmp_path: Path) -> None:
    def add(tar: tarfile.TarFile, name: str, data: bytes) -> None:
        info = tarfile.TarInfo(name)
        info.size = len(data)
        tar.addfile(info, io.BytesIO(data))

    with tarfile.open(tmp_path / "a.tar", "w") as tar:
        for name, data in {"a.json": b"{", "a.wav": encoded(0), "b.txt": b"x", "c.wav": encoded(0)}.items():
            add(tar, name, data)
    problems: list[ManifestError] = []
    assert [entry.id for entry in read_manifest(tmp_path / "a.tar", on_error=problems.append)] == ["c"]
    assert [str(problem).split("a.tar:")[1].split(" enclosed")[0].split(";")[0] for problem in problems] == [
        "a: a.json cannot be read: Expecting property name",
        "b has no recording",
    ]
    (tmp_path / "cut.tar").write_bytes((tmp_path / "a.tar").read_bytes()[:3000])
    with pytest.raises(ManifestError, match=r"cut\.tar cannot be read as a tar archive: a\.wav is cut off"):
        list(read_manifest(tmp_path / "cut.tar"))
    with tarfile.open(tmp_path / "a.tar.gz", "w:gz") as tar:
        add(tar, "a.wav", encoded(0))
    with pytest.raises(
        ManifestError, match=r"needed: a whole tar archive that is not compressed; try: gunzip"
    ):
        list(read_manifest(tmp_path / "a.tar.gz", "webdataset"))
    with pytest.raises(ManifestError, match="the format webdataset is read, and not written"):
        write_manifest([], tmp_path / "x.tar", "webdataset")


def test_tarred_manifests_of_nemo(tmp_path: Path) -> None:
    """As NeMo's convert_to_tarred_audio_dataset.py lays them out."""
    lines = [
        {"audio_filepath": "data_a_x.wav", "shard_id": 0, "label": "ann", "duration": 0.05},
        {
            "audio_filepath": "data_a_x-sub1.wav",
            "shard_id": 0,
            "label": "ann",
            "offset": 0.05,
            "duration": 0.05,
        },
        {"audio_filepath": "data/b.y.wav", "shard_id": 1, "label": "bob", "text": "-", "duration": 0.1},
        {"audio_filepath": "c.wav", "shard_id": 1, "label": "x", "text": "hello", "duration": 0.1},
    ]
    members = [(0, "data_a_x.wav", 0), (1, "data_b_y.wav", 1), (1, "c.wav", 2)]
    for shard in (0, 1):
        with tarfile.open(tmp_path / f"audio_{shard}.tar", "w") as tar:
            for of, name, number in members:
                if of == shard:
                    info = tarfile.TarInfo(name)
                    info.size = len(encoded(number))
                    tar.addfile(info, io.BytesIO(encoded(number)))
    (tmp_path / "tarred_audio_manifest.json").write_text("\n".join(map(json.dumps, lines)))
    a, a2, b, c = read_manifest(tmp_path / "tarred_audio_manifest.json")
    assert (a.path, a2.offset, a2.id) == (a2.path, 0.05, "data_a_x-sub1")
    assert [entry.speaker for entry in (a, a2, b, c)] == ["ann", "ann", "bob", None]
    with open_audio(b) as stream:
        np.testing.assert_array_equal(np.concatenate(list(stream)), NOISE[1] / np.float32(32768))
    assert [e.path for e in read_manifest(tmp_path / "audio__OP_0..1_CL_.tar")] == [a.path, b.path, c.path]
    (tmp_path / "audio_1.tar").unlink()
    with pytest.raises(ManifestError, match=r"no archive of shard 1; needed: .*audio_1\.tar"):
        list(read_manifest(tmp_path / "tarred_audio_manifest.json"))


def test_shar_of_lhotse(tmp_path: Path) -> None:
    lhotse = pytest.importorskip("lhotse")
    from lhotse.supervision import SupervisionSegment as Span

    cuts = []
    for number in range(4):
        sf.write(tmp_path / f"r{number}.wav", NOISE[number], 8000)
        recording = lhotse.Recording.from_file(tmp_path / f"r{number}.wav")
        cut = recording.to_cut()
        cut.supervisions = [Span(f"s{number}", cut.recording_id, 0.0, 0.1, speaker=f"w{number}")]
        cuts.append(cut)
    part = cuts[3].truncate(offset=0.025, duration=0.05)
    (tmp_path / "shar").mkdir()
    lhotse.CutSet.from_cuts([*cuts[:3], part]).to_shar(
        tmp_path / "shar", fields={"recording": "flac"}, shard_size=3
    )
    entries = list(read_manifest(tmp_path / "shar"))
    assert [entry.speaker for entry in entries] == ["w0", "w1", "w2", "w3"]
    check_samples(entries[:3])
    with open_audio(entries[3]) as stream:
        np.testing.assert_array_equal(np.concatenate(list(stream)), part.load_audio()[0])
    (shard,) = (tmp_path / "shar").glob("cuts.000000.jsonl*")
    lines = gzip.decompress(shard.read_bytes()).splitlines(keepends=True)
    shard.write_bytes(gzip.compress(lines[0] + b'{"id": "r1", \n' + lines[2]))
    refused: list[ManifestError] = []
    rest = list(read_manifest(tmp_path / "shar", on_error=refused.append))
    assert [entry.path for entry in rest] == [entries[n].path for n in (0, 2, 3)]
    assert ["is not JSON" in str(error) for error in refused] == [True]
    shard.write_bytes(gzip.compress(b"".join(lines)))
    (tmp_path / "shar" / "recording.000001.tar").write_bytes(
        (tmp_path / "shar" / "recording.000000.tar").read_bytes()
    )
    with pytest.raises(ManifestError, match="needed: the recordings of the cuts, in their order"):
        list(read_manifest(tmp_path / "shar"))


@pytest.mark.parametrize("name", ["metadata.csv", "metadata.jsonl", "metadata.parquet"])
def test_folders_of_hugging_face(tmp_path: Path, name: str) -> None:
    (tmp_path / "train").mkdir()
    for number in range(2):
        sf.write(tmp_path / "train" / f"{number}.wav", NOISE[number], 8000)
    rows = [{"file_name": f"{number}.wav", "speaker_id": number + 7, "text": "one"} for number in range(2)]
    file = tmp_path / "train" / name
    if name.endswith("jsonl"):
        file.write_text("\n".join(map(json.dumps, rows)))
    elif name.endswith("csv"):
        file.write_text("file_name,speaker_id,text\n0.wav,7,one\n1.wav,8,one\n")
    else:
        pa = pytest.importorskip("pyarrow")
        pytest.importorskip("pyarrow.parquet").write_table(pa.Table.from_pylist(rows), file)
    for folder in (tmp_path, tmp_path / "train"):
        entries = list(read_manifest(folder))
        check_samples(entries)
        assert [entry.speaker for entry in entries] == ["7", "8"]
        assert [entry.extra["text"] for entry in entries] == ["one", "one"]
    shutil.copytree(tmp_path / "train", tmp_path / "test")
    assert [entry.id for entry in read_manifest(tmp_path)] == ["test--0", "test--1", "train--0", "train--1"]
    (tmp_path / "test" / name).unlink()
    (tmp_path / "test" / "metadata.csv").write_text("file_name,id\n0.wav,a\n1.wav,\n")
    assert [entry.id for entry in read_manifest(tmp_path / "test")] == ["a", "1"]
    assert {"a", "test--1"} < {entry.id for entry in read_manifest(tmp_path)}


def bytes_read() -> int:
    return int(Path("/proc/self/io").read_text().split()[1])


def test_parquet_with_recordings_is_read_by_columns(tmp_path: Path) -> None:
    pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    rows = [
        {"audio": {"bytes": encoded(n), "path": f"{n}.wav"}, "speaker_id": n, "note": None} for n in range(4)
    ]
    junk = np.random.default_rng(1).bytes(1 << 20)
    rows += [
        {"audio": {"bytes": junk, "path": f"{n}.wav"}, "speaker_id": n, "note": "x"} for n in range(4, 12)
    ]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "train-00000-of-00001.parquet", row_group_size=4)
    manifest = read_manifest(tmp_path / "train-00000-of-00001.parquet")
    assert manifest.format == "huggingface"
    before = bytes_read()
    entries = list(manifest)
    assert bytes_read() - before < 1 << 19  # of 8 MiB
    assert [(entry.id, entry.speaker) for entry in entries[:2]] == [
        ("train-00000-of-00001-0", "0"),
        ("train-00000-of-00001-1", "1"),
    ]
    assert entries[5].extra == {"speaker_id": 5, "note": "x", "path": "5.wav", "speaker": 5}
    before = bytes_read()
    check_samples(entries[:4])
    assert bytes_read() - before < 1 << 19
    assert [entry.path for entry in read_manifest(tmp_path)] == [entry.path for entry in entries]
    for split in ("test", "train"):
        (tmp_path / "splits" / split).mkdir(parents=True)
        pq.write_table(pa.Table.from_pylist(rows[:2]), tmp_path / "splits" / split / "0000.parquet")
    names = ["test--0000-0", "test--0000-1", "train--0000-0", "train--0000-1"]
    assert [entry.id for entry in read_manifest(tmp_path / "splits")] == names


def test_objects_of_datasets(tmp_path: Path) -> None:
    datasets: Any = pytest.importorskip("datasets")
    for number in range(2):
        sf.write(tmp_path / f"{number}.wav", NOISE[number], 8000)
    named = datasets.Dataset.from_dict(
        {"audio": [str(tmp_path / f"{n}.wav") for n in range(2)], "speaker_id": [3, 4]}
    )
    named = named.cast_column("audio", datasets.Audio(decode=False))
    rows = [{"audio": {"bytes": encoded(n), "path": None}, "speaker_id": n + 3} for n in range(2)]
    held = datasets.Dataset(pytest.importorskip("pyarrow").Table.from_pylist(rows))
    held = held.cast_column("audio", datasets.Audio(decode=False))
    for found in (named, held, datasets.DatasetDict({"test": held}), held.to_iterable_dataset()):
        entries = list(read_manifest(found))
        check_samples(entries)
        assert [entry.speaker for entry in entries] == ["3", "4"]
    several = list(read_manifest(datasets.DatasetDict({"test": held, "train": held})))
    assert [entry.id for entry in several] == ["test-0", "test-1", "train-0", "train-1"]
    held.to_parquet(str(tmp_path / "a.parquet"))
    check_samples(list(read_manifest(tmp_path / "a.parquet")))
    with pytest.raises(ManifestError, match=r"Dataset has the columns a; needed: a column of type Audio"):
        list(read_manifest(datasets.Dataset.from_dict({"a": [1]})))
