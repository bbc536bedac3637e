"""The scores of one recording, frame by frame, and the checks that all of them are finite."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from audiogmm.blocks import FrameBlock
from audiogmm.errors import FeatureError
from audiogmm.methods import call_above
from audiogmm.scoring.summary import WINDOW, TrackSummary, summarize_track
from audiogmm.timeline import FrameClock
from audiogmm.types import BoolArray, FloatArray
from audiogmm.words import SOUND, Terms


@dataclass(frozen=True, eq=False)
class ScoreTrack:
    """The score of every frame of a recording under a model.

    Attributes
    ----------
    id : str
        Name of the recording.
    scores : ndarray of shape (n_frames,), float64
        Log-likelihoods, or log-likelihood ratios, nats; all finite; higher is more normal.
    voiced : ndarray of shape (n_frames,), bool
        Which frames the activity detector marked; all True where there is none.
    clock : FrameClock
        Turns frame indices into seconds.
    recording : Entry, optional
        What was scored, for its spectrogram and its sound.
    unit : str
        Of the scores.
    terms : Terms
        Of a recording, or of a table.

    Raises
    ------
    FeatureError
        If the two arrays are not vectors of one length, or a score is not finite.

    Examples
    --------
    >>> track = ScoreTrack("a", np.array([-3.0, -4.0]), np.array([True, True]), FrameClock(8000, 80, 200))
    >>> len(track), track.times
    (2, array([0.0125, 0.0225]))
    """

    id: str
    scores: FloatArray
    voiced: BoolArray
    clock: FrameClock
    recording: Any = None
    unit: str = "nats"
    terms: Terms = SOUND

    def __post_init__(self) -> None:
        if self.scores.ndim != 1 or self.scores.shape != self.voiced.shape:
            raise FeatureError(
                f"track {self.id}: scores of shape {self.scores.shape}, voiced of {self.voiced.shape}",
                needed="two vectors of one length",
            )
        require_finite(self.scores, self.id, 0, self.clock)

    def __len__(self) -> int:
        return len(self.scores)

    def plot(self, events: Sequence[Any] = (), *, ax: Any = None, label: str | None = None) -> Any:
        """Plot the scores, below the spectrogram of the recording where that is known.

        Parameters
        ----------
        events : sequence of Event
            Shaded; their threshold is drawn.
        ax : matplotlib Axes, optional
            Takes the scores alone; by default a new figure of pyplot is made.
        label : str, optional
            Name of the curve, for a legend.

        Returns
        -------
        matplotlib Axes
            Of the scores.

        Raises
        ------
        ChoiceError
            If matplotlib is missing.
        """
        return call_above("plot", self, events, ax=ax, label=label)

    def _repr_html_(self) -> str:
        return str(call_above("to_html", self))

    def __repr__(self) -> str:
        mean = f", mean {self.scores.mean():.2f} {self.unit}" if len(self) else ""
        return f"ScoreTrack({self.id!r}, {self.terms.frames(len(self))}{mean})"

    @property
    def times(self) -> FloatArray:
        """Frame centers, shape (n_frames,), seconds on the recording's clock."""
        return self.clock.center(np.arange(len(self.scores)))

    @property
    def summary(self) -> TrackSummary:
        """The track in one row."""
        return summarize_track(self.id, self.clock, self._windows)

    def _windows(self) -> Iterator[tuple[FloatArray, BoolArray]]:
        """Windows as of a file, so that sums round as those of a file do."""
        for start in range(0, len(self.scores), WINDOW):
            yield self.scores[start : start + WINDOW], self.voiced[start : start + WINDOW]


def require_finite(scores: FloatArray, id: str, start: int, clock: FrameClock) -> None:
    """Raise a `FeatureError` that names the first frame whose score is not finite."""
    finite = np.isfinite(scores)
    if not finite.all():
        i = int(np.argmin(finite))
        raise FeatureError(
            f"{id}: the score of frame {start + i} at {clock.center(start + i):.3f} s is {scores[i]}",
            needed="a finite score for every frame",
            remedy="a model and features of ordinary size",
        )


def require_finite_frames(id: str, block: FrameBlock) -> None:
    """Raise a `FeatureError` that names the first frame of a block that is not finite, and its time."""
    frames = np.asarray(block.frames)
    finite = np.isfinite(frames) if frames.dtype.kind == "f" else np.ones(0, np.bool_)
    if not finite.all():
        i, feature = (int(place) for place in np.argwhere(~finite)[0])
        number = block.start + i
        raise FeatureError(
            f"{id}: frame {number} at {block.clock.center(number):.3f} s holds {frames[i, feature]}",
            needed="finite features",
            remedy="repair the recording, or leave it out",
        )
