"""Run a share of the tests with the lowest and with the newest versions of all dependencies.

    python scripts/test_versions.py [ARGUMENT]...

Two environments beside the checkout, made again when pyproject.toml changes, run at the same time:
.venv-lowest has the oldest Python allowed and the lower bounds of pyproject.toml, .venv-newest the newest
Python found (on PATH, or of pyenv) and what pip takes today. Arguments go to pytest.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from shutil import which

from environment import CANDIDATES, ROOT, interpreter_of, usable

SHARE = (
    "tests/manifest/test_schema.py",
    "tests/audio/matrix",
    "tests/audio/decoders/test_wave_decoder.py",
    "tests/estimator/test_plain.py",
    "tests/evaluation/detection/test_matching.py",
    "tests/runs/test_sources.py",
    "tests/jobs/test_inspect.py",
    "tests/test_golden.py",
)
"""Tests of what dependencies do: tables, decoders, numbers, data frames, models of 0.1, whole runs."""

OF_THEIR_TIME = ["pyparsing<3.3"]
"""What the oldest dependencies bring: with a newer pyparsing matplotlib 3.9 warns, which fails tests."""

EXTRAS = ("plot", "interop", "test")


def lower_bounds() -> list[str]:
    """Return the lower bound of each dependency, of the package and of its extras, as a constraint."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    optional = project["optional-dependencies"]
    asked = [*project["dependencies"], *(line for extra in EXTRAS for line in optional.get(extra, ()))]
    found = (re.match(r"([\w.-]+)(?:\[.*\])?\s*>=\s*([\w.]+)", line) for line in asked)
    return [f"{bound[1]}=={bound[2]}" for bound in found if bound] + OF_THEIR_TIME


def pythons() -> dict[tuple[int, int], str]:
    """Return the interpreters that can be had, by version."""
    paths = [which(name) for name in (*CANDIDATES, os.environ.get("AUDIOGMM_PYTHON", sys.executable))]
    paths += map(str, Path.home().glob(".pyenv/versions/*/bin/python"))
    return {version: path for path in paths if path and (version := usable(path))}


def install(name: str, python: str, constraints: list[str]) -> Path:
    """Make an environment where it is not there yet, and return its Python."""
    folder = ROOT / f".venv-{name}"
    inside, stamp, bounds = interpreter_of(folder), folder / "installed", folder / "constraints.txt"
    asked = "\n".join([python, *constraints, (ROOT / "pyproject.toml").read_text(encoding="utf-8")])
    if not stamp.exists() or stamp.read_text(encoding="utf-8") != asked:
        subprocess.run([python, "-m", "venv", "--clear", str(folder)], check=True)
        bounds.write_text("\n".join(constraints), encoding="utf-8")
        pip = [str(inside), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, "-c", str(bounds), "--editable", f"{ROOT}[test]"], check=True)
        stamp.write_text(asked, encoding="utf-8")
    return inside


def main(arguments: list[str]) -> int:
    """Test both; the exit status is 1 if one fails."""
    found = pythons()
    oldest, newest = min(found), max(found)
    runs = {
        f"Python {'.'.join(map(str, oldest))}, lowest versions": ("lowest", found[oldest], lower_bounds()),
        f"Python {'.'.join(map(str, newest))}, newest versions": ("newest", found[newest], []),
    }
    started = {}
    for name, (short, python, constraints) in runs.items():
        inside = install(short, python, constraints)
        command = [str(inside), "-m", "pytest", "-q", "-p", "no:cacheprovider", *(arguments or SHARE)]
        with (ROOT / f".venv-{short}" / "tests.log").open("wb") as log:
            started[name] = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=subprocess.STDOUT)
    status = 0
    for name, process in started.items():
        failed = process.wait() != 0
        status |= failed
        log = ROOT / f".venv-{runs[name][0]}" / "tests.log"
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
        print(f"{name}: {'failed' if failed else 'passed'}")
        print("\n".join(f"  {line}" for line in lines[-40 if failed else -1 :]))
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
