"""Training: from shards to a mixture, in passes over frames that are never all in memory."""

from __future__ import annotations

from audiogmm.train.criteria import aic, bic
from audiogmm.train.monitor import Monitor, PassReport
from audiogmm.train.reduce import LocalReducer, Reducer
from audiogmm.train.result import TrainingInterrupted, TrainingResult
from audiogmm.train.survey import SetAside
from audiogmm.train.training import train_mixture

__all__ = [
    "train_mixture",
    "TrainingResult",
    "TrainingInterrupted",
    "SetAside",
    "Monitor",
    "PassReport",
    "LocalReducer",
    "Reducer",
    "bic",
    "aic",
]
