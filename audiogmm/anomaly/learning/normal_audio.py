"""What a new model learns of normal audio: how it scores, what scores learn of it, and moments of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from audiogmm.anomaly.cells import CellRule
from audiogmm.anomaly.detector import Detector
from audiogmm.anomaly.drift.baseline import DriftBaseline
from audiogmm.anomaly.learning.assembly import make_score_context
from audiogmm.anomaly.learning.cross_fit import Fit, calibrate_folds, cross_fit
from audiogmm.anomaly.learning.drift_learning import learn_drift, with_drift
from audiogmm.anomaly.learning.model_parts import with_detector, with_moments, with_scores
from audiogmm.anomaly.learning.moments import learn_moments
from audiogmm.anomaly.learning.score_learning import relearn_scores
from audiogmm.anomaly.normal_moments import NormalMoments
from audiogmm.anomaly.scorers.learned import LearnedScores
from audiogmm.errors import MismatchError
from audiogmm.mixture.evaluator import Evaluator
from audiogmm.reduce import Reducer
from audiogmm.runs.aside import ignore_repeated
from audiogmm.runs.progress import Progress
from audiogmm.runs.training_inputs import TrainingInputs

if TYPE_CHECKING:
    from audiogmm.mixture.gaussian import Mixture
    from audiogmm.mixture.store import Model


@dataclass(frozen=True)
class NormalAudio:
    """What a model knows of normal audio; nothing by default.

    Attributes
    ----------
    detector : Detector or None
        With the scores of normal audio that the model was not trained on.
    scores : LearnedScores or None
        What the detector's scores learned; None for the plain log-likelihood.
    moments : NormalMoments or None
        With which the reasons of events compare.
    drift : DriftBaseline or None
        With which the level of bands over hours is compared.
    """

    detector: Detector | None = None
    scores: LearnedScores | None = None
    moments: NormalMoments | None = None
    drift: DriftBaseline | None = None

    def learn_again(self, mixture: Mixture, inputs: TrainingInputs, reducer: Reducer) -> NormalAudio:
        """Let the scores learn again, from all recordings, under the mixture that was re-estimated on all."""
        if self.scores is None:
            return self
        context = make_score_context(mixture, inputs.frontend, self.scores.frame_rate)
        on_error = inputs.on_error and ignore_repeated
        shards = inputs.pooled(inputs.shards)
        return replace(self, scores=relearn_scores(self.scores, context, shards, reducer, on_error))

    def put_into(self, model: Model) -> Model:
        """Return the model with its detector, scores, moments and baseline."""
        model = with_moments(model, self.moments)
        if self.drift is not None:
            model = with_drift(model, self.drift)
        if self.detector is None:
            return model
        return with_detector(with_scores(model, self.scores), self.detector)


def learn_normal_audio(
    fit: Fit,
    inputs: TrainingInputs,
    *,
    share: float,
    scores: str | Iterable[str] | None,
    seed: int,
    reducer: Reducer,
    progress: Progress,
    cells: CellRule | None = None,
) -> tuple[Mixture | None, NormalAudio]:
    """Learn how normal audio scores, in turns: each recording under a model of others.

    Parameters
    ----------
    fit : callable
        Trains on some of the recordings.
    inputs : TrainingInputs
        The recordings.
    share : float
        Of the recordings that are held out at a time, at least.
    scores : str or iterable of str, optional
        What the detector scores by.
    seed : int
        Of the turns in which recordings are held out.
    reducer : Reducer
        Reads the recordings.
    progress : Progress
        Receives stages and notes.
    cells : CellRule, optional
        By which normal audio is divided, and scores are put on one level.

    Returns
    -------
    Mixture or None
        Of the first turn, from which the training on all can start; None where nothing can be held out.
    NormalAudio
        Without a detector where nothing held out could be scored, which is said.

    Raises
    ------
    MismatchError
        If the features do not allow a score that was named.
    """
    folds = cross_fit(fit, inputs, share, seed)
    if not folds:
        return None, NormalAudio()
    detector, learned = None, None
    try:
        detector, learned = calibrate_folds(folds, scores, inputs, reducer, progress, cells)
    except MismatchError as error:
        if scores is not None or cells is not None:
            raise
        progress.say(
            f"the scores of normal audio were not learned ({error.what}): `detect` needs a model of more "
            "audio, or other normal audio: audiogmm calibrate MODEL NORMAL.jsonl -o CALIBRATED.agmm"
        )
    moments = learn_moments(
        Evaluator(folds[0].mixture),
        inputs.frontend,
        [(folds[0].held, True), (folds[0].kept, False)],
        reducer,
        inputs.on_error and ignore_repeated,
        progress,
    )
    drift = learn_drift(
        inputs.frontend, inputs.pooled(inputs.shards), reducer, inputs.on_error and ignore_repeated, progress
    )
    return folds[0].mixture, NormalAudio(detector, learned, moments, drift)
