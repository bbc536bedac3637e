"""List the speakers of a gallery, and remove some."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from audiogmm.reprs import lines_repr
from audiogmm.types import Json
from audiogmm.verification.gallery import Gallery
from audiogmm.verification.recordings.gallery_calibration import describe_calibration
from audiogmm.words import amount


@dataclass(frozen=True)
class SpeakersResult:
    """The speakers of a gallery."""

    gallery: Gallery
    removed: tuple[str, ...]
    rows: tuple[Json, ...]

    __repr__ = lines_repr

    def summary(self) -> Json:
        """Return what `--json` prints."""
        return {
            "folder": str(self.gallery.folder),
            "background": self.gallery.fingerprint,
            **self.gallery.adaptation.to_dict(),
            "calibrated": self.gallery.calibration is not None,
            "calibration": self.gallery.calibrations.learned,
            "removed": list(self.removed),
            "speakers": list(self.rows),
        }

    def lines(self) -> Iterator[str]:
        """Yield the closing lines."""
        for name in self.removed:
            yield f"removed {name}"
        width = max((len(row["name"]) for row in self.rows), default=0)
        if self.rows:
            yield f"{'speaker':<{max(width, 7)}}  recordings  voiced seconds"
        for row in self.rows:
            yield f"{row['name']:<{max(width, 7)}}  {row['recordings']:>10}  {row['voiced_seconds']:>14,.1f}"
        settings = self.gallery.adaptation.to_dict()
        yield (
            f"{amount(len(self.rows), 'speaker')}, adapted from the background model "
            f"{self.gallery.fingerprint[:12]} ({', '.join(settings['adapt'])}; tau {settings['tau']:g})"
        )
        if learned := describe_calibration(self.gallery.calibrations.learned):
            yield learned


def speakers(folder: str | os.PathLike[str], remove: Iterable[str] = ()) -> SpeakersResult:
    """Remove the speakers of `remove`, and list the others.

    Parameters
    ----------
    folder : path-like
        A gallery, as `enroll` makes it.
    remove : iterable of str
        Names.

    Raises
    ------
    ModelFileError
        If the folder is not a gallery, or a file in it is damaged.
    ChoiceError
        If no speaker has a name that is to be removed; then none is.
    OutputError
        If another run is writing to the folder.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np, soundfile
    >>> import audiogmm as ag
    >>> folder, random = Path(tempfile.mkdtemp()), np.random.default_rng(0)
    >>> for name, slope in (("ann", 0.0), ("bob", 0.9)):  # two "voices": white noise and darker noise
    ...     for take in (1, 2):
    ...         noise = random.standard_normal(32000)
    ...         noise[1:] += slope * noise[:-1]
    ...         soundfile.write(folder / f"{name}{take}.wav", 0.05 * noise, 16000)
    >>> background = ag.train(ag.scan(folder), "kaldi", n_components=1, hold_out=0)
    >>> people = [ag.Entry(str(folder / f"{name}1.wav"), speaker=name) for name in ("ann", "bob")]
    >>> _ = ag.enroll(background, people, folder / "known")
    >>> found = ag.speakers(folder / "known", remove=["bob"])
    >>> [row["name"] for row in found.rows]
    ['ann']
    """
    gallery, remove = Gallery(Path(folder)), tuple(remove)
    if remove:
        with gallery.locked():
            for name in remove:
                gallery[name]
            for name in dict.fromkeys(remove):
                gallery.remove(name)
    rows = tuple(
        {
            "name": speaker.name,
            "recordings": speaker.n_recordings,
            "voiced_seconds": round(speaker.voiced_seconds, 3),
        }
        for speaker in gallery
    )
    return SpeakersResult(gallery, remove, rows)
