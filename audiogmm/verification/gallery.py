"""The gallery: a folder with the background model and a file for each enrolled speaker."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from functools import cached_property
from pathlib import Path
from typing import TypeAlias

from audiogmm.checksum import sealed, unsealed
from audiogmm.documents import parse_document
from audiogmm.errors import ChoiceError, KindError, ModelFileError, OutputError
from audiogmm.files import exclusive, replacing
from audiogmm.mixture.gaussian import Mixture
from audiogmm.mixture.store import Model, load, model_from
from audiogmm.moves import finish_moves
from audiogmm.reading import parsing
from audiogmm.types import Json
from audiogmm.verification.adaptation import Adaptation
from audiogmm.verification.calibration import Calibration, GalleryCalibration
from audiogmm.verification.channel import original_fingerprint
from audiogmm.verification.speaker import Speaker, background_mismatch
from audiogmm.verification.speaker_file import SUFFIX, make_file_name, pack_speaker, read_name, read_speaker
from audiogmm.words import amount, article

FORMAT_VERSION = 2
"""Of the folder; a reader refuses higher ones. Folders of version 1 have no checksums."""

SETTINGS, BACKGROUND, CALIBRATION, SPEAKERS = (
    "gallery.json",
    "background.agmm",
    "calibration.json",
    "speakers",
)
"""What the folder holds."""


_NO_GALLERY = {"needed": "a folder that `audiogmm enroll` made", "remedy": "audiogmm enroll UBM M -o DIR"}


class Gallery:
    """A folder of speakers, all enrolled against one background model, a copy of which is in it.

    A speaker's file holds sums of differences to the background: for each component its number of frames,
    the sum of their deviations from its mean, and, if variances are adapted, of the squares of these. A model
    is computed from them when it is asked for, so a recording can be added at any time. Files are written
    whole or not at all.

    Parameters
    ----------
    folder : path-like
        As `Gallery.create` makes it.

    Raises
    ------
    ModelFileError
        If it is not a gallery, or one of a newer version.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> from audiogmm.mixture.statistics import SufficientStats
    >>> background = Model(Mixture([1.0], [[0.0]], [[1.0]], "diag"))
    >>> gallery = Gallery.create(Path(tempfile.mkdtemp()) / "known", background)
    >>> stats = SufficientStats.measure(np.full((16, 1), 2.0), origin=np.zeros(1), covariance_type="diag")
    >>> gallery.add(Speaker("ann", background.fingerprint, stats, ("a",), 0.16))
    >>> gallery.names, gallery["ann"].n_recordings, gallery.model("ann").means
    (('ann',), 1, array([[1.]]))
    >>> gallery.remove("ann")
    >>> len(gallery)
    0
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.folder = Path(folder)
        finish_moves(self.folder, wait=True)
        path = self.folder / SETTINGS
        with parsing(path, ModelFileError, **_NO_GALLERY):
            try:
                settings = parse_document(path.read_text(encoding="utf-8"))
            except (FileNotFoundError, NotADirectoryError) as error:
                missing = f"{self.folder} is not a gallery of speakers: it has no {SETTINGS}"
                raise ModelFileError(missing, **_NO_GALLERY) from error
            version, self.fingerprint = int(settings["format_version"]), str(settings["background"])
            self.origin = str(settings.get("origin", self.fingerprint))
            self.adaptation = Adaptation.from_dict(settings)
        if version > FORMAT_VERSION:
            raise ModelFileError(
                f"{self.folder} has format version {version}",
                needed=f"format version {FORMAT_VERSION} at most",
                remedy="a newer audiogmm: pip install --upgrade audiogmm",
            )
        unsealed(settings, version > 1, path, "enroll into a new folder")

    @classmethod
    def create(
        cls,
        folder: str | os.PathLike[str],
        background: Model | str | os.PathLike[str],
        adaptation: Adaptation | None = None,
    ) -> Gallery:
        """Make the folder, or open the one that is there if it is of the same background and settings.

        Parameters
        ----------
        folder : path-like
            Missing, empty, or a gallery.
        background : Model or path-like
            The background model.
        adaptation : Adaptation, optional
            How speakers' models are computed; by default as the folder says, or else the defaults there.

        Raises
        ------
        MismatchError
            If it is a gallery of another background model; both fingerprints are named.
        ChoiceError
            If it is a gallery of other settings.
        OutputError
            If the folder holds something else, or cannot be written.
        """
        folder = Path(folder)
        model = model_from(background)
        if (folder / SETTINGS).exists():
            gallery = cls(folder)
            if model.fingerprint not in (gallery.origin, gallery.fingerprint):
                raise background_mismatch(
                    f"speakers to be added to {folder}", model.fingerprint, gallery.origin
                )
            if adaptation not in (None, gallery.adaptation):
                raise ChoiceError(
                    f"speakers adapted with {adaptation}",
                    needed=f"what {folder} was made with: {gallery.adaptation}",
                    remedy="leave the settings out, or another folder",
                )
            return gallery
        if folder.is_dir() and any(folder.iterdir()):
            raise OutputError(
                f"{folder} is not empty, and not a gallery of speakers",
                needed="a new or an empty folder, or one that `enroll` made",
                remedy="another name",
            )
        settings = {"format_version": FORMAT_VERSION, "background": model.fingerprint}
        if (origin := original_fingerprint(model)) != model.fingerprint:
            settings["origin"] = origin
        settings |= (adaptation or Adaptation()).to_dict()
        with replacing(folder) as temporary:
            (temporary / SPEAKERS).mkdir(parents=True)
            model.save(temporary / BACKGROUND)
            (temporary / SETTINGS).write_text(json.dumps(sealed(settings), indent=1) + "\n", encoding="utf-8")
        return cls(folder)

    @cached_property
    def background(self) -> Model:
        """The background model.

        Raises
        ------
        MismatchError
            If the file is another model than the speakers were enrolled against.
        """
        model = load(self.folder / BACKGROUND)
        if model.fingerprint != self.fingerprint:
            raise background_mismatch(str(self.folder / BACKGROUND), model.fingerprint, self.fingerprint)
        return model

    def replace_background(self, model: Model) -> None:
        """Write the background model again, with another back end.

        Raises
        ------
        MismatchError
            If it is another model than the speakers were enrolled against.
        """
        if model.fingerprint != self.fingerprint:
            raise background_mismatch(f"a back end for {self.folder}", model.fingerprint, self.fingerprint)
        model.save(self.folder / BACKGROUND, force=True)
        self.__dict__["background"] = model

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the speakers, in alphabetical order."""
        return tuple(sorted(read_name(path) for path in self._files()))

    def __repr__(self) -> str:
        return f"Gallery({str(self.folder)!r}, {amount(len(self), 'speaker')})"

    def __len__(self) -> int:
        return sum(1 for _ in self._files())

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self._path(name).exists()

    def __iter__(self) -> Iterator[Speaker]:
        return map(self.__getitem__, self.names)

    def __getitem__(self, name: str) -> Speaker:
        """Return the speaker of this name.

        Raises
        ------
        ChoiceError
            If no speaker has that name.
        ModelFileError
            If the file is damaged.
        MismatchError
            If it is of another background model; both fingerprints are named.
        """
        path = self._path(name)
        if not path.exists():
            known = self.names
            shown = ", ".join(known[:5]) + (f" and {len(known) - 5} more" if len(known) > 5 else "")
            raise ChoiceError(
                f"{self.folder} has no speaker {name!r}",
                needed=f"one of the enrolled speakers: {shown or 'none yet'}",
                remedy="for a list of pairs of recordings, enroll each under its name in the list: a "
                f'manifest with "speaker": "{name}"'
                if "/" in name or name.endswith(".wav")
                else f"audiogmm speakers {self.folder} lists them; audiogmm enroll adds more",
            )
        return read_speaker(path, self.background.mixture, self.fingerprint)

    def get(self, name: str) -> Speaker | None:
        """Return `gallery[name]`, or None if no speaker has that name."""
        return self[name] if self._path(name).exists() else None

    def model(self, name: str) -> Mixture:
        """Compute the model of a speaker; errors as of `gallery[name]`."""
        return self[name].adapted(self.background.mixture, self.adaptation)

    def add(self, speaker: Speaker) -> None:
        """Write a speaker, in place of one of the same name.

        Raises
        ------
        MismatchError
            If it is of another background model; both fingerprints are named.
        OutputError
            If the file cannot be written.
        """
        if speaker.background != self.fingerprint:
            raise background_mismatch(speaker.name, speaker.background, self.fingerprint)
        content = pack_speaker(speaker, self.background.mixture, second=self.adaptation.variances)
        with replacing(self._path(speaker.name), force=True) as temporary:
            temporary.write_bytes(content)

    def remove(self, name: str) -> None:
        """Remove a speaker.

        Raises
        ------
        ChoiceError
            If no speaker has that name.
        OutputError
            If the file cannot be removed.
        """
        if name not in self:
            self[name]
        try:
            self._path(name).unlink()
        except OSError as error:
            raise OutputError(f"{self._path(name)} cannot be removed: {error.strerror}") from error

    def locked(self) -> AbstractContextManager[None]:
        """Keep other runs from writing to the folder inside a `with` block; OutputError if one is writing."""
        return exclusive(self.folder)

    @property
    def calibrations(self) -> GalleryCalibration:
        """The calibrations of scores, plain and normalized; ModelFileError if their file is damaged."""
        return GalleryCalibration.read(self.folder / CALIBRATION)

    @property
    def calibration(self) -> Calibration | None:
        """The calibration of scores that are not normalized; None where none was learned."""
        return self.calibrations.plain

    def calibrate(
        self,
        calibration: Calibration,
        learned: Json | None = None,
        normalized: Mapping[str, Calibration] | None = None,
    ) -> None:
        """Write a calibration, how it was learned, and those of normalized scores."""
        kept = GalleryCalibration(calibration, learned or {}, normalized or {})
        kept.write(self.folder / CALIBRATION)

    def state(self, names: Iterable[str]) -> str:
        """Return a digest that changes with the files of these speakers, the background, and the settings."""
        digest = hashlib.blake2b(digest_size=16)
        paths = [self.folder / SETTINGS, self.folder / BACKGROUND, *map(self._path, names)]
        for path in paths:
            stat = path.stat() if path.exists() else None
            digest.update(repr(stat and (path.name, stat.st_size, stat.st_mtime_ns, stat.st_ino)).encode())
        return digest.hexdigest()

    def _path(self, name: str) -> Path:
        return self.folder / SPEAKERS / f"{make_file_name(name)}{SUFFIX}"

    def _files(self) -> Iterator[Path]:
        folder = self.folder / SPEAKERS
        return (path for path in folder.glob(f"*{SUFFIX}") if not path.name.startswith("."))


AnyGallery: TypeAlias = Gallery | str | os.PathLike[str]
"""A gallery, or its folder."""


def gallery_from(gallery: AnyGallery) -> Gallery:
    """Return the gallery itself, or that in a folder.

    Raises
    ------
    ModelFileError
        If the folder is no gallery.
    KindError
        If it is of another type.

    Examples
    --------
    >>> gallery_from(3)
    Traceback (most recent call last):
    ...
    audiogmm.errors.KindError: got an int for a gallery; needed: a Gallery, or the folder of one; try: ...
    """
    if isinstance(gallery, Gallery):
        return gallery
    if not isinstance(gallery, (str, os.PathLike)):
        raise KindError(
            f"got {article(type(gallery).__name__)} for a gallery",
            needed="a Gallery, or the folder of one",
            remedy="audiogmm.enroll(model, recordings, 'known')",
        )
    return Gallery(gallery)
