"""Gaussian mixture models of speech and audio: streaming features, exact EM, scores, anomalous segments.

Names are imported when they are first used, so that `import audiogmm` costs nothing.

Examples
--------
>>> import numpy as np
>>> import audiogmm as ag
>>> frontend = ag.FrontEnd.preset("kaldi")
>>> frontend(np.zeros(16000, np.float32), 16000).shape
(98, 13)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from audiogmm.lazy import exports
from audiogmm.version import __version__ as __version__

if TYPE_CHECKING:
    from audiogmm.anomaly.event import Event
    from audiogmm.audio.frontend.frontend import FrontEnd
    from audiogmm.blocks import FrameBlock
    from audiogmm.dask_reduce import DaskReducer
    from audiogmm.errors import AudioGMMError
    from audiogmm.estimator import GaussianMixture
    from audiogmm.jobs.calibrate import calibrate
    from audiogmm.jobs.detect import detect
    from audiogmm.jobs.enroll import enroll
    from audiogmm.jobs.evaluate_detect import evaluate_detect
    from audiogmm.jobs.evaluate_verify import evaluate_verify
    from audiogmm.jobs.fuse import fuse
    from audiogmm.jobs.identify import identify
    from audiogmm.jobs.score import score
    from audiogmm.jobs.select import select
    from audiogmm.jobs.train import train
    from audiogmm.jobs.update import update
    from audiogmm.jobs.verify import verify
    from audiogmm.manifest import Entry, read_manifest, write_manifest
    from audiogmm.mixture.gaussian import Mixture
    from audiogmm.mixture.store import Model, load
    from audiogmm.scoring.track import ScoreTrack, read_track
    from audiogmm.timeline import FrameClock, Segment
    from audiogmm.verification.gallery import Gallery

__getattr__, __dir__, __all__ = exports(
    __name__,
    {
        "FrontEnd": "audio.frontend.frontend",
        "read_manifest": "manifest",
        "write_manifest": "manifest",
        "Entry": "manifest",
        "train": "jobs.train",
        "select": "jobs.select",
        "update": "jobs.update",
        "load": "mixture.store",
        "Model": "mixture.store",
        "Mixture": "mixture.gaussian",
        "score": "jobs.score",
        "ScoreTrack": "scoring.track",
        "read_track": "scoring.track",
        "calibrate": "jobs.calibrate",
        "detect": "jobs.detect",
        "Event": "anomaly.event",
        "enroll": "jobs.enroll",
        "verify": "jobs.verify",
        "identify": "jobs.identify",
        "evaluate_verify": "jobs.evaluate_verify",
        "evaluate_detect": "jobs.evaluate_detect",
        "fuse": "jobs.fuse",
        "Gallery": "verification.gallery",
        "GaussianMixture": "estimator",
        "DaskReducer": "dask_reduce",
        "FrameBlock": "blocks",
        "FrameClock": "timeline",
        "Segment": "timeline",
        "AudioGMMError": "errors",
    },
)
