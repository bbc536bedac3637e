"""How a model keeps what detection needs: its detector, its scores, and its normal moments."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from typing import TYPE_CHECKING

from audiogmm.anomaly.detector import Detector
from audiogmm.anomaly.detector_settings import DetectorSettings, settings_from
from audiogmm.anomaly.normal_moments import PREFIX as MOMENTS
from audiogmm.anomaly.normal_moments import NormalMoments
from audiogmm.anomaly.scorers.learned import PREFIX as SCORES
from audiogmm.anomaly.scorers.learned import LearnedScores
from audiogmm.anomaly.scorers.table import PLAIN
from audiogmm.errors import ChoiceError, MismatchError
from audiogmm.mixture.metadata import reading_part
from audiogmm.words import SOUND, TABLE, Terms

if TYPE_CHECKING:
    from audiogmm.mixture.store import Model


def read_detector(model: Model) -> Detector:
    """Return the detector kept in a model.

    Raises
    ------
    MismatchError
        If the model was never calibrated.
    """
    if model.metadata.detector is None:
        raise MismatchError(
            "the model holds no scores of normal audio, so there is no threshold",
            needed="a calibrated model",
            remedy="audiogmm calibrate MODEL NORMAL -o MODEL, or train with --hold-out 0.1",
        )
    with reading_part("detector"):
        return Detector.from_parts(model.metadata.detector, model.tensors)


def refuse_alarms_of_rows(model: Model, alarms_per_hour: float | None) -> None:
    """Refuse a budget of alarms an hour where a model is about rows of a table, which have no time.

    Raises
    ------
    ChoiceError
        With what works for tables.
    """
    if alarms_per_hour is not None and not terms_of(model).unit:
        raise ChoiceError(
            f"{alarms_per_hour:g} alarms an hour, and the rows of a table have no time",
            needed="rows with a rate, or a share of normal rows",
            remedy="--quantile 0.999, or a manifest with the tables' frame_rate, rows a second",
        )


def with_detector(model: Model, detector: Detector) -> Model:
    """Return the same model with another detector."""
    return model.with_part("detector", "normal/", detector.metadata(), detector.tensors())


def read_detector_settings(model: Model) -> DetectorSettings:
    """Return the settings of a model's detector; the default ones, of the default budget, if it has none."""
    known = model.metadata.detector
    with reading_part("detector"):
        return DetectorSettings(by_default=True) if known is None else settings_from(known)


def read_learned_scores(model: Model) -> LearnedScores | None:
    """Return what the model has learned about its scores; None if its detector uses plain log-likelihoods.

    Raises
    ------
    ModelFileError
        If something of it is missing.
    """
    if model.metadata.scores is None:
        return None
    with reading_part("scores"):
        return LearnedScores.from_parts(model.metadata.scores, model.tensors)


def with_scores(model: Model, scores: LearnedScores | None) -> Model:
    """Return the same model with other scores; None for plain log-likelihoods."""
    if scores is None:
        return model.with_part("scores", SCORES, None)
    return model.with_part("scores", SCORES, scores.metadata(), scores.tensors())


def score_names(model: Model) -> list[str]:
    """Return the names of the scores that a model's detector uses.

    Raises
    ------
    ModelFileError
        If something of its scores is missing.
    """
    scores = read_learned_scores(model)
    return [PLAIN] if scores is None else [str(spec) for spec in scores.specs]


def scores_fingerprint(model: Model) -> str:
    """Return the SHA-256 of a model's learned scores, hexadecimal; empty for plain log-likelihoods."""
    if model.metadata.scores is None:
        return ""
    digest = hashlib.sha256(json.dumps(model.metadata.scores, sort_keys=True).encode())
    for name in sorted(model.tensors):
        if name.startswith(SCORES):
            digest.update(f"{name} {model.tensors[name].shape}".encode())
            digest.update(model.tensors[name].tobytes())
    return digest.hexdigest()


def read_moments(model: Model) -> NormalMoments | None:
    """Return the normal moments kept in a model, if there are any.

    Raises
    ------
    ModelFileError
        If something of them is missing.
    """
    if model.metadata.moments is None:
        return None
    with reading_part("moments"):
        return NormalMoments.from_parts(model.metadata.moments, model.tensors)


def with_moments(model: Model, moments: NormalMoments | None) -> Model:
    """Return the same model with other normal moments, or without any."""
    if moments is None:
        return model.with_part("moments", MOMENTS, None)
    return model.with_part("moments", MOMENTS, moments.metadata(), moments.tensors())


def is_silence_scored(model: Model) -> bool:
    """Whether frames of exact silence count: where no activity detector marks them."""
    return bool(model.metadata.frontend and model.metadata.frontend["vad"] == "none")


def unit_of(model: Model) -> str:
    """Return what follows a time: frames of the user's own are rows of a table, unless they have a rate."""
    detector = model.metadata.detector or {}
    return " s" if model.metadata.frontend or detector.get("frame_rate", 1.0) != 1.0 else ""


def terms_of(model: Model) -> Terms:
    """Return what messages call what the model is about."""
    return replace(SOUND if model.metadata.frontend else TABLE, unit=unit_of(model))
