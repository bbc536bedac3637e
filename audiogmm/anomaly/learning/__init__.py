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

__getattr__, __dir__ = exports(__name__)
