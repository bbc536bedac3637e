#!/usr/bin/env python3
"""Compare what audiogmm reads from lists with what other libraries read from them.

    .venv-test/bin/python scripts/check_lists.py

Every list is written by the library (or by audiogmm, where it is one that we write, too), read by both, and
compared: ids, offsets, durations, channels, speakers or labels, and samples. Prints a table in Markdown; exit
status 1 if anything differs. Needs the extra `dev`.
"""

from __future__ import annotations

import io
import json
import os
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soundfile as sf

from audiogmm.audio.decode import open_audio
from audiogmm.manifest import Entry, read_manifest, write_manifest

os.environ["HF_DATASETS_OFFLINE"] = "1"
RATE = 8000
SECONDS = 1.0
WHO = {"a": "ann", "b": "bob"}
SPANS = [("a", 0.25, 0.25, "ann"), ("b", 0.5, 0.375, "bob")]


@dataclass(frozen=True)
class Row:
    """A recording or a segment as a peer reads it; None where the format does not say it."""

    offset: float | None
    duration: float
    who: str | None
    samples: np.ndarray
    id: str | None = None


Case = Callable[[Path], tuple[Any, list[Row]]]
CASES: dict[str, tuple[str, Case]] = {}


def case(name: str, peer: str) -> Callable[[Case], Case]:
    """Add a case: a function that writes a list into a folder, and returns it and what the peer reads."""

    def add(function: Case) -> Case:
        CASES[name] = peer, function
        return function

    return add


def make_sounds(folder: Path, channels: int = 1) -> None:
    """Two recordings of noise, a.wav and b.wav."""
    for seed, name in enumerate(WHO):
        shape = (round(RATE * SECONDS), channels)
        noise = np.random.default_rng(seed).integers(-9000, 9000, shape).astype(np.int16)
        sf.write(folder / f"{name}.wav", noise, RATE)


def piece(folder: Path, name: str, offset: float, duration: float) -> np.ndarray:
    """Samples as soundfile reads them."""
    start = round(offset * RATE)
    return sf.read(folder / f"{name}.wav", round(duration * RATE), start, dtype="float32")[0]


def plain(data: bytes) -> np.ndarray:
    return sf.read(io.BytesIO(data), dtype="float32")[0]


# --- Kaldi


def kaldi_folder(folder: Path) -> Path:
    (folder / "wav.scp").write_text("".join(f"{name} {folder}/{name}.wav\n" for name in WHO))
    return folder


@case("Kaldi wav.scp", "kaldiio")
def kaldi_scp(folder: Path) -> tuple[Any, list[Row]]:
    import kaldiio

    loaded = kaldiio.load_scp(str(kaldi_folder(folder) / "wav.scp"))
    return folder, [
        Row(0.0, SECONDS, None, sound / np.float32(32768), name) for name, (_, sound) in loaded.items()
    ]


@case("Kaldi segments", "kaldiio")
def kaldi_segments(folder: Path) -> tuple[Any, list[Row]]:
    import kaldiio

    kaldi_folder(folder)
    lines = [f"u-{name} {name} {start} {start + length}\n" for name, start, length, _ in SPANS]
    (folder / "segments").write_text("".join(lines))
    loaded = kaldiio.load_scp(str(folder / "wav.scp"), segments=str(folder / "segments"))
    return folder, [
        Row(span[1], span[2], None, loaded[f"u-{span[0]}"][1] / np.float32(32768), f"u-{span[0]}")
        for span in SPANS
    ]


@case("Kaldi folder of Lhotse", "lhotse.kaldi")
def kaldi_of_lhotse(folder: Path) -> tuple[Any, list[Row]]:
    from lhotse import CutSet
    from lhotse.kaldi import export_to_kaldi, load_kaldi_data_dir

    (folder / "kaldi").mkdir()
    export_to_kaldi(recordings(folder), supervisions(), folder / "kaldi")
    found, spans, _ = load_kaldi_data_dir(folder / "kaldi", RATE)
    return folder / "kaldi", of_cuts(CutSet.from_manifests(found, spans).trim_to_supervisions(), by_span=True)


# --- Lhotse


def recordings(folder: Path) -> Any:
    import lhotse

    files = [lhotse.Recording.from_file(folder / f"{name}.wav") for name in WHO]
    return lhotse.RecordingSet.from_recordings(files)


def supervisions() -> Any:
    from lhotse import SupervisionSet
    from lhotse.supervision import SupervisionSegment

    return SupervisionSet.from_segments(
        SupervisionSegment(f"s-{name}", name, start, length, speaker=who, text="one")
        for name, start, length, who in SPANS
    )


def cuts(folder: Path) -> Any:
    import lhotse

    found = lhotse.CutSet.from_manifests(recordings(folder), supervisions())
    return lhotse.CutSet.from_cuts(found.trim_to_supervisions())


def of_cuts(found: Iterable[Any], by_span: bool = False) -> list[Row]:
    rows = []
    for cut in found:
        speakers = {span.speaker for span in cut.supervisions}
        who = speakers.pop() if len(speakers) == 1 else None
        name = cut.supervisions[0].id if by_span else cut.id
        # what Lhotse makes of a cut begins at 0
        offset = (
            None
            if getattr(getattr(cut, "recording", None), "transforms", None)
            else getattr(cut, "start", 0.0)
        )
        rows.append(Row(offset, cut.duration, who, cut.load_audio().mean(0, dtype=np.float32), name))
    return rows


def lhotse_file(ending: str, change: Callable[[Any], Any] = lambda found: found) -> Case:
    def write(folder: Path) -> tuple[Any, list[Row]]:
        from lhotse import CutSet

        made = CutSet.from_cuts(change(cuts(folder)))
        made.to_file(folder / f"cuts.{ending}")
        return folder / f"cuts.{ending}", of_cuts(CutSet.from_file(folder / f"cuts.{ending}"))

    return write


def appended(found: Any) -> list[Any]:
    first, second = found
    return [first.append(second.drop_supervisions())]


def mixed(found: Any) -> list[Any]:
    first, second = found
    return [first.mix(second.drop_supervisions(), snr=5, offset_other_by=0.1)]


for ending in ("jsonl", "jsonl.gz", "json", "yaml"):
    case(f"Lhotse cuts .{ending}", "lhotse")(lhotse_file(ending))
case("Lhotse append", "lhotse")(lhotse_file("jsonl", appended))
case("Lhotse mix at an SNR", "lhotse")(lhotse_file("jsonl", mixed))
case("Lhotse perturb_speed", "lhotse")(lhotse_file("jsonl", lambda found: found.perturb_speed(1.1)))


@case("Lhotse recordings and supervisions", "lhotse")
def lhotse_recordings(folder: Path) -> tuple[Any, list[Row]]:
    recordings(folder).to_file(folder / "x_recordings_dev.jsonl.gz")
    supervisions().to_file(folder / "x_supervisions_dev.jsonl.gz")
    return folder / "x_recordings_dev.jsonl.gz", of_cuts(cuts(folder), by_span=True)


@case("Lhotse MultiCut of channels 0 and 2", "lhotse")
def lhotse_channels(folder: Path) -> tuple[Any, list[Row]]:
    import lhotse
    from lhotse.cut import MultiCut

    make_sounds(folder, 4)
    made = [
        MultiCut(recording.id, 0.25, 0.5, [0, 2], recording=recording) for recording in recordings(folder)
    ]
    lhotse.CutSet.from_cuts(made).to_file(folder / "cuts.jsonl")
    return folder / "cuts.jsonl", of_cuts(made)


@case("Lhotse Shar", "lhotse")
def lhotse_shar(folder: Path) -> tuple[Any, list[Row]]:
    (folder / "shar").mkdir()
    cuts(folder).to_shar(folder / "shar", fields={"recording": "flac"}, shard_size=1)
    rows = of_cuts(cuts(folder))  # a shard holds the cut's own piece, from 0
    return folder / "shar", [Row(0.0, row.duration, row.who, row.samples, row.id) for row in rows]


@case("Lhotse CutSet in memory", "lhotse")
def lhotse_objects(folder: Path) -> tuple[Any, list[Row]]:
    return cuts(folder), of_cuts(cuts(folder))


# --- archives and tables


@case("WebDataset tar", "webdataset")
def webdataset_tar(folder: Path) -> tuple[Any, list[Row]]:
    import webdataset

    with webdataset.TarWriter(str(folder / "a-000.tar")) as writer:
        for name, who in WHO.items():
            data = (folder / f"{name}.wav").read_bytes()
            writer.write({"__key__": name, "wav": data, "json": {"speaker": who}})
    found = webdataset.WebDataset(str(folder / "a-000.tar"), shardshuffle=False)
    rows = [Row(0.0, SECONDS, json.loads(s["json"])["speaker"], plain(s["wav"]), s["__key__"]) for s in found]
    return str(folder / "a-{000..000}.tar"), rows


def audio_table(folder: Path) -> Any:
    import datasets

    columns = {"audio": [str(folder / f"{name}.wav") for name in WHO], "speaker_id": list(WHO.values())}
    return datasets.Dataset.from_dict(columns).cast_column("audio", datasets.Audio(decode=False))


@case("Hugging Face Parquet", "datasets")
def huggingface_parquet(folder: Path) -> tuple[Any, list[Row]]:
    import datasets

    table = audio_table(folder).map(
        lambda row: {"audio": {"path": None, "bytes": Path(row["audio"]["path"]).read_bytes()}},
        keep_in_memory=True,
    )
    table.to_parquet(str(folder / "x.parquet"))
    found = datasets.Dataset.from_parquet(str(folder / "x.parquet"), cache_dir=str(folder / "cache"))
    return folder / "x.parquet", [
        Row(0.0, SECONDS, row["speaker_id"], plain(row["audio"]["bytes"])) for row in found
    ]


@case("Hugging Face Dataset in memory", "datasets")
def huggingface_object(folder: Path) -> tuple[Any, list[Row]]:
    table = audio_table(folder)
    return table, [
        Row(0.0, SECONDS, row["speaker_id"], sf.read(row["audio"]["path"], dtype="float32")[0])
        for row in table
    ]


@case("Hugging Face metadata.parquet", "pandas")
def huggingface_folder(folder: Path) -> tuple[Any, list[Row]]:
    import pandas as pd

    table = pd.DataFrame({"file_name": [f"{name}.wav" for name in WHO], "speaker_id": WHO.values()})
    table.to_parquet(folder / "metadata.parquet")
    found = pd.read_parquet(folder / "metadata.parquet")
    return folder, [
        Row(0.0, SECONDS, row.speaker_id, piece(folder, row.file_name[0], 0.0, SECONDS))
        for row in found.itertuples()
    ]


@case("CSV", "pandas")
def csv_table(folder: Path) -> tuple[Any, list[Row]]:
    import pandas as pd

    table = pd.DataFrame(SPANS, columns=["path", "offset", "duration", "speaker"])
    table["path"] += ".wav"
    table.to_csv(folder / "all.csv", index=False)
    found = pd.read_csv(folder / "all.csv")
    return folder / "all.csv", [
        Row(row.offset, row.duration, row.speaker, piece(folder, row.path[0], row.offset, row.duration))
        for row in found.itertuples()
    ]


# --- lists of segments: written by us, read by both


def ours(
    folder: Path, name: str, format: str, spans: Iterable[tuple[str, float, float, str]] = SPANS
) -> Path:
    entries = [
        Entry(f"{folder}/{of}.wav", id=f"{of}-{k}", offset=at, duration=length, label=who, sample_rate=RATE)
        for k, (of, at, length, who) in enumerate(spans)
    ]
    write_manifest(entries, folder / name, format)
    return folder / name


@case("RTTM", "lhotse")
def rttm(folder: Path) -> tuple[Any, list[Row]]:
    import lhotse

    path = ours(folder, "all.rttm", "rttm")
    found = lhotse.SupervisionSet.from_rttm(path)
    return path, [
        Row(s.start, s.duration, s.speaker, piece(folder, s.recording_id, s.start, s.duration)) for s in found
    ]


ONE = [("a", 0.25, 0.25, "crow"), ("a", 0.625, 0.125, 'an "owl"')]


def crowsetta_rows(folder: Path, onsets: Any, offsets: Any, labels: Any) -> list[Row]:
    rows = zip(map(float, onsets), map(float, offsets), labels, strict=True)
    return [Row(on, off - on, str(who), piece(folder, "a", on, off - on)) for on, off, who in rows]


@case("Audacity labels", "crowsetta (aud-seq)")
def audacity(folder: Path) -> tuple[Any, list[Row]]:
    import crowsetta

    path = ours(folder, "a.txt", "audacity", ONE)
    found = crowsetta.formats.seq.AudSeq.from_file(path).to_seq()
    return path, crowsetta_rows(folder, found.onsets_s, found.offsets_s, found.labels)


@case("Raven selection table", "crowsetta (raven)")
def raven(folder: Path) -> tuple[Any, list[Row]]:
    import crowsetta

    path = ours(folder, "a.selections.txt", "raven", ONE)
    found = crowsetta.formats.bbox.Raven.from_file(path, annot_col="Annotation").to_bbox()
    columns = zip(*((box.onset, box.offset, box.label) for box in found), strict=True)
    return path, crowsetta_rows(folder, *columns)


@case("BirdNET result table", "pandas")
def birdnet(folder: Path) -> tuple[Any, list[Row]]:
    import pandas as pd

    path = ours(folder, "a.BirdNET.results.csv", "birdnet", ONE)
    found = pd.read_csv(path)
    return path, crowsetta_rows(folder, found["Start (s)"], found["End (s)"], found["Common name"])


def textgrid_rows(folder: Path, path: Path) -> list[Row]:
    from praatio import textgrid

    grid = textgrid.openTextgrid(str(path), includeEmptyIntervals=False)
    spans = [span for name in grid.tierNames for span in grid.getTier(name).entries]
    return crowsetta_rows(folder, *zip(*spans, strict=True))


@case("Praat TextGrid, short", "praatio")
def textgrid_short(folder: Path) -> tuple[Any, list[Row]]:
    path = ours(folder, "a.TextGrid", "textgrid", ONE)
    return path, textgrid_rows(folder, path)


@case("Praat TextGrid, long", "praatio")
def textgrid_long(folder: Path) -> tuple[Any, list[Row]]:
    from praatio import textgrid

    grid = textgrid.Textgrid()
    spans = [(at, at + length, who) for _, at, length, who in ONE]
    grid.addTier(textgrid.IntervalTier("calls", spans, 0, SECONDS))
    grid.save(str(folder / "a.TextGrid"), "long_textgrid", includeBlankSpaces=True)
    return folder / "a.TextGrid", textgrid_rows(folder, folder / "a.TextGrid")


def difference(source: Any, wanted: list[Row]) -> str:
    """Return what differs first between our reading of a list and the peer's, or nothing."""
    found = list(iter(read_manifest(source)))
    if len(found) != len(wanted):
        return f"{len(found)} entries, {len(wanted)} of the peer"
    for entry, row in zip(found, wanted, strict=True):
        if row.id is not None and entry.id != row.id:
            return f"id {entry.id}, {row.id} of the peer"
        if row.offset is not None and abs(entry.offset - row.offset) > 1e-9:
            return f"offset {entry.offset}, {row.offset} of the peer"
        if entry.duration is not None and abs(entry.duration - row.duration) > 1e-9:
            return f"duration {entry.duration}, {row.duration} of the peer"
        if row.who is not None and row.who not in (entry.speaker, entry.label):
            return f"speaker {entry.speaker}, label {entry.label}, {row.who} of the peer"
        with open_audio(entry) as stream:
            samples = np.concatenate(list(stream))
        if samples.shape != row.samples.shape:
            return f"{samples.shape[0]} samples, {row.samples.shape[0]} of the peer"
        if not np.array_equal(samples, row.samples):
            return f"samples differ by {np.abs(samples - row.samples).max():.1e}"
    return ""


def compare(name: str) -> str:
    """Write the list of a case, read it twice, and return what differs."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder).resolve()
        make_sounds(place)
        return difference(*CASES[name][1](place))


def lines() -> Iterator[str]:
    """Yield the table."""
    yield "| list | read by | result |"
    yield "|---|---|---|"
    for name, (peer, _) in CASES.items():
        yield f"| {name} | {peer} | {compare(name) or 'equal'} |"


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    bad = False
    for line in lines():
        print(line, flush=True)
        bad = bad or not line.endswith(("equal |", "result |", "---|"))
    sys.exit(bad)
