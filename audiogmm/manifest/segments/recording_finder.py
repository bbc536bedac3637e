"""The recordings that a list of segments names: by a path, by a name, or by the name of the list itself."""

from __future__ import annotations

import os
import re
from pathlib import Path

from audiogmm.errors import ManifestError
from audiogmm.manifest.sniff import AUDIO_SUFFIXES

_LIST_ENDING = re.compile(
    r"(\.Table\.\d+)?(\.BirdNET)?(\.selections?(\.table)?|\.results|\.labels)?\.(txt|csv|tsv|rttm|TextGrid)$",
    re.IGNORECASE,
)
_FOLDERS = (".", "audio", "wav", "..", "../audio", "../wav")


def recording_name(file: str) -> str:
    """Return the name of the recording that a list is named after.

    Examples
    --------
    >>> recording_name("x/roof.Table.1.selections.txt"), recording_name("roof.BirdNET.results.csv")
    ('roof', 'roof')
    """
    return _LIST_ENDING.sub("", Path(file).name)


class RecordingFinder:
    """Find recordings beside a list or in the folder above, and in the folders `audio` and `wav` of these.

    Parameters
    ----------
    folder : Path
        Where the list lies.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder.absolute()
        self._named: dict[str, str] | None = None

    def find(self, name: str, source: str) -> str:
        """Return the absolute path of a recording.

        Parameters
        ----------
        name : str
            Its path, perhaps of another machine, or its name with or without a suffix.
        source : str
            The list, for messages.

        Raises
        ------
        ManifestError
            If there is none.
        """
        # of `os`: a name that no file can have is not there, where `Path.is_file` raises
        if name.lower().endswith(tuple(AUDIO_SUFFIXES)) and os.path.isfile(self._folder / name):  # noqa: PTH113
            return str(self._folder / name)
        bare = re.split(r"[\\/]", name)[-1]
        if self._named is None:
            self._named = {}
            for folder in _FOLDERS:
                for file in sorted(self._folder.joinpath(folder).glob("*")):
                    if file.suffix.lower() in AUDIO_SUFFIXES:
                        path = os.path.normpath(file)
                        self._named.setdefault(file.name, path)
                        self._named.setdefault(file.stem, path)
        found = self._named.get(bare) or self._named.get(Path(bare).stem if "." in bare else bare)
        if found is None:
            raise ManifestError(
                f"{source}: there is no recording {bare!r}",
                needed=f"{bare} (.wav, .flac, ...) in {self._folder} or the folder above, or in a folder "
                "audio or wav in one of these",
                remedy="put the list there, or a link to the recordings",
            )
        return found
