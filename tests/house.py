"""The rules of the house, as functions that read a package and name what breaks them.

They take the folder of a package, so that `test_house` holds the real one to them, and shows by small wrong
packages that each rule can fail.
"""

from __future__ import annotations

import ast
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path

MOST_FILES = 30
"""Files in a folder at most, `__init__` not counted."""

LARGEST_ROOM = 1 / 8
"""Share of the package's lines that one room may have."""

MOST_PARAMETERS = 12


@cache
def parsed(path: Path) -> ast.Module:
    """The syntax tree of a file."""
    return ast.parse(path.read_text(encoding="utf-8"))


def files(package: Path) -> dict[str, Path]:
    """The modules of a package: dotted names, and their files."""
    found = {}
    for path in sorted(package.rglob("*.py")):
        parts = path.relative_to(package.parent).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imported_names(path: Path) -> Iterator[str]:
    """Every dotted name that a file imports, lazily or for types alone, too."""
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def imports(package: Path) -> dict[str, set[str]]:
    """For each module the modules of the package that it imports."""
    modules = files(package)
    found: dict[str, set[str]] = {}
    for module, path in modules.items():
        names = set()
        for name in imported_names(path):
            if name.split(".")[0] == package.name:
                names.add(name if name in modules else name.rpartition(".")[0])
        found[module] = {name for name in names if name in modules and name != module}
    return found


def room_of(module: str, package: Path) -> str:
    """The room of a module: its folder below the package, or itself where it stands beside the folders."""
    parts = module.split(".")[1:]
    if not parts or (package.joinpath(*parts)).is_dir():
        return "/".join(parts) or "__init__"
    return "/".join(parts[:-1]) or parts[0]


def circles(graph: Mapping[str, Iterable[str]]) -> list[list[str]]:
    """Groups of nodes that reach each other (Tarjan 1972)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found = []

    def visit(node: str) -> None:
        index[node] = low[node] = len(index)
        stack.append(node)
        for other in graph.get(node, ()):
            if other not in index:
                visit(other)
                low[node] = min(low[node], low[other])
            elif other in stack:
                low[node] = min(low[node], index[other])
        if low[node] == index[node]:
            group = stack[stack.index(node) :]
            del stack[-len(group) :]
            if len(group) > 1:
                found.append(sorted(group))

    for node in graph:
        if node not in index:
            visit(node)
    return found


def file_circles(package: Path) -> list[str]:
    """Circles of files."""
    return [" <-> ".join(group) for group in circles(imports(package))]


def reach(rights: Mapping[str, str]) -> dict[str, set[str]]:
    """What each room may import: what is named, and what those may."""
    found: dict[str, set[str]] = {}

    def of(room: str) -> set[str]:
        if room not in found:
            found[room] = set()
            for other in rights[room].split():
                found[room] |= {other} | of(other)
        return found[room]

    for room in rights:
        of(room)
    return found


def forbidden_imports(package: Path, rights: Mapping[str, str], ground: str) -> list[str]:
    """Imports of a room that its rights do not hold, and rooms without any."""
    allowed = reach(rights)
    found = []
    for module, others in imports(package).items():
        room = room_of(module, package)
        if room not in rights:
            found.append(f"{module}: no rights are written down for the room {room}")
            continue
        for other in sorted(others):
            theirs = room_of(other, package)
            if theirs not in allowed[room] | {room} | set(ground.split()):
                found.append(f"{module} imports {other}: {room} may not import {theirs}")
    return found


def foreign_imports(package: Path, only_in: Mapping[str, str]) -> list[str]:
    """Imports of a package that only some rooms may import."""
    return [
        f"{module} imports {name}: only {only_in[name.split('.')[0]]} may"
        for module, path in files(package).items()
        for name in imported_names(path)
        if name.split(".")[0] in only_in
        and room_of(module, package).split("/")[0] not in only_in[name.split(".")[0]].split()
    ]


def large_folders(package: Path, most: int = MOST_FILES) -> list[str]:
    """Folders with too many files."""
    count = Counter(path.parent for path in files(package).values() if path.name != "__init__.py")
    return [f"{folder.relative_to(package.parent)}: {n} files" for folder, n in count.items() if n > most]


def large_rooms(package: Path, share: float = LARGEST_ROOM) -> list[str]:
    """Rooms, with their sub-rooms, that hold too much of the package."""
    lines: Counter[str] = Counter()
    for module, path in files(package).items():
        lines[room_of(module, package).split("/")[0]] += path.read_text(encoding="utf-8").count("\n")
    return [f"{room}: {n} of {lines.total()} lines" for room, n in lines.items() if n > share * lines.total()]


def wide_functions(package: Path, most: int = MOST_PARAMETERS, except_in: str = "kernels") -> list[str]:
    """Functions of too many parameters."""
    found = []
    for module, path in files(package).items():
        if room_of(module, package).split("/")[0] in except_in.split():
            continue
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                given = node.args
                n = len(given.posonlyargs) + len(given.args) + len(given.kwonlyargs)
                if n > most:
                    found.append(f"{module}.{node.name}: {n} parameters")
    return found


def classes_of_one_name(package: Path, except_in: str = "kernels") -> list[str]:
    """Public class names that stand for several things."""
    homes: dict[str, list[str]] = defaultdict(list)
    for module, path in files(package).items():
        for node in parsed(path).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                homes[node.name].append(module)
    return [f"{name}: {', '.join(where)}" for name, where in homes.items() if len(where) > 1]


def faceless_rooms(package: Path) -> list[str]:
    """Rooms whose `__init__` says nothing of them, or whose exported names a file of theirs would hide."""
    found = []
    for module, path in files(package).items():
        if path.name != "__init__.py":
            continue
        tree = parsed(path)
        if not ast.get_docstring(tree):
            found.append(f"{module}: no docstring")
        beside = {p.stem for p in path.parent.iterdir() if p.suffix == ".py" or (p / "__init__.py").exists()}
        for block in tree.body:
            if isinstance(block, ast.If) and ast.unparse(block.test) == "TYPE_CHECKING":
                names = {a.name for n in block.body if isinstance(n, ast.ImportFrom) for a in n.names}
                found += [f"{module}: a file hides {name}" for name in sorted(names & beside)]
    return found


def longest_body(package: Path) -> str:
    """The function with the most lines below its docstring, kernels aside."""
    found = [(0, "")]
    for module, path in files(package).items():
        if room_of(module, package).split("/")[0] == "kernels":
            continue
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.FunctionDef):
                body = node.body[1:] if ast.get_docstring(node) and len(node.body) > 1 else node.body
                found.append(((body[-1].end_lineno or 0) - body[0].lineno + 1, f"{module}.{node.name}"))
    return "{1}, {0} lines".format(*max(found))


def print_figures(package: Path) -> None:
    """Print files and lines of each room, and the extremes that the rules bound."""
    modules = files(package)
    per_room: dict[str, list[int]] = defaultdict(list)
    for module, path in modules.items():
        per_room[room_of(module, package)].append(path.read_text(encoding="utf-8").count("\n"))
    for room, lines in sorted(per_room.items()):
        print(f"{room:28}{len(lines):4} files {sum(lines):6} lines")
    folders = Counter(path.parent for path in modules.values())
    (largest, n), *_ = folders.most_common(1)
    print(f"all: {len(modules)} files, {sum(map(sum, per_room.values()))} lines")
    print(f"largest folder: {largest.relative_to(package.parent)}, {n} files")
    print(f"circles of files: {len(file_circles(package))}")
    widest = max(wide_functions(package, 0), key=lambda text: int(text.split()[-2]))
    print(f"most parameters: {widest}")
    print(f"longest body: {longest_body(package)}")
    print(f"class names that stand for several things: {len(classes_of_one_name(package))}")


if __name__ == "__main__":  # python -m tests.house [PACKAGE]
    print_figures(Path(sys.argv[1] if len(sys.argv) > 1 else "audiogmm").resolve())
