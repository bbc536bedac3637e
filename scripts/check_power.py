#!/usr/bin/env python
"""Cut the power of a disk while commands write to it, and print a table of what is lost.

    python scripts/check_power.py                     # some 10 minutes: ten commands on ext4 and on xfs
    python scripts/check_power.py --systems btrfs --cuts 3 train score
    python scripts/check_power.py --unsynced          # with fsync made a no-op: losses are found

It needs root, loop devices, FUSE and mkfs of each file system. Each command runs once, into an empty folder
and over the output of an earlier run, on a disk that records its writes (`tests/recorded_disk.py`). Then the
disk is made as a power failure leaves it: after the command has ended, and at instants in its midst, with all
that was written, or without half of what was written since the last flush. It is mounted again, and:

- After status 0 every file is there, as it was on the running machine, and `info --verify` finds no damage.
- In mid-run every file of the earlier run is there, as it was or as the command leaves it.
- The same command, with `--force` and `--resume` where it has them, ends with the bytes of a run that was not
  interrupted, and no other file.

The status is 1 if one of these is not so. Instants and what is lost are drawn from a fixed seed.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import random
import re
import shutil
import sys
import tempfile
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import soundfile

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))
sys.path.insert(0, str(ROOT / "scripts"))
from repeating import is_run_manifest  # noqa: E402

from audiogmm.cli.main import main as audiogmm  # noqa: E402
from tests.recorded_disk import MAKE, RecordedDisk, make_disk, mounted, recorded  # noqa: E402

GOLDEN = ROOT / "tests" / "golden" / "v0_1"

TRAIN = "train IN/rooms.jsonl -k 2 --passes 3 --tol 0 --preset ambient --hold-out 0 --ledger -o OUT/m.agmm"
COMMANDS = {
    "train": TRAIN,
    "score": "score IN/diag.agmm IN/rooms.jsonl -o OUT/scores",
    "detect": "detect IN/diag.agmm IN/rooms.jsonl -o OUT/events.jsonl",
    "features": "features IN/rooms.jsonl -o OUT/frames",
    "enroll": "enroll IN/gallery/background.agmm IN/rooms.jsonl -o OUT/gallery",
    "update": "update OUT/m.agmm IN/more.jsonl -o OUT/m.agmm",
    "verify": "verify IN/gallery IN/trials.csv -o OUT/scores.csv",
    "cluster": "cluster IN/diag.agmm IN/rooms.jsonl --labels audacity -o OUT/clusters",
    "calibrate": "calibrate IN/diag.agmm IN/rooms.jsonl --quantile 0.9 -o OUT/c.agmm",
    "select": "select IN/rooms.jsonl --preset ambient -k 1,2 --passes 3 --save OUT/m.agmm -o OUT/table.csv",
}
RESUMED = ("train", "score", "detect", "verify")
NOT_FORCED = ("features", "enroll")

WORKING = re.compile(r"ledger\.sqlite|\.journal$|\.checkpoint$|/index\.jsonl$|/ledger\.json$")
"""Files that change in a run, whose states between are right: the second run judges them."""

TIMED = ("finished", "checksum", "run")
"""Fields of the record of a run that say when it was, and how it was called."""


def make_inputs(folder: Path) -> None:
    """Write recordings, lists, a model and a gallery."""
    folder.mkdir()
    rng = np.random.default_rng(0)
    lists: dict[str, list[dict[str, str]]] = {"rooms": [], "more": [], "earlier": [], "others": []}
    for number, name in enumerate(
        ("rooms", "rooms", "rooms", "more", "earlier", "earlier", "others", "others")
    ):
        samples = 0.1 * rng.normal(size=24000)
        samples[12000:15000] += 0.5 * np.sin(np.arange(3000))
        soundfile.write(folder / f"{number}.wav", samples, 16000)
        id = str(number % 4 if name == "earlier" else number)  # of files that are overwritten
        lists[name].append({"audio_filepath": f"{number}.wav", "id": id, "speaker": f"s{number % 3}"})
    for name, rows in lists.items():
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    for name, tests in (("trials", "012"), ("earlier", "45")):
        rows = (f"speaker_{i % 2},{test}.wav\n" for i, test in enumerate(tests))
        (folder / f"{name}.csv").write_text("model,audio_filepath\n" + "".join(rows))
    shutil.copy(GOLDEN / "diag.agmm", folder)
    shutil.copytree(GOLDEN / "gallery", folder / "gallery")


@dataclass(frozen=True)
class Scenario:
    """A command, into an empty folder or over the output of an earlier run."""

    name: str
    again: bool
    inputs: Path
    folder: Path

    def words(self, command: str, *options: str) -> list[str]:
        forced = self.name not in NOT_FORCED
        words = command.replace("IN/", f"{self.inputs}/").replace("OUT", f"{self.folder}/out").split()
        return [*words, "--threads", "1", *(["--force"] if forced else []), *options]

    def earlier(self) -> list[list[str]]:
        """What is run before."""
        if self.name == "update":
            return [self.words(TRAIN)]
        other = "IN/others" if self.name in NOT_FORCED else "IN/earlier"  # added to, or replaced
        command = COMMANDS[self.name].replace("IN/rooms", other).replace("IN/trials", other)
        return [self.words(command)] if self.again else []

    def command(self) -> list[str]:
        return self.words(COMMANDS[self.name])

    def second(self) -> list[str]:
        return self.words(COMMANDS[self.name], *(["--resume"] if self.name in RESUMED else []))


@dataclass
class Row:
    """What became of the cuts of one command on one file system."""

    ended: int = 0
    midway: int = 0
    lost: int = 0
    left: int = 0
    same: int = 0
    faults: list[str] = field(default_factory=list)


def call(words: list[str], said: Path, *, unsynced: bool = False) -> int:
    """Run a command in a process of its own, which has all modules loaded already; return its status."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of threads that a fork would not have: there are none
        child = os.fork()
    if child == 0:
        status = 99
        try:
            sys.stdout = sys.stderr = said.open("w")
            if unsynced:
                os.fsync = os.fdatasync = lambda file: None
                os.sync = lambda: None
            audiogmm(words)
        except SystemExit as ended:
            status = int(ended.code or 0)
        finally:
            sys.stdout.flush()
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def load_kernels(names: list[str], work: Path) -> None:
    """Run each command once in this process, so that those of `call` find all compiled code loaded."""
    make_inputs(work / "in")
    (work / "mounted" / "out").mkdir(parents=True)
    said = io.StringIO()
    for name in names:
        scenario = Scenario(name, False, work / "in", work / "mounted")
        for words in [*scenario.earlier(), scenario.command()]:
            with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
                try:
                    audiogmm(words)
                except SystemExit as ended:
                    assert not ended.code, said.getvalue()


@contextlib.contextmanager
def written_back(soon: bool) -> Iterator[None]:
    """Have the kernel write what is not synced soon, or not at all; as it was, where that is not allowed."""
    wanted = {"dirty_writeback_centisecs": 2 if soon else 0, "dirty_expire_centisecs": 1 if soon else 360000}
    before = {Path("/proc/sys/vm", name): value for name, value in wanted.items()}
    kept = {path: path.read_text() for path in before}
    try:
        with contextlib.suppress(OSError):
            for path, value in before.items():
                path.write_text(str(value))
        yield
    finally:
        with contextlib.suppress(OSError):
            for path, text in kept.items():
                path.write_text(text)


def files(folder: Path) -> dict[str, bytes]:
    """All files, without what differs from run to run: times, manifests, and the pages of a database."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not is_run_manifest(path):
            content = b"" if "sqlite" in path.name else path.read_bytes()
            if path.name.endswith(".run.json"):
                with contextlib.suppress(ValueError):  # torn: as it is
                    row = json.loads(content)
                    content = json.dumps({key: row[key] for key in row if key not in TIMED}).encode()
            found[str(path.relative_to(folder))] = content
    return found


@dataclass
class Cutter:
    """Runs scenarios on one file system, in a folder of its own."""

    system: str
    work: Path
    unsynced: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        self.work.mkdir()
        self.inputs, self.folder = self.work / "in", self.work / "mounted"
        self.said = self.work / "said"
        make_inputs(self.inputs)
        make_disk(self.work / "empty", self.system)

    def run(self, name: str, cuts: int, row: Row) -> None:
        """Cut the power after a command and in its midst, so often each, in both scenarios."""
        for again in (False, True):
            scenario = Scenario(name, again, self.inputs, self.folder)
            random_ = random.Random(f"{self.seed} {self.system} {name} {again}")
            base = self.work / "base"
            shutil.copyfile(self.work / "empty", base)
            with mounted(base, self.folder):
                (self.folder / "out").mkdir()
                for words in scenario.earlier():
                    assert call(words, self.said) == 0, self.said.read_text()
                before = files(self.folder / "out")
            with (
                recorded(base, self.folder, self.work) as disk,
                written_back(soon=random_.random() < 0.5),
            ):
                start = disk.length()
                assert call(scenario.command(), self.said, unsynced=self.unsynced) == 0, self.said.read_text()
                end = disk.length()
                after = files(self.folder / "out")
            instants = [end] * (1 + cuts // 3)
            instants += [random_.randint(start, max(start, end - 1)) for _ in range(cuts - len(instants))]
            for number, instant in enumerate(instants):
                lost = None if number % 2 == 0 else random.Random(random_.random())
                self.cut(scenario, disk, instant, lost, (before, after), row, ended=instant == end)

    def cut(
        self,
        scenario: Scenario,
        disk: RecordedDisk,
        instant: int,
        lost: random.Random | None,
        states: tuple[dict[str, bytes], dict[str, bytes]],
        row: Row,
        *,
        ended: bool,
    ) -> None:
        """Cut the power at one instant, and judge what is there and what a second run makes of it."""
        before, after = states
        image = self.work / "image"
        disk.image(image, instant, lost)
        faults = []
        with mounted(image, self.folder):
            out = self.folder / "out"
            there = files(out)
            for path in after | there if ended else before:
                right = [after.get(path)] if ended else [before[path], after.get(path)]
                if (ended or not WORKING.search(f"/{path}")) and there.get(path) not in right:
                    what = "left" if path not in after | before else "another" if path in there else "gone"
                    row.left += what == "left"
                    row.lost += 0 if what == "left" else max(1, len(right[0] or b""))
                    faults.append(f"{path} is {what}")
            if ended and not faults and (status := call(["info", "--verify", str(out)], self.said)):
                faults.append(f"info --verify: {status}: {self.said.read_text()[-300:]}")
            status = call(scenario.second(), self.said)
            now = files(out)
        if now != after:
            names = [path for path in now.keys() | after.keys() if now.get(path) != after.get(path)]
            faults.append(f"a second run (status {status}) leaves others: {sorted(names)[:4]}")
            faults.append(self.said.read_text()[-300:].strip())
        row.same += now == after
        row.ended += ended
        row.midway += not ended
        where = f"{self.system} {scenario.name}{' again' if scenario.again else ''} at {instant}"
        row.faults += [f"{where}{', some lost' if lost else ''}: {fault}" for fault in faults]


def check(
    systems: list[str], names: list[str], cuts: int, *, unsynced: bool = False, seed: int = 0
) -> dict[tuple[str, str], Row]:
    """Return what becomes of power cuts of each command on each file system.

    Raises
    ------
    NoDiskError
        If disks cannot be mounted here.
    """
    rows: dict[tuple[str, str], Row] = {}
    place = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    work = Path(tempfile.mkdtemp(prefix="power-", dir=place))
    try:
        (work / "warm").mkdir()
        load_kernels(names, work / "warm")
        for system in systems:
            cutter = Cutter(system, work / system, unsynced, seed)
            for name in names:
                row = rows[system, name] = Row()
                cutter.run(name, cuts, row)
                for fault in row.faults:
                    print(fault, file=sys.stderr, flush=True)
    finally:
        shutil.rmtree(work)
    return rows


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("names", nargs="*", default=list(COMMANDS))
    arguments.add_argument("--systems", nargs="+", choices=list(MAKE), default=["ext4", "xfs"])
    arguments.add_argument("--cuts", type=int, default=6, help="in each of the two scenarios of a command")
    arguments.add_argument("--unsynced", action="store_true", help="make fsync and sync no-ops")
    arguments.add_argument("--seed", type=int, default=0)
    given = arguments.parse_args()
    rows = check(given.systems, given.names, given.cuts, unsynced=given.unsynced, seed=given.seed)
    print("system  command       cuts  after status 0  in mid-run  bytes lost  files left  same bytes")
    total = Row()
    for (system, name), row in [*rows.items(), (("all", ""), total)]:
        n = row.ended + row.midway
        same = f"{row.same}/{n}"
        counts = f"{n:7}  {row.ended:14}  {row.midway:10}  {row.lost:10,}  {row.left:10}  {same:>10}"
        print(f"{system:6}  {name:9}  {counts}")
        for count in ("ended", "midway", "lost", "left", "same"):
            setattr(total, count, getattr(total, count) + getattr(row, count))
    return int(any(row.faults for row in rows.values()))


if __name__ == "__main__":
    sys.exit(main())
