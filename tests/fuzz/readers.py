"""Every reader of files, each with a small valid file that the writers of today make."""

from __future__ import annotations

import gzip
import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

import audiogmm as ag
from audiogmm.anomaly.formats import read_events, write_events
from audiogmm.anomaly.kinds.description import Description
from audiogmm.anomaly.kinds.kinds import Kinds
from audiogmm.anomaly.kinds.kinds_file import load_kinds, save_kinds
from audiogmm.anomaly.learning.model_parts import read_moments
from audiogmm.audio.decode import probe
from audiogmm.audio.frame_cache.cache import FrameCache
from audiogmm.audio.frame_cache.frame_file import FrameWriter, open_frames
from audiogmm.audio.matrix.matrix import expand_archive
from audiogmm.blocks import FrameBlock
from audiogmm.errors import AudioGMMError
from audiogmm.evaluation.verification.score_table import read_score_table
from audiogmm.jobs.info import info
from audiogmm.manifest.write import write_manifest
from audiogmm.mixture.statistics import SufficientStats
from audiogmm.reporting.run.files import DetectionRun, read_set_aside
from audiogmm.reporting.run.panels import clusters_of_folder, selection_panel
from audiogmm.reporting.run.record import RunRecord
from audiogmm.runs.aside import Aside
from audiogmm.runs.journal import Journal
from audiogmm.runs.rows import read_ids
from audiogmm.scoring.track_file import TrackWriter, is_whole, read_track
from audiogmm.timeline import FrameClock
from audiogmm.training.checkpoint import Checkpoint
from audiogmm.training.ledger import INDEX, Ledger
from audiogmm.training.schedule.batch import TrainingState
from audiogmm.verification.backend import read_backend
from audiogmm.verification.calibration import Calibration
from audiogmm.verification.trials import TrialList
from tests.fuzz.mutate import Mutation, mutate_bytes, mutate_container, mutate_json
from tests.fuzz.run_files import RUN_FILES

GOLDEN = Path(__file__).parents[1] / "golden" / "v0_1"
CLOCK = FrameClock(8000.0, 80, 200)


@dataclass(frozen=True)
class Reader:
    """A reader and its file: `make` writes into an empty folder and returns the file that is then mutated."""

    name: str
    make: Callable[[Path], Path]
    read: Callable[[Path], object]
    mutations: tuple[Mutation, ...] = (mutate_bytes,)
    share: int = 20
    """Executions in the tests: fewer where what is refused goes to ffmpeg, too."""


def statistics(K: int = 2) -> SufficientStats:
    frames = np.random.default_rng(0).normal(size=(20, 3))
    one = SufficientStats.measure(frames, origin=np.zeros(3), covariance_type="diag")
    return SufficientStats(
        "diag",
        one.origin,
        np.tile(one.counts, K),
        np.tile(one.first, (K, 1)),
        np.tile(one.second, (K, 1)),
        20.0,
        -60.0,
        0.0,
    )


def mixture() -> Any:
    return ag.Mixture([0.5, 0.5], np.repeat([[0.0], [4.0]], 3, axis=1), np.ones((2, 3)), "diag")


# files of ours


def make_model(name: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        ag.load(GOLDEN / f"{name}.agmm").save(folder / "a.agmm")
        return folder / "a.agmm"

    return make


def read_model(path: Path) -> object:
    model = ag.load(path)
    return list(info(model).lines()), read_moments(model), read_backend(model)


def make_gallery(file: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        old = ag.Gallery(GOLDEN / "gallery")
        gallery = ag.Gallery.create(folder / "g", old.background, old.adaptation)
        for speaker in old:
            gallery.add(speaker)
        gallery.calibrate(
            Calibration(("raw", "quality"), (1.0, 0.5), -1.0, 0.5, 10, 100),
            {"method": "background"},
            {"s": Calibration(("raw",), (1.0,), 0.0)},
        )
        return next((folder / "g").glob(file))

    return make


def read_gallery(path: Path) -> None:
    folder = next(parent for parent in path.parents if parent.name == "g")
    gallery = ag.Gallery(folder)
    for name in gallery.names:
        assert np.isfinite(gallery.model(name).means).all()
    calibrations = gallery.calibrations
    for found in (calibrations.plain, *calibrations.normalized.values()):
        if found is not None:
            assert np.isfinite([*found.weights, found.offset, found.prior]).all()


def make_ledger(folder: Path) -> Ledger:
    ledger = Ledger(folder / "m.ledger")
    for name in ("a", "b"):
        ledger.put(name, statistics())
    ledger.save("1" * 64)
    ledger.purge()
    return ledger


def make_ledger_index(folder: Path) -> Path:
    return make_ledger(folder).folder / INDEX


def make_ledger_entry(folder: Path) -> Path:
    return next(make_ledger(folder).folder.glob("*.safetensors"))


def read_ledger(path: Path) -> None:
    ledger = Ledger(path.parent)
    with suppress(AudioGMMError):
        ledger.check("1" * 64)
    assert all(0 <= weight < np.inf for weight in ledger.weights.values())
    for name in ledger.weights:
        found = ledger.get(name)
        assert np.isfinite(found.first).all() and (found.counts >= 0).all()


def make_checkpoint(folder: Path) -> Path:
    checkpoint = Checkpoint(folder / "a.checkpoint", {"seed": 0})
    checkpoint.save(TrainingState(mixture(), statistics(), (), (mixture(),), 1.0), starts=(-3.0,))
    return checkpoint.path


def read_checkpoint(path: Path) -> object:
    return Checkpoint(path, {"seed": 0}).load()


def make_kinds(folder: Path) -> Path:
    pieces = np.random.default_rng(0).normal(size=(9, 3, 4)) + np.repeat([0.0, 9.0, 30.0], 3)[:, None, None]
    kinds, _ = Kinds.empty().extended([Description(each.mean(axis=0), each) for each in pieces])
    save_kinds(kinds.named(1, "door"), folder, {"sample_rate": 16000})
    return folder / "kinds.agmm"


def read_kinds(path: Path) -> None:
    kinds, _ = load_kinds(path.parent)
    found = kinds.recognizer().posteriors(kinds.vectors)
    assert np.isfinite(found).all()
    kinds.named(next(iter(kinds.groups)), "window")


def make_journal(folder: Path) -> Path:
    output = folder / "events.jsonl"
    with suppress(KeyboardInterrupt), Journal(output, key="model 1") as journal:
        for name in "abc":
            journal.write({"id": name, "events": 2})
        raise KeyboardInterrupt
    return journal.path


def read_journal(path: Path) -> None:
    with Journal(path.with_suffix(""), key="model 1", resume=True) as journal:
        assert all(isinstance(id, str) for id in journal.finished)
        list(journal.earlier())
        list(journal.rows())


def make_run(folder: Path) -> Path:
    record = RunRecord(
        "room.agmm",
        "day.jsonl",
        "1" * 64,
        {"threshold": 1.5},
        "/room.agmm",
        "/day.jsonl",
        recordings=3,
        seconds=1.5,
        errors="e.errors.jsonl",
    )
    return record.write(folder / "events.jsonl")


def read_run(path: Path) -> None:
    record = RunRecord.read(path)
    record.find("model"), record.find("source")
    assert np.isfinite(record.seconds)


EVENTS = [
    ag.Event(
        "a.wav",
        "a",
        1.0,
        2.5,
        -60.5,
        -70.0,
        1.5,
        -55.0,
        0.001,
        2.5,
        0.5,
        ("louder, than", "normal"),
        {"bands": [1.5, 2]},
    ),
    ag.Event("b/c.wav", "c", 0.25, 2.0, -60.0, -70.0, 1.5, -55.0, 0.01, 1.5),
]


OF_ONE = (".TextGrid", ".BirdNET.results.csv", ".selections.txt")


def make_events(suffix: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        path = folder / f"events{suffix}"
        write_events(EVENTS[:1] if suffix in OF_ONE else EVENTS, path)
        return path

    return make


def read_all_events(path: Path) -> None:
    for event in read_events(path):
        assert np.isfinite([event.start, event.end]).all()


def read_reported_events(path: Path) -> None:
    from audiogmm.reporting.run.events import collect_events, summarize_events

    summarize_events(path, 5, 5)
    collect_events(path, {"a", "c"}, 5)


def block(n: int = 300) -> FrameBlock:
    frames = np.random.default_rng(0).normal(size=(n, 3)).astype(np.float32)
    return FrameBlock(frames, np.arange(n) % 3 > 0, 0, CLOCK)


def make_track(suffix: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        with TrackWriter(folder / f"a{suffix}", "a") as writer:
            writer.write(block(100), np.linspace(-50.0, -60.0, 100))
        return writer.path

    return make


def read_a_track(path: Path) -> None:
    is_whole(path)
    assert np.isfinite(read_track(path).scores).all()


def make_frames(folder: Path) -> Path:
    path = folder / "a.frames"
    with path.open("wb") as file:
        writer = FrameWriter(file)
        writer.write(block())
        writer.finish(["clipped"])
    return path


def read_frames(path: Path) -> object:
    found = open_frames(path)
    return None if found is None else sum(len(part) for part in found)


def make_cache_index(folder: Path) -> Path:
    shutil.copytree(GOLDEN / "frames", folder / "cache")
    return folder / "cache" / "ledger.sqlite"


def read_cache_index(path: Path) -> None:
    FrameCache(path.parent).frontends()
    sum(1 for _ in FrameCache(path.parent).frontends())
    for entry in ag.read_manifest(path.parent):
        with suppress(AudioGMMError):
            FrameCache(path.parent).identify(entry)


def make_toml(folder: Path) -> Path:
    path = folder / "a.toml"
    path.write_text(ag.FrontEnd.preset("speech").to_toml())
    return path


def read_toml(path: Path) -> object:
    return ag.FrontEnd.from_toml(path)


def make_text(name: str, text: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        path = folder / name
        path.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
        return path

    return make


TRIALS = "model,audio_filepath,target,offset,duration\nann,a.wav,1,0.5,2\nbob,b.wav,0,,\n"
SCORES = "model,audio_filepath,target,score\n" + "".join(
    f"m{i % 3},{i}.wav,{i % 2},{i / 7}\n" for i in range(12)
)


def read_trials(path: Path) -> object:
    return sum(1 for _ in TrialList(str(path)))


def read_scores(path: Path) -> object:
    table = read_score_table(path, aside=Aside())
    assert np.isfinite(table.numbers("score")).all()
    return table.targets, table.recordings


ROW = {"id": "a", "path": "a.wav", "error": "AudioFileError", "reason": "a.wav is empty"}


def read_errors(path: Path) -> object:
    record = RunRecord("m", "s", "1" * 64, {}, set_aside=1, errors=path.name)
    return read_set_aside(DetectionRun(path.parent / "events.jsonl", record))


COMPONENT = {"component": 0, "weight": 0.5, "distinctness": 1.5, "segments": []}
SELECTION = "n_components,covariance_type,n_parameters,bic,aic\n1,diag,6,9,8\n2,diag,13,8,7\n"


def read_components(path: Path) -> object:
    return clusters_of_folder(path.parent, " s")


# manifests


def entries(folder: Path) -> list[ag.Entry]:
    soundfile.write(folder / "a.wav", np.linspace(-0.5, 0.5, 4000), 8000)
    return [
        ag.Entry(
            str(folder / "a.wav"),
            id="a",
            offset=0.1,
            duration=0.2,
            speaker="ann",
            extra={"text": "one two", "num_samples": 4000},
            sample_rate=8000,
        ),
        ag.Entry(
            str(folder / "a.wav"),
            id="b",
            offset=0.3,
            duration=0.1,
            speaker="bob",
            extra={"text": "three", "num_samples": 4000},
            sample_rate=8000,
        ),
    ]


def make_manifest(format: str, name: str, pattern: str = "") -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        write_manifest(entries(folder), folder / name, format)
        return next((folder / name).glob(pattern)) if pattern else folder / name

    return make


def read_manifest(format: str, name: str) -> Callable[[Path], object]:
    def read(path: Path) -> object:
        root = next(p for p in (path, *path.parents) if p.name == name)
        return sum(1 for _ in ag.read_manifest(root, format, on_error=lambda _: None))

    return read


def make_list(name: str, dump: Callable[[list[Any]], str]) -> Callable[[Path], Path]:
    """A list of Lhotse's cuts in one array, or in YAML."""

    def make(folder: Path) -> Path:
        write_manifest(entries(folder), folder / "m.cuts.jsonl", "lhotse")
        lines = (folder / "m.cuts.jsonl").read_text().splitlines()
        (folder / name).write_text(dump([json.loads(line) for line in lines]))
        return folder / name

    return make


def _dump_yaml(records: list[Any]) -> str:
    import yaml

    return str(yaml.safe_dump(records))


def sniff_manifest(path: Path) -> object:
    return sum(1 for _ in ag.read_manifest(path, on_error=lambda _: None))


def make_tar(folder: Path) -> Path:
    import io
    import tarfile

    path = folder / "s-000.tar"
    samples = io.BytesIO()
    soundfile.write(samples, np.linspace(-0.5, 0.5, 1000), 8000, format="WAV")
    with tarfile.open(path, "w") as tar:
        for name, content in (("a.wav", samples.getvalue()), ("a.json", b'{"text": "one", "duration": 0.1}')):
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return path


def read_tar(path: Path) -> None:
    for entry in ag.read_manifest(path, "webdataset", on_error=lambda _: None):
        probe(entry)


# recordings and matrices


def make_audio(name: str, **options: Any) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        samples = 0.3 * np.sin(np.arange(2000) / 5)
        soundfile.write(folder / name, np.c_[samples, samples[::-1]], 8000, **options)
        return folder / name

    return make


def read_audio(path: Path) -> object:
    return probe(ag.Entry(str(path), id="a"), warn=lambda _: None)


MATRIX = np.arange(60, dtype=np.float32).reshape(20, 3)


def make_npy(folder: Path) -> Path:
    np.save(folder / "a.npy", MATRIX)
    return folder / "a.npy"


def make_csv(folder: Path) -> Path:
    np.savetxt(folder / "a.csv", MATRIX, delimiter=",", header="x,y,z", comments="")
    return folder / "a.csv"


def make_parquet(folder: Path) -> Path:
    import pyarrow
    from pyarrow import parquet

    parquet.write_table(
        pyarrow.table({name: MATRIX[:, i] for i, name in enumerate("xyz")}), folder / "a.parquet"
    )
    return folder / "a.parquet"


def make_ark(**options: Any) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        import kaldiio

        kaldiio.save_ark(str(folder / "a.ark"), {"u1": MATRIX, "u2": MATRIX[:5]}, **options)
        return folder / "a.ark"

    return make


def read_matrix(path: Path) -> None:
    entry = ag.Entry(None, features_filepath=str(path), id="a")
    with suppress(AudioGMMError):
        probe(entry, warn=lambda _: None)
    for member in expand_archive(entry):
        with suppress(AudioGMMError):
            probe(member, warn=lambda _: None)


def _readers() -> Iterator[Reader]:
    both = (mutate_bytes, mutate_json, mutate_json)
    packed = (mutate_bytes, mutate_container, mutate_container)
    for name in ("diag", "full", "tied", "spherical", "fusion"):
        yield Reader(f"model, {name}", make_model(name), read_model, packed)
    yield Reader("gallery.json", make_gallery("gallery.json"), read_gallery, both)
    yield Reader("calibration.json", make_gallery("calibration.json"), read_gallery, both)
    yield Reader("speaker", make_gallery("speakers/*.speaker"), read_gallery, packed)
    yield Reader("kinds", make_kinds, read_kinds, packed)
    yield Reader("ledger index", make_ledger_index, read_ledger, both)
    yield Reader("ledger entry", make_ledger_entry, read_ledger, packed)
    yield Reader("checkpoint", make_checkpoint, read_checkpoint, (mutate_bytes,))
    yield Reader("journal", make_journal, read_journal, both)
    yield Reader("run.json", make_run, read_run, both)
    for name, (make, read) in RUN_FILES.items():
        in_container = name in ("kept results", "learned state")
        yield Reader(
            name, make, read, packed if name == "learned state" else both[: 1 if in_container else 3]
        )
    for suffix in (".jsonl", ".csv", ".rttm", ".txt", ".TextGrid", ".BirdNET.results.csv", ".selections.txt"):
        yield Reader(
            f"events{suffix}",
            make_events(suffix),
            read_all_events,
            both if suffix == ".jsonl" else (mutate_bytes,),
        )
    yield Reader("events, report", make_events(".jsonl"), read_reported_events, both)
    for suffix in (".npz", ".csv"):
        yield Reader(f"track{suffix}", make_track(suffix), read_a_track)
    yield Reader("frames", make_frames, read_frames)
    yield Reader("frame cache index", make_cache_index, read_cache_index)
    yield Reader("front end", make_toml, read_toml)
    yield Reader("trials", make_text("t.csv", TRIALS), read_trials)
    yield Reader("trials.gz", make_text("t.csv.gz", TRIALS), read_trials)
    yield Reader(
        "trials, VoxCeleb", make_text("t.txt", "1 ann/1.wav bob/2.wav\n0 ann/1.wav cy/2.wav\n"), read_trials
    )
    yield Reader("scores", make_text("s.csv", SCORES), read_scores)
    yield Reader("rows", make_text("r.jsonl", json.dumps(ROW) + "\n"), read_ids, both)
    yield Reader("set aside", make_text("e.errors.jsonl", json.dumps(ROW) + "\n"), read_errors, both)
    text = (json.dumps(COMPONENT) + "\n") * 2
    yield Reader("components", make_text("components.jsonl", text), read_components, both)
    yield Reader("selection", make_text("s.csv", SELECTION), selection_panel, share=8)
    names = {"jsonl": "m.jsonl", "csv": "m.csv", "lhotse": "m.cuts.jsonl", "nemo": "m.json", "rttm": "m.rttm"}
    for format, name in names.items():
        yield Reader(
            f"manifest, {format}",
            make_manifest(format, name),
            read_manifest(format, name),
            both if "json" in name else (mutate_bytes,),
        )
    yield Reader("manifest, array", make_list("m.json", json.dumps), read_manifest("lhotse", "m.json"))
    yield Reader(
        "manifest, YAML", make_list("m.yaml", _dump_yaml), read_manifest("lhotse", "m.yaml"), share=8
    )
    yield Reader("manifest, .gz", make_manifest("jsonl", "m.jsonl.gz"), sniff_manifest)
    yield Reader("manifest, sniffed", make_manifest("jsonl", "m.jsonl"), sniff_manifest)
    for file in ("wav.scp", "segments", "utt2spk", "text"):
        yield Reader(
            f"manifest, kaldi {file}", make_manifest("kaldi", "m", file), read_manifest("kaldi", "m")
        )
    for format, pattern in (
        ("audacity", "*.txt"),
        ("raven", "*.txt"),
        ("birdnet", "*.csv"),
        ("textgrid", "*.TextGrid"),
    ):
        yield Reader(f"manifest, {format}", make_manifest(format, "m", pattern), read_manifest(format, "m"))
    yield Reader("manifest, webdataset", make_tar, read_tar)
    yield Reader("wav", make_audio("a.wav"), read_audio, share=4)
    yield Reader("wav, float", make_audio("a.wav", subtype="FLOAT"), read_audio, share=4)
    yield Reader("flac", make_audio("a.flac"), read_audio, share=4)
    yield Reader("ogg", make_audio("a.ogg"), read_audio, share=4)
    yield Reader("npy", make_npy, read_matrix)
    yield Reader("csv matrix", make_csv, read_matrix)
    yield Reader("parquet", make_parquet, read_matrix)
    yield Reader("ark", make_ark(), read_matrix)
    yield Reader("ark, compressed", make_ark(compression_method=2), read_matrix)
    yield Reader("ark, text", make_ark(text=True), read_matrix)


READERS = {reader.name: reader for reader in _readers()}
