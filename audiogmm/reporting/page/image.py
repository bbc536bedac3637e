"""Spectrograms as small images."""

from __future__ import annotations

import io

import numpy as np

from audiogmm.errors import ChoiceError
from audiogmm.reporting.picture import spectrogram
from audiogmm.types import FloatArray, Samples

COLUMNS, ROWS = 600, 128
"""Largest size of an image: what a page shows, in about 20 kB."""

RANGE = 70.0
"""From the darkest color to the brightest, dB."""

QUALITY = 50
"""Of WebP: 19 kB on music and speech, like JPEG at 60; PNG with a palette takes 31 kB."""


def require_imaging() -> None:
    """Refuse, before the work begins, where images cannot be made.

    Raises
    ------
    ChoiceError
        If Pillow or matplotlib is missing.
    """
    try:
        import matplotlib  # noqa: F401
        import PIL.Image  # noqa: F401
    except ImportError as error:
        raise ChoiceError(
            f"spectrograms need {error.name or 'matplotlib'}, which is not installed",
            remedy="pip install 'audiogmm[plot]'",
        ) from error


def spectrogram_image(samples: Samples, sample_rate: float) -> bytes:
    """Draw a spectrogram as WebP, time to the right and frequency upwards, both linear.

    Parameters
    ----------
    samples : ndarray of shape (n_samples,), float32
        Mono audio.
    sample_rate : float
        Hertz; the upper edge is half of it.

    Returns
    -------
    bytes
        At most `COLUMNS` by `ROWS` pixels, without a margin.

    Examples
    --------
    >>> spectrogram_image(np.ones(8000, np.float32), 8000)[8:12]
    b'WEBP'
    """
    from matplotlib import colormaps
    from PIL import Image

    levels, times, _ = spectrogram(samples, sample_rate)
    power = pooled(np.power(10.0, levels / 10), ROWS, COLUMNS, times)
    levels = 10 * np.log10(power)
    top = float(np.percentile(levels, 99.7))
    share = np.clip((levels - top + RANGE) / RANGE, 0.0, 1.0)[::-1]
    colors = colormaps["magma"]((share * 255).round().astype(np.uint8))[..., :3]
    file = io.BytesIO()
    Image.fromarray((colors * 255).round().astype(np.uint8)).save(
        file, format="WEBP", quality=QUALITY, method=4
    )
    return file.getvalue()


def pooled(power: FloatArray, rows: int, columns: int, times: FloatArray) -> FloatArray:
    """Average over rows, and over columns of equal length in time.

    Parameters
    ----------
    power : ndarray of shape (n_frequencies, n_times), float64
    rows, columns : int
        Largest size of the result.
    times : ndarray of shape (n_times + 1,), float64
        Edges of the columns.

    Examples
    --------
    >>> pooled(np.array([[1.0, 3.0], [5.0, 7.0], [9.0, 9.0]]), 2, 1, np.array([0.0, 1.0, 2.0]))
    array([[2. ],
           [7.5]])
    """
    row_edges = np.linspace(0, len(power), min(rows, len(power)) + 1).astype(int)
    ends = np.linspace(times[0], times[-1], min(columns, power.shape[1]) + 1)
    column_edges = np.clip(np.searchsorted(times, ends[:-1], side="right") - 1, 0, power.shape[1] - 1)
    column_edges = np.unique(column_edges)
    power = np.add.reduceat(power, row_edges[:-1], axis=0) / np.diff(row_edges)[:, None]
    counts = np.diff(np.append(column_edges, power.shape[1]))
    return np.add.reduceat(power, column_edges, axis=1) / counts
