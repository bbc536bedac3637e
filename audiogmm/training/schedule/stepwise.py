"""Stepwise EM: an update after every batch of frames, then exact passes to polish."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

import numpy as np

from audiogmm.mixture.movement import movement
from audiogmm.mixture.statistics import SufficientStats
from audiogmm.training.frames.shuffle import shuffled
from audiogmm.training.schedule.batch import EM, Schedule, TrainingState
from audiogmm.training.schedule.convergence import Converged
from audiogmm.training.schedule.monitor import PassReport
from audiogmm.training.schedule.steps import Stepwise
from audiogmm.training.schedule.stepwise_pass import BatchEStep, StepwisePass

_TAG = 0x57E9


@dataclass(frozen=True)
class StepwiseSchedule(Schedule[SufficientStats]):
    """Some passes of stepwise EM, and batch EM from there.

    After each batch the statistics move towards those of the batch, both per frame,

    ``s <- (1 - rho) s + rho s_hat(batch)``        (Cappe and Moulines 2009; Liang and Klein 2009)

    from those that the start would give, and an M-step follows. Three things differ from the papers.
    Without the first two, components that a few batches give no frames stay empty for good (a quarter of 128
    on speech). The E-step sees smoothed weights: a share of them is spread evenly, `stepwise_pass.SMOOTHING`
    at first and 0 at the end. Until `stepwise_pass.RESCUE_UNTIL` of the steps, a component below
    `stepwise_pass.LEAST_WEIGHT` takes half of the heaviest, as batch EM rescues an empty one. And the final
    estimate is made of the statistics of all batches of the last pass, each under the mixture of its step, so
    that every frame counts once (as in Neal and Hinton 1998).

    Reports of such passes say `stepwise`; their log-likelihood is that of every batch under the mixture of
    its step. The exact passes after them keep the promises of batch EM.

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

    def converged(self, state: TrainingState) -> Converged:
        """As batch EM, but never before all stepwise passes are done, nor right after one."""
        stepping = bool(state.history) and (state.history[-1].stepwise or self._is_stepwise_next(state))
        return "" if stepping else super().converged(state)

    def _is_stepwise_next(self, state: TrainingState) -> bool:
        return sum(report.stepwise for report in state.history) < self.stepwise.passes

    def _once(self, state: TrainingState) -> TrainingState:
        """One pass: batch after batch, E-step, step, M-step; an exact one once the stepwise ones are done."""
        if not self._is_stepwise_next(state):
            return super()._once(state)
        began = time.perf_counter()
        number, mixture = len(state.history) + 1, state.mixture
        e_step = BatchEStep.by(self.reducer)
        steps = StepwisePass(self.stepwise, e_step, self.method.floor, self.source.n_frames, state)
        self.monitor.on_stage("pass", number, self.source.n_frames)
        seed = np.random.SeedSequence([self.seed, _TAG, number])
        for frames in shuffled(self.source, steps.batch, seed):
            steps.take(frames)
            self.monitor.on_frames(len(frames), len(frames) * self.seconds_per_frame)
        after, statistics, update = steps.end()
        report = PassReport(
            number=number,
            n_frames=steps.n_frames,
            log_likelihood=steps.log_likelihood / steps.n_frames,
            gain=None,
            movement=movement(mixture, after),
            floored=update.n_floored,
            emptied=update.emptied,
            rescued=tuple(sorted(steps.rescued)),
            skipped=steps.skipped / (steps.n_frames * mixture.n_components),
            stepwise=True,
            seconds=time.perf_counter() - began,
        )
        return TrainingState(after, statistics, (*state.history, report))
