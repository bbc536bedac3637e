"""The sound of events in a folder of limited size (`--clips`)."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from audiogmm.audio.decoders.notices import Warn
from audiogmm.errors import OutputError
from audiogmm.files import refuse_overwrite, replacing
from audiogmm.types import Json, Samples
from audiogmm.words import amount

_OURS = re.compile(r"audiogmm-[0-9TZ.-]+-[0-9a-f]{16}\.flac")


class ClipFolder:
    """Write clips into a folder, and remove the oldest ones above its size; other files stay.

    Parameters
    ----------
    folder : Path
    most_bytes : float
        Of all clips in it. The newest one stays in any case.
    say : callable
        Takes notes for the user.

    Raises
    ------
    OutputError
        If it cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> clips = ClipFolder(Path(tempfile.mkdtemp()) / "clips", 1e6, print)
    >>> event = {"start": 3.5}
    >>> clips.write("0123456789abcdef", event, np.zeros(8000, np.float32), 8000).name
    'audiogmm-0000003.500-0123456789abcdef.flac'
    """

    def __init__(self, folder: Path, most_bytes: float, say: Warn) -> None:
        refuse_overwrite(folder, force=True)
        self.folder = folder
        self._most_bytes = most_bytes
        self._say = say
        self._has_complained = False

    def write(self, id: str, event: Json, samples: Samples, sample_rate: int) -> Path | None:
        """Write a clip, 16-bit FLAC, named by the time and the id of its event; None if that cannot be.

        Parameters
        ----------
        id : str
            16 hexadecimal digits.
        event : dict
            Its row.
        samples : ndarray of float32, shape (n_samples,)
        sample_rate : int
            Hertz.
        """
        path = self.folder / f"audiogmm-{_stamp(event)}-{id}.flac"
        try:
            with replacing(path, force=True, durable=False) as temporary:
                _write(temporary, id, samples, sample_rate)
        except (OutputError, RuntimeError) as error:  # soundfile's errors are RuntimeErrors
            if not self._has_complained:
                self._has_complained = True
                self._say(f"clips are not written: {error}; the run goes on without them")
            return None
        self._has_complained = False
        self._shrink(path)
        return path.absolute()

    def _shrink(self, newest: Path) -> None:
        """Remove the oldest clips above the limit."""
        found = []
        for path in self.folder.iterdir():
            if _OURS.fullmatch(path.name) and path.is_file() and not path.is_symlink():
                about = path.stat()
                found.append((path == newest, about.st_mtime_ns, path.name, about.st_size, path))
        total, n_removed = sum(size for *_, size, _ in found), 0
        for is_newest, _, _, size, path in sorted(found):
            if total <= self._most_bytes or is_newest:
                break
            if _is_ours(path):
                path.unlink(missing_ok=True)
                n_removed += 1
                total -= size
        if n_removed and total > self._most_bytes:
            self._say(f"{self.folder}: {amount(n_removed, 'old clip')} removed, and still above its size")


def _stamp(event: Json) -> str:
    """When an event began, for a name."""
    time = event.get("time")
    return time.replace(":", "") if isinstance(time, str) else f"{float(event['start']):011.3f}"


def _write(path: Path, id: str, samples: Samples, sample_rate: int) -> None:
    import soundfile

    with soundfile.SoundFile(path, "w", sample_rate, 1, "PCM_16", format="FLAC") as file:
        file.comment = _comment(id)
        file.write(samples)


def _comment(id: str) -> str:
    """What a clip of ours says of itself."""
    return f"audiogmm {id}"


def _is_ours(path: Path) -> bool:
    """Whether a file says that it is ours, not only its name."""
    import soundfile

    try:
        with soundfile.SoundFile(path) as file:
            comment: Any = file.comment
    except (OSError, RuntimeError):
        return False
    return bool(comment == _comment(path.stem.rpartition("-")[2]))
