"""Selection of a model: candidates of several sizes and forms, trained together and compared.

`train_candidates` reads the frames once in each pass for all candidates; each has the same bytes as if it had
been trained alone, and drops out when it has converged. A `TrainedCandidate` has the values of all criteria:
BIC, BIC with the effective number of frames, AIC, ICL, and the log-likelihood of held-out recordings with its
standard error.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from audiogmm.lazy import exports

if TYPE_CHECKING:
    from audiogmm.training.selection.candidates import Candidate as Candidate
    from audiogmm.training.selection.candidates import TrainedCandidate as TrainedCandidate
    from audiogmm.training.selection.dependence import dependence_times as dependence_times
    from audiogmm.training.selection.held_out import HeldOutScores as HeldOutScores
    from audiogmm.training.selection.selection import SelectionMonitor as SelectionMonitor
    from audiogmm.training.selection.selection import SelectionResult as SelectionResult
    from audiogmm.training.selection.selection import train_candidates as train_candidates

__getattr__, __dir__ = exports(__name__)
