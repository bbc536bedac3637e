"""A track as a plot: the spectrogram of its recording above, its scores below, events shaded."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from audiogmm.anomaly.event import Event
from audiogmm.errors import AudioGMMError
from audiogmm.reporting.figure import figure_style
from audiogmm.reporting.picture import RecordingPicture, draw_panels, draw_score_panel
from audiogmm.reporting.run.excerpt import read_samples
from audiogmm.scoring.track import ScoreTrack
from audiogmm.types import Samples, Seconds

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LONGEST: Seconds = 600.0
"""Most of a recording that is shown, from its beginning."""

SIZE = (9.0, 4.2)
"""Inches."""


def plot(
    track: ScoreTrack, events: Sequence[Event] = (), *, ax: Axes | None = None, label: str | None = None
) -> Axes:
    """Plot the scores of a track, below the spectrogram of its recording where that is known.

    Parameters
    ----------
    track : ScoreTrack
        Of which at most the first ten minutes are shown.
    events : sequence of Event
        Shaded; their threshold is drawn.
    ax : matplotlib Axes, optional
        Takes the scores alone; by default a new figure of pyplot is made.
    label : str, optional
        Name of the curve, for `ax.legend()`.

    Returns
    -------
    matplotlib Axes
        Of the scores; its `figure` can be saved.

    Raises
    ------
    ChoiceError
        If matplotlib is missing.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("Agg")
    >>> from audiogmm.timeline import FrameClock
    >>> track = ScoreTrack("a", np.sin(np.arange(300.0)), np.ones(300, bool), FrameClock(16000, 160, 400))
    >>> plot(track).get_xlabel()
    'Time, s'
    >>> import matplotlib.pyplot as plt
    >>> plt.close()
    """
    with figure_style():
        if ax is not None:
            draw_score_panel(ax, picture_of(track, events, np.zeros(0, np.float32), 1.0), label=label)
            return ax
        import matplotlib.pyplot as plt

        figure = plt.figure(figsize=SIZE, layout="constrained")
        return draw_panels(figure, picture_of(track, events, *samples_of(track)))


def picture_of(
    track: ScoreTrack, events: Sequence[Event], samples: Samples, sample_rate: float
) -> RecordingPicture:
    """Return what a plot of a track shows."""
    shown = track.scores[: track.clock.count(LONGEST)] if track.terms.unit else track.scores
    end = track.clock.end(len(shown) - 1) if len(shown) else 0.0
    here = [event for event in events if event.id == track.id and event.start < end]
    return RecordingPicture(
        samples=samples,
        sample_rate=sample_rate,
        scores=shown,
        clock=track.clock,
        threshold=here[0].threshold if here else None,
        events=here,
        title=describe_track(track),
        label=f"Score, {track.unit}",
        terms=track.terms,
    )


def describe_track(track: ScoreTrack) -> str:
    """Name a track and say how long it is.

    Examples
    --------
    >>> from audiogmm.timeline import FrameClock
    >>> describe_track(ScoreTrack("a", np.zeros(98), np.ones(98, bool), FrameClock(16000, 160, 400)))
    'a: 98 frames, 1.0 s'
    """
    terms = track.terms
    length = (track.clock.end(len(track) - 1) - track.clock.start(0)) if len(track) else 0.0
    return f"{track.id}: {terms.frames(len(track))}" + (f", {terms.length(length)}" if terms.unit else "")


def samples_of(track: ScoreTrack, longest: Seconds = LONGEST) -> tuple[Samples, float]:
    """Return the beginning of a track's recording, shape (n_samples,), float32, and its rate, hertz.

    There are no samples where the recording is not known, is a table, or cannot be read any more.
    """
    nothing: tuple[Samples, float] = np.zeros(0, np.float32), 1.0
    if track.recording is None or not track.terms.unit or not len(track):
        return nothing
    start = track.clock.offset
    try:
        return read_samples(track.recording, start, min(track.clock.end(len(track) - 1), start + longest))
    except (AudioGMMError, OSError):
        return nothing
