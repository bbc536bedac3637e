#!/usr/bin/env python
"""Kill commands with SIGKILL at random instants, let them go on, and compare all that they write.

    python scripts/check_kills.py                          # 200 kills over all commands that write
    python scripts/check_kills.py --kills 20 --seed 7 train score
    python scripts/check_kills.py --cost                   # what checkpoints cost a training

A command is killed, sometimes again when it goes on, and then ends. A table says how often the bytes were
those of a run that was never killed, how many entries were done twice, what was left (files, locks, temporary
folders, processes), and how often half a file was seen under a final name. The status is 1 where anything
differs. Kills are drawn from a seed; what the machine does in that time is not.
"""

from __future__ import annotations

import argparse
import json
import os

os.environ["NUMBA_NUM_THREADS"] = "1"  # so that this process has no threads when it forks

import re
import shutil
import signal
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import chdir, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent))
sys.path.insert(0, str(Path(__file__).parent))
from kill_cases import CASES, Case, call, make_inputs
from repeating import is_run_manifest

from audiogmm import temporaries
from audiogmm.runs.journal import Journal
from audiogmm.runs.kept_results import KeptReducer
from audiogmm.training import checkpoint_file

TOKEN = "AUDIOGMM_KILLS"
"""The environment variable by which the processes of these runs are found."""

PATIENCE = 120.0
"""Seconds after which a run hangs."""


@dataclass
class Tally:
    """What became of the kills of one command."""

    kills: int = 0
    resumed: int = 0
    identical: int = 0
    twice: int = 0
    left: int = 0
    half: int = 0
    faults: list[str] = field(default_factory=list)


class Yard:
    """Where commands run: one folder for all runs, since outputs hold paths."""

    def __init__(self, folder: Path) -> None:
        self.inputs, self.run, self.temporary = (folder / name for name in ("in", "run", "tmp"))
        self.log, self.said = folder / "done.log", folder / "said"
        self.temporary.mkdir()
        self.token = folder.name

    def warm_up(self, cases: Sequence[Case]) -> None:
        """Make the inputs, and run each command once: children then have its modules and compiled kernels."""
        with self.said.open("w") as said, redirect_stdout(said), redirect_stderr(said):
            make_inputs(self.inputs, cases)
            for case in cases:
                if "--workers" in case.words:  # whose helpers cannot be another process's children
                    continue
                self.begin(case)
                with chdir(self.run):
                    call(case.words, self.inputs)

    def begin(self, case: Case) -> None:
        """Empty the folder, but for what the command changes."""
        shutil.rmtree(self.run, ignore_errors=True)
        self.run.mkdir()
        self.log.write_text("")
        for name in case.copies:
            source = self.inputs / name
            (shutil.copytree if source.is_dir() else shutil.copy2)(source, self.run / name)

    def fork(self, words: str, *, eager: bool = False) -> int:
        """Start a command in a process group of its own; `eager`: with a checkpoint after every pass."""
        pid = os.fork()
        if pid:
            return pid
        status = 70
        try:
            os.setsid()
            os.environ |= {TOKEN: self.token, "TMPDIR": str(self.temporary)}
            tempfile.tempdir = None
            said = os.open(self.said, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            os.dup2(said, 1)
            os.dup2(said, 2)
            if eager:
                checkpoint_file.SHARE = float("inf")
            self._note_entries()
            temporaries.sweep.cache_clear()  # what this process has not yet looked at
            os.chdir(self.run)
            status = call(words, self.inputs)
        except BaseException:  # noqa: BLE001 - shown by the parent
            import traceback

            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(status)

    def _note_entries(self) -> None:
        """Let runs note which entries are done, and in which stage, in a file that no run removes."""
        write, keep, log = Journal.write, KeptReducer._keep, self.log

        def note(what: str) -> None:
            with log.open("a") as file:
                file.write(f"{what}\n")

        def written(journal: Journal, row: dict[str, Any], *given: str) -> None:
            write(journal, row, *given)
            if len(given) < 2:  # else it is of a stage that keeps its own results
                note(row["id"])

        def kept(reducer: KeptReducer, name: str, content: str, found: Any) -> None:
            keep(reducer, name, content, found)
            note(name)

        Journal.write, KeptReducer._keep = written, kept  # type: ignore[method-assign, assignment]

    def wait(self, pid: int, seconds: float = PATIENCE) -> int | None:
        """Return the status of a run; None if it has not ended by then."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            found, state = os.waitpid(pid, os.WNOHANG)
            if found:
                return os.waitstatus_to_exitcode(state)
            time.sleep(0.002)
        return None

    def processes(self) -> list[int]:
        """Return the processes that runs have started and that are still there."""
        mark, found = f"{TOKEN}={self.token}".encode(), []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit() and int(entry.name) != os.getpid():
                try:
                    if (
                        mark in (entry / "environ").read_bytes()
                        and (entry / "stat").read_text().split()[2] != "Z"
                    ):
                        found.append(int(entry.name))
                except OSError:
                    continue
        return found


def contents(folder: Path) -> dict[str, bytes]:
    """Return all files below a folder; of a database its rows, and of the record of a run what repeats.

    A run manifest is left out.
    """
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not is_run_manifest(path):
            found[str(path.relative_to(folder))] = content(path)
    return found


OF_A_RUN = ("run", "finished", "checksum")
"""Keys of such a record that differ from run to run."""


def content(path: Path) -> bytes:
    """Return what two runs of the same command have in common of a file."""
    if path.suffix == ".sqlite":
        with sqlite3.connect(path) as database:
            return "\n".join(sorted(database.iterdump())).encode()
    if path.name.endswith(".run.json"):  # the record of a detection, without how and when the run was called
        record = json.loads(path.read_bytes())
        return json.dumps({key: record[key] for key in record if key not in OF_A_RUN}).encode()
    of_a_run = rb'"(started|ended|finished|run|run_id|seconds_taken|checksum)": ?[^,}]*'
    return re.sub(of_a_run, b"", path.read_bytes())


def kill_once(yard: Yard, words: str, instant: float, whole_group: bool, eager: bool) -> int | None:
    """Start a command and kill it after some seconds; its status, minus 9 if it was killed."""
    pid = yard.fork(words, eager=eager)
    status = yard.wait(pid, instant)
    if status is not None:
        return status
    try:
        (os.killpg if whole_group else os.kill)(pid, signal.SIGKILL)
    except ProcessLookupError:  # it has no group yet
        os.kill(pid, signal.SIGKILL)
    _, state = os.waitpid(pid, 0)
    return os.waitstatus_to_exitcode(state)


def go_on(words: str) -> str:
    """Return the words that let a command go on."""
    from importlib import import_module

    from audiogmm.cli.main import COMMANDS

    verb = words.split()[0]
    options = {option for p in import_module(COMMANDS[verb][0]).command.params for option in p.opts}
    return f"{words} --resume" if "--resume" in options else words


def check(yard: Yard, name: str, case: Case, kills: int, rng: np.random.Generator) -> Tally:
    """Kill a command so many times, at random instants."""
    tally, wholes, duration = Tally(), [], 0.0
    for _ in range(2):  # the first finds kernels compiled, and what two runs have in common is compared
        yard.begin(case)
        before = contents(yard.run)
        began = time.monotonic()
        status = yard.wait(yard.fork(case.words))
        duration = time.monotonic() - began
        if status not in (0, 3):
            tally.faults.append(f"it fails: {yard.said.read_text()[-300:]}")
            return tally
        wholes.append(contents(yard.run))
    whole = wholes[1]
    varying = {path for path in whole if wholes[0].get(path) != whole[path]}
    tally.faults += [f"{path} differs in each run" for path in sorted(varying)]
    for _ in range(20 * kills):
        if tally.kills >= kills:
            break
        yard.begin(case)
        eager, group = bool(rng.random() < 0.5), "--workers" not in case.words or bool(rng.random() < 0.5)
        if kill_once(yard, case.words, rng.uniform(0, duration), group, eager) != -signal.SIGKILL:
            continue
        tally.kills += 1
        look(yard, case, whole, before, tally)
        words = go_on(case.words)
        while rng.random() < 0.3 and tally.kills < kills:
            if kill_once(yard, words, rng.uniform(0, duration), group, eager) != -signal.SIGKILL:
                break
            tally.kills += 1
            look(yard, case, whole, before, tally)
        end(yard, words, whole, tally)
    return tally


def look(yard: Yard, case: Case, whole: dict[str, bytes], before: dict[str, bytes], tally: Tally) -> None:
    """Look for half a file under a final name, right after a kill."""
    for path in whole:
        file = yard.run / path
        if not file.is_file() or re.fullmatch(case.growing, path) or "/." in f"/{path}":
            continue
        if content(file) not in (whole[path], before.get(path)):
            tally.half += 1
            tally.faults.append(f"{path} was seen half written")


def end(yard: Yard, words: str, whole: dict[str, bytes], tally: Tally) -> None:
    """Let a command end, and compare."""
    tally.resumed += 1
    status = yard.wait(yard.fork(words))
    found = contents(yard.run)
    said = yard.said.read_text()
    finished = status == 1 and re.search(
        "exists already|not empty|in the ledger already", said
    )  # killed after its end
    left = sorted(found.keys() - whole.keys()) + sorted(
        path.name for path in yard.temporary.iterdir() if "audiogmm" in path.name
    )
    until = time.monotonic() + 5
    while (alive := yard.processes()) and time.monotonic() < until:
        time.sleep(0.05)
    left += [f"process {pid}" for pid in alive]
    for pid in alive:
        os.kill(pid, signal.SIGKILL)
    tally.left += len(left)
    tally.faults += [f"{path} is left" for path in left]
    twice = [id for id, n in Counter(yard.log.read_text().splitlines()).items() if n > 1]
    tally.twice += len(twice)
    tally.faults += [f"{id} was done twice" for id in twice]
    differing = [path for path in whole if found.get(path) != whole[path]]
    if status in (0, 3) or (finished and not differing):
        tally.identical += not differing
    else:
        tally.faults.append(f"status {status}: {said.strip()[-200:]}")
    tally.faults += [f"{path} {'differs' if path in found else 'is missing'}" for path in differing]


def measure_cost(yard: Yard) -> None:
    """Print what checkpoints cost a training, by the clock inside it and by training without one."""
    from audiogmm.mixture.gaussian import Mixture
    from audiogmm.training import train_mixture
    from audiogmm.training.frames.source import ArraySlice

    rng = np.random.default_rng(0)
    shards = [ArraySlice(f"{i}", rng.standard_normal((20_000, 39)).astype(np.float32)) for i in range(20)]
    spent, saves, save = [0.0], [0], checkpoint_file.CheckpointFile.save

    def timed(file: checkpoint_file.CheckpointFile, *given: Any) -> None:
        began = time.perf_counter()
        save(file, *given)
        spent[0] += time.perf_counter() - began
        saves[0] += 1

    checkpoint_file.CheckpointFile.save = timed  # type: ignore[method-assign]
    options: dict[str, Any] = {"tol": 0.0, "passes": 30, "init": "random"}
    print("components form  passes   without      with  saved  saving")
    for K, form in ((64, "diag"), (512, "diag"), (32, "full")):
        options |= {"n_components": K, "covariance_type": form}
        times: dict[bool, float] = {}
        mixtures: list[Mixture] = []
        for kept in (False, True):
            spent[0], saves[0], began = 0.0, 0, time.perf_counter()
            place = yard.run.with_name("cost") if kept else None
            mixtures.append(train_mixture(shards, checkpoint=place, **options).mixture)
            times[kept] = time.perf_counter() - began
            for file in yard.run.parent.glob("cost*"):
                file.unlink()
        assert mixtures[0] == mixtures[1]
        share = spent[0] / times[True]
        print(f"{K:10} {form} {30:6} {times[False]:8.2f}s {times[True]:8.2f}s {saves[0]:6} {share:7.2%}")


def main() -> int:
    """Kill, and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("commands", nargs="*", help="names of commands, or their beginnings [default: all]")
    parser.add_argument("--kills", type=int, default=200, help="over all commands [default: 200]")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--cost", action="store_true", help="measure what checkpoints cost instead")
    given = parser.parse_args()
    names = [name for name in CASES if not given.commands or any(map(name.startswith, given.commands))]
    rng = np.random.default_rng(given.seed)
    failed = False
    with tempfile.TemporaryDirectory(prefix="ak") as scratch:  # short: sockets of workers lie in it
        yard = Yard(Path(scratch))
        if given.cost:
            measure_cost(yard)
            return 0
        yard.warm_up([CASES[name] for name in names])
        print(f"{'command':28} kills resumed identical twice left half")
        total = Tally()
        for place, name in enumerate(names):
            share = given.kills * (place + 1) // len(names) - given.kills * place // len(names)
            tally = check(yard, name, CASES[name], share, rng)
            for what in ("kills", "resumed", "identical", "twice", "left", "half"):
                setattr(total, what, getattr(total, what) + getattr(tally, what))
            print(row(name, tally), flush=True)
            for fault, n in Counter(tally.faults).items():
                print(f"    {n} x {fault}", flush=True)
            failed = failed or bool(tally.faults)
        print(row("all", total))
    return int(failed)


def row(name: str, tally: Tally) -> str:
    """Return a line of the table."""
    return (
        f"{name:28} {tally.kills:5} {tally.resumed:7} {tally.identical:9} "
        f"{tally.twice:5} {tally.left:4} {tally.half:4}"
    )


if __name__ == "__main__":
    sys.exit(main())
