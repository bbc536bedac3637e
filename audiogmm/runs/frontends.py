"""Which front end a run has: the one asked for, the model's, or that of the frames in a cache."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from audiogmm.audio.decode import probe
from audiogmm.audio.frame_cache.cache import FrameCache, declared_front_end, is_frame_cache
from audiogmm.audio.frontend.frontend import FrontEnd
from audiogmm.errors import AudioGMMError, ChoiceError, KindError, MismatchError, TrainingError
from audiogmm.manifest.entry import STANDARD_INPUT, Entry
from audiogmm.mixture.metadata import reading_part
from audiogmm.runs.aside import Aside
from audiogmm.words import amount

if TYPE_CHECKING:
    from audiogmm.mixture.store import Model


LOOK = 10
"""Recordings behind the first good one whose sample rate is compared with its."""


def choose_frontend(preset: str | None, file: Path | None) -> FrontEnd | None:
    """Choose the front end of a preset or a TOML file; None if neither is named.

    Raises
    ------
    ChoiceError
        If both are named.
    FrontEndError
        If the file does not hold one.
    """
    if preset is not None and file is not None:
        raise ChoiceError(
            f"both --preset {preset} and --frontend {file}", needed="one front end", remedy="drop one of them"
        )
    if file is not None:
        return FrontEnd.from_toml(file)
    return None if preset is None else FrontEnd.preset(preset)


def as_frontend(frontend: FrontEnd | str | os.PathLike[str] | None) -> FrontEnd | None:
    """Return a front end that is given as it is, by the name of a preset, or by its TOML file.

    Examples
    --------
    >>> as_frontend("kaldi") == FrontEnd.preset("kaldi"), as_frontend(None)
    (True, None)

    Raises
    ------
    ChoiceError
        If there is no such preset.
    FrontEndError
        If the file does not hold one.
    KindError
        If it is of another type.
    """
    if isinstance(frontend, (str, os.PathLike)):
        name = os.fspath(frontend)
        return FrontEnd.from_toml(Path(name)) if name.endswith(".toml") else FrontEnd.preset(name)
    if frontend is not None and not isinstance(frontend, FrontEnd):
        raise KindError(
            f"a front end of the type {type(frontend).__name__}",
            needed="a FrontEnd, the name of a preset, or a TOML file",
        )
    return frontend


def read_frontend(model: Model) -> FrontEnd | None:
    """Read the front end of a model; None where it was trained on frames of the user's own."""
    settings = model.metadata.frontend
    with reading_part("front end"):
        return None if settings is None else FrontEnd.from_dict(settings)


def match_frontend(
    start: Model | None, frontend: FrontEnd | None, sample_rate: int | None
) -> FrontEnd | None:
    """Read the front end of a model to start from, if there is one; it has to be the one asked for.

    Raises
    ------
    MismatchError
        If it is another one.
    """
    if start is None:
        return frontend
    theirs = read_frontend(start)
    differences = []
    if frontend is not None and theirs is not None:
        differences = theirs.as_open_as(frontend).difference(frontend)
    if theirs is not None and sample_rate not in (None, theirs.sample_rate):
        differences.append(f"sample_rate: {sample_rate} != {theirs.sample_rate}")
    if differences:
        raise MismatchError(
            f"the model to start from has another front end ({', '.join(differences)})",
            needed="the same settings",
            remedy="drop --preset, --frontend and --sample-rate",
        )
    return theirs


def find_cache(source: object) -> Path | None:
    """Return the folder, if `source` names a frame cache."""
    if not isinstance(source, (str, os.PathLike)):
        return None
    path = Path(source)
    return path if is_frame_cache(path) else None


def choose_cached_frontend(cache: Path, frontend: FrontEnd | None, sample_rate: int | None) -> FrontEnd:
    """Choose the front end of the frames in a cache: the one asked for, or the only one.

    Raises
    ------
    MismatchError
        If there are no frames of the one asked for.
    ChoiceError
        If there are several, and none was asked for.
    """
    found = FrameCache(cache)
    declared = declared_front_end(cache)
    if frontend is not None:
        asked = replace(frontend, sample_rate=sample_rate or frontend.sample_rate)
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


def settle_frontend(
    frontend: FrontEnd | None,
    sample_rate: int | None,
    entries: Iterable[Entry],
    aside: Aside,
    say: Callable[[str], None],
) -> FrontEnd | None:
    """Settle the sample rate of the front end of a new model; None for frames of the user's own.

    It is the one asked for, else the front end's, else that of the first recording that can be opened; where
    most of those that follow have another one, that is said.

    Raises
    ------
    TrainingError
        If no recording can be opened.
    ChoiceError
        For standard input without a rate.
    """
    chosen = frontend or FrontEnd.preset("speech")
    rate = sample_rate or chosen.sample_rate
    following = iter(entries)
    for entry in following:
        if entry.features_filepath is not None:
            return None
        if rate is None:
            rate = _read_sample_rate(entry, aside)
            if rate is not None and (said := _contradicted(entry, rate, islice(following, LOOK))):
                say(said)
        if rate is not None:
            return replace(chosen, sample_rate=rate)
    raise TrainingError(
        aside.describe("none of the recordings could be opened"),
        needed="at least one good recording",
        remedy="audiogmm manifest check, which says what is wrong with each",
    )


def _contradicted(first: Entry, rate: int, others: Iterable[Entry]) -> str | None:
    """Say that most of the other recordings have another sample rate, if so."""
    rates: Counter[int] = Counter()
    for entry in others:
        with suppress(AudioGMMError):  # it is set aside when its turn comes
            rates[entry.sample_rate or probe(entry, full=False).sample_rate] += 1
    found = [(count, other) for other, count in rates.items() if other != rate]
    count, other = max(found, default=(0, 0))
    if 2 * count <= rates.total():
        return None
    which = f"the {amount(rates.total(), 'recording')} behind it"
    return (
        f"the sample rate is {rate} Hz, that of {first.path}; {count} of {which} have {other} Hz: "
        f"--sample-rate {other} takes that"
    )


def _read_sample_rate(entry: Entry, aside: Aside) -> int | None:
    """Read the sample rate of a recording; None, and set aside, if it cannot be opened."""
    if entry.audio_filepath == STANDARD_INPUT:
        raise ChoiceError(
            "standard input and no sample rate",
            needed="a rate in hertz, since a stream can be read only once",
            remedy="--sample-rate 16000",
        )
    try:
        return probe(entry, full=False).sample_rate
    except AudioGMMError as error:
        aside.put(entry.id, entry.path, error)
        return None
