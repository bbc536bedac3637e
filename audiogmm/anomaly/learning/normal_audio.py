"""What a new model learns of normal audio: how it scores, what scores learn of it, and moments of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from audiogmm.anomaly.detector import Detector
from audiogmm.anomaly.learning.assembly import make_score_context
from audiogmm.anomaly.learning.cross_fit import Fit, calibrate_folds, cross_fit
from audiogmm.anomaly.learning.model_parts import with_detector, with_moments, with_scores
from audiogmm.anomaly.learning.moments import learn_moments
from audiogmm.anomaly.learning.score_learning import relearn_scores
from audiogmm.anomaly.normal_moments import NormalMoments
from audiogmm.anomaly.scorers.learned import LearnedScores
from audiogmm.blocks import Shard
from audiogmm.mixture.evaluator import Evaluator
from audiogmm.reduce import Reducer
from audiogmm.runs.aside import ignore_repeated
from audiogmm.runs.progress import Progress
from audiogmm.runs.training_inputs import TrainingInputs
from audiogmm.training.result import TrainingResult

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
    """

    detector: Detector | None = None
    scores: LearnedScores | None = None
    moments: NormalMoments | None = None

    def learn_again(self, mixture: Mixture, inputs: TrainingInputs, reducer: Reducer) -> NormalAudio:
        """Let the scores learn again, from all recordings, under the mixture that was re-estimated on all."""
        if self.scores is None:
            return self
        context = make_score_context(mixture, inputs.frontend, self.scores.frame_rate)
        on_error = inputs.on_error and ignore_repeated
        return replace(self, scores=relearn_scores(self.scores, context, inputs.shards, reducer, on_error))

    def put_into(self, model: Model) -> Model:
        """Return the model with its detector, scores and moments."""
        model = with_moments(model, self.moments)
        if self.detector is None:
            return model
        return with_detector(with_scores(model, self.scores), self.detector)


def learn_normal_audio(
    fit: Fit,
    kept: Iterable[Shard],
    held: Iterable[Shard],
    inputs: TrainingInputs,
    *,
    scores: str | Iterable[str] | None,
    seed: int,
    reducer: Reducer,
    progress: Progress,
) -> tuple[TrainingResult, NormalAudio]:
    """Train on the recordings that are kept, and learn from the others how normal audio scores.

    Parameters
    ----------
    fit : callable
        Trains on some of the recordings.
    kept, held : iterable of Shard
        The two parts, see `divide`.
    inputs : TrainingInputs
        Both together.
    scores : str or iterable of str, optional
        What the detector scores by.
    seed : int
        Of the turns in which recordings are held out.
    reducer : Reducer
        Reads the recordings.
    progress : Progress
        Receives stages and notes.

    Returns
    -------
    TrainingResult
        Of the first part, from which the training on all can start.
    NormalAudio
        Without a detector where nothing held out could be scored.

    Raises
    ------
    MismatchError
        If the features do not allow a score that was named.
    """
    folds = cross_fit(fit, kept, held, inputs, seed)
    first = next(folds)
    detector, learned = calibrate_folds(first, folds, scores, inputs, reducer, progress)
    moments = learn_moments(
        Evaluator(first.result.mixture),
        inputs.frontend,
        [(first.held, True), (first.kept, False)],
        reducer,
        inputs.on_error and ignore_repeated,
        progress,
    )
    return first.result, NormalAudio(detector, learned, moments)
