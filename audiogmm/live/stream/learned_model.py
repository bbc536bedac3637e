"""The model file of what was learned from a stream: ready to score, to detect, and to be gone on from."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from audiogmm.anomaly.detector import calibrate_detector
from audiogmm.anomaly.detector_settings import DetectorSettings
from audiogmm.anomaly.learning.from_model import read_detector_settings, with_detector
from audiogmm.errors import MismatchError
from audiogmm.live.stream.learner import Learner
from audiogmm.mixture.metadata import ModelMetadata
from audiogmm.mixture.store import Model
from audiogmm.training.arithmetic import Clustered
from audiogmm.training.criteria import aic, bic
from audiogmm.types import Json, Seconds

if TYPE_CHECKING:
    from audiogmm.audio.frontend.frontend import FrontEnd


def learned_model(
    learner: Learner, frontend: FrontEnd, sample_rate: int, seconds: Seconds, start: Model | None
) -> Model:
    """What a learner has come to, with a detector of the scores that frames had before they were learned.

    Parameters
    ----------
    learner : Learner
        With a model.
    frontend : FrontEnd
        Settled.
    sample_rate : int
        At which it works, hertz.
    seconds : Seconds
        Sound heard.
    start : Model or None
        What it went on from.
    """
    online = learner.online
    mixture, statistics = online.mixture, online.present
    assert mixture is not None and statistics is not None and isinstance(online.arithmetic, Clustered)
    n_frames = round(online.n_frames)
    log_likelihood, size = learner.log_likelihood, mixture.n_parameters
    total = None if log_likelihood is None else log_likelihood * n_frames
    before = {} if start is None else start.metadata.data
    floor = online.arithmetic.floor
    training: Json = {
        "passes": 1,
        "converged": "",
        "log_likelihood": log_likelihood,
        "bic": None
        if log_likelihood is None
        else bic(log_likelihood * n_frames, mixture.n_parameters, n_frames),
        "aic": None if total is None else aic(total, size),
        "n_frames": n_frames,
        "n_recordings": 1 + (before.get("n_recordings") or 0),
        "seconds": seconds + (before.get("seconds") or 0.0),
        "set_aside": 0,
        "floor": [] if floor is None else floor.tolist(),
        "constant": list(learner.constant),
        "starts": [],
        "approximation": None,
        "history": [],
        "algorithm": "online",
        "init": "k-means++" if start is None else "model",
        "hold_out": 0.0,
        "online": learner.figures,
    }
    worth = online.batch / online.step_size(online.batch)  # frames that the statistics are an average over
    model = Model(
        mixture,
        statistics=statistics * min(float(n_frames), worth),
        metadata=ModelMetadata(
            frontend=replace(frontend, sample_rate=sample_rate).to_dict(),
            sample_rate=sample_rate,
            seed=learner.settings.seed,
            training=training,
            data={
                "n_recordings": training["n_recordings"],
                "n_frames": n_frames,
                "seconds": training["seconds"],
                "fingerprint": None,
            },
        ),
    )
    track = learner.latest.track(learner.clock)
    settings = DetectorSettings() if start is None else read_detector_settings(start)
    if track is None:
        return model
    try:
        return with_detector(model, calibrate_detector([track], settings))
    except MismatchError:  # not a window of it is voiced yet
        return model
