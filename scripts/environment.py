"""Virtual environments for the scripts, made by Python alone: no shell is needed, on any system.

`run("demo", "[plot]", [...])` makes .venv-demo in the checkout, installs the checkout into it with its extra
`plot`, installs again when pyproject.toml changes, and runs that environment's Python. AUDIOGMM_PYTHON names
the interpreter to use; those below 3.11 are passed over. This file runs on Python 3.7 and newer, so that it
can say so.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OLDEST = (3, 11)
CANDIDATES = ("python3.14", "python3.13", "python3.12", "python3.11", "python3", "python")


def usable(python):
    """Return the version of an interpreter that is new enough and makes environments, else None."""
    code = "import ensurepip, sys, venv; print(*sys.version_info[:2])"
    try:
        told = subprocess.run(
            [python, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    version = tuple(map(int, told.stdout.split()))
    return version if version >= OLDEST else None


def find_python():
    """Return the interpreter to make environments with: the one named, this one, or the first on PATH."""
    for candidate in (os.environ.get("AUDIOGMM_PYTHON"), sys.executable, *CANDIDATES):
        found = candidate and shutil.which(candidate)
        if found and usable(found):
            return found
    sys.exit(
        "audiogmm needs Python 3.11 or newer with its venv module; none was found on PATH.\n"
        "Install one, or name it in the environment variable AUDIOGMM_PYTHON."
    )


def interpreter_of(folder):
    """Return the Python of a virtual environment."""
    return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def environment(name, extras):
    """Make the environment .venv-NAME where it is not there yet, and return its Python."""
    folder = ROOT / (".venv-" + name)
    python, stamp = interpreter_of(folder), folder / "installed"
    if not python.exists():
        base = find_python()
        print("making {} with Python {}.{}".format(folder.name, *usable(base)), file=sys.stderr)
        shutil.rmtree(str(folder), ignore_errors=True)
        subprocess.run([base, "-m", "venv", str(folder)], check=True)
    asked = (ROOT / "pyproject.toml").read_bytes()
    if not stamp.exists() or stamp.read_bytes() != asked:
        print(f"installing audiogmm{extras} into {folder.name} (minutes the first time)", file=sys.stderr)
        install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--editable"]
        subprocess.run([str(python), *install, str(ROOT) + extras], check=True)
        stamp.write_bytes(asked)
    return python


def run(name, extras, *commands):
    """Run commands of an environment's Python, and end with the status of the first that fails."""
    python = environment(name, extras)
    path = os.pathsep.join([str(python.parent), os.environ.get("PATH", "")])
    for command in commands:
        try:
            status = subprocess.run([str(python), *command], env=dict(os.environ, PATH=path)).returncode
        except KeyboardInterrupt:  # the command was told, too, and has said what to do
            status = 130
        if status:
            sys.exit(status)
