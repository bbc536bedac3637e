"""Stepwise EM: an update after every batch of frames, then exact passes to polish."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace

import numpy as np

from audiogmm.mixture.statistics import SufficientStats
from audiogmm.training.frames.shuffle import shuffled
from audiogmm.training.schedule.batch import EM, Run, Schedule, fallen_back
from audiogmm.training.schedule.convergence import Converged, movement
from audiogmm.training.schedule.monitor import PassReport
from audiogmm.training.schedule.spider import SHARE, Spider
from audiogmm.training.schedule.steps import Stepwise
from audiogmm.training.schedule.stepwise_pass import Measure, Pass, Walk

_TAG = 0x57E9


@dataclass(frozen=True)
class StepwiseSchedule(Schedule[SufficientStats]):
    """Some passes of stepwise EM, and batch EM from there.

    After each batch the statistics move towards those of the batch, both per frame,

    ``s <- (1 - rho) s + rho s_hat(batch)``        (Cappe and Moulines 2009; Liang and Klein 2009)

    from those that the start would give, and an M-step follows. Three things differ from the papers.
    Otherwise components that a few batches give no frames starve for good (a quarter of 128 on speech): so
    the E-step sees weights of which a share is spread evenly, `walk.EVENNESS` at first and 0 at the end; and
    until `walk.LOOK_UNTIL` of the steps a component below `walk.STARVED` takes half of the heaviest, as
    batch EM rescues an empty one. And the estimate at the end is made of what all batches of the last pass
    gave, each under the mixture that met it, so that every frame counts once (as in Neal and Hinton 1998).

    Such passes are named in the reports (`stepwise`); their log-likelihood is that of every batch under the
    mixture that met it. The exact passes after them keep the promises of batch EM. The first of them after an
    epoch of SPIDER-EM finds its likelihood on the way: if that is below what the exact pass before the epoch
    found, the pass is lost, its report says so (`fell_back`), and EM goes on from where the epoch began.

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
        """As batch EM, but never before all stepwise passes are done, nor right after one or a lost pass."""
        last = run.history[-1] if run.history else None
        stepping = last is not None and (last.stepwise or last.fell_back or self._left(run) > 0)
        return "" if stepping else super().converged(run)

    def _left(self, run: Run) -> int:
        """Stepwise passes to come."""
        return self.stepwise.passes_in_steps - sum(report.stepwise for report in run.history)

    def _once(self, run: Run) -> Run:
        if len(run.trail) == 2:
            return self._judged(run)
        if not self._left(run):
            return super()._once(run)
        if len(run.history) < self.stepwise.passes:
            measure = Measure.by(self.reducer)
            return self._through(
                run, Walk(self.stepwise, measure, self.method.floor, self.source.n_frames, run)
            )
        if run.trail:
            after = self._through(run, self._spider(run), e_steps=2)
            return replace(after, statistics=run.statistics, trail=(run.trail[0], run.mixture))
        after = super()._once(run)  # where an epoch begins
        return after if after.history[-1].rescued else replace(after, trail=(run.mixture,))

    def _judged(self, run: Run) -> Run:
        """An exact pass, lost if an epoch ended below the likelihood known before it."""
        after, known = super()._once(run), run.history[-2].log_likelihood
        report = after.history[-1]
        return after if report.log_likelihood >= known else fallen_back(run, report, known)

    def _spider(self, run: Run) -> Spider:
        assert run.statistics is not None
        n, mixture = self.source.n_frames, run.mixture
        usual = self.stepwise.batch_of(mixture.n_components, mixture.covariance_type, n)
        batch = self.stepwise.batch or max(usual, round(SHARE * n))
        return Spider(
            Measure.by(self.reducer), self.method.floor, batch, run.trail[0], mixture, run.statistics
        )

    def _through(self, run: Run, steps: Pass, e_steps: int = 1) -> Run:
        """One pass: batch after batch, E-step, step, M-step."""
        began = time.perf_counter()
        number, mixture = len(run.history) + 1, run.mixture
        self.monitor.on_stage("pass", number, self.source.n_frames)
        seed = np.random.SeedSequence([self.seed, _TAG, number])
        for frames in shuffled(self.source, steps.batch, seed):
            steps.take(frames)
            self.monitor.on_frames(len(frames), len(frames) * self.seconds_per_frame)
        after, statistics, emptied, floored = steps.end()
        report = PassReport(
            number=number,
            n_frames=steps.n_frames,
            log_likelihood=steps.log_likelihood / steps.n_frames,
            gain=None,
            movement=movement(mixture, after),
            floored=floored,
            emptied=emptied,
            rescued=tuple(sorted(steps.rescued)),
            skipped=steps.skipped / (steps.n_frames * mixture.n_components),
            stepwise=True,
            e_steps=e_steps,
            lost=steps.lost,
            seconds=time.perf_counter() - began,
        )
        return Run(after, statistics, (*run.history, report))
