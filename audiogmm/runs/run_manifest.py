"""The run manifest: what made an output, from which it can be made again, in a small file beside it."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from audiogmm.checksum import is_intact, sealed
from audiogmm.content_hash import hash_blocks, hash_file
from audiogmm.documents import parse_document
from audiogmm.errors import ManifestError
from audiogmm.escapes import ESCAPED
from audiogmm.files import replacing
from audiogmm.reading import reading
from audiogmm.run_id import run_id
from audiogmm.types import Json
from audiogmm.version import __version__

SUFFIX = ".run.json"
FORMAT = "audiogmm run 3"
KEY = "run"
"""The field with the manifest, beside what `report` reads of a detection run."""

WHOLE = 256 << 20
"""Bytes of a file of which all are hashed; of a longer input, spread blocks."""

_PACKAGES = ("numpy", "scipy", "numba", "soundfile", "soxr", "safetensors")
_NEITHER = (".journal", ".inputs.jsonl", ".errors.jsonl", SUFFIX, ".lock", ".sqlite", "-wal", "-shm")
"""Ends of names of files that say how a run went, or that change when they are read."""


@dataclass(frozen=True)
class RunManifest:
    """What made an output.

    Attributes
    ----------
    arguments : sequence of str
        Those of the command line, the command first.
    folder : str
        The working folder.
    started, finished : str
        ISO 8601.
    inputs, outputs : dict
        Hashes by path, as it was given; those of an output's files by their names below it ("" for itself).
    versions : dict
        Of audiogmm, Python, the machine, and what numbers depend on.
    run_id : str
    threads : int or None
        As it was given.
    seed : int or None
    """

    arguments: Sequence[str]
    folder: str
    started: str
    finished: str = ""
    inputs: dict[str, str] = field(default_factory=dict)
    outputs: dict[str, dict[str, str]] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    run_id: str = ""
    threads: int | None = None
    seed: int | None = None

    def write(self, output: Path) -> Path:
        """Write it beside an output; what `detect` wrote there stays in it.

        Raises
        ------
        OutputError
            If it cannot be written.
        """
        path = manifest_path(output)
        document: Json = {"format": FORMAT}
        with suppress(OSError, ValueError, RecursionError):
            found = parse_document(path.read_bytes())
            if is_intact(found) and KEY not in found:  # the job has just written it
                document = found
        row = sealed(document | {KEY: asdict(self)})
        with replacing(path, force=True) as temporary:
            temporary.write_text(json.dumps(row, ensure_ascii=False, indent=1) + "\n", "utf-8", ESCAPED)
        return path

    @classmethod
    def read(cls, path: Path) -> RunManifest:
        """Read a manifest.

        Raises
        ------
        ManifestError
            If it is none, or damaged.
        """
        needed = {"needed": "the OUTPUT.run.json that a command wrote", "remedy": "the command itself"}
        with reading(path, ManifestError, **needed, what="is no run manifest"):
            document = parse_document(path.read_bytes())
            if not is_intact(document):
                raise ValueError("its content does not have its checksum")
            found = cls(**document[KEY])
            texts = [*found.arguments, found.folder, *found.inputs, *found.inputs.values(), *found.outputs]
            texts += [text for files in found.outputs.values() for pair in files.items() for text in pair]
            if not all(isinstance(text, str) for text in texts) or not isinstance(found.arguments, list):
                raise TypeError("an argument, a path or a hash that is no text")
        return found


def begin(
    arguments: Sequence[str], inputs: Sequence[Path], threads: int | None, seed: int | None
) -> RunManifest:
    """Begin the manifest of a run: before it, since an update in place changes what it reads."""
    return RunManifest(
        arguments=list(arguments),
        folder=str(Path.cwd()),
        started=_now(),
        inputs={str(path): hash_input(path) for path in inputs if path.exists()},
        versions=_versions(),
        run_id=run_id(),
        threads=threads,
        seed=seed,
    )


def end(manifest: RunManifest, outputs: Sequence[Path], *, goes_on: bool = False) -> RunManifest:
    """Return the manifest of a run that has ended, with the hashes of what it, or the run before, wrote."""
    since = datetime.fromisoformat(manifest.started).timestamp() - 2  # of a coarse file system
    since = 0.0 if goes_on else since
    hashes = {str(path): hash_output(path, since) for path in outputs}
    return RunManifest(**{**vars(manifest), "finished": _now(), "outputs": hashes})


def is_recorded(output: Path) -> bool:
    """Return whether an output can have a manifest beside it: a file or a folder, no device or pipe."""
    return str(output) != "-" and (output.is_file() or output.is_dir())


def hash_input(path: Path) -> str:
    """Return the hash of a file or a folder that a command reads; "" of what is neither.

    Examples
    --------
    >>> hash_input(Path(__file__))[:7], hash_input(Path("/dev/null"))
    ('sha256:', '')
    """
    if path.is_file():
        whole = path.stat().st_size <= WHOLE
        return f"sha256:{hash_file(path)}" if whole else f"blocks:{hash_blocks(path)}"
    if not path.is_dir():
        return ""
    digest = hashlib.sha256()
    for file in _files(path):
        digest.update(f"{file.relative_to(path)} {hash_blocks(file)}\n".encode(errors="surrogateescape"))
    return f"folder:{digest.hexdigest()}"


def hash_output(path: Path, since: float = 0.0) -> dict[str, str]:
    """Return the SHA-256 of an output, or of each file of a folder that was written since a time."""
    if path.is_file():
        return {"": hash_file(path)}
    files = (file for file in _files(path) if file.stat().st_mtime >= since)
    return {str(file.relative_to(path)): hash_file(file) for file in files}


def manifest_path(output: Path) -> Path:
    """Return where the manifest of the run that wrote `output` is."""
    return output.with_name(output.name + SUFFIX)


def _files(folder: Path) -> Iterator[Path]:
    for root, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            file = Path(root, name)
            if not name.startswith(".") and not name.endswith(_NEITHER) and file.is_file():
                yield file


def _versions() -> dict[str, str]:
    found = {"audiogmm": __version__, "python": platform.python_version(), "machine": platform.machine()}
    found["system"] = sys.platform
    for package in _PACKAGES:
        with suppress(PackageNotFoundError):
            found[package] = version(package)
    return found


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
