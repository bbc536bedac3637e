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
from audiogmm.methods import provide
from audiogmm.version import __version__ as __version__

if TYPE_CHECKING:
    from audiogmm.anomaly.event import Event as Event
    from audiogmm.audio.frontend.frontend import FrontEnd as FrontEnd
    from audiogmm.blocks import FrameBlock as FrameBlock
    from audiogmm.dask_reduce import DaskReducer as DaskReducer
    from audiogmm.errors import AudioGMMError as AudioGMMError
    from audiogmm.estimator import GaussianMixture as GaussianMixture
    from audiogmm.jobs.calibrate import calibrate as calibrate
    from audiogmm.jobs.cluster import cluster as cluster
    from audiogmm.jobs.demo.sites import demo as demo
    from audiogmm.jobs.detect import detect as detect
    from audiogmm.jobs.enroll import enroll as enroll
    from audiogmm.jobs.evaluate import evaluate as evaluate
    from audiogmm.jobs.evaluate_detect import evaluate_detect as evaluate_detect
    from audiogmm.jobs.evaluate_verify import evaluate_verify as evaluate_verify
    from audiogmm.jobs.features import features as features
    from audiogmm.jobs.fuse import fuse as fuse
    from audiogmm.jobs.identify import classify as classify
    from audiogmm.jobs.identify import identify as identify
    from audiogmm.jobs.info import info as info
    from audiogmm.jobs.inspect import inspect as inspect
    from audiogmm.jobs.integrity.verify_files import verify_files as verify_files
    from audiogmm.jobs.kinds.group import group as group
    from audiogmm.jobs.kinds.name import name as name
    from audiogmm.jobs.manifests import check_manifest as check_manifest
    from audiogmm.jobs.manifests import convert_manifest as convert_manifest
    from audiogmm.jobs.manifests import scan as scan
    from audiogmm.jobs.report import report as report
    from audiogmm.jobs.score import score as score
    from audiogmm.jobs.select import select as select
    from audiogmm.jobs.speakers import speakers as speakers
    from audiogmm.jobs.stream import stream as stream
    from audiogmm.jobs.stream_learn import learn as learn
    from audiogmm.jobs.train import train as train
    from audiogmm.jobs.update import update as update
    from audiogmm.jobs.verify import verify as verify
    from audiogmm.manifest import Entry as Entry
    from audiogmm.manifest import read_manifest as read_manifest
    from audiogmm.manifest import write_manifest as write_manifest
    from audiogmm.mixture.gaussian import Mixture as Mixture
    from audiogmm.mixture.store import Model as Model
    from audiogmm.mixture.store import load as load
    from audiogmm.runs.aside import Aside as Aside
    from audiogmm.scoring.track import ScoreTrack as ScoreTrack
    from audiogmm.scoring.track_file import read_track as read_track
    from audiogmm.timeline import FrameClock as FrameClock
    from audiogmm.timeline import Segment as Segment
    from audiogmm.verification.gallery import Gallery as Gallery

__getattr__, __dir__ = exports(__name__)

METHODS = {
    "plot": "audiogmm.reporting.notebook.plot",
    "to_estimator": "audiogmm.estimator.bridge",
    "to_html": "audiogmm.reporting.notebook.html",
}
"""Where the functions are that are methods of classes below them."""

provide(METHODS)
