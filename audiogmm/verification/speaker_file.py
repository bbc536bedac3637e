"""A speaker as a file: sums of differences to the background model."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np

from audiogmm.errors import AudioGMMError, ModelFileError
from audiogmm.mixture import container
from audiogmm.mixture.forms import form_of
from audiogmm.mixture.gaussian import Mixture
from audiogmm.mixture.statistics import SCALARS, SufficientStats
from audiogmm.types import FloatArray
from audiogmm.verification.speaker import Speaker, mixed_backgrounds

FORMAT_VERSION = 1
"""Of the file; a reader refuses higher ones."""


def packed(speaker: Speaker, background: Mixture, *, second: bool) -> bytes:
    """The bytes of a speaker's file; the same for the same speaker.

    Parameters
    ----------
    speaker : Speaker
        Who.
    background : Mixture
        What the statistics are differences to.
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
    return container.pack(arrays, json.dumps(document, ensure_ascii=False, sort_keys=True))


def read_speaker(path: Path, background: Mixture, fingerprint: str) -> Speaker:
    """Read a speaker's file.

    Raises
    ------
    ModelFileError
        If it is damaged, something else, or from a newer version.
    MismatchError
        If the speaker is of another background model than that of this fingerprint.
    """
    text, arrays = container.read(path)
    try:
        document = json.loads(text)
        if int(document["format_version"]) > FORMAT_VERSION:
            raise ModelFileError(
                f"{path} has format version {document['format_version']}",
                needed=f"format version {FORMAT_VERSION} at most",
                remedy="a newer audiogmm: pip install --upgrade audiogmm",
            )
        if document["background"] != fingerprint:
            raise mixed_backgrounds(str(path), str(document["background"]), fingerprint)
        statistics = _statistics(arrays, background, "")
        if statistics is None:
            raise KeyError("heard")
        return Speaker(
            str(document["name"]),
            fingerprint,
            statistics,
            tuple(document["recordings"]),
            float(document["voiced_seconds"]),
            tuple(document["marks"]),
            tuple(math.nan if ratio is None else float(ratio) for ratio in document.get("decibels", ())),
            _statistics(arrays, background, "refined."),
        )
    except AudioGMMError:
        raise
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise ModelFileError(
            f"{path} is no speaker: {type(error).__name__}: {error}",
            needed="a file that `audiogmm enroll` wrote",
            remedy="enroll the speaker again",
        ) from error


def origin_of(mixture: Mixture) -> FloatArray:
    """What an `Evaluator` takes moments about."""
    return mixture.centre.astype(np.float32).astype(np.float64)


def _differences(
    stats: SufficientStats, background: Mixture, second: bool, prefix: str
) -> dict[str, np.ndarray]:
    """Sums about each component's own mean, of the components that heard something."""
    stats = stats.shifted(origin_of(background))
    heard = np.flatnonzero(stats.counts > 0)
    about_means = stats.first - stats.counts[:, None] * (background.means - stats.origin)
    arrays: dict[str, np.ndarray] = {
        "heard": heard.astype(np.int32),
        "counts": stats.counts[heard],
        "first": about_means[heard],
        "scalars": np.array([getattr(stats, name) for name in SCALARS]),
    }
    if second:  # about the origin: a tied one has no component to be about
        arrays["second"] = stats.second
    return {prefix + name: array for name, array in arrays.items()}


def _statistics(arrays: dict[str, np.ndarray], background: Mixture, prefix: str) -> SufficientStats | None:
    """What `_differences` was given; second moments that were not kept are those of frames at the means."""
    if f"{prefix}heard" not in arrays:
        return None
    heard, origin = arrays[f"{prefix}heard"], origin_of(background)
    counts, first = np.zeros(background.n_components), np.zeros(background.means.shape)
    counts[heard] = arrays[f"{prefix}counts"]
    first[heard] = arrays[f"{prefix}first"] + counts[heard, None] * (background.means - origin)[heard]
    second = arrays.get(f"{prefix}second")
    if second is None:
        own = np.divide(first, counts[:, None], out=np.zeros_like(first), where=counts[:, None] > 0)
        nothing = np.zeros_like(background.covariances)
        second = form_of(background.covariance_type).expected(nothing, own, counts)
    scalars = dict(zip(SCALARS, arrays[f"{prefix}scalars"].tolist(), strict=True))
    return SufficientStats(background.covariance_type, origin, counts, first, second, **scalars)
