"""Stepwise EM: an update after every batch of frames, then exact passes to polish."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from audiogmm.errors import ChoiceError
from audiogmm.mixture.evaluator import Evaluator
from audiogmm.mixture.expected import expected
from audiogmm.mixture.gaussian import Mixture
from audiogmm.mixture.maximisation import maximise
from audiogmm.mixture.splitting import rescue
from audiogmm.mixture.statistics import SufficientStats
from audiogmm.training.batch import EM, EStep, Run, Schedule
from audiogmm.training.convergence import Converged, movement
from audiogmm.training.monitor import PassReport
from audiogmm.training.reduce import LocalReducer
from audiogmm.training.shuffle import shuffled
from audiogmm.training.source import ArraySlice
from audiogmm.types import FloatArray, Frames, Json

FRAMES_EACH = {"spherical": 2, "diag": 2, "tied": 2, "full": 16}
"""Frames of a batch, a component, unless told otherwise: an M-step with matrices costs more."""

FEWEST = 256
"""Frames of a batch at least."""

MEMORY = 50
"""Frames a component over which statistics are averaged at least, lest components starve by chance."""

EVENNESS = 1.0
"""Share of the weights that is spread evenly at first; it falls linearly to 0 at the last step."""

STARVED = 0.05
"""A component with less than this share of an even weight is started anew from the heaviest one."""

LOOK_EVERY, LOOK_UNTIL = 4, 0.75
"""Steps between two looks for the starved, and the share of all steps after which none is rescued."""

_SLICE = 1024  # rows that one thread works on
_TAG = 0x57E9


@dataclass(frozen=True, slots=True)
class Stepwise:
    """How stepwise EM steps.

    Parameters
    ----------
    passes : int
        Stepwise passes over the frames; the passes after them are exact ones of batch EM.
    exponent : float
        Alpha of the step size ``(t + 2)^-alpha``, in (0.5, 1]: what Robbins and Monro's conditions allow
        (Cappe and Moulines 2009, section 3; Liang and Klein 2009, section 4).
    batch : int or None
        Frames between two updates; None for `FRAMES_EACH` a component, at least `FEWEST`.
    averaging : float
        Share of the last pass's steps whose statistics are averaged at the end, in [0, 1] (Polyak and
        Juditsky 1992); 0 for none.

    Raises
    ------
    ChoiceError
        If one is outside its range.

    Examples
    --------
    >>> Stepwise().batch_of(128, "diag"), Stepwise(batch=4096).batch_of(128, "diag")
    (256, 4096)
    >>> [round(Stepwise().step(t, batch=1024, n_components=4), 4) for t in (0, 1000)]
    [0.7022, 0.0295]
    """

    passes: int = 2
    exponent: float = 0.51
    batch: int | None = None
    averaging: float = 0.5

    def __post_init__(self) -> None:
        for name, value in (("passes", self.passes), ("batch", self.batch)):
            if value is not None and value < 1:
                raise ChoiceError(f"stepwise {name}={value}", needed="at least 1")
        if not 0.5 < self.exponent <= 1:
            raise ChoiceError(
                f"stepwise exponent={self.exponent}",
                needed="a number above 0.5 and at most 1, so that the steps sum to infinity and their "
                "squares do not",
                remedy="0.51",
            )
        if not 0 <= self.averaging <= 1:
            raise ChoiceError(f"stepwise averaging={self.averaging}", needed="a share in [0, 1]")

    def batch_of(self, n_components: int, form: str) -> int:
        """Frames of a batch."""
        return self.batch or max(FEWEST, FRAMES_EACH[form] * n_components)

    def step(self, t: int, batch: int, n_components: int) -> float:
        """Step size ``min((t + 2)^-alpha, batch / (MEMORY K))``, in (0, 1], of step t counted from 0.

        The second term says that an average over fewer than `MEMORY` frames a component is noise.
        """
        return float(min((t + 2.0) ** -self.exponent, batch / (MEMORY * n_components), 1.0))

    def to_json(self) -> Json:
        """The settings, as JSON."""
        return {name: getattr(self, name) for name in ("passes", "exponent", "batch", "averaging")}


@dataclass(frozen=True)
class StepwiseSchedule(Schedule[SufficientStats]):
    """Some passes of stepwise EM, and batch EM from there.

    After each batch the statistics move towards those of the batch, both per frame,

    ``s <- (1 - rho) s + rho s_hat(batch)``        (Cappe and Moulines 2009, eq. 10; Liang and Klein, eq. 5)

    from those that the start would give, and an M-step follows. Two things differ from the papers, because
    otherwise components that a few batches give no frames starve for good (a quarter of 128 on speech):
    the E-step sees weights of which a share is spread evenly, `EVENNESS` at first and 0 at the end; and
    until `LOOK_UNTIL` of the steps a component below `STARVED` takes half of the heaviest, as batch EM
    rescues an empty one. Such passes are named in the reports (`stepwise`); their log-likelihood is that of
    every batch under the mixture that met it. The exact passes after them keep the promises of batch EM.

    Parameters
    ----------
    stepwise : Stepwise
        How to step.
    seed : int
        Of the order of the frames.
    """

    method: EM
    stepwise: Stepwise = field(default_factory=Stepwise)
    seed: int = 0

    def converged(self, run: Run) -> Converged:
        """As batch EM, but never after a stepwise pass."""
        return "" if run.history and run.history[-1].stepwise else super().converged(run)

    def _once(self, run: Run) -> Run:
        if len(run.history) < self.stepwise.passes:
            return self._stepwise(run)
        return super()._once(run)

    def _stepwise(self, run: Run) -> Run:
        """One pass: batch after batch, E-step, step, M-step."""
        began = time.perf_counter()
        number, mixture = len(run.history) + 1, run.mixture
        self.monitor.on_stage("pass", number, self.source.n_frames)
        walk = Walk(self, run)
        seed = np.random.SeedSequence([self.seed, _TAG, number])
        for frames in shuffled(self.source, walk.batch, seed):
            walk.take(frames)
            self.monitor.on_frames(len(frames), len(frames) * self.seconds_per_frame)
        after, statistics, emptied, floored = walk.end()
        report = PassReport(
            number=number,
            n_frames=walk.n_frames,
            log_likelihood=walk.log_likelihood / walk.n_frames,
            gain=None,
            movement=movement(mixture, after),
            floored=floored,
            emptied=emptied,
            rescued=tuple(sorted(walk.rescued)),
            skipped=walk.skipped / (walk.n_frames * mixture.n_components),
            stepwise=True,
            seconds=time.perf_counter() - began,
        )
        return Run(after, statistics, (*run.history, report))


class Walk:
    """One stepwise pass under way.

    Parameters
    ----------
    schedule : StepwiseSchedule
        Settings, reducer and floor.
    run : Run
        Where the pass begins.
    """

    def __init__(self, schedule: StepwiseSchedule, run: Run) -> None:
        K, n = run.mixture.n_components, schedule.source.n_frames
        self.options, self.floor = schedule.stepwise, schedule.method.floor
        reducer = schedule.reducer
        self.reducer = reducer.threaded if isinstance(reducer, LocalReducer) else LocalReducer()
        self.batch = min(self.options.batch_of(K, run.mixture.covariance_type), n)
        self.steps = -(-n // self.batch)  # of one pass
        self.t = len(run.history) * self.steps
        self.mixture = run.mixture
        self.statistics = (
            expected(run.mixture)
            if run.statistics is None
            else run.statistics * (1 / run.statistics.n_frames)
        )
        self.last = len(run.history) + 1 == self.options.passes
        self.averaged: SufficientStats | None = None  # their sum
        self.n_frames, self.log_likelihood, self.skipped = 0, 0.0, 0.0
        self.rescued: set[int] = set()

    @property
    def progress(self) -> float:
        """Share of the steps of all passes that is done."""
        return self.t / (self.steps * self.options.passes)

    def take(self, frames: Frames) -> None:
        """One step."""
        part = self._measure(evened(self.mixture, EVENNESS * (1 - self.progress)), frames)
        self.n_frames += len(frames)
        self.log_likelihood += part.log_likelihood
        self.skipped += part.skipped
        rho = self.options.step(self.t, self.batch, self.mixture.n_components) * len(frames) / self.batch
        self.statistics = (1 - rho) * self.statistics + (rho / len(frames)) * part
        self.t += 1
        self.mixture = maximise(self.statistics, floor=self.floor, previous=self.mixture)[0]
        if self.t % LOOK_EVERY == 0 and self.progress < LOOK_UNTIL:
            self._feed()
        if self.last and self.progress > 1 - self.options.averaging / self.options.passes:
            s = self.statistics
            self.averaged = s if self.averaged is None else self.averaged + s

    def end(self) -> tuple[Mixture, SufficientStats, tuple[int, ...], int]:
        """The mixture, the statistics as of all frames, the emptied components, the floored variances."""
        statistics = self.statistics if self.averaged is None else self.averaged
        statistics = statistics * (self.n_frames / statistics.n_frames)
        mixture, update = maximise(statistics, floor=self.floor, previous=self.mixture)
        return mixture, statistics, update.emptied, update.n_floored

    def _measure(self, mixture: Mixture, frames: Frames) -> SufficientStats:
        """The E-step over one batch, in slices."""
        e_step = EStep(Evaluator(mixture))
        if len(frames) <= _SLICE:
            return e_step.evaluator.accumulate(frames)
        total = self.reducer.reduce(_slices(frames), e_step)
        assert total is not None
        return total

    def _feed(self) -> None:
        """Start the starved anew."""
        weights: FloatArray = self.mixture.weights
        starved = np.flatnonzero(weights < STARVED / len(weights)).tolist()
        if starved:
            self.mixture = rescue(self.mixture, starved)
            self.statistics = expected(self.mixture)
            self.rescued.update(starved)


def evened(mixture: Mixture, share: float) -> Mixture:
    """The mixture with `share` of its weights spread evenly over the components.

    Examples
    --------
    >>> evened(Mixture([1.0, 0.0], [[0.0], [1.0]], [1.0, 1.0], "spherical"), 0.5).weights
    array([0.75, 0.25])
    """
    if share <= 0:
        return mixture
    weights = (1 - share) * mixture.weights + share / mixture.n_components
    return Mixture(weights, mixture.means, mixture.covariances, mixture.covariance_type)


def _slices(frames: Frames) -> Iterator[ArraySlice]:
    for first in range(0, len(frames), _SLICE):
        yield ArraySlice(f"rows from {first}", frames[first : first + _SLICE])
