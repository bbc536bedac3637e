"""Learn scores from normal audio: what each needs, and the scales that make them comparable."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from audiogmm.anomaly.scorers.fused import FusedScorer
from audiogmm.anomaly.scorers.learned import LearnedScores
from audiogmm.anomaly.scorers.scale import NormalScale
from audiogmm.anomaly.scorers.score import Arrays, NormalRecordings, ScoreContext
from audiogmm.anomaly.scorers.score_rows import ScoreRows, ScoreRowsTask, fit_scales, keep_rows
from audiogmm.anomaly.scorers.stability import LEVEL, MARGIN, find_stable_scores
from audiogmm.anomaly.scorers.table import ScoreSpec
from audiogmm.blocks import Shard
from audiogmm.reduce import OnError, Reducer
from audiogmm.types import BoolArray, FloatArray, Json

ScoredFold = tuple[ScoreContext, NormalRecordings]
"""What scores are made from, and normal recordings to learn from and to hold out."""


def learn_scores(
    specs: Sequence[ScoreSpec],
    folds: Sequence[ScoredFold],
    known: LearnedScores | None = None,
    choose: bool = False,
) -> list[LearnedScores]:
    """Learn what the scores need, and put them on the scale of normal audio.

    The scales are those of the held-out recordings of all folds, so that one threshold fits all of them, and
    the final model as well. What is chosen while learning is chosen in the first fold.

    Parameters
    ----------
    specs : sequence of ScoreSpec
        The scores.
    folds : sequence of (ScoreContext, NormalRecordings)
        What the scores are made from (frames of exact silence do not count), the normal recordings from which
        they learn, re-iterable, and others by which they are put on a scale: a score fits what it has learned
        from too well.
    known : LearnedScores, optional
        Whose learned arrays are used again.
    choose : bool
        Whether to leave out unstable scores (`stability.find_stable_scores`).

    Returns
    -------
    list of LearnedScores
        One a fold.

    Raises
    ------
    MismatchError
        If the model's features do not allow one of the scores, or there is no normal window.
    """
    found: list[LearnedScores] = []
    for context, normal in folds:
        learned: dict[str, Arrays] = {}
        for spec in specs:
            name, learn = str(spec), spec.score.learn
            if learn is None:
                continue
            if known is not None and name in known.learned:
                learned[name] = known.learned[name]
            else:
                before = found[0].learned[name] if found else None
                learned[name] = learn(context, spec.window, normal, before)
        background = context.background.mixture if context.background else None
        found.append(LearnedScores(tuple(specs), context.frame_rate, learned, background=background))
    return _with_scales(found, folds, choose)


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
    scores: list[LearnedScores], folds: Sequence[ScoredFold], choose: bool
) -> list[LearnedScores]:
    """Put scores on the scales of held-out recordings: first the series, then the groups they make."""
    by_fold = [score.groups(context) for score, (context, _) in zip(scores, folds, strict=True)]
    groups = by_fold[0]
    scaled = [group.scaled for group in groups for _ in group.parts]
    parts: tuple[NormalScale, ...] = ()
    if any(scaled):
        found = fit_scales(_rows([FusedScorer(groups) for groups in by_fold], folds, grouped=False))
        parts = tuple(scale for scale, wanted in zip(found, scaled, strict=True) if wanted)
    if len(groups) == 1:
        return [replace(score, part_scales=parts) for score in scores]
    rows = _rows([FusedScorer(groups, parts) for groups in by_fold], folds, grouped=True)
    scales = fit_scales(rows)
    if not choose:
        return [replace(score, part_scales=parts, group_scales=scales) for score in scores]
    kept, misses = find_stable_scores([part.rows for part in rows])
    n_scaled = [len(group.parts) if group.scaled else 0 for group in groups]
    chosen = tuple(spec for spec, keep in zip(scores[0].specs, kept, strict=True) if keep)
    part_kept = np.repeat(kept, n_scaled)
    return [
        replace(
            score,
            specs=chosen,
            learned={name: arrays for name, arrays in score.learned.items() if name in map(str, chosen)},
            part_scales=tuple(scale for scale, keep in zip(parts, part_kept, strict=True) if keep),
            group_scales=tuple(scale for scale, keep in zip(scales, kept, strict=True) if keep)
            if len(chosen) > 1
            else (),
            how_chosen=_explain_choice(score, kept, misses, len(rows)),
        )
        for score in scores
    ]


def _rows(scorers: Sequence[FusedScorer], folds: Sequence[ScoredFold], *, grouped: bool) -> list[ScoreRows]:
    """Rows of the held-out recordings of all folds."""

    def found() -> Iterator[ScoreRows]:
        for scorer, (_, normal) in zip(scorers, folds, strict=True):
            assert normal.held_out is not None
            yield from normal.reducer.map(normal.held_out, ScoreRowsTask(scorer, grouped), normal.on_error)

    return keep_rows(found())


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
