"""Learn scores from normal audio: what each needs, and the scales that make them comparable."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from audiogmm.anomaly.scorers.fused import FusedScorer
from audiogmm.anomaly.scorers.learned import LearnedScores
from audiogmm.anomaly.scorers.scale import NormalScale
from audiogmm.anomaly.scorers.score import Arrays, NormalRecordings, ScoreContext
from audiogmm.anomaly.scorers.score_rows import ScoreRows, ScoreRowsTask, fit_scales, keep_rows
from audiogmm.anomaly.scorers.series import SeriesGroup
from audiogmm.anomaly.scorers.stability import LEVEL, MARGIN, find_stable_scores
from audiogmm.anomaly.scorers.table import ScoreSpec
from audiogmm.blocks import Shard
from audiogmm.reduce import OnError, Reducer
from audiogmm.types import BoolArray, FloatArray, Json


def learn_scores(
    specs: Sequence[ScoreSpec],
    context: ScoreContext,
    fitted: Iterable[Shard],
    held_out: Iterable[Shard],
    reducer: Reducer,
    on_error: OnError | None,
    known: LearnedScores | None = None,
    choose: bool = False,
) -> LearnedScores:
    """Learn what the scores need, and put them on the scale of normal audio.

    Parameters
    ----------
    specs : sequence of ScoreSpec
        The scores.
    context : ScoreContext
        What they are made from; frames of exact silence do not count.
    fitted : iterable of Shard
        Normal recordings from which scores learn; re-iterable.
    held_out : iterable of Shard
        Other normal recordings, by which they are put on a scale: a score fits what it has learned from too
        well.
    reducer : Reducer
        Reads them.
    on_error : callable or None
        Called for a recording that cannot be used.
    known : LearnedScores, optional
        Whose learned arrays are used again in place of `fitted`.
    choose : bool
        Whether to leave out unstable scores (`stability.find_stable_scores`).

    Raises
    ------
    MismatchError
        If the model's features do not allow one of the scores, or there is no normal window.
    """
    normal = NormalRecordings(fitted, held_out, reducer, on_error)
    learned: dict[str, Arrays] = {}
    for spec in specs:
        name, learn = str(spec), spec.score.learn
        if learn is None:
            continue
        if known is not None and name in known.learned:
            learned[name] = known.learned[name]
        else:
            learned[name] = learn(context, spec.window, normal, None)
    background = context.background.mixture if context.background else None
    scores = LearnedScores(tuple(specs), context.frame_rate, learned, background=background)
    return _with_scales(scores, context, normal, choose)


def relearn_scores(
    scores: LearnedScores,
    context: ScoreContext,
    shards: Iterable[Shard],
    reducer: Reducer,
    on_error: OnError | None,
) -> LearnedScores:
    """Learn the scores again from all recordings, as a model is re-estimated on all.

    The scales stay: they come from recordings that had been held out, and what was chosen by them stays too.
    """
    normal = NormalRecordings(shards, None, reducer, on_error)
    learned = {
        str(spec): learn(context, spec.window, normal, scores.learned[str(spec)])
        for spec in scores.specs
        if (learn := spec.score.learn) is not None
    }
    return replace(scores, learned=learned)


def _with_scales(
    scores: LearnedScores, context: ScoreContext, normal: NormalRecordings, choose: bool
) -> LearnedScores:
    """Put scores on the scales of held-out recordings: first the series, then the groups they make."""
    groups = scores.groups(context)
    parts = _fit_part_scales(groups, normal)
    if len(groups) == 1:
        return replace(scores, part_scales=parts)
    rows = _rows(FusedScorer(groups, parts), normal, grouped=True)
    scales = fit_scales(rows)
    if not choose:
        return replace(scores, part_scales=parts, group_scales=scales)
    kept, misses = find_stable_scores([part.rows for part in rows])
    n_scaled = [len(group.parts) if group.scaled else 0 for group in groups]
    chosen = tuple(spec for spec, keep in zip(scores.specs, kept, strict=True) if keep)
    return replace(
        scores,
        specs=chosen,
        learned={name: arrays for name, arrays in scores.learned.items() if name in map(str, chosen)},
        part_scales=tuple(
            scale for scale, keep in zip(parts, np.repeat(kept, n_scaled), strict=True) if keep
        ),
        group_scales=tuple(scale for scale, keep in zip(scales, kept, strict=True) if keep)
        if len(chosen) > 1
        else (),
        how_chosen=_explain_choice(scores, kept, misses, len(rows)),
    )


def _fit_part_scales(groups: tuple[SeriesGroup, ...], normal: NormalRecordings) -> tuple[NormalScale, ...]:
    """The scales of the series of those groups that are scaled."""
    scaled = [group.scaled for group in groups for _ in group.parts]
    if not any(scaled):
        return ()
    found = fit_scales(_rows(FusedScorer(groups), normal, grouped=False))
    return tuple(scale for scale, wanted in zip(found, scaled, strict=True) if wanted)


def _rows(scorer: FusedScorer, normal: NormalRecordings, *, grouped: bool) -> list[ScoreRows]:
    assert normal.held_out is not None
    return keep_rows(normal.reducer.map(normal.held_out, ScoreRowsTask(scorer, grouped), normal.on_error))


def _explain_choice(scores: LearnedScores, kept: BoolArray, misses: FloatArray, n_recordings: int) -> Json:
    """What was compared, and what was left out, as JSON."""
    names = [str(spec) for spec in scores.specs]
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
