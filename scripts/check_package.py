"""Build the sdist and the wheel, and run tests of the installed wheel outside the checkout.

    python scripts/check_package.py [--keep DIR] [ARGUMENT]...

In a temporary folder: copies what git tracks, builds the sdist and from it the wheel, installs the wheel
into a fresh environment, checks its metadata, calls the command, and runs tests that the sdist brings
against it. DIR takes both files. Arguments go to pytest; by default a share of the tests. AUDIOGMM_PYTHON
names an interpreter.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from environment import ROOT, find_python, interpreter_of

SHARE = (
    "tests/manifest/test_schema.py",
    "tests/test_api.py",
    "tests/test_files.py",
    "tests/jobs/test_inspect.py",
)
"""Of files that the sdist must hold, of the command line, of a model from end to end."""

METADATA = """
from importlib.metadata import metadata
import audiogmm
about = metadata("audiogmm")
assert about["Version"] == audiogmm.__version__, about["Version"]
assert about["License-Expression"] == "MIT" and about["Requires-Python"], about
assert {"Homepage", "Issues"} <= {url.split(",")[0] for url in about.get_all("Project-URL")}
assert "Programming Language :: Python :: 3.13" in about.get_all("Classifier")
assert "scripts/demo" in about.get_payload()
print(audiogmm.__file__)
"""


def call(*command: object, cwd: Path) -> str:
    """Run a command, and return what it prints; what it says goes to standard error."""
    words = [str(word) for word in command]
    print("$", " ".join(words[:6]), file=sys.stderr, flush=True)
    return subprocess.run(words, cwd=cwd, check=True, stdout=subprocess.PIPE, text=True).stdout


def main(arguments: list[str]) -> None:
    """Build, install and test."""
    with tempfile.TemporaryDirectory(prefix="audiogmm-package-") as name:
        folder = Path(name)
        copy, dist = folder / "copy", folder / "dist"
        for path in call("git", "ls-files", cwd=ROOT).splitlines():
            (copy / path).parent.mkdir(parents=True, exist_ok=True)
            (copy / path).write_bytes((ROOT / path).read_bytes())
        call(find_python(), "-m", "venv", folder / "venv", cwd=folder)
        python = interpreter_of(folder / "venv")
        install = (python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
        call(*install, "build", cwd=folder)
        call(python, "-m", "build", "--outdir", dist, copy, cwd=folder)
        (wheel,), (sdist,) = dist.glob("*.whl"), dist.glob("*.tar.gz")
        print(f"{wheel.name}: {wheel.stat().st_size >> 10} KB; {sdist.name}: {sdist.stat().st_size >> 10} KB")
        call(*install, f"{wheel}[dev]", cwd=folder)
        with tarfile.open(sdist) as archive:
            archive.extractall(folder, filter="data")
        unpacked = folder / sdist.name.removesuffix(".tar.gz")
        (unpacked / "audiogmm").rename(folder / "source")  # tests must find the installed package
        where = call(python, "-c", METADATA, cwd=unpacked)
        assert str(folder / "venv") in where, where
        print(call(python, "-m", "audiogmm", "--version", cwd=folder), end="")
        if arguments[:1] == ["--keep"]:
            Path(arguments[1]).mkdir(parents=True, exist_ok=True)
            for file in (wheel, sdist):
                shutil.copy(file, arguments[1])
            arguments = arguments[2:]
        tests = arguments or list(SHARE)
        command = [str(python), "-m", "pytest", "-q", "-p", "no:cacheprovider", "-n", "2", *tests]
        status = subprocess.run(command, cwd=unpacked).returncode
        print(f"the installed package {'passes' if status == 0 else 'fails'}: {' '.join(tests)}")
        sys.exit(status)


if __name__ == "__main__":
    main(sys.argv[1:])
