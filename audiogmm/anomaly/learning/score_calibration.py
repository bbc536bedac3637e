"""Learn the scores of a detector from normal audio that the model was not trained on."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from audiogmm.anomaly.learning.assembly import make_evaluators, make_score_context
from audiogmm.anomaly.learning.model_parts import read_learned_scores, with_scores
from audiogmm.anomaly.learning.score_learning import learn_scores, relearn_scores
from audiogmm.anomaly.scorers.score import NormalRecordings
from audiogmm.anomaly.scorers.table import AUTO, PLAIN, ScoreSpec, is_plain, select_scores
from audiogmm.blocks import Shard
from audiogmm.errors import AudioGMMError, ChoiceError, MismatchError
from audiogmm.runs.aside import ignore_repeated
from audiogmm.runs.frontends import read_frontend
from audiogmm.runs.holdout import Turn, take_turns
from audiogmm.runs.inputs import Inputs
from audiogmm.runs.progress import Progress
from audiogmm.runs.training_inputs import TrainingInputs

if TYPE_CHECKING:
    from audiogmm.audio.frontend.frontend import FrontEnd
    from audiogmm.mixture.store import Model
    from audiogmm.reduce import Reducer

HALF = 0.5
"""Share of the recordings that is held out in each of two turns, where scores learn from the others."""


def calibrate_scores(
    model: Model,
    inputs: Inputs,
    scores: str | Iterable[str] | None,
    against: Model | None,
    reducer: Reducer,
    progress: Progress,
) -> tuple[Model, list[tuple[Model, Iterable[Shard]]]]:
    """Learn the scores of a model's detector.

    Parameters
    ----------
    model : Model
        Whose scores are meant.
    inputs : Inputs
        Normal recordings, re-iterable if there is something to learn.
    scores : str or iterable of str, optional
        Names (see `audiogmm.anomaly.scorers.table`), ``"fusion"`` for all that the model allows, ``"auto"``
        for the stable ones of them, ``"mean"`` for plain log-likelihoods. By default those that the model
        has: what they have learned stays, and their scales are fitted again.
    against : Model, optional
        Background model of the score `ratio`.
    reducer : Reducer
        Reads them.
    progress : Progress
        Shows how far it is.

    Returns
    -------
    model : Model
        With the scores.
    normal : list of (Model, iterable of Shard)
        The recordings by which thresholds are to be set, with the model whose scores they get: where a score
        had to learn first, one of the other half.

    Raises
    ------
    ChoiceError
        If a score is unknown.
    MismatchError
        If the model does not allow it, or there is one recording both to learn from and to be scaled by.
    """
    known = read_learned_scores(model)
    if scores is None and known is None:
        return model, [(model, inputs)]
    frontend, background = read_frontend(model), None
    if against is not None:
        make_evaluators(model, against)  # refuses another front end
        background = against.mixture
    elif known is not None:
        background = known.background
    frame_rate = find_frame_rate(frontend, inputs)
    context = make_score_context(model.mixture, frontend, frame_rate, background=background)
    specs = known.specs if scores is None and known else select_scores(scores or PLAIN, context.n_bands)
    _check_background(specs, against)
    if is_plain(specs):
        model = with_scores(model, None)
        return model, [(model, inputs)]
    kept_known = known if scores is None else None
    turns: list[Turn] = [(inputs, inputs)]
    if kept_known is None and any(spec.score.learn for spec in specs):
        turns = take_turns(TrainingInputs(inputs, inputs), 2, HALF, seed=0)
        if not turns:
            raise MismatchError(
                "no normal recording",
                needed="at least two, or a long one: scores learn from some and are scaled by the others",
                remedy="more normal recordings",
            )
    progress.begin("learning scores", None, "recordings")
    try:
        folds = [
            (
                context,
                NormalRecordings(
                    inputs.pooled(fitted, ignore_repeated),
                    inputs.pooled(normal, ignore_repeated),
                    reducer,
                    inputs.refuse,
                ),
            )
            for fitted, normal in turns
        ]
        found = learn_scores(specs, folds, kept_known, choose=scores == AUTO)
        if is_plain(found[0].specs):
            model = with_scores(model, None)
            return model, [(model, inputs)]
        parts = [(with_scores(model, each), normal) for each, (_, normal) in zip(found, turns, strict=True)]
        final = found[0]
        if len(turns) > 1:
            final = relearn_scores(
                final, context, inputs.pooled(None, ignore_repeated), reducer, inputs.refuse
            )
        return with_scores(model, final), parts
    finally:
        progress.end()


def _check_background(specs: tuple[ScoreSpec, ...], against: Model | None) -> None:
    """Refuse a background model that no score would use.

    Raises
    ------
    ChoiceError
        If `ratio` is not among them.
    """
    if against is not None and all(spec.name != "ratio" for spec in specs):
        raise ChoiceError(
            f"a background model for {', '.join(map(str, specs))}",
            needed="the score ratio, which compares with it",
            remedy="--scores ratio, or no --against",
        )


def find_frame_rate(frontend: FrontEnd | None, shards: Iterable[Shard]) -> float:
    """Find the frames a second: those of the front end, or of the first recording that has any.

    Raises
    ------
    MismatchError
        If there is none.
    """
    if frontend is not None and frontend.sample_rate is not None:
        return frontend.clock(frontend.sample_rate).frame_rate
    for shard in shards:
        try:
            for block in shard:
                return block.clock.frame_rate
        except AudioGMMError:
            continue  # set aside when it is scored
    raise MismatchError("no normal recording with a frame", needed="at least one", remedy="other recordings")
