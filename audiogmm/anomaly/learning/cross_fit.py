"""Normal scores for a detector: recordings held out, scored by models of the others."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain

from audiogmm.anomaly.detector import Detector
from audiogmm.anomaly.detector_calibration import calibrate_detector
from audiogmm.anomaly.learning.assembly import make_score_context
from audiogmm.anomaly.learning.score_calibration import find_frame_rate
from audiogmm.anomaly.learning.score_learning import learn_scores
from audiogmm.anomaly.scorer import FrameScorer, LogLikelihoodScorer
from audiogmm.anomaly.scorers.learned import LearnedScores
from audiogmm.anomaly.scorers.table import AUTO, is_plain, select_scores
from audiogmm.anomaly.scorers.track import TrackTask
from audiogmm.blocks import Shard
from audiogmm.errors import MismatchError
from audiogmm.mixture.evaluator import Evaluator
from audiogmm.reduce import Reducer
from audiogmm.runs.aside import ignore_repeated
from audiogmm.runs.holdout import Chosen, draw_turns
from audiogmm.runs.progress import Progress
from audiogmm.runs.training_inputs import TrainingInputs
from audiogmm.scoring.track import ScoreTrack
from audiogmm.training.result import TrainingResult
from audiogmm.types import Seconds

SHORT: Seconds = 600.0
"""Where there is less audio than this, every recording takes its turn to be held out."""


Fit = Callable[[Iterable[Shard], str, str], TrainingResult]
"""Trains on some recordings; takes a name for the checkpoint and one for the stage of progress as well."""


@dataclass(frozen=True, slots=True)
class Fold:
    """A model of the recordings that were kept, and those that were held out."""

    result: TrainingResult
    kept: Iterable[Shard]
    held: Iterable[Shard]


def cross_fit(
    fit: Fit, kept: Iterable[Shard], held: Iterable[Shard], inputs: TrainingInputs, seed: int
) -> Iterator[Fold]:
    """Train on the recordings that are kept; where the audio is short, in turns.

    A tenth of three minutes says little about what is rare. There, every recording is held out once, each
    time from a model of the others, so that all of the audio shows how normal audio scores (cross-fitting).

    Yields
    ------
    Fold
        The first one is of `kept` and `held`; others are trained as they are asked for.
    """
    first = fit(kept, "part", "training, some held out")
    yield Fold(first, kept, held)
    if inputs.entries is None or not isinstance(held, Chosen) or first.seconds >= SHORT:
        return
    others = draw_turns(inputs.entries, held.held, seed)
    for i, turn in enumerate(others):
        stage = f"training, others held out ({i + 2} of {len(others) + 1})"
        chosen = (Chosen(held.shards, turn, wanted) for wanted in (False, True))
        kept, held_out = chosen
        yield Fold(fit(kept, f"part{i + 2}", stage), kept, held_out)


def calibrate_folds(
    first: Fold,
    others: Iterable[Fold],
    scores: str | Iterable[str] | None,
    inputs: TrainingInputs,
    reducer: Reducer,
    progress: Progress,
) -> tuple[Detector | None, LearnedScores | None]:
    """Calibrate a detector with what held-out recordings score under models of the others.

    Scores that learn do so in the first fold alone: what they learned, and the scale that they are on, would
    differ from fold to fold.

    Returns
    -------
    Detector or None
        None where nothing can be scored, which is said.
    LearnedScores or None
        None for plain log-likelihoods.

    Raises
    ------
    MismatchError
        If the features do not allow a score that was named.
    """
    on_error = inputs.on_error and ignore_repeated

    def tracks(fold: Fold, scorer: FrameScorer) -> Iterator[ScoreTrack]:
        progress.begin("scoring the held-out part", None, "recordings")
        yield from reducer.map(fold.held, TrackTask(scorer), on_error)
        progress.end()

    def plain_tracks() -> Iterator[ScoreTrack]:
        for fold in chain([first], others):
            yield from tracks(fold, LogLikelihoodScorer(Evaluator(fold.result.mixture)))

    try:
        if scores is not None:
            learned, scorer = _learn(first, scores, inputs, reducer, progress)
            if learned is not None:
                return calibrate_detector(tracks(first, scorer)), learned
        return calibrate_detector(plain_tracks()), None
    except MismatchError as error:
        if scores is not None:
            raise
        progress.say(
            f"the scores of normal audio were not learned ({error.what}): "
            "`detect` needs a model of more audio, or `calibrate` with other normal audio"
        )
        return None, None
    finally:
        progress.end()


def _learn(
    fold: Fold, scores: str | Iterable[str], inputs: TrainingInputs, reducer: Reducer, progress: Progress
) -> tuple[LearnedScores | None, FrameScorer]:
    """Learn scores from what a fold kept, on the scale of what it held out; None where they are plain."""
    mixture, frontend = fold.result.mixture, inputs.frontend
    context = make_score_context(mixture, frontend, find_frame_rate(frontend, fold.kept))
    wanted = select_scores(scores, context.n_bands)
    if not is_plain(wanted):
        progress.begin("learning scores", None, "recordings")
        on_error = inputs.on_error and ignore_repeated
        learned = learn_scores(
            wanted, context, fold.kept, fold.held, reducer, on_error, choose=scores == AUTO
        )
        if not is_plain(learned.specs):
            return learned, learned.scorer(context)
    return None, LogLikelihoodScorer(Evaluator(mixture))
