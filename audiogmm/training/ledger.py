"""A ledger of the statistics of each recording: so that data can be added, re-weighted and removed."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np

from audiogmm.checksum import sealed, unsealed
from audiogmm.documents import parse_document, parse_finite
from audiogmm.errors import MismatchError, ModelFileError
from audiogmm.files import replacing, settle
from audiogmm.mixture import container
from audiogmm.mixture.forms import form_of
from audiogmm.mixture.statistics import ARRAYS, SCALARS, SufficientStats
from audiogmm.reading import parsing
from audiogmm.temporaries import remove
from audiogmm.training.pruning import check_keep
from audiogmm.types import Json

INDEX = "ledger.json"
FORMAT = "audiogmm ledger 2"
_FORMATS = ("audiogmm ledger 1", FORMAT)  # the first has no checksums
_LARGEST = 1 << 28
"""Numbers in the statistics of a recording, at most: 2 GiB."""

_REMEDY = "train with --ledger again"
_RESTORE = f"restore it from a copy, or {_REMEDY}"


class Ledger:
    """Statistics of recordings, a file each, in a folder (Neal and Hinton 1998, section 4).

    The model beside it was estimated from the sum of the entries, each times its weight. A file holds the
    components that have frames of the recording, which of a large model are few. Changes take effect when
    `save` replaces the index; until then they are files that are not read. The index keeps what it said
    before, until `purge`: whichever of the two models is on disk when a run is cut off, the ledger is its.

    Parameters
    ----------
    folder : Path
        Its folder, made with the first entry.
    keep : float
        Share of a recording's frames that a component must have for its statistics to be kept, in [0, 1);
        a ledger that is there already keeps its own. `incremental.add_recordings` prunes.
    salt : str
        Sets the names of its files apart from those of another ledger that it takes the place of.

    Raises
    ------
    ChoiceError
        If `keep` is outside [0, 1).
    ModelFileError
        If the folder holds an index that cannot be read, or of another version.

    Examples
    --------
    >>> import tempfile
    >>> ledger = Ledger(Path(tempfile.mkdtemp()) / "model.ledger")
    >>> stats = SufficientStats.measure(np.ones((4, 2)), origin=np.zeros(2), covariance_type="diag")
    >>> ledger.put("a", stats)
    >>> ledger.scale(0.5)
    >>> ledger.get("a").counts, "b" in ledger
    (array([2.]), False)
    """

    def __init__(self, folder: Path, keep: float = 0.0, salt: str = "") -> None:
        self.folder = folder
        self.keep = check_keep(keep)
        self.salt = salt
        self._before: Json | None = None
        self.fingerprint = ""
        self.weights: dict[str, float] = {}
        index = folder / INDEX
        if index.exists():
            with parsing(index, needed=FORMAT, remedy=_RESTORE):
                content = parse_document(index.read_text())
                known = content["format"]
                content = unsealed(content, known == FORMAT, index, _REMEDY)
                if (before := content.get("before")) is not None:
                    self._take(before)
                    self._before = before
                self._take(content)
            if known not in _FORMATS:
                raise ModelFileError(f"{index} is {known!r}", needed=FORMAT)

    def __contains__(self, recording: str) -> bool:
        return recording in self.weights

    def __len__(self) -> int:
        return len(self.weights)

    def check(self, fingerprint: str) -> None:
        """Raise `MismatchError` if it belongs to another model than the one of this fingerprint."""
        if self._before is not None and self._before["model"] == fingerprint != self.fingerprint:
            self._take(self._before)  # the run that changed it was cut off before it saved the new model
        elif self._before is not None and self.fingerprint == fingerprint:
            with suppress(OSError):  # that run was cut off after it saved it, or nobody may write here
                self.purge()
        if self.fingerprint != fingerprint:
            raise MismatchError(
                f"{self.folder} belongs to the model {self.fingerprint[:12] or '(none)'}",
                needed=f"the ledger of the model {fingerprint[:12]}",
                remedy="the model that was saved with it, or train --ledger again",
            )
        self._before = self._state()

    def put(self, recording: str, statistics: SufficientStats) -> None:
        """Add a recording, of weight 1.

        Raises
        ------
        OutputError
            If the file cannot be written.
        MismatchError
            If it is in the ledger already.
        """
        self.refuse_known(recording)
        arrays = {name: getattr(statistics, name) for name in ARRAYS}
        arrays["scalars"] = np.array([getattr(statistics, name) for name in SCALARS])
        alive = np.flatnonzero(statistics.counts)
        arrays |= {"components": alive} | {
            name: arrays[name][alive] for name in _split_by_component(statistics)
        }
        document = {
            "id": recording,
            "covariance_type": statistics.covariance_type,
            "n_components": statistics.n_components,
        }
        with replacing(self._file(recording), force=True, durable=False) as temporary:
            temporary.write_bytes(container.pack(arrays, document))
        self.weights[recording] = 1.0

    def refuse_known(self, recording: str) -> None:
        """Raise `MismatchError` if a recording is in the ledger already."""
        if recording in self:
            raise MismatchError(
                f"recording {recording!r} is in the ledger already",
                needed="recordings that the model was not trained on",
                remedy="update --remove first, or give it another id",
            )

    def get(self, recording: str) -> SufficientStats:
        """Return the statistics of a recording, times its weight.

        Raises as `entry` does.
        """
        return self.weights.get(recording, 1.0) * self.entry(recording)

    def entry(self, recording: str) -> SufficientStats:
        """Return the statistics of a recording, as if its weight were 1.

        Raises
        ------
        MismatchError
            If it was never added.
        ModelFileError
            If its file is gone or damaged.
        """
        if recording not in self:
            raise MismatchError(
                f"recording {recording!r} was never added: the ledger has {len(self)} others",
                needed="recordings that the model was trained on, by the ids that they had then",
                remedy="look at their ids, or drop it from the manifest",
            )
        file = self._file(recording)
        about, arrays = container.read(file, _REMEDY)
        with parsing(file, needed="an entry of a ledger", remedy=_RESTORE):
            K, D = about["n_components"], len(arrays["origin"])
            if (size := K * (1 + D + int(np.prod(arrays["second"].shape[1:])))) > _LARGEST:
                raise ValueError(f"{K:,} components of {D:,} features: {size:,} numbers, over {_LARGEST:,}")
            if arrays["counts"].min(initial=0) < 0 or not all(np.isfinite(a).all() for a in arrays.values()):
                raise ValueError("a sum that is not finite, or a count under 0")
            empty = SufficientStats.zero(K, D, about["covariance_type"])
            for name in _split_by_component(empty):
                whole = np.zeros_like(getattr(empty, name))
                whole[arrays["components"]] = arrays[name]
                arrays[name] = whole
            origin, counts, first, second = (arrays[name] for name in ARRAYS)
            form = about["covariance_type"]
            return SufficientStats(form, origin, counts, first, second, *arrays["scalars"].tolist())

    def remove(self, recording: str) -> None:
        """Remove a recording from the index; `purge` removes its file."""
        del self.weights[recording]

    def reweight(self, recording: str, weight: float) -> None:
        """Set the weight of a recording."""
        self.weights[recording] = weight

    def scale(self, factor: float) -> None:
        """Multiply every weight."""
        self.weights = {name: factor * weight for name, weight in self.weights.items()}

    def save(self, fingerprint: str) -> None:
        """Write the index: the ledger belongs to the model of this fingerprint, and to the one before it."""
        self.fingerprint = fingerprint
        settle(self.folder)
        self._write()

    def purge(self) -> None:
        """Forget what it was before `save`, and remove the files that the index does not name.

        To be called when the model of the new fingerprint is on disk.
        """
        self._before = None
        self._write()
        known = {self._file(recording).name for recording in self.weights} | {INDEX}
        for file in self.folder.iterdir():
            if file.name not in known:
                remove(file)

    def _state(self) -> Json:
        salted = {"salt": self.salt} if self.salt else {}
        return {"model": self.fingerprint, "weights": dict(self.weights), "keep": self.keep} | salted

    def _take(self, state: Json) -> None:
        self.fingerprint, self.salt = str(state["model"]), str(state.get("salt", ""))
        self.weights = {name: parse_finite(weight) for name, weight in state["weights"].items()}
        if self.weights and min(self.weights.values()) < 0:
            raise ValueError("a weight under 0")
        self.keep = check_keep(parse_finite(state.get("keep", 0.0)))

    def _write(self) -> None:
        content: Json = {"format": FORMAT} | self._state()
        if self._before is not None and self._before["model"] != self.fingerprint:
            content["before"] = self._before
        with replacing(self.folder / INDEX, force=True) as temporary:
            temporary.write_text(json.dumps(sealed(content)))

    def copy_to(self, folder: Path) -> Ledger:
        """Copy the ledger to another folder."""
        folder.mkdir(parents=True, exist_ok=True)
        for recording in self.weights:
            file = self._file(recording)
            shutil.copyfile(file, folder / file.name)
        copy = Ledger(folder)
        copy._take(self._state())
        return copy

    def _file(self, recording: str) -> Path:
        name = hashlib.sha256((self.salt + recording).encode(errors="surrogateescape")).hexdigest()[:32]
        return self.folder / f"{name}.safetensors"


def _split_by_component(statistics: SufficientStats) -> list[str]:
    """Return the names of the arrays with a first axis of components."""
    shared = form_of(statistics.covariance_type).shared
    return ["counts", "first"] if shared else ["counts", "first", "second"]


def beside(model: Path | str) -> Path:
    """Return the folder of the ledger of a model file.

    Examples
    --------
    >>> beside("ubm.agmm").name
    'ubm.agmm.ledger'
    """
    path = Path(model)
    return path.with_name(path.name + ".ledger")


@contextmanager
def replacing_ledger(folder: Path | None, force: bool = False) -> Iterator[Path | None]:
    """Yield a temporary folder that replaces `folder` when the block ends well; None for None.

    A ledger that was there is kept in it until `purge`, after the model is saved.

    Raises
    ------
    OutputError
        If there is a ledger (and not `force`), or it cannot be written.
    """
    if folder is None:
        yield None
        return
    with replacing(folder, force=force) as temporary:
        yield temporary
        new = Ledger(temporary)
        try:
            former = Ledger(folder)
        except ModelFileError:  # it is replaced because it is damaged
            return
        if former.fingerprint not in ("", new.fingerprint):
            new._before = former._state()
            new._write()
