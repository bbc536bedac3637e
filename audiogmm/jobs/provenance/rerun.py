"""Rerun: is everything as it was, and does a run give the same bytes again?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from audiogmm.content_hash import hash_blocks
from audiogmm.errors import AudioGMMError, ManifestError
from audiogmm.files import refuse_overwrite
from audiogmm.manifest.entry import STANDARD_INPUT, is_url
from audiogmm.manifest.inside import outer_path
from audiogmm.reprs import lines_repr
from audiogmm.runs.input_rows import DONE, InputLedger
from audiogmm.runs.run_manifest import RunManifest, hash_input, hash_output
from audiogmm.temporaries import owner_mark, remove, sweep
from audiogmm.types import Json
from audiogmm.words import amount


@dataclass(frozen=True)
class RerunResult:
    """How a repeated run compares with the first.

    Attributes
    ----------
    output : Path or None
        Where it was written; None where it was only compared.
    changed : tuple of str
        Inputs that are not as they were.
    equal : int
        Files that are equal to the byte.
    different : tuple of str
        Files that are not, or that only one of the two runs wrote.
    is_done : bool
        Whether it was repeated at all.
    unknown : tuple of str
        URLs among its arguments, whose content is not compared.
    """

    output: Path | None
    changed: tuple[str, ...]
    equal: int = 0
    different: tuple[str, ...] = ()
    is_done: bool = True
    unknown: tuple[str, ...] = ()

    __repr__ = lines_repr

    @property
    def is_equal(self) -> bool:
        """Whether all files are equal."""
        return self.is_done and not self.different and self.equal > 0

    def summary(self) -> Json:
        """Return what `--json` prints."""
        return {
            "output": None if self.output is None else str(self.output),
            "changed": list(self.changed),
            "unknown": list(self.unknown),
            "repeated": self.is_done,
            "equal": self.equal,
            "different": list(self.different),
        }

    def lines(self) -> Iterator[str]:
        """Yield the closing lines."""
        for path in self.changed:
            yield f"changed since the run: {path}"
        for url in self.unknown:
            yield f"not compared: {url}"
        if not self.is_done:
            why = "inputs have changed" if self.changed else "a URL may have other content now"
            yield f"not repeated: {why} (--anyway repeats it all the same)"
            return
        for name in self.different:
            yield f"different: {name}"
        yield (
            f"{amount(self.equal, 'file')} equal to the byte"
            + (f", {len(self.different):,} different" if self.different else "")
            + ("" if self.output is None else f": {self.output}")
        )


@dataclass(frozen=True)
class Rerun:
    """A run that is to be repeated.

    Attributes
    ----------
    manifest : RunManifest
    first : Path
        The output of the first run, where it lay.
    output : Path or None
        That of this one; None to compare only.
    """

    manifest: RunManifest
    first: Path
    output: Path | None

    @classmethod
    def of(cls, path: Path, commands: Sequence[str], output: Path | None) -> Rerun:
        """Read a run manifest, and check that its command is one of `commands`.

        Raises
        ------
        ManifestError
            If it is not a run manifest, of another command, or of one that read standard input.
        OutputError
            If the output exists, or cannot be written.
        """
        manifest = RunManifest.read(path)
        words = " ".join(manifest.arguments[:2])
        if not any(words == each or words.startswith(f"{each} ") for each in commands):
            raise ManifestError(
                f"{path}: the command {words!r} is not repeated", needed=f"one of {', '.join(commands)}"
            )
        if STANDARD_INPUT in manifest.arguments:
            raise ManifestError(
                f"{path}: the command read standard input, which nobody kept",
                needed="a command that read files",
                remedy="the command again, as it was typed",
            )
        if not Path(manifest.folder).is_dir() or not manifest.outputs:
            raise ManifestError(
                f"{path}: its working folder {manifest.folder} does not exist, or it wrote nothing",
                needed="the folder in which the command was typed",
                remedy="put it back where it was, or type the command again",
            )
        if output is not None:
            output = output.absolute()
            refuse_overwrite(output, force=False)
        return cls(manifest, Path(manifest.folder, next(iter(manifest.outputs))), output)

    @property
    def arguments(self) -> list[str]:
        """Of the command line."""
        return list(self.manifest.arguments)

    @property
    def folder(self) -> Path:
        """The working folder."""
        return Path(self.manifest.folder)

    def changed_inputs(self) -> tuple[str, ...]:
        """Return the inputs that are not as they were: those of the command line, and recordings."""
        inputs = self.manifest.inputs.items()
        changed = [path for path, hash in inputs if hash_input(self.folder / path) != hash]
        try:
            for row in InputLedger.of(self.first).rows():
                path = self.folder / outer_path(row.path) if row.path else None
                if row.state == DONE and path and row.content and hash_blocks(path) != row.content:
                    changed.append(row.path)
        except AudioGMMError:  # no ledger: the bytes will tell
            pass
        return tuple(dict.fromkeys(changed))

    @property
    def unknown_inputs(self) -> tuple[str, ...]:
        """The URLs among the arguments."""
        values = (each.partition("=")[2] if each.startswith("--") else each for each in self.arguments)
        return tuple(each for each in values if is_url(each))

    def refused(self, changed: tuple[str, ...]) -> RerunResult:
        """Return the result of a run that is not repeated."""
        return RerunResult(None, changed, is_done=False, unknown=self.unknown_inputs)

    @contextmanager
    def place(self) -> Iterator[tuple[Path, dict[str, Path]]]:
        """Yield where the output is to be written, and a picture and a saved model by the parameter.

        What is only compared lies beside the first output, so that paths relative to it are the same, under
        a hidden name, and is removed.
        """
        folder = self.first.parent
        sweep(folder)
        stem = f".rerun.{owner_mark()}.part"
        suffix = "".join(self.first.suffixes[-2:])
        target = self.output or folder / f"{stem}{suffix}"
        others = {}
        for number, path in enumerate(map(Path, list(self.manifest.outputs)[1:])):
            if not path.name.endswith(".ledger"):
                name = "plot" if path.suffix in (".png", ".svg", ".pdf") else "save"
                others[name] = folder / f"{stem}{number}{path.suffix}"
        try:
            yield target, others
        finally:
            for file in folder.glob(f"{stem}*"):
                remove(file)

    def compare(self, target: Path, others: dict[str, Path], changed: tuple[str, ...]) -> RerunResult:
        """Compare what was written with the hashes of the first run."""
        equal, different = 0, []
        places = [target, *others.values()]
        for path, expected in self.manifest.outputs.items():
            is_ledger = path.endswith(".ledger")
            place = target.with_name(target.name + ".ledger") if is_ledger else places.pop(0)
            found = hash_output(place) if place.exists() else {}
            for name in sorted(expected.keys() | found.keys()):
                if expected.get(name) == found.get(name):
                    equal += 1
                else:
                    different.append(f"{path}/{name}" if name else path)
        return RerunResult(self.output, changed, equal, tuple(different), unknown=self.unknown_inputs)
