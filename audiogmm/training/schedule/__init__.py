"""Schedules: how passes over the frames follow one another until a mixture has converged.

`Schedule` is batch EM, or k-means in the same loop; `StepwiseSchedule` updates after each batch of frames
first; `SquaremSchedule` extrapolates; `TruncatedSchedule` keeps a few components of each frame. Each goes on
from a `TrainingState`, yields the next one after every pass, and calls a `Monitor`. The log-likelihood, or
the free energy of approximate training, does not fall from one exact pass to the next.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from audiogmm.lazy import exports

if TYPE_CHECKING:
    from audiogmm.training.schedule.approximation import Approximation as Approximation
    from audiogmm.training.schedule.approximation import ApproximationLoss as ApproximationLoss
    from audiogmm.training.schedule.batch import EM as EM
    from audiogmm.training.schedule.batch import KMeans as KMeans
    from audiogmm.training.schedule.batch import Schedule as Schedule
    from audiogmm.training.schedule.batch import TrainingState as TrainingState
    from audiogmm.training.schedule.convergence import Convergence as Convergence
    from audiogmm.training.schedule.monitor import Monitor as Monitor
    from audiogmm.training.schedule.monitor import PassReport as PassReport
    from audiogmm.training.schedule.squarem import SquaremSchedule as SquaremSchedule
    from audiogmm.training.schedule.steps import Stepwise as Stepwise
    from audiogmm.training.schedule.stepwise import StepwiseSchedule as StepwiseSchedule
    from audiogmm.training.schedule.truncated import TruncatedSchedule as TruncatedSchedule

__getattr__, __dir__ = exports(__name__)
