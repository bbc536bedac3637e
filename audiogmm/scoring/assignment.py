"""Soft and hard assignment of frames to components, and its sums over a corpus."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from audiogmm.blocks import Shard, reblock
from audiogmm.timeline import FrameClock
from audiogmm.types import BoolArray, FloatArray, Frames

STEP = 1024
"""Frames whose posteriors are held at a time, 8 bytes a component and frame."""


class PosteriorModel(Protocol):
    """What assigns frames: an `audiogmm.mixture.evaluator.Evaluator`, or anything with its method."""

    def posteriors(self, frames: Frames) -> FloatArray:
        """Return p(component | x) of frames of shape (n, d): shape (n, K), float64, rows sum to 1."""
        ...


@dataclass(frozen=True, slots=True)
class Assignment:
    """The components of consecutive frames.

    Attributes
    ----------
    start : int
        Index of the first frame in its recording.
    clock : FrameClock
        Turns indices into seconds.
    voiced : ndarray of shape (n_frames,), bool
        The activity detector's marks.
    posteriors : ndarray of shape (n_frames, n_components), float64
        The soft assignment, p(component | x).
    labels : ndarray of shape (n_frames,), int32
        The hard assignment: the component of the largest posterior, the first one of equals.
    confidence : ndarray of shape (n_frames,), float64
        That largest posterior.
    entropy : ndarray of shape (n_frames,), float64
        Of the posteriors, nats: from 0 (certain) to log K (uniform).
    """

    start: int
    clock: FrameClock
    voiced: BoolArray
    posteriors: FloatArray
    labels: np.ndarray
    confidence: FloatArray
    entropy: FloatArray


def assign(model: PosteriorModel, shard: Shard) -> Iterator[Assignment]:
    """Assign every frame of a recording to components, softly and hard, in bounded memory.

    Windows lie at multiples of `STEP` frames however the blocks were cut, so that sums over them have the
    same bytes.

    Parameters
    ----------
    model : Evaluator
        The mixture.
    shard : Shard
        Blocks of consecutive frames.

    Yields
    ------
    Assignment
        Of up to `STEP` frames.

    Examples
    --------
    >>> from audiogmm.blocks import FrameBlock
    >>> class Sign:
    ...     def posteriors(self, frames):
    ...         return np.where(frames < 0, [0.75, 0.25], [0.5, 0.5])
    >>> class Two:
    ...     id = "two"
    ...     def __iter__(self):
    ...         frames = np.array([[-1.0], [2.0]], np.float32)
    ...         yield FrameBlock(frames, np.ones(2, bool), 0, FrameClock(8000, 80, 200))
    >>> found = next(assign(Sign(), Two()))
    >>> found.labels, found.confidence, found.entropy.round(3)
    (array([0, 0], dtype=int32), array([0.75, 0.5 ]), array([0.562, 0.693]))
    """
    for block in reblock(shard, STEP):
        posteriors = model.posteriors(block.frames)
        labels = posteriors.argmax(axis=1).astype(np.int32)
        confidence = np.take_along_axis(posteriors, labels[:, None].astype(np.intp), axis=1)[:, 0]
        surprise = -np.log(np.where(posteriors > 0, posteriors, 1.0))
        entropy = (posteriors * surprise).sum(axis=1)
        yield Assignment(block.start, block.clock, block.voiced, posteriors, labels, confidence, entropy)


@dataclass(frozen=True, eq=False)
class ComponentTally:
    """How the voiced frames of a corpus are assigned to components: sums, which add.

    Attributes
    ----------
    n_frames : int
        Frames counted.
    soft : ndarray of shape (n_components,), float64
        Sums of the posteriors.
    hard : ndarray of shape (n_components,), int64
        Numbers of frames of which the component has the largest posterior.
    confidence, entropy : ndarray of shape (n_components,), float64
        Sums, over these frames, of the largest posterior, and of the entropy in nats.

    Examples
    --------
    >>> tally = ComponentTally.zero(2)
    >>> (tally + tally).weights
    array([0., 0.])
    """

    n_frames: int
    soft: FloatArray
    hard: np.ndarray
    confidence: FloatArray
    entropy: FloatArray

    @classmethod
    def zero(cls, n_components: int) -> ComponentTally:
        """Return the tally of no frame."""
        nothing = np.zeros(n_components)
        return cls(0, nothing, np.zeros(n_components, dtype=np.int64), nothing, nothing)

    @classmethod
    def of(cls, found: Assignment) -> ComponentTally:
        """Count the voiced frames of an assignment."""
        voiced = found.voiced
        labels, n_components = found.labels[voiced], found.posteriors.shape[1]

        def by_label(values: FloatArray) -> FloatArray:
            return np.bincount(labels, values[voiced], n_components).astype(np.float64, copy=False)

        return cls(
            n_frames=int(voiced.sum()),
            soft=found.posteriors[voiced].sum(axis=0),
            hard=np.bincount(labels, minlength=n_components),
            confidence=by_label(found.confidence),
            entropy=by_label(found.entropy),
        )

    def __add__(self, other: ComponentTally) -> ComponentTally:
        return ComponentTally(
            self.n_frames + other.n_frames,
            self.soft + other.soft,
            self.hard + other.hard,
            self.confidence + other.confidence,
            self.entropy + other.entropy,
        )

    @property
    def weights(self) -> FloatArray:
        """Share of the frames that each component takes, softly, shape (n_components,)."""
        return self.soft / max(self.n_frames, 1)

    @property
    def mean_posterior(self) -> FloatArray:
        """Mean posterior of the frames of each component, shape (K,); NaN where it has none."""
        return self._per_frame(self.confidence)

    @property
    def mean_entropy(self) -> FloatArray:
        """Mean entropy, nats, of the frames of each component, shape (K,); NaN where it has none."""
        return self._per_frame(self.entropy)

    def _per_frame(self, sums: FloatArray) -> FloatArray:
        return np.where(self.hard > 0, sums / np.maximum(self.hard, 1), np.nan)
