"""Online EM: a mixture learned from a stream, which starts from its first frames."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from audiogmm.blocks import FrameBlock
from audiogmm.errors import ChoiceError, FeatureError
from audiogmm.mixture.checking import checked_weights
from audiogmm.mixture.forms import form_of
from audiogmm.mixture.gaussian import Mixture
from audiogmm.mixture.statistics import SufficientStats
from audiogmm.training.em_steps import EMSteps, FlooredEM, Rows, blend, per_frame
from audiogmm.training.frames.packing import voiced_frames
from audiogmm.training.schedule.steps import decay
from audiogmm.types import CovarianceType, FloatArray

FRAMES_EACH, FEWEST = 8, 256
"""Frames of a batch: a component, and at least."""

MEMORY = 50
"""Frames a component over which statistics are averaged at least; 5 a feature where matrices need more."""

STARTS = 4
"""Batches from which the start is made."""


@dataclass(slots=True)
class OnlineEM:
    """Learns a mixture from a stream of frames, in memory that does not grow: stepwise EM, one pass.

    Frames are taken `batch` at a time, and the statistics per frame move towards those of each batch,

    ``s <- (1 - rho) s + rho s_hat``,  ``rho = max(min((t + 2)^-alpha, batch / (M K)), 1 - forget)``

    at the t-th step (Cappe and Moulines 2009; Liang and Klein 2009). The second
    term says that an average over fewer than M frames a component (`memory`) is noise; the third that the
    past counts `forget` after each step, however late. The first `STARTS` batches together make a start, and
    are then learned from. So it does not matter how the stream was cut: the mixture is the same to the last
    bit.

    The order of the stream does matter: frames count the less the longer ago they came, by the step
    size. Of a stream with one cluster after another, the last part is learned, and the start is made of
    the first. Shuffle it if possible (or push pieces from all over it by turns); else keep more of the past
    by `forget` of 1 and a larger `alpha`; or take batch EM.

    Stepwise training (`schedule.stepwise`) has the same step rule but knows the length of its passes: it
    smooths weights and rescues components by how much of them is done, averages over the last one, counts
    steps in a unit that does not depend on the batch, and needs no provisional estimate. They share
    `schedule.steps.decay`; sharing more would round the steps of one of them in another way.

    Parameters
    ----------
    em : EMSteps
        How a model is started and estimated, such as `FlooredEM`.
    n_components : int
        Components, K.
    alpha : float
        Exponent of the step, in (0.5, 1]: the lower, the sooner the past is forgotten.
    forget : float
        What the past counts at most after each step, in (0, 1]: 1 to forget ever more slowly; 0.99 to
        follow changes, with an average over about a hundred batches.
    batch : int
        Frames of a step; see `batch_of`.
    memory : float
        M; see `memory_of`.

    Raises
    ------
    ChoiceError
        If one is outside its range.

    Examples
    --------
    >>> learner = OnlineEM.of(2, "spherical")
    >>> random = np.random.default_rng(0)
    >>> for second in range(20):
    ...     block = random.normal(random.choice([-5.0, 5.0], size=(100, 1)), 1.0).astype(np.float32)
    ...     learner.push(block)
    >>> np.sort(learner.mixture.means.ravel()).round()
    array([-5.,  5.])
    >>> learner.n_frames, learner.n_waiting
    (2000.0, 208)
    """

    em: EMSteps
    n_components: int
    alpha: float = 0.6
    forget: float = 1.0
    batch: int = FEWEST
    memory: float = MEMORY
    settled: Mixture | None = None
    """The mixture after the last whole batch; None before the start."""
    statistics: SufficientStats | None = None
    """Those that it was estimated from, per frame."""
    steps: float = 0.0
    """Steps so far, t."""
    n_frames: float = 0.0
    """Frames pushed, by their weights."""
    log_likelihood: float = -np.inf
    """Of the frames last learned from, under the mixture before; nats a frame."""
    _rows: Rows | None = None
    _weights: FloatArray | None = None
    _now: tuple[Mixture, SufficientStats] | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if not 0.5 < self.alpha <= 1:
            raise ChoiceError(f"alpha={self.alpha}", needed="an exponent above 0.5 and at most 1")
        if not 0 < self.forget <= 1:
            raise ChoiceError(
                f"forget={self.forget}", needed="a factor in (0, 1]", remedy="1 to forget ever more slowly"
            )
        for name in ("n_components", "batch", "memory"):
            if getattr(self, name) < 1:
                raise ChoiceError(f"{name}={getattr(self, name)}", needed="at least 1")

    @classmethod
    def of(
        cls,
        n_components: int,
        covariance_type: CovarianceType = "diag",
        *,
        n_features: int | None = None,
        alpha: float = 0.6,
        forget: float = 1.0,
        seed: int = 0,
    ) -> OnlineEM:
        """Return a learner with batches that suit the model (`n_features` matters for full covariances)."""
        form_of(covariance_type)
        return cls(
            FlooredEM(n_components, covariance_type, seed),
            n_components,
            alpha,
            forget,
            batch_of(n_components),
            memory_of(covariance_type, n_features or 1),
        )

    @property
    def mixture(self) -> Mixture | None:
        """The mixture after all frames so far; None while there are fewer than two, or than components.

        Frames that do not fill a batch yet count as a part of one; those before the start make a
        provisional start. Neither is kept.
        """
        now = self._provisional()
        return now[0] if now else None

    @property
    def present(self) -> SufficientStats | None:
        """Statistics per frame that `mixture` was estimated from; None where there is none."""
        now = self._provisional()
        return now[1] if now else None

    @property
    def n_waiting(self) -> int:
        """Frames that wait: fewer than a batch, or before the start than `STARTS` of them."""
        return 0 if self._rows is None else len(self._rows)

    def step_size(self, mass: float) -> float:
        """Return the weight of the next `mass` frames beside all before them, at most 1.

        Examples
        --------
        >>> learner = OnlineEM.of(32, "diag")
        >>> learner.batch, learner.step_size(256), learner.step_size(64)
        (256, 0.16, 0.04)
        """
        rho = min(decay(self.steps, self.alpha), self.batch / (self.memory * self.n_components))
        return float(min(max(rho, 1 - self.forget) * mass / self.batch, 1.0))

    def push(self, block: FrameBlock | Rows, weights: FloatArray | None = None) -> None:
        """Learn from more frames.

        Parameters
        ----------
        block : FrameBlock, or ndarray of shape (n, n_features), float32 or float64
            The voiced frames of a block count.
        weights : ndarray of shape (n,), float64, optional
            A weight of each frame of an array, 1 by default.

        Raises
        ------
        FeatureError
            If frames have another width than those before, or are not finite; nothing is learned then.
        MixtureError
            If weights are not one a frame, finite and at least 0; nothing is learned then.
        """
        rows = voiced_frames("the stream", block) if isinstance(block, FrameBlock) else np.asarray(block)
        self._check(rows)
        weights = None if weights is None else checked_weights(weights, len(rows))
        if not len(rows):
            return
        self._now = None
        self.n_frames += len(rows) if weights is None else float(weights.sum())
        taken = 0
        while taken < len(rows):
            enough = self.batch if self.settled else max(STARTS * self.batch, self.n_components)
            part = slice(taken, taken + max(0, enough - self.n_waiting))
            self._wait(rows[part], None if weights is None else weights[part])
            taken = part.stop
            if self.n_waiting < enough:
                return
            if self.settled is None:
                self.resume(self.em.start(*self._first(enough)), None, 0.0)
            while self.n_waiting >= self.batch:
                self._learn(self.batch)

    def flush(self) -> None:
        """Learn from the frames that wait, as `mixture` does provisionally; to be called at the end."""
        now, self._now = self._provisional(), None
        if now is None:
            return
        mass = self._mass(self.n_waiting)
        self.settled, self.statistics = now
        self.steps += min(mass / self.batch, 1.0)
        self._rows = self._weights = None

    def resume(self, mixture: Mixture, statistics: SufficientStats | None, steps: float) -> None:
        """Go on from a model that is worth so many steps; without statistics, from those that it implies."""
        self.settled, self.steps, self._now = mixture, steps, None
        own = self.em.implied_statistics(mixture) if statistics is None else statistics
        self.statistics = per_frame(own)

    def _check(self, rows: Rows) -> None:
        if self._rows is not None:
            width: int | None = self._rows.shape[1]
        else:
            width = None if self.settled is None else self.settled.n_features
        if rows.ndim != 2 or rows.dtype.kind != "f" or width not in (None, rows.shape[1]):
            raise FeatureError(
                f"frames of shape {rows.shape} and type {rows.dtype}",
                needed=f"floating-point numbers, shape (n, {width or 'n_features'})",
                remedy="one front end for the whole stream",
            )
        finite = np.isfinite(rows).all(axis=1)
        if not finite.all():
            bad = int(finite.argmin())
            value = rows[bad][~np.isfinite(rows[bad])][0]
            raise FeatureError(f"frame {bad} of those pushed holds {value}", needed="finite features")

    def _wait(self, rows: Rows, weights: FloatArray | None) -> None:
        if weights is not None or self._weights is not None:
            old = np.ones(self.n_waiting) if self._weights is None else self._weights
            self._weights = np.concatenate([old, np.ones(len(rows)) if weights is None else weights])
        self._rows = rows.copy() if self._rows is None else np.concatenate([self._rows, rows])

    def _first(self, n: int) -> tuple[Rows, FloatArray | None]:
        assert self._rows is not None
        return self._rows[:n], None if self._weights is None else self._weights[:n]

    def _mass(self, n: int) -> float:
        return float(n) if self._weights is None else float(self._weights[:n].sum())

    def _learn(self, n: int) -> None:
        assert self._rows is not None and self.settled is not None and self.statistics is not None
        if self._mass(n) > 0:
            self.settled, self.statistics = self._stepped(self.settled, self.statistics, n)
        self.steps += 1
        self._rows = self._rows[n:].copy() if len(self._rows) > n else None
        self._weights = None if self._weights is None or self._rows is None else self._weights[n:].copy()

    def _stepped(self, mixture: Mixture, past: SufficientStats, n: int) -> tuple[Mixture, SufficientStats]:
        """Make one step with the first n frames that wait."""
        rho = self.step_size(self._mass(n))
        after, part = self.em.step(mixture, *self._first(n), lambda new: blend(past, new, rho))
        self.log_likelihood = part.log_likelihood / part.n_frames
        return after, blend(past, part, rho)

    def _provisional(self) -> tuple[Mixture, SufficientStats] | None:
        """Return mixture and statistics with the frames that wait."""
        if self._now is None:
            mixture, past, n = self.settled, self.statistics, self.n_waiting
            if mixture is None:
                if n < max(2, self.n_components):
                    return None
                mixture = self.em.start(*self._first(n))
                past = self.em.implied_statistics(mixture)
            assert past is not None
            self._now = self._stepped(mixture, past, n) if self._mass(n) > 0 else (mixture, past)
        return self._now


def batch_of(n_components: int) -> int:
    """Return the frames of a step, by the size of the model."""
    return max(FEWEST, FRAMES_EACH * n_components)


def memory_of(covariance_type: CovarianceType, n_features: int) -> float:
    """Return the frames a component over which statistics are averaged at least; a matrix needs more."""
    return float(max(MEMORY, 5 * form_of(covariance_type).frames_needed(n_features)))
