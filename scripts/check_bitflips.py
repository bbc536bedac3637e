#!/usr/bin/env python
"""Print a table of the kinds of files that audiogmm writes, and what becomes of a flipped bit in each.

    python scripts/check_bitflips.py                  # 1,000 flips a kind
    python scripts/check_bitflips.py --flips 60 model journal

A flip is noticed (an error of ours names the file, or it is not used), without effect (all that is read is as
it was written), or silent: then the status is 1. The bits are drawn from a fixed seed.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent))
from audiogmm.anomaly.kinds.description import Description
from audiogmm.anomaly.kinds.kinds import Kinds
from audiogmm.anomaly.kinds.kinds_file import load_kinds, save_kinds
from audiogmm.audio.frame_cache.frame_file import FrameWriter, open_frames
from audiogmm.audio.frame_cache.index import CacheIndex
from audiogmm.blocks import FrameBlock
from audiogmm.errors import AudioGMMError
from audiogmm.manifest import Entry, read_manifest
from audiogmm.mixture.gaussian import Mixture
from audiogmm.mixture.statistics import SufficientStats
from audiogmm.mixture.store import Model, load
from audiogmm.reporting.run.record import RunRecord
from audiogmm.runs.journal import Journal
from audiogmm.scoring.track_file import TrackWriter, read_track
from audiogmm.timeline import FrameClock
from audiogmm.training.checkpoint import Checkpoint
from audiogmm.training.ledger import Ledger
from audiogmm.training.schedule.batch import TrainingState
from audiogmm.verification.calibration import Calibration
from audiogmm.verification.gallery import Gallery
from audiogmm.verification.speaker import Speaker
from tests.fuzz.run_files import RUN_FILES

Read = Callable[[], Any]
FRAMES = np.random.default_rng(0).standard_normal((90, 3)).astype(np.float32)
STATS = SufficientStats.measure(FRAMES, origin=np.zeros(3), covariance_type="diag")
MODEL = Model(
    Mixture([1.0], FRAMES.mean(0, keepdims=True), FRAMES.var(0, keepdims=True), "diag"),
    STATS,
    {"seed": 3, "training": {"floor": [1e-3] * 3, "passes": 4}},
    {"normal.scores": np.linspace(-9, 0, 50)},
)
BLOCK = FrameBlock(FRAMES, np.arange(90) % 3 > 0, 0, FrameClock(16000, 160, 400))


def model(folder: Path) -> tuple[Path, Read]:
    path = folder / "m.agmm"
    MODEL.save(path)

    def read() -> Any:
        found = load(path)
        return found.mixture, found.statistics, found.metadata, found.tensors

    return path, read


def _gallery(folder: Path, file: str) -> tuple[Path, Read]:
    gallery = Gallery.create(folder, MODEL)
    gallery.add(Speaker("ann", MODEL.fingerprint, STATS, ("a",), 0.9, ("x",), (20.0,)))
    gallery.calibrate(Calibration(("score",), (2.0,), -1.0), {"method": "leave one out"})

    def read() -> Any:
        found = Gallery(folder)
        return found.adaptation, found.origin, found.fingerprint, list(found), found.calibrations

    return folder / file, read


def speaker(folder: Path) -> tuple[Path, Read]:
    return _gallery(folder, "speakers/ann.speaker")


def gallery(folder: Path) -> tuple[Path, Read]:
    return _gallery(folder, "gallery.json")


def calibration(folder: Path) -> tuple[Path, Read]:
    return _gallery(folder, "calibration.json")


def checkpoint(folder: Path) -> tuple[Path, Read]:
    file = Checkpoint(folder / "c.checkpoint", {"seed": 0})
    file.save(TrainingState(MODEL.mixture, STATS, trail=(MODEL.mixture,)), (-3.0,))
    return file.path, file.load


def _ledger(folder: Path) -> Ledger:
    ledger = Ledger(folder)
    ledger.put("a", STATS)
    ledger.put("b", 2.0 * STATS)
    ledger.save("model")
    return ledger


def ledger_index(folder: Path) -> tuple[Path, Read]:
    _ledger(folder)
    return folder / "ledger.json", lambda: Ledger(folder)._state()


def ledger_entry(folder: Path) -> tuple[Path, Read]:
    ledger = _ledger(folder)
    return ledger._file("a"), lambda: Ledger(folder).entry("a")


def kinds(folder: Path) -> tuple[Path, Read]:
    found, _ = Kinds.empty().extended([Description(FRAMES[i], FRAMES[i : i + 4]) for i in range(12)])
    save_kinds(found.named(1, "door"), folder, {"sample_rate": 16000})
    return folder / "kinds.agmm", lambda: load_kinds(folder)


def record(folder: Path) -> tuple[Path, Read]:
    path = RunRecord("m", "s", "f", {"threshold": -3.5}, recordings=3, events=2).write(folder / "e.jsonl")
    return path, lambda: asdict(RunRecord.read(path))


def journal(folder: Path) -> tuple[Path, Read]:
    output = folder / "out"

    class Named:
        def __init__(self, id: str) -> None:
            self.id = id

    try:
        with Journal(output, key="one") as kept:
            for shard in kept.waiting(map(Named, "abcdef")):  # type: ignore[type-var]
                kept.write({"id": shard.id, "score": -1.25})
            raise KeyboardInterrupt
    except KeyboardInterrupt:
        pass
    whole = kept.path.read_bytes()

    def read() -> Any:
        """What a second run takes over, beside what it computes again."""
        left = kept.path.read_bytes()
        try:
            with Journal(output, key="one", resume=True) as again:
                for shard in again.waiting(map(Named, "abcdef")):  # type: ignore[type-var]
                    again.write({"id": shard.id, "score": -1.25})
                rows = {row["id"]: row for row in again.rows()}
        finally:
            kept.path.write_bytes(whole)
        if left != whole and rows == healthy:
            raise AudioGMMError("done again")
        return rows

    healthy = {id: {"id": id, "score": -1.25} for id in "abcdef"}
    return kept.path, read


def frames(folder: Path) -> tuple[Path, Read]:
    path = folder / "a.frames"
    with path.open("wb") as file:
        writer = FrameWriter(file)
        writer.write(BLOCK)
        writer.finish(["a notice"])

    def read() -> Any:
        found = open_frames(path)
        if found is None:
            raise AudioGMMError("computed again")
        blocks = [(block.frames.tobytes(), block.voiced.tobytes(), block.clock) for block in found]
        return found.n_frames, found.notices, blocks

    return path, read


def _cache(folder: Path, file: str) -> tuple[Path, Read]:
    folder.mkdir(exist_ok=True)
    (folder / "frames").mkdir(exist_ok=True)
    index = CacheIndex(folder)
    import soundfile

    for name in "ab":
        soundfile.write(folder / f"{name}.wav", FRAMES[:, 0], 8000)
        entry = Entry(str(folder / f"{name}.wav"), id=name, offset=0.001, duration=0.005)
        index.identify(entry.path, "1:1")
        index.add(entry, "f", {"n_mfcc": 20})

    def read() -> Any:
        again = CacheIndex(folder)
        identities = [again.identify(str(folder / f"{name}.wav"), "1:1") for name in "ab"]
        return again.frontends(), identities, list(iter(read_manifest(str(folder))))

    return folder / file, read


def cache_index(folder: Path) -> tuple[Path, Read]:
    return _cache(folder, "index.jsonl")


def cache_database(folder: Path) -> tuple[Path, Read]:
    return _cache(folder, "ledger.sqlite")


def track(folder: Path) -> tuple[Path, Read]:
    path = folder / "a.npz"
    with TrackWriter(path, "a") as writer:
        writer.write(BLOCK, np.linspace(-9.0, 0.0, len(BLOCK)))

    def read() -> Any:
        found = read_track(path)
        return found.scores, found.voiced, found.times, found.clock

    return path, read


def _of_run(kind: str) -> Callable[[Path], tuple[Path, Read]]:
    def make_and_read(folder: Path) -> tuple[Path, Read]:
        make, read = RUN_FILES[kind]
        path = make(folder)
        return path, lambda: read(path)

    return make_and_read


KINDS: dict[str, Callable[[Path], tuple[Path, Read]]] = {
    make.__name__: make
    for make in (
        model,
        speaker,
        gallery,
        calibration,
        checkpoint,
        ledger_index,
        ledger_entry,
        record,
        journal,
        frames,
        cache_index,
        cache_database,
        track,
        kinds,
    )
} | {kind.replace(" ", "_"): _of_run(kind) for kind in RUN_FILES}


def shown(found: Any) -> str:
    """All of what was read, as text that is equal for equal content."""
    if isinstance(found, np.ndarray):
        return f"{found.dtype} {found.shape} {found.tobytes().hex()}"
    if isinstance(found, dict):
        return str({name: shown(value) for name, value in sorted(found.items())})
    if isinstance(found, (list, tuple)):
        return str([shown(value) for value in found])
    if hasattr(found, "__dict__") and vars(found):
        return shown({name: value for name, value in vars(found).items() if name[0] != "_"})
    slots = getattr(type(found), "__slots__", ())
    return shown({name: getattr(found, name) for name in slots}) if slots else repr(found)


def flip(kind: str, flips: int, folder: Path, seed: int = 0) -> Counter[str]:
    """Flip bits, one at a time; how many were noticed, without effect, and silent."""
    folder.mkdir()
    path, read = KINDS[kind](folder)
    whole = path.read_bytes()
    right = shown(read())
    found: Counter[str] = Counter()
    drawn = np.random.default_rng(seed).permutation(8 * len(whole))[:flips]
    for bit in drawn.tolist():
        changed = bytearray(whole)
        changed[bit // 8] ^= 1 << bit % 8
        path.write_bytes(changed)
        try:
            outcome = "without effect" if shown(read()) == right else "silent"
        except AudioGMMError:
            outcome = "noticed"
        except Exception as error:  # noqa: BLE001 - to be shown
            outcome = f"{type(error).__name__}: {error}"[:60]
        found[outcome] += 1
        if outcome not in ("noticed", "without effect"):
            print(f"{kind}: byte {bit // 8}, bit {bit % 8}: {outcome}", file=sys.stderr)
    path.write_bytes(whole)
    assert shown(read()) == right
    return found


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("kinds", nargs="*", default=list(KINDS))
    arguments.add_argument("--flips", type=int, default=1000)
    arguments.add_argument("--json", action="store_true")
    given = arguments.parse_args()
    rows = {}
    for kind in given.kinds:
        folder = Path(tempfile.mkdtemp())
        try:
            rows[kind] = dict(flip(kind, given.flips, folder / kind))
        finally:
            shutil.rmtree(folder)
    if given.json:
        print(json.dumps(rows))
    else:
        print("kind            flips  noticed  without effect  silent  other")
        for kind, row in rows.items():
            noticed, same, silent = (row.get(name, 0) for name in ("noticed", "without effect", "silent"))
            n = sum(row.values())
            print(f"{kind:15} {n:5}  {noticed:7}  {same:14}  {silent:6}  {n - noticed - same - silent:5}")
    return int(any(set(row) - {"noticed", "without effect"} for row in rows.values()))


if __name__ == "__main__":
    sys.exit(main())
