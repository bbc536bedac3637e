"""Normal scores for a detector: recordings held out, scored by models of the others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Protocol

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
from audiogmm.runs.aside import ignore_repeated
from audiogmm.runs.holdout import Chosen, turns
from audiogmm.runs.inputs import Inputs
from audiogmm.runs.progress import Progress
from audiogmm.scoring.track import ScoreTrack
from audiogmm.training import Reducer, TrainingResult
from audiogmm.types import Seconds

if TYPE_CHECKING:
    from audiogmm.audio.frontend.frontend import FrontEnd
    from audiogmm.reduce import OnError

SHORT: Seconds = 600.0
"""Where there is less audio than this, every recording takes its turn to be held out."""


class Fit(Protocol):
    """Trains on some recordings."""

    def __call__(self, part: Iterable[Shard], name: str, stage: str) -> TrainingResult:
        """Train; `name` is that of the checkpoint, `stage` what a person is told."""
        ...


@dataclass(frozen=True, slots=True)
class Turn:
    """A model of the recordings that were kept, and those that were held out."""

    result: TrainingResult
    kept: Iterable[Shard]
    held: Iterable[Shard]


def cross_fit(
    fit: Fit, kept: Iterable[Shard], held: Iterable[Shard], inputs: Inputs | None, seed: int
) -> Iterator[Turn]:
    """A model of the recordings that are kept; where the audio is short, in turns.

    A tenth of three minutes says little about what is rare. There, every recording is held out once, each
    time from a model of the others, so that all of the audio tells how normal audio scores (cross-fitting).

    Yields
    ------
    Turn
        The first one is of `kept` and `held`; others are trained as they are asked for.
    """
    first = fit(kept, "part", "training, some held out")
    yield Turn(first, kept, held)
    if inputs is None or not isinstance(held, Chosen) or first.seconds >= SHORT:
        return
    others = turns(inputs.entries, held.held, seed)
    for i, turn in enumerate(others):
        stage = f"training, others held out ({i + 2} of {len(others) + 1})"
        chosen = (Chosen(held.shards, turn, wanted) for wanted in (False, True))
        kept, held_out = chosen
        yield Turn(fit(kept, f"part{i + 2}", stage), kept, held_out)


def learn_from(
    first: Turn,
    others: Iterable[Turn],
    scores: str | Iterable[str] | None,
    frontend: FrontEnd | None,
    reducer: Reducer,
    inputs: Inputs | None,
    progress: Progress,
) -> tuple[Detector | None, LearnedScores | None]:
    """What held-out recordings score under models of the others, and the scores that were asked for.

    None if none can be scored; no scores for plain log-likelihoods. Other scores learn in the first turn
    alone: what they have learnt, and the scale that they are on, would be others in each.

    Raises
    ------
    MismatchError
        If the features do not allow a score that was named.
    """
    on_error = None if inputs is None else ignore_repeated

    def tracks(turn: Turn, scorer: FrameScorer) -> Iterator[ScoreTrack]:
        progress.begin("scoring the held-out part", None, "recordings")
        yield from reducer.map(turn.held, TrackTask(scorer), on_error)
        progress.end()

    def plain_tracks() -> Iterator[ScoreTrack]:
        for turn in chain([first], others):
            yield from tracks(turn, LogLikelihoodScorer(Evaluator(turn.result.mixture)))

    try:
        if scores is not None:
            learnt, scorer = _taught(first, scores, frontend, reducer, on_error, progress)
            if learnt is not None:
                return calibrate_detector(tracks(first, scorer)), learnt
        return calibrate_detector(plain_tracks()), None
    except MismatchError as error:
        if scores is not None:
            raise
        progress.say(
            f"no normal scores were learnt ({error.what}); detect needs calibrate, or a model of more audio"
        )
        return None, None
    finally:
        progress.end()


def _taught(
    turn: Turn,
    scores: str | Iterable[str],
    frontend: FrontEnd | None,
    reducer: Reducer,
    on_error: OnError | None,
    progress: Progress,
) -> tuple[LearnedScores | None, FrameScorer]:
    """Scores by what a turn kept, on the scale of what it held out; None where they are plain."""
    mixture = turn.result.mixture
    ground = make_score_context(mixture, frontend, find_frame_rate(frontend, turn.kept))
    wanted = select_scores(scores, ground.n_bands)
    if not is_plain(wanted):
        progress.begin("teaching scores", None, "recordings")
        learnt = learn_scores(wanted, ground, turn.kept, turn.held, reducer, on_error, choose=scores == AUTO)
        if not is_plain(learnt.specs):
            return learnt, learnt.scorer(ground)
    return None, LogLikelihoodScorer(Evaluator(mixture))
