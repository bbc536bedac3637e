"""The frequency bands behind the features of a front end."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from audiogmm.anomaly.bands import BandMap
from audiogmm.errors import ChoiceError
from audiogmm.types import FloatArray

if TYPE_CHECKING:
    from audiogmm.audio.frontend.frontend import FrontEnd


def band_maps(frontend: FrontEnd | None) -> tuple[BandMap, ...]:
    """Return the maps from features to the levels of mel bands, one for each order of deltas.

    Parameters
    ----------
    frontend : FrontEnd or None
        With its sample rate.

    Returns
    -------
    tuple of BandMap
        Of the levels themselves, of their rate of change (decibels a frame), and so on; empty where the
        bands are not known: for frames of the user's own, and for warped ones.
    """
    if frontend is None or frontend.sample_rate is None or frontend.cmvn == "warping":
        return ()
    return tuple(mel_bands(frontend, frontend.sample_rate, order) for order in range(frontend.deltas + 1))


def mel_bands(frontend: FrontEnd, sample_rate: int, order: int = 0) -> BandMap:
    """Return the map from the features of a front end to the levels of its mel bands.

    What the front end did is undone in turn: the global normalization, the lifter, the cosine transform (an
    orthonormal one, whose inverse is its transpose; what the cepstra that were left out held is lost), and
    the logarithm's unit.

    Parameters
    ----------
    frontend : FrontEnd
        The settings.
    sample_rate : int
        Of the recordings, hertz.
    order : int
        Of the deltas: 0 for the levels themselves, 1 for their rate of change (decibels a frame), and so on.

    Raises
    ------
    ChoiceError
        If the front end has no deltas of that order, or its features are ranks (warping).

    Examples
    --------
    >>> from audiogmm.audio.frontend.frontend import FrontEnd
    >>> frontend = FrontEnd.preset("ambient", n_mfcc=40, cmvn="none", sample_scale=1.0)
    >>> logmel = FrontEnd.preset("ambient", feature="logmel", cmvn="none", sample_scale=1.0)
    >>> noise = np.random.default_rng(0).normal(size=800).astype(np.float32)
    >>> levels = mel_bands(frontend, 8000).levels(frontend(noise, 8000))
    >>> np.allclose(levels, 10 / np.log(10) * logmel(noise, 8000)[:, :40], atol=1e-3)
    True
    """
    if frontend.cmvn == "warping":
        raise ChoiceError("the bands behind warped features", needed="features that are not ranks")
    if not 0 <= order <= frontend.deltas:
        raise ChoiceError(f"deltas of order {order}", needed=f"0 to {frontend.deltas}, as the features have")
    static = _static(frontend)
    first = order * frontend.n_static
    matrix = np.zeros((frontend.n_mels, frontend.n_features()))
    matrix[:, first : first + frontend.n_static] = static
    offset = np.zeros(frontend.n_mels)
    if frontend.cmvn_scale:
        offset = matrix @ np.array(frontend.cmvn_mean)
        matrix = matrix / np.array(frontend.cmvn_scale)
    level = frontend.feature == "logmel" or (frontend.include_c0 and frontend.energy == "none")
    return BandMap(
        matrix, offset, _hertz(frontend, sample_rate), level and frontend.cmvn in ("none", "global")
    )


def _static(frontend: FrontEnd) -> FloatArray:
    """From one frame's static features to decibels of its bands, shape (n_mels, n_static)."""
    from audiogmm.audio.frontend.mfcc import cosine_matrix, lifter_weights

    decibels = 1.0 if frontend.log_scale == "db" else 10.0 / math.log(10.0)
    if frontend.spectrum == "magnitude":
        decibels *= 2.0
    has_energy = frontend.energy != "none"
    if frontend.feature == "logmel":
        selected = np.eye(frontend.n_mels) * decibels
        return np.pad(selected, ((0, 0), (int(has_energy), 0)))
    skipped = 0 if frontend.include_c0 and not has_energy else 1
    kept = frontend.n_mfcc + skipped - int(has_energy)
    inverse = (cosine_matrix(kept, frontend.n_mels) / lifter_weights(kept, frontend.lifter)[:, None]).T
    return np.pad(inverse[:, skipped:] * decibels, ((0, 0), (int(has_energy), 0)))


def _hertz(frontend: FrontEnd, sample_rate: int) -> FloatArray:
    """Lower edge, center and upper edge of each mel band, shape (n_mels, 3), hertz."""
    from audiogmm.audio.frontend.mel import hertz_to_mel, mel_to_hertz

    limits = hertz_to_mel(np.array(frontend.band(frontend.rate(sample_rate))), frontend.mel_scale)
    edges = mel_to_hertz(np.linspace(limits[0], limits[1], frontend.n_mels + 2), frontend.mel_scale)
    return np.stack([edges[:-2], edges[1:-1], edges[2:]], axis=1)
