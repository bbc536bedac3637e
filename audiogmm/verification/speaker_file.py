"""The file of a speaker: its name, and sums of differences to the background model in it."""

from __future__ import annotations

import hashlib
import math
from pathlib import Path
from urllib.parse import quote, unquote

import numpy as np

from audiogmm.documents import parse_finite
from audiogmm.errors import ModelFileError
from audiogmm.mixture import container
from audiogmm.mixture.forms import form_of
from audiogmm.mixture.gaussian import Mixture
from audiogmm.mixture.statistics import SCALARS, SufficientStats
from audiogmm.reading import parsing
from audiogmm.types import FloatArray
from audiogmm.verification.speaker import Speaker, background_mismatch

FORMAT_VERSION = 2
"""Of the file; a reader refuses higher ones. Files of version 1 have no checksums."""

SUFFIX = ".speaker"
_LONGEST_NAME = 180  # bytes of a file's name
_REMEDY = "enroll the speaker again"
_NO_SPEAKER = {
    "needed": "a file that `audiogmm enroll` wrote",
    "remedy": _REMEDY,
    "what": "is not a speaker's file",
}


def make_file_name(name: str) -> str:
    """Return the file's name, without suffix: reserved characters as %XX, and a long name cut, with a hash.

    Examples
    --------
    >>> make_file_name("ann"), make_file_name("../a b"), make_file_name(".hidden")
    ('ann', '%2E.%2Fa%20b', '%2Ehidden')
    """
    written = quote(name, safe="", errors="surrogatepass")
    if written.startswith("."):
        written = "%2E" + written[1:]
    if len(written) <= _LONGEST_NAME:
        return written
    mark = hashlib.blake2b(name.encode(errors="surrogatepass"), digest_size=16).hexdigest()
    return f"{written[: _LONGEST_NAME - 34]}%%{mark}"


def read_name(path: Path) -> str:
    """Return the name of the speaker whose file this is; it is read from the file if it was cut."""
    stem = path.name.removesuffix(SUFFIX)
    if "%%" not in stem:
        return unquote(stem, errors="surrogatepass")
    with parsing(path, ModelFileError, **_NO_SPEAKER):
        return str(container.read(path, _REMEDY)[0]["name"])


def pack_speaker(speaker: Speaker, background: Mixture, *, second: bool) -> bytes:
    """Return the bytes of a speaker's file; the same for the same speaker.

    Parameters
    ----------
    speaker : Speaker
    background : Mixture
        The model that statistics are differences to.
    second : bool
        Keep second moments, without which variances cannot be adapted.
    """
    arrays = _differences(speaker.statistics, background, second, "")
    if speaker.refined is not None:
        arrays |= _differences(speaker.refined, background, second, "refined.")
    document = {
        "format_version": FORMAT_VERSION,
        "name": speaker.name,
        "background": speaker.background,
        "recordings": speaker.recordings,
        "marks": speaker.marks,
        "voiced_seconds": speaker.voiced_seconds,
        "decibels": [None if math.isnan(ratio) else ratio for ratio in speaker.decibels],
    }
    return container.pack(arrays, document)


def read_speaker(path: Path, background: Mixture, fingerprint: str) -> Speaker:
    """Read a speaker's file.

    Raises
    ------
    ModelFileError
        If it is damaged, something else, or from a newer version.
    MismatchError
        If the speaker is of another background model than that of this fingerprint.
    """
    document, arrays = container.read(path, _REMEDY)
    with parsing(path, ModelFileError, **_NO_SPEAKER):
        if int(document["format_version"]) > FORMAT_VERSION:
            raise ModelFileError(
                f"{path} has format version {document['format_version']}",
                needed=f"format version {FORMAT_VERSION} at most",
                remedy="a newer audiogmm: pip install --upgrade audiogmm",
            )
        if document["background"] != fingerprint:
            raise background_mismatch(str(path), str(document["background"]), fingerprint)
        statistics = _statistics(arrays, background, "")
        if statistics is None:
            raise KeyError("heard")
        return Speaker(
            str(document["name"]),
            fingerprint,
            statistics,
            tuple(document["recordings"]),
            parse_finite(document["voiced_seconds"]),
            tuple(document["marks"]),
            tuple(math.nan if ratio is None else float(ratio) for ratio in document.get("decibels", ())),
            _statistics(arrays, background, "refined."),
        )


def moment_origin(mixture: Mixture) -> FloatArray:
    """Return the origin (n_features,) of the moments that an `Evaluator` computes."""
    return mixture.center.astype(np.float32).astype(np.float64)


def _differences(
    stats: SufficientStats, background: Mixture, second: bool, prefix: str
) -> dict[str, np.ndarray]:
    """Sums about each component's own mean, of the components that have frames."""
    stats = stats.shifted(moment_origin(background))
    occupied = np.flatnonzero(stats.counts > 0)
    about_means = stats.first - stats.counts[:, None] * (background.means - stats.origin)
    arrays: dict[str, np.ndarray] = {
        "heard": occupied.astype(np.int32),
        "counts": stats.counts[occupied],
        "first": about_means[occupied],
        "scalars": np.array([getattr(stats, name) for name in SCALARS]),
    }
    if second:  # about the origin: a tied one has no component to be about
        arrays["second"] = stats.second
    return {prefix + name: array for name, array in arrays.items()}


def _statistics(arrays: dict[str, np.ndarray], background: Mixture, prefix: str) -> SufficientStats | None:
    """The inverse of `_differences`; second moments that are not in it are those of frames at the means."""
    if f"{prefix}heard" not in arrays:
        return None
    occupied, origin = arrays[f"{prefix}heard"], moment_origin(background)
    counts, first = np.zeros(background.n_components), np.zeros(background.means.shape)
    counts[occupied] = arrays[f"{prefix}counts"]
    first[occupied] = (
        arrays[f"{prefix}first"] + counts[occupied, None] * (background.means - origin)[occupied]
    )
    second = arrays.get(f"{prefix}second")
    if second is None:
        own = np.divide(first, counts[:, None], out=np.zeros_like(first), where=counts[:, None] > 0)
        nothing = np.zeros_like(background.covariances)
        second = form_of(background.covariance_type).expected(nothing, own, counts)
    scalars = dict(zip(SCALARS, arrays[f"{prefix}scalars"].tolist(), strict=True))
    return SufficientStats(background.covariance_type, origin, counts, first, second, **scalars)
