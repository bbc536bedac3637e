"""Where the tracks of an evaluation come from: folders that `score` wrote, or memory."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from audiogmm.errors import FeatureError
from audiogmm.scoring.track import ScoreTrack
from audiogmm.scoring.track_file import SUFFIXES, read_track

Scores = str | os.PathLike[str] | Iterable[str | os.PathLike[str]] | Mapping[str, ScoreTrack]
"""A folder of tracks, several folders, or tracks by the recording's id."""


def tracks_from(scores: Scores) -> Callable[[str], ScoreTrack]:
    """Return a function that gives the track of a recording.

    Raises
    ------
    FeatureError
        If a folder is not there; and, by what is returned, if no folder has the track, or it is not whole.

    Examples
    --------
    >>> tracks_from({})("a")
    Traceback (most recent call last):
    ...
    audiogmm.errors.FeatureError: there is no track of a; needed: a track for each recording; try: ...
    """
    if isinstance(scores, Mapping):
        return lambda id: _required(scores.get(id), id, "")
    folders = [Path(folder) for folder in folders_of(scores)]
    for folder in folders:
        if not folder.is_dir():
            raise FeatureError(
                f"{folder} is not a folder",
                needed="tracks, one a recording",
                remedy="what `audiogmm score` wrote",
            )

    def track(id: str) -> ScoreTrack:
        for folder in folders:
            for suffix in SUFFIXES:
                path = folder / f"{id}{suffix}"
                if path.exists():
                    return read_track(path)
        return _required(None, id, f" in {', '.join(map(str, folders))}")

    return track


def folders_of(scores: Scores | None) -> tuple[str, ...]:
    """Return the folders among them."""
    if scores is None or isinstance(scores, Mapping):
        return ()
    folders = [scores] if isinstance(scores, (str, os.PathLike)) else scores
    return tuple(os.fspath(folder) for folder in folders)


def _required(track: ScoreTrack | None, id: str, where: str) -> ScoreTrack:
    if track is None:
        raise FeatureError(
            f"there is no track of {id}{where}",
            needed="a track for each recording",
            remedy="score it with `audiogmm score`, or leave --scores away",
        )
    return track
