"""Commands that write, on inputs of a few seconds; and how a run with a fault is judged."""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import soundfile

from tests.faults.layer import Fault, quick_folder
from tests.faults.server import Outcome, Server

GOLDEN = Path(__file__).parents[1] / "golden" / "v0_1"
KEPT = re.compile(r"\.checkpoint|\.begun$|\.journal$|\.lock$|\.errors\.jsonl$|sqlite")
"""Files from which a run goes on, or that say why it did not."""

CHANGED = re.compile(r"\.errors\.jsonl$|sqlite|index\.jsonl$|ledger\.json$")
"""Files that a run changes on the way: their end is compared."""

HIDDEN = re.compile(r"(^|/)\.|\.part|\.tmp|\.moves|audiogmm-")
"""Files that nobody is to find once a run has ended."""


@dataclass(frozen=True)
class Command:
    """A command, and what is there before it.

    Attributes
    ----------
    words : str
        Its arguments; IN and OUT stand for folders.
    before : str
        The command that made what it replaces, or changes.
    again : str
        What is added to repeat it.
    force : str
        What is added where something is there.
    together : tuple of str
        Outputs that must be of one run.
    """

    words: str
    before: str
    again: str = "--force"
    force: str = "--force"
    together: tuple[str, ...] = ()


COMMANDS = {
    "train": Command(
        "train IN/rooms.jsonl -k 2 --passes 2 --preset ambient --hold-out 0 --ledger -o OUT/m.agmm",
        "train IN/rooms.jsonl -k 1 --passes 2 --preset ambient --hold-out 0 --ledger -o OUT/m.agmm",
        "--resume --force",
    ),
    "score": Command(
        "score IN/diag.agmm IN/rooms.jsonl -o OUT/scores",
        "score IN/full.agmm IN/rooms.jsonl -o OUT/scores",
        "--resume --force",
    ),
    "detect": Command(
        "detect IN/diag.agmm IN/rooms.jsonl -o OUT/events.jsonl",
        "detect IN/diag.agmm IN/more.jsonl -o OUT/events.jsonl",
        "--resume --force",
        together=("events.jsonl", "events.jsonl.run.json"),
    ),
    "verify": Command(
        "verify IN/gallery IN/trials.csv -o OUT/scores.csv",
        "verify IN/gallery IN/others.csv -o OUT/scores.csv",
        "--resume --force",
    ),
    "features": Command(
        "features IN/rooms.jsonl -o OUT/frames", "features IN/more.jsonl -o OUT/frames", "", ""
    ),
    "enroll": Command(
        "enroll IN/gallery/background.agmm IN/voices.jsonl -o OUT/known",
        "enroll IN/gallery/background.agmm IN/voice.jsonl -o OUT/known",
        "",
        "",
    ),
    "update": Command(
        "update OUT/m.agmm IN/more.jsonl -o OUT/m.agmm --force",
        "train IN/rooms.jsonl -k 2 --passes 2 --preset ambient --hold-out 0 --ledger -o OUT/m.agmm",
        "",
        "",
    ),
    "cluster": Command(
        "cluster IN/diag.agmm IN/rooms.jsonl -o OUT/clusters --labels audacity",
        "cluster IN/full.agmm IN/rooms.jsonl -o OUT/clusters --labels audacity",
    ),
    "calibrate": Command(
        "calibrate IN/diag.agmm IN/rooms.jsonl -o OUT/c.agmm",
        "calibrate IN/diag.agmm IN/more.jsonl -o OUT/c.agmm",
    ),
    "select": Command(
        "select IN/rooms.jsonl -k 1,2 --covariance diag --passes 2 --preset ambient -o OUT/sizes.csv"
        " --save OUT/best.agmm",
        "select IN/more.jsonl -k 1,2 --covariance diag --passes 2 --preset ambient -o OUT/sizes.csv"
        " --save OUT/best.agmm --hold-out 0",
        "--resume --force",
        together=("sizes.csv", "best.agmm"),
    ),
    "identify": Command(
        "identify IN/gallery IN/rooms.jsonl -o OUT/who.jsonl",
        "identify IN/gallery IN/more.jsonl -o OUT/who.jsonl",
        "--resume --force",
    ),
    "report": Command(
        "report IN/found/rooms.jsonl -o OUT/page.html", "report IN/found/more.jsonl -o OUT/page.html"
    ),
    "evaluate": Command(
        "evaluate verify IN/answers.csv -o OUT/result.json --plot OUT/det.png",
        "evaluate verify IN/answers.csv -o OUT/result.json --plot OUT/det.png --replicates 100",
        together=("result.json", "det.png"),
    ),
    "convert": Command(
        "manifest convert IN/rooms.jsonl -o OUT/rooms.csv", "manifest convert IN/more.jsonl -o OUT/rooms.csv"
    ),
    "speakers": Command("speakers OUT/gallery --remove speaker_1", "", "", ""),
}


def make_inputs(folder: Path) -> None:
    """Write three recordings, lists of them, and copies of models and of a gallery."""
    folder.mkdir()
    rng = np.random.default_rng(0)
    rows = []
    for i in range(4):
        bursts = np.where(np.arange(32000) // 4000 % 2, 0.1, 0.002)  # some frames are voiced
        soundfile.write(folder / f"{i}.wav", bursts * rng.normal(size=32000), 16000)
        rows.append({"audio_filepath": f"{i}.wav"})
    voices = [row | {"speaker": f"s{i}"} for i, row in enumerate(rows)]
    lists = {"rooms": rows[:3], "more": rows[3:], "voices": voices[:3], "voice": voices[3:]}
    for name, kept in lists.items():
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in kept))
    (folder / "trials.csv").write_text("model,audio_filepath\nspeaker_0,0.wav\nspeaker_1,1.wav\n")
    (folder / "others.csv").write_text("model,audio_filepath\nspeaker_0,2.wav\n")
    answers = [f"m{i},{i}.wav,{i % 2},{i % 7 + 3 * (i % 2)}" for i in range(60)]
    (folder / "answers.csv").write_text("\n".join(["model,audio_filepath,target,score", *answers, ""]))
    for name in ("diag", "full"):
        shutil.copy(GOLDEN / f"{name}.agmm", folder)
    shutil.copytree(GOLDEN / "gallery", folder / "gallery")


def contents(folder: Path) -> dict[str, object]:
    """What each file holds, without what says when it was made."""
    found: dict[str, object] = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if HIDDEN.search(name) or name == "known.inputs.jsonl":  # which names those of the last run alone
            continue
        if path.name.endswith(".run.json"):
            row = json.loads(path.read_text())
            found[name] = {key: row[key] for key in row if key not in ("finished", "checksum", "run")}
        elif path.suffix == ".sqlite":
            for part in path.parent.glob(f"{path.name}*"):  # what is half written is undone in a copy
                shutil.copy(part, folder.parent / "tmp")
            with closing(sqlite3.connect(folder.parent / "tmp" / path.name)) as base:
                tables = [row[0] for row in base.execute("SELECT name FROM sqlite_master ORDER BY name")]
                kept = [table for table in tables if not table.startswith("sqlite_")]
                found[name] = [sorted(base.execute(f"SELECT * FROM {table}"), key=repr) for table in kept]
            for part in (folder.parent / "tmp").glob(f"{path.name}*"):
                part.unlink()
        elif path.is_file():
            found[name] = path.read_bytes()
    return found


@dataclass
class Verdict:
    """What became of a run with a fault.

    Attributes
    ----------
    wrong : list of str
        What must not be; nothing where all is well.
    """

    command: str
    fault: str
    call: str
    outcome: Outcome
    lost: int = 0
    identical: bool = False
    wrong: list[str] = field(default_factory=list)


class Bench:
    """Folders for the runs of one command after the other, and what comes of them without a fault."""

    def __init__(self, root: Path, server: Server) -> None:
        self.root, self.server = root, server
        self.inputs, self.place = root / "in", root / "place"
        self.out, self.temporary = self.place / "out", self.place / "tmp"
        self.warm: set[str] = set()

    def arguments(self, words: str) -> list[str]:
        """Return the words of a command with the folders of this bench."""
        return words.replace("IN/", f"{self.inputs}/").replace("OUT/", f"{self.out}/").split()

    def run(self, words: str, fault: Fault | None = None, limits: dict[str, int] | None = None) -> Outcome:
        """Run a command as the bench is, with faults in the output and the temporary folder."""
        given = {"folder": self.place, "temporary": self.temporary, "fault": fault, "limits": limits}
        return self.server.run(_with_threads(self.arguments(words)), **given)

    def warm_up(self, words: str) -> None:
        """Run a command in the server itself, elsewhere: what it compiles and imports stays there."""
        elsewhere = self.root / "warm"
        arguments = [word.replace(str(self.out), str(elsewhere)) for word in self.arguments(words)]
        reply = self.server.ask({"warm": _with_threads(arguments)})
        assert reply["status"] in (0, 3), words

    def lay_out(self, before: Path | None) -> None:
        """Empty the folders, and put there what was made before."""
        shutil.rmtree(self.place, ignore_errors=True)
        self.temporary.mkdir(parents=True)
        if before is None:
            self.out.mkdir()
        else:
            shutil.copytree(before, self.out)
        (self.out / "mine").write_text("precious")


@dataclass(frozen=True)
class Case:
    """A command, with or without something before it; and an undisturbed run of it."""

    name: str
    command: Command
    bench: Bench
    before: Path | None
    old: Mapping[str, object]
    new: Mapping[str, object]
    whole: Outcome

    @property
    def words(self) -> str:
        """The command."""
        return self.command.words + f" {self.command.force}" * (self.before is not None)

    @property
    def arguments(self) -> list[str]:
        """The command as it is given to the server."""
        return _with_threads(self.bench.arguments(self.words))

    @classmethod
    def make(cls, name: str, bench: Bench, *, replaces: bool) -> Case:
        """Run the command undisturbed, twice: it must give the same bytes."""
        command, before = COMMANDS[name], None
        replaces = replaces or command.before == "" or "OUT/" in command.words.partition(" -o ")[0]
        if name not in bench.warm:
            shutil.rmtree(bench.root / "warm", ignore_errors=True)
            shutil.copytree(bench.inputs / "gallery", bench.root / "warm" / "gallery")
            for words in filter(None, (command.before, command.words)):
                bench.warm_up(f"{words} {command.force}")
            bench.warm.add(name)
        if replaces:
            before = bench.root / f"before-{name}"
            bench.lay_out(None)
            if command.before:
                made = bench.run(command.before)
                assert made.status in (0, 3), made.err
            else:
                shutil.copytree(bench.inputs / "gallery", bench.out / "gallery")
            shutil.rmtree(before, ignore_errors=True)
            shutil.copytree(bench.out, before)
        bench.lay_out(before)
        old = contents(bench.out)
        case = cls(name, command, bench, before, old, {}, Outcome(0, "", "", []))
        found = []
        for _ in range(2):
            bench.lay_out(before)
            whole = bench.run(case.words)
            assert whole.status in (0, 3), f"{name}: {whole.err}"
            found.append(contents(bench.out))
        differing = [path for path in found[0] if found[0][path] != found[1].get(path)]
        assert not differing, f"{name} gives other bytes each time: {differing}"
        return cls(name, command, bench, before, old, found[0], whole)

    def judge(self, fault: Fault, limits: dict[str, int] | None = None) -> Verdict:
        """Run the command with a fault, look at what is left, repeat it, and look again."""
        bench = self.bench
        bench.lay_out(self.before)
        ran = bench.run(self.words, fault, limits)
        hit = next((call for call in ran.calls if (call.kind, call.n) == (fault.kind, fault.n)), None)
        where = "" if hit is None else f"{hit.name} {hit.path.removeprefix(str(bench.place))}"
        verdict = Verdict(self.name, str(fault), where, ran)
        wrong = verdict.wrong
        killed = fault.action == "kill"
        if not killed or (ran.status or 0) >= 0:
            wrong += list(_faults_of(ran, bench.place))
        removing = hit is not None and hit.name in ("unlink", "unlinkat", "rmdir", "remove")
        if not killed and not removing:
            left = [
                path for path in _names(bench.place) if HIDDEN.search(path) and not path.endswith(".kept")
            ]
            wrong += [f"left: {path}" for path in left]
        now = contents(bench.out)
        verdict.lost = self._lost(now)
        if verdict.lost:
            wrong.append(f"{verdict.lost} bytes lost")
        if not killed:
            wrong += [f"torn: {path}" for path in self._torn(now)]
        if ran.status in (1, None) or killed or now != self.new:
            verdict.identical = self._repeat(verdict, now)
        else:
            verdict.identical = True
        return verdict

    def _lost(self, now: Mapping[str, object]) -> int:
        """Bytes of files that were there, and are neither there nor replaced by their new content."""
        gone = [path for path, old in self.old.items() if now.get(path) not in (old, self.new.get(path))]
        return sum(len(str(self.old[path])) for path in gone if not CHANGED.search(path) or path not in now)

    def _torn(self, now: Mapping[str, object]) -> list[str]:
        """Outputs that belong together, and are not of one run."""
        group = self.command.together
        if all(now.get(path) == self.old.get(path) for path in group):
            return []
        return [path for path in group if now.get(path) != self.new.get(path)]

    def _repeat(self, verdict: Verdict, now: Mapping[str, object]) -> bool:
        """Repeat the command where it is not done, and compare with an undisturbed run."""
        bench, wrong = self.bench, verdict.wrong
        if now == self.new and self.command.again == "":  # done, and not to be done twice
            return True
        again = bench.run(f"{self.command.words} {self.command.again}")
        if now.get("m.agmm") == self.new.get("m.agmm") and "is in the ledger already" in again.said:
            return True  # the recording was added, and is not added twice
        if again.status not in (0, 3):
            wrong.append(f"again: {again.status} {again.said or again.err[-300:]}")
            return False
        now = contents(bench.out)
        left = [path for path in _names(bench.place) if HIDDEN.search(path)]
        wrong += [f"left at the end: {path}" for path in left]
        differing = [path for path in {**now, **self.new} if now.get(path) != self.new.get(path)]
        wrong += [f"other bytes at the end: {path}" for path in differing if path not in left]
        return not differing


def _faults_of(ran: Outcome, place: Path) -> Iterator[str]:
    """What is wrong with how a run ended, and with what it said."""
    if ran.status not in (0, 1, 3):
        yield f"status {ran.status}: {ran.err[-500:]}"
    if "Traceback" in ran.err or "internal error" in ran.err or "fault of audiogmm" in ran.err:
        yield f"said: {ran.err[-500:]}"
    elif ran.status == 1:
        if not re.search(r"; try: ", ran.said):
            yield f"says not what to do: {ran.said or ran.err[-300:]}"
        if str(place) not in ran.said:
            yield f"names no file: {ran.said}"


def _with_threads(arguments: list[str]) -> list[str]:
    """Add what makes the order of calls the same each time, where a command takes it."""
    without = ("report", "evaluate", "manifest", "speakers")
    return arguments if arguments[0] in without else [*arguments, "--threads", "1"]


def _names(folder: Path) -> list[str]:
    return [str(path.relative_to(folder)) for path in folder.rglob("*")]


@contextmanager
def bench() -> Iterator[Bench]:
    """Yield a bench in memory, with a server that has run each command once."""
    with quick_folder() as root, Server() as server:
        made = Bench(root, server)
        make_inputs(made.inputs)
        for name in ("rooms", "more"):
            made.warm_up(f"detect IN/diag.agmm IN/{name}.jsonl -o IN/found/{name}.jsonl")
        yield made
