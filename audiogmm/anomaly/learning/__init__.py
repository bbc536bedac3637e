"""Learning detection from recordings, and keeping it in a model.

`calibrate_scores`, `learn_scores` and `learn_moments` read normal recordings; `model_parts` is the one place
that knows how a model keeps its detector, scores and normal moments; `make_pipeline` and its siblings make
from a model what runs over recordings.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from audiogmm.lazy import exports

if TYPE_CHECKING:
    from audiogmm.anomaly.learning.assembly import make_evaluators as make_evaluators
    from audiogmm.anomaly.learning.assembly import make_explainer as make_explainer
    from audiogmm.anomaly.learning.assembly import make_pipeline as make_pipeline
    from audiogmm.anomaly.learning.assembly import make_score_context as make_score_context
    from audiogmm.anomaly.learning.assembly import make_scorer as make_scorer
    from audiogmm.anomaly.learning.frontend_bands import band_maps as band_maps
    from audiogmm.anomaly.learning.frontend_bands import mel_bands as mel_bands
    from audiogmm.anomaly.learning.model_parts import read_detector as read_detector
    from audiogmm.anomaly.learning.model_parts import read_detector_settings as read_detector_settings
    from audiogmm.anomaly.learning.model_parts import read_learned_scores as read_learned_scores
    from audiogmm.anomaly.learning.model_parts import read_moments as read_moments
    from audiogmm.anomaly.learning.model_parts import score_names as score_names
    from audiogmm.anomaly.learning.model_parts import scores_fingerprint as scores_fingerprint
    from audiogmm.anomaly.learning.model_parts import with_detector as with_detector
    from audiogmm.anomaly.learning.model_parts import with_moments as with_moments
    from audiogmm.anomaly.learning.model_parts import with_scores as with_scores
    from audiogmm.anomaly.learning.moments import learn_moments as learn_moments
    from audiogmm.anomaly.learning.score_calibration import calibrate_scores as calibrate_scores
    from audiogmm.anomaly.learning.score_calibration import find_frame_rate as find_frame_rate
    from audiogmm.anomaly.learning.score_learning import learn_scores as learn_scores
    from audiogmm.anomaly.learning.score_learning import relearn_scores as relearn_scores

__getattr__, __dir__, __all__ = exports(
    __name__,
    {
        "read_detector": "model_parts",
        "with_detector": "model_parts",
        "read_detector_settings": "model_parts",
        "read_learned_scores": "model_parts",
        "with_scores": "model_parts",
        "read_moments": "model_parts",
        "with_moments": "model_parts",
        "score_names": "model_parts",
        "scores_fingerprint": "model_parts",
        "make_pipeline": "assembly",
        "make_scorer": "assembly",
        "make_explainer": "assembly",
        "make_evaluators": "assembly",
        "make_score_context": "assembly",
        "learn_scores": "score_learning",
        "relearn_scores": "score_learning",
        "calibrate_scores": "score_calibration",
        "find_frame_rate": "score_calibration",
        "learn_moments": "moments",
        "mel_bands": "frontend_bands",
        "band_maps": "frontend_bands",
    },
)
