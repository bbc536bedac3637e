"""The scores of a detector, learnt from normal audio that the model was not trained on."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from audiogmm.anomaly.learning.score_learning import learn_scores
from audiogmm.anomaly.learning.scores import PLAIN, make_score_context, read_learned_scores, with_scores
from audiogmm.anomaly.scorers.part import ScoreContext
from audiogmm.anomaly.scorers.table import AUTO, FUSED, FUSION, ScoreSpec, parse_scores
from audiogmm.blocks import Shard
from audiogmm.errors import AudioGMMError, ChoiceError, MismatchError
from audiogmm.runs.frontends import read_frontend
from audiogmm.runs.holdout import divide
from audiogmm.runs.inputs import Inputs
from audiogmm.runs.progress import Progress

if TYPE_CHECKING:
    from audiogmm.audio.frontend.frontend import FrontEnd
    from audiogmm.mixture.store import Model
    from audiogmm.reduce import Reducer

HALF = 0.5
"""Share of the recordings that puts scores on a scale, where the others have to teach them."""


def calibrated_scores(
    model: Model,
    inputs: Inputs,
    scores: str | Iterable[str] | None,
    against: Model | None,
    reducer: Reducer,
    progress: Progress,
) -> tuple[Model, Iterable[Shard]]:
    """Learn the scores of a model's detector.

    Parameters
    ----------
    model : Model
        Whose scores are meant.
    inputs : Inputs
        Normal recordings, re-iterable if there is something to be learnt.
    scores : str or iterable of str, optional
        Names (see `audiogmm.anomaly.scorers.table`), ``"fusion"`` for all that the model allows, ``"auto"``
        for those of them that normal audio does not speak against, ``"mean"`` for plain log-likelihoods.
        By default those the model has: what they have learnt stays, their scales are learnt anew.
    against : Model, optional
        Background model of the score `ratio`.
    reducer : Reducer
        Who reads.
    progress : Progress
        Who listens.

    Returns
    -------
    model : Model
        With the scores.
    normal : iterable of Shard
        The recordings by which thresholds are to be set: where a score had to be taught first, the half of
        them that did not teach it.

    Raises
    ------
    ChoiceError
        If a score is unknown.
    MismatchError
        If the model does not allow it, or a single recording would have to teach and to judge it.
    """
    known = read_learned_scores(model)
    if scores is None and known is None:
        return model, inputs
    frontend, background = read_frontend(model), None
    if against is not None:
        from audiogmm.anomaly.learning.likelihood_ratio import make_evaluators

        make_evaluators(model, against)  # refuses another front end
        background = against.mixture
    elif known is not None:
        background = known.against
    ground = make_score_context(model.mixture, frontend, frame_rate_of(frontend, inputs), against=background)
    wanted = known.wanted if scores is None and known else resolve(scores or PLAIN, ground)
    check_against(wanted, against)
    if plain(wanted):
        return with_scores(model, None), inputs
    kept_known = known if scores is None else None
    fitted: Iterable[Shard] = inputs
    normal: Iterable[Shard] = inputs
    if kept_known is None and any(each.score.learns for each in wanted):
        parts = divide(inputs, inputs, HALF, seed=0)
        if parts is None:
            raise MismatchError(
                "no normal recording",
                needed="at least two, or a long one: some teach the scores, others put them on a scale",
                remedy="more normal recordings",
            )
        fitted, normal = parts
    progress.begin("learning scores", None, "recordings")
    try:
        learnt = learn_scores(
            wanted,
            ground,
            fitted,
            normal,
            reducer,
            inputs.refuse,
            known=kept_known,
            veto=scores is not None and is_auto(scores),
        )
    finally:
        progress.end()
    return with_scores(model, None if plain(learnt.wanted) else learnt), normal


def resolve(scores: str | Iterable[str], ground: ScoreContext) -> tuple[ScoreSpec, ...]:
    """The scores that are meant; of ``fusion`` and ``auto`` those that the model's features allow."""
    if is_all(scores):
        every = parse_scores(FUSED)
        return tuple(each for each in every if each.score.needs_bands <= ground.n_bands)
    return parse_scores(scores)


def check_scores(scores: str | Iterable[str] | None) -> None:
    """Refuse what is no score, before anything is read.

    Raises
    ------
    ChoiceError
        If a name is unknown.
    """
    if scores is not None and not is_all(scores):
        parse_scores(scores)


def is_all(scores: str | Iterable[str]) -> bool:
    """Whether all scores are meant, or those of them that normal audio does not speak against."""
    return scores == FUSION or is_auto(scores)


def is_auto(scores: str | Iterable[str]) -> bool:
    """Whether normal audio has a say in it."""
    return scores == AUTO


def plain(wanted: tuple[ScoreSpec, ...]) -> bool:
    """Whether it is the plain score: log-likelihoods, which the detector itself averages."""
    return tuple(map(str, wanted)) == (PLAIN,)


def check_against(wanted: tuple[ScoreSpec, ...], against: Model | None) -> None:
    """Refuse a background model that no score would use.

    Raises
    ------
    ChoiceError
        If `ratio` is not among them.
    """
    if against is not None and all(each.name != "ratio" for each in wanted):
        raise ChoiceError(
            f"a background model for {', '.join(map(str, wanted))}",
            needed="the score ratio, which compares with it",
            remedy="--scores ratio, or no --against",
        )


def frame_rate_of(frontend: FrontEnd | None, shards: Iterable[Shard]) -> float:
    """Frames a second: the front end's, or those of the first recording that has any.

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
