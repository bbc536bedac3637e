#!/usr/bin/env python3
"""Change one operator, constant or statement at a time, and say which changes no test notices.

    python scripts/check_mutants.py --count 100                     # of all four rooms
    python scripts/check_mutants.py scoring --count 20 --seed 7 --copy /var/tmp/mutants

Mutants are drawn from a seed over the syntax trees of `mixture/`, `training/`, `scoring/` and `anomaly/`,
file by file: comparisons, arithmetic, numbers, conditions, returned values, the order of arguments, and
statements that are left out. `kernels/` is left aside: each mutant would be compiled. What a message says,
and annotations, are not changed. Each mutant runs in a copy of the repository, with its own doctests, the
tests named after its file and those that import it (or its importers, where there are none), as many as pass
in `--seconds`; a survivor may be killed by a test that was left out. Kernels are compiled once a copy: give
`--copy` to keep it. Needs fork, so not Windows, and the extra `dev`.
"""

from __future__ import annotations

import argparse
import ast
import copy
import importlib.util
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import NoReturn

import hypothesis.strategies  # noqa: F401 - imported once, for all forks
import numba  # noqa: F401
import pytest
import scipy.stats  # noqa: F401
import sklearn.mixture  # noqa: F401
import soundfile  # noqa: F401

ROOT = Path(__file__).parent.parent
ROOMS = ("mixture", "training", "scoring", "anomaly")
COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
    ast.Pow: ast.Mult,
    ast.MatMult: ast.Mult,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
}

PYTEST = ("-xq", "-pno:cacheprovider", "--hypothesis-seed=0", "-Wignore::pytest.PytestAssertRewriteWarning")


@dataclass(frozen=True)
class Mutant:
    """A place in a file, and what is put there.

    Attributes
    ----------
    file : str
        Its path from the top folder.
    kind : str
    start, stop : int
        Offsets in the file's bytes.
    text : str
    """

    file: str
    kind: str
    start: int
    stop: int
    text: str

    def apply(self, source: bytes) -> bytes:
        """Return the source with the change."""
        return source[: self.start] + self.text.encode() + source[self.stop :]

    def describe(self, source: bytes) -> str:
        """Return the changed line before and after."""
        first = source.rfind(b"\n", 0, self.start) + 1
        last = source.find(b"\n", self.stop)
        now = source[first : self.start] + self.text.encode() + source[self.stop : last]
        before, after = (" ".join(text.decode().split()) for text in (source[first:last], now))
        row = source[:first].count(b"\n") + 1
        return f"{self.file}:{row} {self.kind}\n  - {before}\n  + {after}"


def mutants_of(file: str, source: bytes) -> list[Mutant]:
    """Return all mutants of a file."""
    lines = source.splitlines(keepends=True)
    begin = [0]
    for line in lines:
        begin.append(begin[-1] + len(line))
    found = []
    for kind, node, new in changes(ast.parse(source)):
        text = "pass" if new is None else ast.unparse(new)
        if isinstance(new, ast.expr):
            text = f"({text})"
        start = begin[node.lineno - 1] + node.col_offset
        stop = begin[(node.end_lineno or 0) - 1] + (node.end_col_offset or 0)
        found.append(Mutant(file, kind, start, stop, text))
    return found


def changes(node: ast.AST) -> Iterator[tuple[str, ast.expr | ast.stmt, ast.expr | ast.stmt | None]]:
    """Yield the kind of change, the node, and what takes its place (None: nothing), of a tree."""
    if isinstance(node, ast.expr):
        yield from ((kind, node, new) for kind, new in changed_expression(node))
    elif isinstance(node, ast.stmt):
        yield from ((kind, node, new) for kind, new in changed_statement(node))
    if isinstance(node, ast.If | ast.While):
        yield "condition", node.test, ast.UnaryOp(ast.Not(), node.test)
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns", "decorator_list"):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST) and not is_left_aside(child):
                yield from changes(child)


def is_left_aside(node: ast.AST) -> bool:
    """Return whether nothing below a node is changed: texts, messages, imports for types."""
    return (
        isinstance(node, ast.JoinedStr)
        or (isinstance(node, ast.Call) and getattr(node.func, "id", "").endswith(("Error", "Warning")))
        or (isinstance(node, ast.If) and getattr(node.test, "id", "") == "TYPE_CHECKING")
    )


def changed_expression(node: ast.expr) -> Iterator[tuple[str, ast.expr]]:
    """Yield an expression with one change."""
    new = copy.deepcopy(node)
    if isinstance(new, ast.Compare):
        new.ops[0] = COMPARISONS[type(new.ops[0])]()
        yield "comparison", new
    elif isinstance(new, ast.BinOp) and type(new.op) in ARITHMETIC:
        if not any(isinstance(side, ast.JoinedStr) or is_text(side) for side in (new.left, new.right)):
            new.op = ARITHMETIC[type(new.op)]()
            yield "arithmetic", new
    elif isinstance(new, ast.BoolOp):
        new.op = ast.And() if isinstance(new.op, ast.Or) else ast.Or()
        yield "and/or", new
    elif isinstance(new, ast.UnaryOp) and isinstance(new.op, ast.Not | ast.USub):
        yield "sign or not", new.operand
    elif isinstance(new, ast.IfExp):
        new.test = ast.UnaryOp(ast.Not(), new.test)
        yield "condition", new
    elif isinstance(new, ast.Call) and len(new.args) > 1 and ast.dump(new.args[0]) != ast.dump(new.args[1]):
        if not any(isinstance(argument, ast.Starred) for argument in new.args[:2]):
            new.args[:2] = new.args[1::-1]
            yield "arguments", new
    elif isinstance(new, ast.Constant) and isinstance(new.value, bool):
        yield "constant", ast.Constant(not new.value)
    elif isinstance(new, ast.Constant) and isinstance(new.value, int | float):
        yield "constant", ast.Constant(new.value + 1)
        yield "constant", ast.Constant(new.value - 1)


def is_text(node: ast.expr) -> bool:
    """Return whether an expression is a text."""
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def changed_statement(node: ast.stmt) -> Iterator[tuple[str, ast.stmt | None]]:
    """Yield a statement with one change; None where it is left out."""
    if isinstance(node, ast.Return) and node.value and ast.unparse(node.value) != "None":
        yield "return", ast.Return(ast.Constant(None))
    is_step = isinstance(node, ast.AugAssign | ast.Raise | ast.Continue | ast.Break)
    is_call = isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)
    is_kept = isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Attribute | ast.Subscript)
    if is_step or is_call or is_kept:
        yield "left out", None


class Bench:
    """A copy of the repository, in which mutants are tried.

    Parameters
    ----------
    folder : Path
        The copy; made where there is none.
    seconds : float
        Longest run of the tests of one file, without a fault.
    """

    def __init__(self, folder: Path, seconds: float) -> None:
        self.folder, self.seconds = folder, seconds
        if not (folder / ".git").exists():
            subprocess.run(["git", "clone", "-q", str(ROOT), str(folder)], check=True)
        self.texts = {path: path.read_text() for path in sorted((folder / "tests").rglob("test_*.py"))}
        self._lasts: dict[str, float] = {}

    @cache  # noqa: B019 - one bench a process
    def tests_of(self, file: str) -> tuple[list[str], float]:
        """Return the tests that a file's mutants run, and how long they take; none if not one passes."""
        chosen, total = [], 0.0
        for test in self._candidates(file):
            if total > self.seconds / 2:
                break
            if test not in self._lasts:
                start = time.monotonic()
                status = self._run([test], 4 * self.seconds)  # may have to compile
                self._lasts[test] = time.monotonic() - start if status == 0 else float("inf")
            if total + self._lasts[test] <= self.seconds:
                chosen.append(test)
                total += self._lasts[test]
        return chosen, total

    def _candidates(self, file: str) -> list[str]:
        """Return the file's doctests, the tests named after it, and those that import it or its importers."""
        path = Path(file)
        named = Path("tests", *path.parts[1:-1], f"test_{path.name}")
        package = (self.folder / "audiogmm").rglob("*.py")
        users = [other for other in package if imports(file, other.read_text())]
        found = [file] if ">>>" in (self.folder / file).read_text() else []
        found += [str(named)] if (self.folder / named).exists() else []
        direct = [test for test, text in self.texts.items() if imports(file, text)]
        above = [
            test
            for test, text in self.texts.items()
            if any(imports(str(user.relative_to(self.folder)), text) for user in users)
        ]
        room = str(self.folder / "tests" / path.parts[1])
        direct = direct or [test for test in above if str(test).startswith(room)]
        found += [str(test.relative_to(self.folder)) for test in direct]
        return list(dict.fromkeys(found))

    def survives(self, mutant: Mutant, tests: list[str], limit: float) -> bool:
        """Return whether all tests pass with the change."""
        path = self.folder / mutant.file
        source = path.read_bytes()
        try:
            self._write(path, mutant.apply(source))
            return self._run(tests, limit) == 0
        finally:
            self._write(path, source)

    def _write(self, path: Path, source: bytes) -> None:
        path.write_bytes(source)
        Path(importlib.util.cache_from_source(str(path))).unlink(missing_ok=True)  # same second, same size

    def _run(self, tests: list[str], limit: float) -> int:
        """Run tests in a fork, which has the libraries, and return the status, -1: too long."""
        child = os.fork()
        if child == 0:
            self._test(tests)
        end = time.monotonic() + limit
        while time.monotonic() < end:
            pid, status = os.waitpid(child, os.WNOHANG)
            if pid:
                return os.waitstatus_to_exitcode(status)
            time.sleep(0.02)
        os.killpg(child, signal.SIGKILL)
        os.waitpid(child, 0)
        return -1

    def _test(self, tests: list[str]) -> NoReturn:
        status = 1
        try:
            os.setsid()
            os.chdir(self.folder)
            os.environ["PYTHONPATH"] = sys.path[0] = str(self.folder)
            for stream in (1, 2):
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream)
            status = pytest.main([*PYTEST, *tests])
        finally:
            os._exit(status)


@cache
def _pattern(file: str) -> re.Pattern[str]:
    package, _, name = file.removesuffix(".py").replace("/", ".").rpartition(".")
    return re.compile(
        rf"(from|import) {re.escape(package)}\.{name}\b|from {re.escape(package)} import \(?[^)\n]*\b{name}\b"
    )


def imports(file: str, text: str) -> bool:
    """Return whether a text imports the module of a file."""
    return bool(_pattern(file).search(text))


def main() -> int:
    """Try mutants, print each survivor and a table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("rooms", nargs="*", help=f"rooms, or files of them; {' '.join(ROOMS)} by default")
    parser.add_argument("--count", type=int, default=80)
    parser.add_argument("--each", type=int, default=5, help="mutants of a file, of files drawn one by one")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=30.0, help="longest run of a file's tests")
    parser.add_argument("--copy", type=Path, help="where the copy of the repository is kept")
    parser.add_argument("--until", default="24:00", help="no mutant is begun after this time of day")
    given = parser.parse_args()
    files = []
    for room in given.rooms or ROOMS:
        path = ROOT / "audiogmm" / room
        files += sorted(path.rglob("*.py")) if path.is_dir() else [path]
    with tempfile.TemporaryDirectory(prefix="mutants-") as temporary:
        bench = Bench((given.copy or Path(temporary, "copy")).resolve(), given.seconds)
        return try_mutants(bench, [str(file.relative_to(ROOT)) for file in files], given)


def try_mutants(bench: Bench, files: list[str], given: argparse.Namespace) -> int:
    """Draw mutants of files, try them, and print what became of them; return the exit status."""
    sources = {file: (bench.folder / file).read_bytes() for file in files if "__init__" not in file}
    draw = random.Random(given.seed)
    every = []
    for file in draw.sample(list(sources), len(sources)):
        found = mutants_of(file, sources[file])
        every += draw.sample(found, min(given.each, len(found)))
    counts: Counter[tuple[str, str]] = Counter()
    for mutant in every:
        if sum(counts[key] for key in counts if key[1] != "no tests") >= given.count:
            break
        if time.strftime("%H:%M") >= given.until:
            print(f"stopped at {given.until}")
            break
        tests, seconds = bench.tests_of(mutant.file)
        became = "no tests"
        if tests:
            became = "survived" if bench.survives(mutant, tests, 3 * seconds + 30) else "killed"
        counts[mutant.file.split("/")[1], became] += 1
        print(f"{became}: {mutant.describe(sources[mutant.file])}", flush=True)
    print("\n| room | mutants | killed | survived | no tests within the time |\n|---|---|---|---|---|")
    for room in sorted({room for room, _ in counts}):
        killed, survived, none = (counts[room, became] for became in ("killed", "survived", "no tests"))
        print(f"| {room} | {killed + survived} | {killed} | {survived} | {none} |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
