"""Learn scores from normal audio: what each needs to know, and the scales that make them comparable."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from audiogmm.anomaly.scorers.fused import FusedScorer
from audiogmm.anomaly.scorers.grid import WindowScorer
from audiogmm.anomaly.scorers.learnt import LearntScores
from audiogmm.anomaly.scorers.part import Arrays, Ground, Group
from audiogmm.anomaly.scorers.posterior import MOST_WINDOWS, PosteriorScore
from audiogmm.anomaly.scorers.sample import SampleTask, keep_samples, scales_of
from audiogmm.anomaly.scorers.scale import NormalScale
from audiogmm.anomaly.scorers.stability import LEVEL, MARGIN, steady
from audiogmm.anomaly.scorers.table import Wanted
from audiogmm.anomaly.scorers.twfr import DECAYS, TwfrScore
from audiogmm.blocks import FrameBlock, Shard
from audiogmm.errors import MismatchError
from audiogmm.mixture.evaluator import Evaluator
from audiogmm.timeline import FrameClock
from audiogmm.training import train_mixture
from audiogmm.types import BoolArray, FloatArray, Json

if TYPE_CHECKING:
    from audiogmm.training.reduce import OnError, Reducer

TWFR_COMPONENTS, TWFR_WINDOWS, TWFR_FLOOR = 8, 100, 1e-2
"""Components of the mixture of windows at most, windows for each of them at least, and its variance floor."""


def learn_scores(
    wanted: Sequence[Wanted],
    ground: Ground,
    fitted: Iterable[Shard],
    held: Iterable[Shard],
    reducer: Reducer,
    on_error: OnError | None,
    known: LearntScores | None = None,
    veto: bool = False,
) -> LearntScores:
    """Learn what the scores need, and put them on the scale of normal audio.

    Parameters
    ----------
    wanted : sequence of Wanted
        The scores.
    ground : Ground
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
    known : LearntScores, optional
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
    scores = LearntScores(tuple(wanted), ground.frame_rate, learnt, against=against)
    return with_scales(scores, ground, held, reducer, on_error, veto)


def with_scales(
    scores: LearntScores,
    ground: Ground,
    held: Iterable[Shard],
    reducer: Reducer,
    on_error: OnError | None,
    veto: bool = False,
) -> LearntScores:
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


def scaled_parts(group: Group) -> int:
    """How many series of a group have a scale."""
    return len(group.parts) if group.scaled else 0


def told(scores: LearntScores, kept: BoolArray, misses: FloatArray, n_recordings: int) -> Json:
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
    scores: LearntScores,
    ground: Ground,
    shards: Iterable[Shard],
    reducer: Reducer,
    on_error: OnError | None,
) -> LearntScores:
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
    wanted: Wanted,
    ground: Ground,
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


def fit_twfr(
    score: TwfrScore,
    wanted: Wanted,
    ground: Ground,
    shards: Iterable[Shard],
    held: Iterable[Shard] | None,
    decays: Sequence[float],
    reducer: Reducer,
    on_error: OnError | None,
) -> Arrays:
    """A mixture of time-weighted spectra, by our own EM, for the r that carries over best to other audio.

    For each r the mean log density of the windows that it was trained on is compared with that of held-out
    normal ones, in standard deviations of the former: the r with the smallest difference is taken (the first
    of equals, so the mean over time). It does not depend on the scale of the vectors, of which no likelihood
    by itself is free, and says how far normal audio that is new can be told from what is known by this
    score: as little as possible.
    """
    n_windows = normal_windows(score.scorer(ground, wanted.window, decays[0]), shards, reducer, on_error).seen
    n_components = min(TWFR_COMPONENTS, max(1, n_windows // TWFR_WINDOWS))
    found: list[tuple[float, Arrays]] = []
    for decay in decays:
        scorer = score.scorer(ground, wanted.window, decay)
        trained = train_mixture(
            WindowShards(shards, scorer),
            n_components=n_components,
            covariance_type="full",
            floor=TWFR_FLOOR,
            reducer=reducer,
            on_error=on_error,
        )
        mixture = trained.mixture
        gap = 0.0
        if held is not None and len(decays) > 1:
            learnt = score.scorer(ground, wanted.window, decay, Evaluator(mixture))
            inside, outside = (
                sum(reducer.map(part, DensityTask(learnt), on_error), start=Total(0.0, 0.0, 0))
                for part in (shards, held)
            )
            gap = abs(inside.mean - outside.mean) / inside.deviation
        arrays = {
            "weights": mixture.weights,
            "means": mixture.means,
            "covariances": mixture.covariances,
            "decay": np.array([decay]),
        }
        found.append((gap, arrays))
    return min(found, key=lambda pair: pair[0])[1]


@dataclass(frozen=True)
class WindowShard:
    """The windows of a recording as frames to train on: re-iterable and picklable."""

    shard: Shard
    scorer: WindowScorer

    @property
    def id(self) -> str:
        """The recording's."""
        return self.shard.id

    def __iter__(self) -> Iterator[FrameBlock]:
        start, clock = 0, FrameClock.for_rows()
        for vectors in self.scorer.vectors_of(iter(self.shard), self.shard.id):
            frames = np.ascontiguousarray(vectors, dtype=np.float32)
            yield FrameBlock(frames, np.ones(len(frames), dtype=np.bool_), start, clock)
            start += len(frames)


@dataclass(frozen=True)
class WindowShards:
    """The windows of many recordings, re-iterable and lazy."""

    shards: Iterable[Shard]
    scorer: WindowScorer

    def __iter__(self) -> Iterator[WindowShard]:
        return (WindowShard(shard, self.scorer) for shard in self.shards)


@dataclass(frozen=True)
class Total:
    """A sum, one of squares, and of how many."""

    total: float
    squares: float
    count: int

    def __add__(self, other: Total) -> Total:
        return Total(self.total + other.total, self.squares + other.squares, self.count + other.count)

    @property
    def mean(self) -> float:
        """Infinity below where there is nothing: no r is chosen by it."""
        return self.total / self.count if self.count else -np.inf

    @property
    def deviation(self) -> float:
        """Standard deviation; 1 where all are equal."""
        variance = self.squares / self.count - self.mean**2 if self.count else 0.0
        return float(np.sqrt(variance)) if variance > 0 else 1.0


@dataclass(frozen=True)
class DensityTask:
    """Adds up what the windows of a recording score; runs in a thread or a worker process."""

    scorer: WindowScorer

    def __call__(self, shard: Shard) -> Total:
        total = Total(0.0, 0.0, 0)
        for vectors in self.scorer.vectors_of(iter(shard), shard.id):
            scores = self.scorer.judge(vectors)
            total = total + Total(math.fsum(scores), math.fsum(scores * scores), len(scores))
        return total


@dataclass(frozen=True, eq=False)
class Windows:
    """Some windows of normal audio, those with the smallest ranks, and how many there were.

    Attributes
    ----------
    vectors : ndarray of shape (n, v)
        Their vectors, by rank.
    ranks : ndarray of shape (n,), uint64
        Random numbers that depend on the recording's name and on the window's place in it.
    seen : int
        Windows seen.
    """

    vectors: np.ndarray
    ranks: np.ndarray
    seen: int

    def __add__(self, other: Windows) -> Windows:
        ranks = np.concatenate([self.ranks, other.ranks])
        kept = np.argsort(ranks, kind="stable")[:MOST_WINDOWS]
        vectors = np.concatenate([self.vectors, other.vectors])[kept]
        return Windows(vectors, ranks[kept], self.seen + other.seen)


@dataclass(frozen=True)
class WindowsTask:
    """Draws windows of a recording in bounded memory; runs in a thread or a worker process."""

    scorer: WindowScorer

    def __call__(self, shard: Shard) -> Windows | None:
        random = np.random.default_rng(int.from_bytes(hashlib.sha256(shard.id.encode()).digest()[:8], "big"))
        drawn: Windows | None = None
        for vectors in self.scorer.vectors_of(iter(shard), shard.id):
            ranks = random.integers(0, 1 << 63, size=len(vectors), dtype=np.uint64)
            part = Windows(vectors, ranks, len(vectors))
            drawn = part if drawn is None else drawn + part
        return drawn


def normal_windows(
    scorer: WindowScorer, shards: Iterable[Shard], reducer: Reducer, on_error: OnError | None
) -> Windows:
    """At most `MOST_WINDOWS` windows of normal recordings, the same whatever their order.

    Raises
    ------
    MismatchError
        If there is none.
    """
    drawn: Windows | None = None
    for part in reducer.map(shards, WindowsTask(scorer), on_error):
        if part is not None:
            drawn = part if drawn is None else drawn + part
    if drawn is None:
        raise MismatchError(
            "no window of the normal recordings holds a voiced frame",
            needed="voiced normal audio, for scores that learn from it",
            remedy="other recordings, or scores that do not: mean, ratio, quantile, scales, bands",
        )
    return drawn + Windows(drawn.vectors[:0], drawn.ranks[:0], 0)
