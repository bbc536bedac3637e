"""Learn scores from normal audio: what each needs to know, and the scales that make them comparable."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from audiogmm.anomaly.scorers.fused import FusedScorer
from audiogmm.anomaly.scorers.learned import LearnedScores
from audiogmm.anomaly.scorers.normal_windows import normal_windows
from audiogmm.anomaly.scorers.part import Arrays, ScoreContext, SeriesGroup
from audiogmm.anomaly.scorers.posterior import PosteriorScore
from audiogmm.anomaly.scorers.sample import SampleTask, keep_samples, scales_of
from audiogmm.anomaly.scorers.scale import NormalScale
from audiogmm.anomaly.scorers.stability import LEVEL, MARGIN, steady
from audiogmm.anomaly.scorers.table import ScoreSpec
from audiogmm.anomaly.scorers.twfr import DECAYS, TwfrScore
from audiogmm.anomaly.scorers.twfr_fit import fit_twfr
from audiogmm.blocks import Shard
from audiogmm.types import BoolArray, FloatArray, Json

if TYPE_CHECKING:
    from audiogmm.reduce import OnError, Reducer


def learn_scores(
    wanted: Sequence[ScoreSpec],
    ground: ScoreContext,
    fitted: Iterable[Shard],
    held: Iterable[Shard],
    reducer: Reducer,
    on_error: OnError | None,
    known: LearnedScores | None = None,
    veto: bool = False,
) -> LearnedScores:
    """Learn what the scores need, and put them on the scale of normal audio.

    Parameters
    ----------
    wanted : sequence of ScoreSpec
        The scores.
    ground : ScoreContext
        What they are built on; frames of exact silence do not count.
    fitted : iterable of Shard
        Normal recordings by which scores learn; re-iterable.
    held : iterable of Shard
        Other normal recordings, by which they are put on a scale: a score fits what it has learnt from too
        well.
    reducer : Reducer
        Who reads.
    on_error : callable or None
        Hears of recordings that are set aside.
    known : LearnedScores, optional
        Whose learnt arrays are used again in place of `fitted`.
    veto : bool
        Whether to leave out what normal audio speaks against.

    Raises
    ------
    MismatchError
        If the model's features do not allow one of the scores, or there is no normal window.
    """
    learnt: dict[str, Arrays] = {}
    for each in wanted:
        text = str(each)
        if not each.score.learns:
            continue
        if known is not None and text in known.learnt:
            learnt[text] = known.learnt[text]
        else:
            learnt[text] = fit(each, ground, fitted, held, reducer, on_error)
    against = ground.against.mixture if ground.against else None
    scores = LearnedScores(tuple(wanted), ground.frame_rate, learnt, against=against)
    return with_scales(scores, ground, held, reducer, on_error, veto)


def with_scales(
    scores: LearnedScores,
    ground: ScoreContext,
    held: Iterable[Shard],
    reducer: Reducer,
    on_error: OnError | None,
    veto: bool = False,
) -> LearnedScores:
    """The scores on the scales of normal recordings: first of the series, then of the groups they make.

    With `veto` those are left out that normal audio speaks against, see `stability.steady`.
    """
    groups = scores.groups(ground)
    by_group = [scaled_parts(group) for group in groups]
    parts: tuple[NormalScale, ...] = ()
    if any(by_group):
        task = SampleTask(FusedScorer(groups), grouped=False)
        found = scales_of(keep_samples(reducer.map(held, task, on_error)))
        scaled = [group.scaled for group in groups for _ in group.parts]
        parts = tuple(scale for scale, wanted in zip(found, scaled, strict=True) if wanted)
    if len(groups) == 1:
        return replace(scores, part_scales=parts)
    task = SampleTask(FusedScorer(groups, parts), grouped=True)
    samples = keep_samples(reducer.map(held, task, on_error))
    several = scales_of(samples)
    if not veto:
        return replace(scores, part_scales=parts, group_scales=several)
    kept, misses = steady([sample.rows for sample in samples])
    scores = replace(scores, how_chosen=told(scores, kept, misses, len(samples)))
    of_parts = [bool(keep) for keep, n in zip(kept, by_group, strict=True) for _ in range(n)]
    chosen = tuple(wanted for wanted, keep in zip(scores.wanted, kept, strict=True) if keep)
    return replace(
        scores,
        wanted=chosen,
        learnt={text: arrays for text, arrays in scores.learnt.items() if text in map(str, chosen)},
        part_scales=tuple(scale for scale, keep in zip(parts, of_parts, strict=True) if keep),
        group_scales=tuple(scale for scale, keep in zip(several, kept, strict=True) if keep)
        if len(chosen) > 1
        else (),
    )


def scaled_parts(group: SeriesGroup) -> int:
    """How many series of a group have a scale."""
    return len(group.parts) if group.scaled else 0


def told(scores: LearnedScores, kept: BoolArray, misses: FloatArray, n_recordings: int) -> Json:
    """What was compared, and what was left out, as JSON."""
    names = [str(wanted) for wanted in scores.wanted]
    known = not np.isnan(misses).any()
    return {
        "rule": f"all but those whose false-alarm rate (at {LEVEL:g}) differs more between normal recordings "
        f"than that of {names[0]}, by over {MARGIN:g} standard errors",
        "recordings": n_recordings,
        "misses": {name: round(float(miss), 6) for name, miss in zip(names, misses, strict=True)}
        if known
        else None,
        "left_out": [name for name, keep in zip(names, kept, strict=True) if not keep],
    }


def fit_again(
    scores: LearnedScores,
    ground: ScoreContext,
    shards: Iterable[Shard],
    reducer: Reducer,
    on_error: OnError | None,
) -> LearnedScores:
    """What the scores have learnt, anew from all recordings, as a model is re-estimated on all.

    The scales stay: they come from recordings that had been held out, and what was chosen by them stays too.
    """
    learnt = {
        str(each): fit(each, ground, shards, None, reducer, on_error, scores.learnt[str(each)])
        for each in scores.wanted
        if each.score.learns
    }
    return replace(scores, learnt=learnt)


def fit(
    wanted: ScoreSpec,
    ground: ScoreContext,
    shards: Iterable[Shard],
    held: Iterable[Shard] | None,
    reducer: Reducer,
    on_error: OnError | None,
    before: Arrays | None = None,
) -> Arrays:
    """What one score learns; `before` is what it had learnt, where only its parameters are to be found anew.

    Raises
    ------
    MismatchError
        If there is no normal window to learn from.
    """
    score = wanted.score
    if isinstance(score, PosteriorScore):
        scorer = score.scorer(ground, wanted.window)
        return {"windows": normal_windows(scorer, shards, reducer, on_error).vectors.astype(np.float32)}
    assert isinstance(score, TwfrScore), f"{wanted} does not learn"
    decays = DECAYS if before is None else (float(before["decay"][0]),)
    return fit_twfr(score, wanted, ground, shards, held, decays, reducer, on_error)
