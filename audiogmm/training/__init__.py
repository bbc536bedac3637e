"""Training: from shards to a mixture, in passes over frames that are never all in memory."""

from __future__ import annotations

from audiogmm.reduce import LocalReducer, Reducer
from audiogmm.training.criteria import aic, bic
from audiogmm.training.first_pass import ExcludedRecording
from audiogmm.training.result import TrainingInterrupted, TrainingResult
from audiogmm.training.schedule.monitor import Monitor, PassReport
from audiogmm.training.training import train_mixture

__all__ = [
    "train_mixture",
    "TrainingResult",
    "TrainingInterrupted",
    "ExcludedRecording",
    "Monitor",
    "PassReport",
    "LocalReducer",
    "Reducer",
    "bic",
    "aic",
]
