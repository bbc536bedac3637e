"""One row a recording: how many frames, how they scored."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass

import numpy as np

from audiogmm.scoring.quantile import quantiles
from audiogmm.timeline import FrameClock
from audiogmm.types import BoolArray, FloatArray, Json, Seconds

Windows = Callable[[], Iterator[tuple[FloatArray, BoolArray]]]
"""Gives a track's scores (n,) and marks (n,) from the start at each call, `WINDOW` frames at a time."""

WINDOW = 65536
"""Frames held at a time while a track is summarized or written."""

PERCENTILES = (1.0, 5.0, 50.0, 95.0)
"""Percentiles that a summary holds."""


@dataclass(frozen=True, slots=True)
class TrackSummary:
    """The scores of one recording in one row.

    The scores are those of the voiced frames, or of all frames where none is voiced, in nats.

    Attributes
    ----------
    id : str
        Name of the recording.
    frames, voiced : int
        Number of frames, and of voiced ones among them.
    duration : Seconds
        From the start of the first frame to the end of the last one.
    mean, std, min, p1, p5, p50, p95, max : float or None
        Mean, standard deviation, extremes and percentiles of the scores; None where there is no frame.

    Examples
    --------
    >>> clock, voiced = FrameClock(8000, 80, 200), np.ones(3, dtype=bool)
    >>> row = summarize_track("a", clock, lambda: iter([(np.array([-1.0, -2.0, -6.0]), voiced)]))
    >>> row.frames, row.mean, row.min, row.p50
    (3, -3.0, -6.0, -2.0)
    """

    id: str
    frames: int
    voiced: int
    duration: Seconds
    mean: float | None = None
    std: float | None = None
    min: float | None = None
    p1: float | None = None
    p5: float | None = None
    p50: float | None = None
    p95: float | None = None
    max: float | None = None

    def to_dict(self) -> Json:
        """Return the row as a JSON object."""
        return asdict(self)


def summarize_track(id: str, clock: FrameClock, windows: Windows) -> TrackSummary:
    """Summarize a track of any length in bounded memory, reading it a few times.

    Parameters
    ----------
    id : str
        Name of the recording.
    clock : FrameClock
        Its clock.
    windows : callable
        Gives pairs of scores, shape (n,), float64, nats, and marks, shape (n,), bool; the same at each call.

    Returns
    -------
    TrackSummary
        The row.
    """
    frames = voiced = 0
    for scores, marks in windows():
        frames += len(scores)
        voiced += int(marks.sum())
    duration = clock.end(frames - 1) - clock.start(0) if frames else 0.0
    if not frames:
        return TrackSummary(id, 0, 0, duration)

    def chosen() -> Iterator[FloatArray]:
        for scores, marks in windows():
            yield scores[marks] if voiced else scores

    n = voiced or frames
    mean = sum(float(scores.sum()) for scores in chosen()) / n
    variance = sum(float(np.square(scores - mean).sum()) for scores in chosen()) / n
    lowest, *between, highest = quantiles(chosen, n, [0.0, *(p / 100 for p in PERCENTILES), 1.0])
    scores_of = {"mean": mean, "std": math.sqrt(variance), "min": lowest, "max": highest}
    percentiles = {f"p{p:g}": value for p, value in zip(PERCENTILES, between, strict=True)}
    return TrackSummary(id, frames, voiced, duration, **scores_of, **percentiles)
