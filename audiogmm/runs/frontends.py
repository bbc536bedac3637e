"""Which front end a job has: the one asked for, the model's, or that of the frames in a cache."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path
from typing import TYPE_CHECKING

from audiogmm.errors import ChoiceError

if TYPE_CHECKING:
    from audiogmm.audio.frontend.frontend import FrontEnd
    from audiogmm.mixture.store import Model


def choose_front_end(preset: str | None, file: Path | None) -> FrontEnd | None:
    """The front end of a preset or a TOML file; None if neither is named.

    Raises
    ------
    ChoiceError
        If both are named.
    FrontEndError
        If the file does not hold one.
    """
    from audiogmm.audio.frontend.frontend import FrontEnd

    if preset is not None and file is not None:
        raise ChoiceError(
            f"both --preset {preset} and --frontend {file}", needed="one front end", remedy="drop one of them"
        )
    if file is not None:
        return FrontEnd.from_toml(file)
    return None if preset is None else FrontEnd.preset(preset)


def front_end_of(model: Model) -> FrontEnd | None:
    """The front end kept in a model; None where it was trained on frames of the user's own."""
    from audiogmm.audio.frontend.frontend import FrontEnd

    settings = model.metadata.frontend
    return None if settings is None else FrontEnd.from_dict(settings)


def cache_at(source: object) -> Path | None:
    """The folder, if `source` names a frame cache."""
    from audiogmm.audio.frame_cache.cache import is_frame_cache

    if not isinstance(source, (str, os.PathLike)):
        return None
    path = Path(source)
    return path if is_frame_cache(path) else None


def cached_front_end(cache: Path, frontend: FrontEnd | None, sample_rate: int | None) -> FrontEnd:
    """The front end of the frames in a cache: the one asked for, or the only one.

    Raises
    ------
    MismatchError
        If there are no frames of the one asked for.
    ChoiceError
        If there are several, and none was asked for.
    """
    from audiogmm.audio.frame_cache import cache as audio_cache

    found = audio_cache.FrameCache(cache)
    declared = audio_cache.cached_front_end(cache)
    if frontend is not None:
        asked = dataclasses.replace(frontend, sample_rate=sample_rate or frontend.sample_rate)
        found.require(asked)
        fits = declared is not None and not declared.as_open_as(asked).difference(asked)
        return declared if fits and declared is not None else asked
    if declared is not None:
        return declared
    known = found.frontends()
    if len(known) != 1:
        raise ChoiceError(
            f"the frame cache {cache} holds frames of {len(known)} front ends",
            needed="one, or its name",
            remedy="--preset or --frontend, and --sample-rate",
        )
    return known[0]
