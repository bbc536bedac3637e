"""Candidates trained side by side: each window of frames is read once for all of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Self

from audiogmm.blocks import Shard
from audiogmm.errors import ChoiceError, TrainingError
from audiogmm.keywords import accepts
from audiogmm.mixture.floor import RELATIVE_FLOOR
from audiogmm.mixture.gaussian import Mixture
from audiogmm.reduce import LocalReducer, OnError, Reducer
from audiogmm.training.first_pass import TrainingData, read_training_data
from audiogmm.training.frames.packing import accumulate
from audiogmm.training.schedule.batch import EM, KMeans, Statistic, TrainingState
from audiogmm.training.schedule.convergence import Converged
from audiogmm.training.schedule.monitor import Monitor
from audiogmm.training.seeding import FrameSample, Init
from audiogmm.training.selection.candidates import Candidate, CandidateState, TrainedCandidate
from audiogmm.training.selection.checkpoint import SelectionCheckpoint
from audiogmm.training.selection.dependence import dependence_times
from audiogmm.training.selection.held_out import HeldOutScores, score_held_out
from audiogmm.training.selection.starts import find_starts
from audiogmm.training.settings import MixtureSettings
from audiogmm.types import FloatArray, Frames, Json


@dataclass(frozen=True, slots=True)
class JointStatistics:
    """Statistics of several candidates on the same frames, which add up one by one."""

    values: tuple[Any, ...]

    @property
    def n_frames(self) -> float:
        """Frames in the sums."""
        return float(self.values[0].n_frames)

    def __add__(self, other: Self) -> JointStatistics:
        return JointStatistics(tuple(a + b for a, b in zip(self.values, other.values, strict=True)))


@dataclass(frozen=True, slots=True)
class JointStatistic:
    """The statistics of several candidates, each window of frames read once.

    Examples
    --------
    >>> import numpy as np
    >>> from audiogmm.training.frames.source import ArraySlice
    >>> from audiogmm.training.schedule.batch import ShardEStep
    >>> from audiogmm.mixture.evaluator import Evaluator
    >>> one, two = (ShardEStep(Evaluator(Mixture([1.0], [[m]], [1.0], "spherical"))) for m in (0.0, 1.0))
    >>> frames = ArraySlice("a", np.ones((3, 1), np.float32))
    >>> [statistics.counts.tolist() for statistics in JointStatistic((one, two))(frames).values]
    [[3.0], [3.0]]
    """

    statistics: tuple[Statistic[Any], ...]

    def __call__(self, shard: Shard) -> JointStatistics:
        return accumulate(shard, self.of)

    def of(self, frames: Frames) -> JointStatistics:
        """Of these frames, shape (n, n_features)."""
        return JointStatistics(tuple(statistic.of(frames) for statistic in self.statistics))


@dataclass(frozen=True)
class SelectionResult:
    """The result of a selection.

    Attributes
    ----------
    candidates : tuple of TrainedCandidate
        Those that were finished, forms in the order asked for, sizes ascending; k-means last.
    missing : tuple of Candidate
        Those that were not finished, after an interruption.
    n_frames, n_recordings : int
        That trained.
    held_out_frames, held_out_recordings : int
        That were held out.
    passes : int
        Passes over all frames, for all candidates together.
    floor : ndarray of shape (n_features,), float64
        The variance floor.
    """

    candidates: tuple[TrainedCandidate, ...]
    missing: tuple[Candidate, ...]
    n_frames: int
    n_recordings: int
    held_out_frames: int
    held_out_recordings: int
    passes: int
    floor: FloatArray = field(repr=False)


class SelectionMonitor(Monitor):
    """A monitor that is called with candidates, too."""

    def on_candidates(self, number: int, finished: int, n: int) -> None:
        """After pass `number`, `finished` of `n` candidates are finished."""


@dataclass(frozen=True, kw_only=True)
class CandidateSettings:
    """How candidates are trained.

    Parameters
    ----------
    seed, passes, tol, floor, max_spool_bytes
        As of `MixtureSettings`.
    init : {"split", "k-means++", "random"}
        How each starts. By splitting, a larger candidate of a form grows from the next smaller one, on a
        sample of the frames.

    Raises
    ------
    ChoiceError
        If one is outside its choices or its range.
    """

    seed: int = 0
    init: Init = "split"
    passes: int = 100
    tol: float = 1e-3
    floor: float | FloatArray = RELATIVE_FLOOR
    max_spool_bytes: int = 8 << 30

    def __post_init__(self) -> None:
        self.of_mixture(1)  # which checks them

    def of_mixture(self, n_components: int) -> MixtureSettings:
        """Return the settings of a mixture of this size."""
        return MixtureSettings(n_components, **{each.name: getattr(self, each.name) for each in fields(self)})


@accepts(CandidateSettings)
def train_candidates(
    kept: Iterable[Shard],
    held: Iterable[Shard] | None,
    candidates: Sequence[Candidate],
    *,
    settings: CandidateSettings,
    reducer: LocalReducer | None = None,
    monitor: SelectionMonitor | None = None,
    on_error: OnError | None = None,
    start: Callable[[Candidate], Mixture] | None = None,
    checkpoint: Path | None = None,
) -> SelectionResult:
    """Train all candidates together, and evaluate each as soon as it has converged.

    Each pass reads the frames once, whatever the number of candidates; those that have converged drop out.
    A candidate gets the same bytes as if it had been trained alone from its start, and for any number of
    threads. Memory holds the statistics of all candidates, a few times over for each thread, and no frames.

    Parameters
    ----------
    kept : iterable of Shard
        The recordings that train, as for `train_mixture`.
    held : iterable of Shard or None
        Those that are held out.
    candidates : sequence of Candidate
        What to train.
    settings : CandidateSettings
        How they are trained; or its fields as keywords.
    reducer : LocalReducer or None
        Threads and workers; None for every core.
    monitor : SelectionMonitor or None
        Called with the progress.
    on_error : callable or None
        As for `train_mixture`.
    start : callable, optional
        Gives each candidate's start, in place of `init`.
    checkpoint : Path, optional
        File that takes what was reached, and from which the same call continues to the same bytes.

    Returns
    -------
    SelectionResult
        On Ctrl-C, once a candidate is finished: those that are.

    Raises
    ------
    ChoiceError
        If there is no candidate, or a setting is out of its range.
    TrainingError
        If there is nothing to train on, or fewer frames than components.

    Examples
    --------
    >>> import numpy as np
    >>> from audiogmm.training.frames.source import ArraySlice
    >>> centers = np.array([[0.0, 0.0], [9.0, 0.0], [0.0, 9.0]])
    >>> random = np.random.default_rng(0)
    >>> frames = (np.repeat(centers, 200, axis=0) + random.normal(size=(600, 2))).astype(np.float32)
    >>> candidates = [Candidate("spherical", K) for K in (1, 2, 3, 4)]
    >>> trained = train_candidates([ArraySlice("three", frames)], None, candidates).candidates
    >>> min(trained, key=lambda one: one.bic).candidate
    Candidate(form='spherical', n_components=3)
    """
    if not candidates:
        raise ChoiceError("no candidate", needed="at least one size and one form")
    monitor = monitor or SelectionMonitor()
    largest = max(candidate.n_components for candidate in candidates)
    of_mixture = settings.of_mixture(largest)
    with ExitStack() as resources:
        reducer = reducer or LocalReducer()
        resources.enter_context(reducer)

        def read(shards: Iterable[Shard], sample_size: int) -> TrainingData:
            return read_training_data(
                shards,
                reducer=reducer,
                sample_size=sample_size,
                seed=settings.seed,
                max_spool_bytes=settings.max_spool_bytes,
                resources=resources,
                monitor=monitor,
                on_error=on_error,
            )

        found = read(kept, of_mixture.sample_size)
        if found.moments.n < largest:
            raise TrainingError(
                f"{found.moments.n} frames for {largest} components",
                needed="at least one frame a component, and better 50",
                remedy=f"more recordings, or sizes of at most {found.moments.n}",
            )
        held_frames = None if held is None else read(held, 1)
        floors = of_mixture.variance_floor(found.moments.statistics).variances
        saved = None
        if checkpoint is not None:
            identity = identify_selection(candidates, of_mixture, found, held_frames)
            saved = SelectionCheckpoint.at(checkpoint, identity, monitor.on_note)
        stood = None if saved is None else saved.load()
        done: dict[Candidate, TrainedCandidate] = {}
        states: dict[Candidate, tuple[TrainingState, float]] = {}
        number = 0
        if stood is not None:
            number, done, states = stood
        else:
            monitor.on_stage("seed", 0, None)
            begin = start or find_starts(
                candidates,
                FrameSample(found.sample, found.moments.mean, found.moments.variance, floors),
                init=settings.init,
                seed=settings.seed,
                threads=reducer.threads,
            )
            states = {c: (TrainingState(begin(c)), float("nan")) for c in candidates}
        waiting = [
            CandidateState(c, (KMeans if c.form == "kmeans" else EM)(floors), *states[c])
            for c in candidates
            if c in states
        ]
        found.sample = found.sample[:0].copy()
        reached = number, dict(done), waiting
        try:
            while waiting:
                if saved is not None:
                    saved.save(*reached)
                monitor.on_stage("pass", number + 1, found.source.n_frames)
                waiting = run_pass(waiting, found, reducer, monitor)
                number += 1
                why = {c.candidate: of_mixture.convergence.reached(c.state.history[-1]) for c in waiting}
                ready = [c for c in waiting if why[c.candidate] or number >= settings.passes]
                for one in evaluate_candidates(ready, why, found, held_frames, reducer):
                    done[one.candidate] = one
                waiting = [c for c in waiting if c.candidate not in done]
                reached = number, dict(done), waiting
                monitor.on_candidates(number, len(done), len(candidates))
        except KeyboardInterrupt:
            number, done, waiting = reached
            if saved is not None and number:
                saved.save(*reached, if_due=False)
            if not done:
                raise
        return SelectionResult(
            candidates=tuple(done[c] for c in candidates if c in done),
            missing=tuple(c for c in candidates if c not in done),
            n_frames=found.moments.n,
            n_recordings=found.n_recordings,
            held_out_frames=held_frames.moments.n if held_frames else 0,
            held_out_recordings=held_frames.n_recordings if held_frames else 0,
            passes=number,
            floor=floors,
        )


def identify_selection(
    candidates: Sequence[Candidate], settings: MixtureSettings, found: TrainingData, held: TrainingData | None
) -> Json:
    """Return what a checkpoint must have in common with a selection."""
    parts = [found] if held is None else [found, held]
    return settings.to_json() | {
        "passes": settings.passes,
        "tol": settings.tol,
        "candidates": list(map(str, candidates)),
        "n_frames": [part.moments.n for part in parts],
        "frames": [part.fingerprint for part in parts],
    }


def evaluate_candidates(
    ready: Sequence[CandidateState],
    why: Mapping[Candidate, Converged],
    found: TrainingData,
    held: TrainingData | None,
    reducer: Reducer,
) -> list[TrainedCandidate]:
    """Evaluate the candidates that are finished."""
    soft = [c for c in ready if isinstance(c.method, EM)]
    times: list[float | None] = []
    scores: list[HeldOutScores | None] = []
    if soft:
        times += dependence_times(found, [c.state.mixture for c in soft], reducer)
        scores += score_held_out(held, [c.state.mixture for c in soft], reducer)
    hard = [c for c in ready if isinstance(c.method, KMeans)]
    nothing = [None] * len(hard)
    return [
        TrainedCandidate.of(finished, why[finished.candidate], time, score)
        for finished, time, score in zip([*soft, *hard], [*times, *nothing], [*scores, *nothing], strict=True)
    ]


def run_pass(
    waiting: Sequence[CandidateState], found: TrainingData, reducer: Reducer, monitor: Monitor
) -> list[CandidateState]:
    """Return each candidate after one more pass over the frames."""
    began = time.perf_counter()
    seconds_per_frame = found.seconds / found.moments.n

    def tick(part: JointStatistics) -> None:
        monitor.on_frames(int(part.n_frames), part.n_frames * seconds_per_frame)

    statistics = tuple(c.method.expect(c.state.mixture) for c in waiting)
    total = found.source.reduce(reducer, JointStatistic(statistics), tick)
    return [c.after(value, began) for c, value in zip(waiting, total.values, strict=True)]
