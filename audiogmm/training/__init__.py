"""Training: from shards to a mixture, in passes over frames that are never all in memory.

`train_mixture` reads every recording once, finds a start on a sample of the frames, and repeats passes until
the likelihood or the parameters no longer change. A recording that cannot be used is set aside with its
error. The result has the same bytes for any number of threads and workers, and a training that was
interrupted goes on from its checkpoint to the same bytes. `add_recordings`, `remove_recordings` and
`reweight_recordings` change a model by the statistics of single recordings, kept in a `Ledger`; `OnlineEM`
learns from a stream. Batch EM never lowers the likelihood. Frames come from shards: nothing here knows audio.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from audiogmm.lazy import exports

if TYPE_CHECKING:
    from audiogmm.training.criteria import aic as aic
    from audiogmm.training.criteria import bic as bic
    from audiogmm.training.first_pass import ExcludedRecording as ExcludedRecording
    from audiogmm.training.incremental import ModelChange as ModelChange
    from audiogmm.training.incremental import add_recordings as add_recordings
    from audiogmm.training.incremental import remove_recordings as remove_recordings
    from audiogmm.training.incremental import reweight_recordings as reweight_recordings
    from audiogmm.training.ledger import Ledger as Ledger
    from audiogmm.training.online import OnlineEM as OnlineEM
    from audiogmm.training.result import TrainingInterrupted as TrainingInterrupted
    from audiogmm.training.result import TrainingResult as TrainingResult
    from audiogmm.training.schedule.monitor import Monitor as Monitor
    from audiogmm.training.schedule.monitor import PassReport as PassReport
    from audiogmm.training.settings import MixtureSettings as MixtureSettings
    from audiogmm.training.training import train_mixture as train_mixture

__getattr__, __dir__ = exports(__name__)
