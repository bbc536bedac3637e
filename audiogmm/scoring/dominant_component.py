"""The dominant component of a stream: which one explains the sound now, and when that changes."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from audiogmm.blocks import FrameBlock
from audiogmm.errors import ChoiceError
from audiogmm.scoring.assignment import STEP, PosteriorModel
from audiogmm.timeline import FrameClock
from audiogmm.types import BoolArray, FloatArray, Frames, Seconds

HOP: Seconds = 0.1
"""Seconds between the ends of two windows."""


@dataclass(frozen=True, slots=True)
class DominantChange:
    """From here on another component is dominant.

    Attributes
    ----------
    since, at : Seconds
        Beginning and end of the window that shows it, on the recording's clock.
    component : int or None
        Which is dominant; None: no frame of the window is voiced.
    posterior : float or None
        Its mean over the voiced frames of the window.
    before : int or None
        Which was dominant before.
    """

    since: Seconds
    at: Seconds
    component: int | None
    posterior: float | None
    before: int | None


class DominantComponent:
    """The component of the highest mean posterior over the voiced frames of a sliding window.

    A change is reported once the window's mean shows it, and no sooner than a window after the last change:
    what lasts less than about half a window is not reported. Windows end at multiples of `HOP`, so that any
    chunking gives the same bytes.

    Parameters
    ----------
    model : Evaluator
        Gives posteriors.
    clock : FrameClock
        Of the recording.
    duration : Seconds
        Length of the window.

    Raises
    ------
    ChoiceError
        If the window is not longer than 0 s.

    Examples
    --------
    >>> class Sign:
    ...     def posteriors(self, frames):
    ...         return np.where(frames < 0, [0.75, 0.25], [0.1, 0.9])
    >>> clock = FrameClock(8000, 80, 200)
    >>> frames = np.r_[np.full(100, -1.0), np.full(100, 1.0)].astype(np.float32)[:, None]
    >>> dominant = DominantComponent(Sign(), clock, 0.4)
    >>> block = FrameBlock(frames, np.ones(200, bool), 0, clock)
    >>> [(change.component, change.at) for change in dominant.push(block)]
    [(0, 0.415), (1, 1.215)]
    """

    def __init__(self, model: PosteriorModel, clock: FrameClock, duration: Seconds) -> None:
        if not 0 < duration < np.inf:
            raise ChoiceError(
                f"a window of {duration} s for the dominant component", needed="a positive time"
            )
        self._model = model
        self._clock = clock
        self._hop = clock.count(HOP)
        self._n_hops = max(1, round(duration * clock.frame_rate / self._hop))
        self._hops: deque[tuple[FloatArray, int]] = deque(maxlen=self._n_hops)
        self._waiting: Frames | None = None
        self._waiting_voiced: BoolArray = np.empty(0, np.bool_)
        self._n_frames = 0
        self._dominant: int | None = None
        self._last: int | None = None  # frame up to which the last change was reported

    def push(self, block: FrameBlock) -> Iterator[DominantChange]:
        """Take the next frames; yield the changes."""
        frames = block.frames if self._waiting is None else np.concatenate([self._waiting, block.frames])
        voiced = np.concatenate([self._waiting_voiced, block.voiced])
        n_hops = len(frames) // self._hop
        whole = n_hops * self._hop
        self._waiting, self._waiting_voiced = frames[whole:].copy(), voiced[whole:].copy()
        step = max(STEP // self._hop, 1) * self._hop
        for first in range(0, whole, step):
            part = slice(first, min(first + step, whole))
            posteriors = self._model.posteriors(np.ascontiguousarray(frames[part]))
            posteriors[~voiced[part]] = 0.0
            sums = posteriors.reshape(-1, self._hop, posteriors.shape[1]).sum(axis=1)
            counts = voiced[part].reshape(-1, self._hop).sum(axis=1)
            for total, count in zip(sums, counts.tolist(), strict=True):
                self._hops.append((total, count))
                self._n_frames += self._hop
                yield from self._change()

    def _change(self) -> Iterator[DominantChange]:
        """Yield the change, if the window that ends here has another dominant component."""
        window = self._n_hops * self._hop
        if len(self._hops) < self._n_hops or (
            self._last is not None and self._n_frames < self._last + window
        ):
            return
        count = sum(n for _, n in self._hops)
        dominant: int | None = None
        posterior: float | None = None
        if count:
            total = np.sum([part for part, _ in self._hops], axis=0)
            dominant = int(total.argmax())
            posterior = float(total[dominant] / count)
        if dominant == self._dominant and self._last is not None:
            return
        before, self._dominant, self._last = self._dominant, dominant, self._n_frames
        first, last = self._n_frames - window, self._n_frames - 1
        yield DominantChange(self._clock.start(first), self._clock.end(last), dominant, posterior, before)
