"""The house stands as drawn: imports point down, and each heavy package has one room."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "audiogmm"

GROUND = {"errors", "types", "timeline", "files", "threads"}

BELOW: dict[str, set[str]] = {
    "errors": set(),
    "types": set(),
    "timeline": set(),
    "files": set(),
    "threads": set(),
    "blocks": set(),
    "manifest": set(),
    "kernels": set(),
    "mixture": {"kernels"},
    "audio": {"kernels", "blocks", "manifest"},
    "training": {"blocks", "mixture", "kernels"},
    "scoring": {"blocks", "mixture"},
    "anomaly": {"scoring", "blocks", "mixture"},
    "verification": {"training", "scoring", "blocks", "mixture", "kernels"},
    "report": {"scoring", "anomaly", "verification", "blocks", "mixture"},
    "live": {"audio", "kernels", "manifest"},
    "dask_reduce": {"training", "blocks"},
    "synth": set(),
    "estimator": {"training", "scoring", "blocks", "mixture", "kernels"},
}
EVERY_ROOM = set(BELOW)
BELOW["jobs"] = set(EVERY_ROOM)
BELOW["cli"] = EVERY_ROOM | {"jobs"}
BELOW["__init__"] = EVERY_ROOM | {"jobs"}
BELOW["__main__"] = {"cli"}

ONLY_IN = {
    "numba": {"kernels"},
    "llvmlite": {"kernels"},
    "dask": {"dask_reduce"},
    "distributed": {"dask_reduce"},
    "click": {"cli"},
    "rich": {"cli"},
    "matplotlib": {"report"},
    "PIL": {"report"},
    "sklearn": {"estimator"},
    "sounddevice": {"live"},
}


def sources() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def room_of(path: Path) -> str:
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("path", sources(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_point_down(path: Path) -> None:
    room = room_of(path)
    for name in imports(path):
        parts = name.split(".")
        if parts[0] == "audiogmm" and len(parts) > 1 and parts[1] != "__version__":
            allowed = BELOW[room] | GROUND | {room}
            assert parts[1] in allowed, f"{path.relative_to(PACKAGE)} imports {name}: {room} stands below it"


@pytest.mark.parametrize("package", sorted(ONLY_IN))
def test_a_heavy_package_has_one_room(package: str) -> None:
    users = {room_of(path) for path in sources() if any(n.split(".")[0] == package for n in imports(path))}
    assert users <= ONLY_IN[package], f"{package} is imported in {sorted(users - ONLY_IN[package])}"


def test_every_room_is_drawn() -> None:
    assert {room_of(path) for path in sources()} <= set(BELOW)


def test_the_command_line_is_light() -> None:
    """`audiogmm --help` must not pay for what it does not use."""
    code = (
        "import sys, audiogmm, audiogmm.cli.main; "
        "heavy = {'numpy', 'scipy', 'numba', 'librosa', 'sklearn', 'rich', 'soundfile', 'distributed'}; "
        "print(*heavy & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
