"""The picture of a recording: its spectrogram, its score with the threshold, and its events."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from audiogmm.anomaly.event import Event
from audiogmm.errors import ChoiceError
from audiogmm.reporting.figure import INK, QUIET, figure_at
from audiogmm.timeline import FrameClock, Segment
from audiogmm.types import FloatArray, Samples, Seconds
from audiogmm.words import SOUND, Terms

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito's colors, which color-blind readers tell apart; text is near black on white
_SCORE, _FOUND, _TRUTH = "#0072B2", "#D55E00", "#009E73"

_MOST_POINTS = 2400
"""Most points of a curve: more than a picture shows."""

_MOST_COLUMNS = 1000
"""Most columns of a spectrogram, each the mean of up to `_TOGETHER` spectra, which reduces the noise."""

_TOGETHER = 8


@dataclass(frozen=True, eq=False)
class RecordingPicture:
    """All that one picture shows.

    Attributes
    ----------
    samples : ndarray of shape (n_samples,), float32
        Mono audio.
    sample_rate : float
        Hertz.
    scores : ndarray of shape (n_frames,), float64
        Smoothed scores, nats, as `Detector.smooth` returns them.
    clock : FrameClock
        Of the scores; its offset is the time of the first sample.
    threshold : float or None
        An event begins at a score at or below it, nats.
    release : float, optional
        An event ends at a score above it, nats.
    events : sequence of Event
        Events of the detector.
    truth : sequence of Segment or None
        True events, where they are known.
    title : str
        Title of the picture.
    label : str
        What the scores are.
    terms : Terms
        Of a recording, or of a table.
    """

    samples: Samples
    sample_rate: float
    scores: FloatArray
    clock: FrameClock
    threshold: float | None
    release: float | None = None
    events: Sequence[Event] = ()
    truth: Sequence[Segment] | None = None
    title: str = ""
    label: str = "Log-likelihood per frame,\nsmoothed, nats"
    terms: Terms = SOUND


def draw_picture(picture: RecordingPicture, path: str | os.PathLike[str], *, force: bool = False) -> None:
    """Draw a spectrogram above, the smoothed log-likelihood and its threshold below, events shaded.

    Parameters
    ----------
    picture : RecordingPicture
        What to show.
    path, force
        See `figure_at`, also for the errors.

    Raises
    ------
    ChoiceError
        If there is nothing to draw.
    """
    if not len(picture.samples) or not len(picture.scores):
        raise ChoiceError(
            f"{len(picture.samples)} samples and {len(picture.scores)} scores", needed="something to draw"
        )
    with figure_at(path, (10, 5), force=force) as figure:
        draw_panels(figure, picture)


def draw_panels(figure: Figure, picture: RecordingPicture) -> Axes:
    """Draw both panels into a figure, or the scores alone where there are no samples; return their axes."""
    above: Axes
    below: Axes
    if len(picture.samples):
        above, below = figure.subplots(2, 1, sharex=True, height_ratios=(1.15, 1.0))
        _draw_spectrogram(above, picture)
    else:
        above = below = figure.subplots()
    draw_score_panel(below, picture)
    title = picture.title or picture.terms.recording.capitalize()
    above.set_title(title, loc="left", fontsize=12, fontweight="bold", pad=22 if above is not below else 8)
    handles = _legend(picture)
    if len(handles) > 1:
        below.legend(handles=handles, loc="upper center", bbox_to_anchor=(0.5, -0.24), ncols=len(handles))
    return below


def _draw_spectrogram(axes: Axes, picture: RecordingPicture) -> None:
    start = picture.clock.offset
    levels, times, frequencies = spectrogram(picture.samples, picture.sample_rate)
    top = float(np.percentile(levels, 99.7))
    axes.pcolormesh(
        start + times,
        frequencies / 1000,
        levels,
        cmap="magma",
        vmin=top - 70,
        vmax=top,
        shading="flat",
        rasterized=True,
    )
    axes.set_ylabel("Frequency, kHz")
    axes.set_xlim(start, start + len(picture.samples) / picture.sample_rate)
    axes.set_ylim(0, picture.sample_rate / 2000)
    for event in picture.events:  # brackets above: shading would hide the spectrogram
        _bracket(axes, event.start, event.end, 1.035, _FOUND)
    for segment in picture.truth or ():
        _bracket(axes, segment.start, segment.end, 1.085, _TRUTH)


def _bracket(axes: Axes, start: Seconds, end: Seconds, height: float, color: str) -> None:
    """Draw a bar above the axes, cut off at their ends."""
    left, right = axes.get_xlim()
    start, end = max(start, left), min(end, right)
    if start >= end:
        return
    axes.plot(
        [start, end],
        [height, height],
        transform=axes.get_xaxis_transform(),
        color=color,
        linewidth=4,
        solid_capstyle="butt",
        clip_on=False,
    )


def draw_score_panel(axes: Axes, picture: RecordingPicture, *, label: str | None = None) -> None:
    """Draw the scores into axes, with the threshold and the events."""
    times = picture.clock.center(np.arange(len(picture.scores)))
    shown_times, shown = thin(times, picture.scores)
    axes.plot(shown_times, shown, color=None if label else _SCORE, linewidth=1.3, label=label)
    if picture.threshold is not None:
        axes.axhline(picture.threshold, color=INK, linewidth=1.1, linestyle="--")
    if _has_release(picture) and picture.release is not None:
        axes.axhline(picture.release, color=QUIET, linewidth=0.9, linestyle=":")
    for event in picture.events:
        axes.axvspan(event.start, event.end, color=_FOUND, alpha=0.22, linewidth=0)
        if event.peak is not None and event.peak_time is not None:
            axes.plot(event.peak_time, event.peak, "o", color=_FOUND, markersize=4.5)
    if len(picture.scores) and label is None:  # several curves may share the axes
        axes.set_ylim(*score_limits(picture.scores, picture.threshold))
    axes.set_ylabel(picture.label)
    axes.set_xlabel("Time, s" if picture.terms.unit else picture.terms.frame.capitalize())


def _has_release(picture: RecordingPicture) -> bool:
    """Return whether a looser threshold is drawn."""
    if picture.release is None or picture.threshold is None:
        return False
    return picture.release > picture.threshold


def _legend(picture: RecordingPicture) -> list[Any]:
    """Return what the legend explains."""
    from matplotlib.lines import Line2D

    handles: list[Any] = [Line2D([], [], color=_SCORE, linewidth=1.5, label="score")]
    if picture.threshold is not None:
        handles.append(Line2D([], [], color=INK, linewidth=1.1, linestyle="--", label="threshold"))
    if _has_release(picture):
        handles.append(Line2D([], [], color=QUIET, linestyle=":", label="release"))
    if picture.threshold is not None or picture.events:
        detected = f"detected ({len(picture.events)})"
        handles.append(Line2D([], [], color=_FOUND, linewidth=4, label=detected))
    if picture.truth is not None:
        handles.append(Line2D([], [], color=_TRUTH, linewidth=4, label=f"true events ({len(picture.truth)})"))
    return handles


def spectrogram(samples: Samples, sample_rate: float) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Compute a power spectrogram of about 30 ms windows, in at most `_MOST_COLUMNS` columns.

    Parameters
    ----------
    samples : ndarray of shape (n_samples,), float32
        Mono audio.
    sample_rate : float
        Hertz.

    Returns
    -------
    levels : ndarray of shape (n_frequencies, n_times), float64
        dB re full scale.
    times : ndarray of shape (n_times + 1,), float64
        Edges of the columns, seconds from the first sample.
    frequencies : ndarray of shape (n_frequencies + 1,), float64
        Edges of the rows, hertz.

    Examples
    --------
    >>> levels, times, frequencies = spectrogram(np.ones(8000, np.float32), 8000)
    >>> levels.shape == (len(frequencies) - 1, len(times) - 1), float(frequencies[-1])
    (True, 4000.0)
    """
    length = 1 << max(5, round(np.log2(0.03 * sample_rate)))
    padded = np.pad(samples.astype(np.float64), (0, max(0, length - len(samples))))
    hop = max(length // 4, (len(padded) - length) // (_MOST_COLUMNS * _TOGETHER) + 1)
    rows = np.lib.stride_tricks.sliding_window_view(padded, length)[::hop]
    window = np.hanning(length)
    spectra = np.empty((len(rows), length // 2 + 1))
    for first in range(0, len(rows), 256):  # a few at a time, to bound memory
        some = rows[first : first + 256] * window
        spectra[first : first + 256] = np.square(np.abs(np.fft.rfft(some, axis=1)))
    together = -(-len(rows) // _MOST_COLUMNS)
    first_row = np.arange(0, len(rows), together)
    sizes = np.diff(np.append(first_row, len(rows)))
    power = (np.add.reduceat(spectra, first_row) / sizes[:, None]).T / np.square(window.sum() / 2)
    levels = 10 * np.log10(np.maximum(power, 1e-12))
    edges = np.append(first_row, len(rows)) - 0.5
    times = (length / 2 + edges * hop) / sample_rate
    times[0], times[-1] = 0.0, max(times[-1], len(samples) / sample_rate)
    frequencies = np.linspace(0, sample_rate / 2, len(levels) + 1)
    return levels, times, frequencies


def thin(times: FloatArray, values: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Thin a curve to at most `_MOST_POINTS` points that keep its lows and highs.

    Examples
    --------
    >>> values = np.zeros(100_000)
    >>> values[777] = -5.0
    >>> shown = thin(np.arange(100_000.0), values)[1]
    >>> len(shown) <= 2400, float(shown.min())
    (True, -5.0)
    """
    if len(values) <= _MOST_POINTS:
        return times, values
    step = -(-len(values) // (_MOST_POINTS // 2))
    first = np.arange(0, len(values), step)
    lows, highs = np.minimum.reduceat(values, first), np.maximum.reduceat(values, first)
    return np.repeat(times[first], 2), np.column_stack([lows, highs]).ravel()


def score_limits(scores: FloatArray, threshold: float | None) -> tuple[float, float]:
    """Return the limits of the score axis; a single extreme score must not flatten the rest.

    Examples
    --------
    >>> low, high = score_limits(np.array([-40.0, -41.0, -1e9]), -45.0)
    >>> low > -250, high > -40
    (True, True)
    """
    typical = float(np.median(scores))
    if threshold is None:
        threshold = typical - 6 * float(np.median(np.abs(scores - typical)))
        threshold = max(threshold, float(scores.min()))
    top = float(max(scores.max(), threshold))
    deepest = min(threshold, typical) - 20 * max(typical - threshold, 1.0)
    bottom = max(float(min(scores.min(), threshold)), deepest)
    margin = 0.06 * max(top - bottom, 1.0)
    return bottom - margin, top + margin
