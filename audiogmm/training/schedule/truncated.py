"""EM over a few components of each frame: top-C, and truncated variational EM."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

import numpy as np

from audiogmm.errors import TrainingError
from audiogmm.mixture.evaluator import Evaluator
from audiogmm.mixture.gaussian import Mixture
from audiogmm.mixture.layout import is_low
from audiogmm.mixture.neighborhoods import Neighborhoods, Sets
from audiogmm.mixture.statistics import SufficientStats, merge
from audiogmm.mixture.truncated import TruncatedEvaluator, TruncatedStatistics
from audiogmm.reduce import LocalReducer
from audiogmm.training.frames.packing import SLICE_ROWS
from audiogmm.training.frames.shuffle import read
from audiogmm.training.frames.source import ArraySource
from audiogmm.training.frames.spool import Spool
from audiogmm.training.schedule.approximation import Approximation, ApproximationLoss
from audiogmm.training.schedule.batch import EM, Schedule, TrainingState, update_state
from audiogmm.training.schedule.component_sets import SetFile
from audiogmm.types import Json

T = TypeVar("T")

ROWS_EACH, ROWS_MOST = 16, 1 << 16
"""Rows of a slice, a component, and at most: enough that a component's parameters, once in the cache, serve
several frames, and that sums over a slice are dearer than adding two of them up."""


@dataclass(frozen=True, slots=True)
class SetSlice:
    """Rows `first` to `first + n_rows` of the frames."""

    first: int
    n_rows: int

    @property
    def id(self) -> str:
        """Which rows."""
        return f"rows {self.first} to {self.first + self.n_rows}"


@dataclass
class ComponentChoice:
    """The components of every frame, if they were chosen, and the neighbors of every component."""

    sets: SetFile
    neighbors: Sets
    is_made: bool = False
    stamp: Json | None = None
    """Of the state that they are of; None within a pass."""


@dataclass(frozen=True)
class TruncatedSchedule(Schedule[SufficientStats]):
    """EM with posteriors on C components a frame.

    The first passes are exact (`exact_passes`). Then one pass begins by choosing the C best components of
    each frame exactly; from there on a pass of truncated EM searches the neighborhoods, at a cost that
    hardly depends on K, and one of top-C takes the sets as they are. The reports of these passes give the
    free energy, which never falls (but see `PassReport.rescued`), in place of the log-likelihood.

    The frames of a slice are taken in the order of their best component. Slices depend on K alone, and
    are added up in order: the same bytes for any number of threads. Sets are state: they lie in a temporary
    file, and those of the pass in a checkpoint in a file beside it.

    Parameters
    ----------
    approximation : Approximation
        How coarse.
    seed : int
        Of the components that are tried at random.
    exact_passes : int
        Passes of exact EM at the beginning.
    """

    method: EM
    approximation: Approximation = field(kw_only=True)
    seed: int = field(kw_only=True)
    exact_passes: int = field(kw_only=True)
    losses: list[ApproximationLoss] = field(default_factory=list, kw_only=True)
    choices: list[ComponentChoice] = field(default_factory=list, kw_only=True)
    places: list[Path] = field(default_factory=list, kw_only=True)

    @property
    def loss(self) -> ApproximationLoss | None:
        """The loss, once `run` has ended."""
        return self.losses[-1] if self.losses else None

    def run(self, state: TrainingState) -> Iterator[TrainingState]:
        """As `Schedule.run`; then measure the loss.

        Raises
        ------
        TrainingError
            If the frames are not kept after the first pass.
        """
        if not isinstance(self.source, Spool | ArraySource):
            raise TrainingError(
                f"approximation ({self.approximation}) of {self.source.n_frames} frames that are not kept",
                needed="frames in a temporary file or in memory, each beside its components",
                remedy="a larger max_spool_bytes, or exact EM",
            )
        with self._component_choice(state) as choice:
            while len(state.history) < self.passes and not (state.history and self.converged(state)):
                exact = len(state.history) < self.exact_passes
                state = self._once(state) if exact else self._truncated(state, choice)
                yield state
            self.losses.append(self._measure(state, choice))

    @contextmanager
    def _component_choice(self, state: TrainingState) -> Iterator[ComponentChoice]:
        K = state.mixture.n_components
        size, near = min(self.approximation.n_components, K), min(self.approximation.neighborhood, K) - 1
        with SetFile(self.source.n_frames, size) as sets:
            choice = ComponentChoice(sets, np.full((K, near), -1, np.int32))
            if self.places:
                choice.neighbors, choice.stamp = (
                    sets.load(self.places[-1], self._stamp(state)),
                    self._stamp(state),
                )
                choice.is_made = True
            self.choices[:] = [choice]
            try:
                yield choice
            finally:
                choice.stamp = None

    @property
    def bytes_beside(self) -> int:
        """Of the sets, once they are chosen."""
        return self.source.n_frames * self.approximation.n_components * 4 * self._has_sets

    @property
    def _has_sets(self) -> bool:
        return bool(self.choices) and self.choices[0].is_made

    def is_settled(self, state: TrainingState) -> bool:
        """Return whether the sets are those after the pass that gave this state."""
        return not self._has_sets or self.choices[0].stamp == self._stamp(state)

    def keep_beside(self, path: Path) -> None:
        """Write the sets, once they are chosen."""
        if self._has_sets:
            choice = self.choices[0]
            assert choice.stamp is not None, "see is_settled"
            choice.sets.save(path, choice.neighbors, choice.stamp)

    def check_beside(self, state: TrainingState, path: Path) -> None:
        """Raise `ModelFileError` if the sets of a state are not at `path`, or damaged."""
        if len(state.history) > self.exact_passes:
            K = state.mixture.n_components
            with SetFile(self.source.n_frames, min(self.approximation.n_components, K)) as sets:
                sets.load(path, self._stamp(state))
            self.places[:] = [path]

    def _truncated(self, state: TrainingState, choice: ComponentChoice) -> TrainingState:
        """Make a pass: search, E-step, M-step, report."""
        began = time.perf_counter()
        number, searching = len(state.history) + 1, self.approximation.kind == "truncated"
        self.monitor.on_stage("pass", number, self.source.n_frames)
        choice.stamp = None
        every = self.approximation.every
        if not choice.is_made or (every and (number - 1 - self.exact_passes) % every == 0):
            self._choose(state.mixture, choice)
        found: list[Neighborhoods] = []
        evaluator = TruncatedEvaluator(state.mixture, is_low(self.method.floor, state.mixture))

        def e_step(part: SetSlice) -> TruncatedStatistics:
            frames = read(self.source, part.first, part.n_rows)
            sets = choice.sets.read(part.first, part.n_rows)
            if not searching:
                return evaluator.accumulate(frames, sets)
            key = _key(self.seed, number, part.first)
            truncation = evaluator.search(frames, sets, choice.neighbors, key)
            choice.sets.write(part.first, sets)
            return truncation

        def terms() -> Iterator[SufficientStats]:
            for truncation in self._map(state.mixture, e_step):
                if found:
                    found[0].absorb(truncation.neighborhoods)
                else:
                    found.append(truncation.neighborhoods)
                self._tick(truncation.statistics)
                yield truncation.statistics

        total = merge(terms())
        if searching:
            choice.neighbors = found[0].nearest(choice.neighbors.shape[1], choice.neighbors)
        after = self._updated(state, total, began)
        choice.stamp = self._stamp(after)
        return after

    def _updated(self, state: TrainingState, total: SufficientStats, began: float) -> TrainingState:
        """Make the M-step and a report of the free energy."""
        after = update_state(self.method, state, total, began)
        *before, report = after.history
        comparable = bool(before) and before[-1].free_energy
        report = replace(report, free_energy=True, gain=report.gain if comparable else None)
        return replace(after, history=(*before, report))

    def _choose(self, mixture: Mixture, choice: ComponentChoice) -> None:
        """Choose the best components of every frame by an exact E-step."""
        evaluator = Evaluator(mixture)

        def choose(part: SetSlice) -> None:
            frames = read(self.source, part.first, part.n_rows)
            choice.sets.write(part.first, evaluator.leading(frames, choice.sets.set_size))

        for _ in self._map(mixture, choose):
            pass
        choice.is_made = True

    def _measure(self, state: TrainingState, choice: ComponentChoice) -> ApproximationLoss:
        """Measure the free energy of the present mixture, beside the log-likelihood."""
        mixture, n = state.mixture, self.source.n_frames
        if not choice.is_made:
            self._choose(mixture, choice)
        truncated, exact = TruncatedEvaluator(mixture), Evaluator(mixture)

        def both(part: SetSlice) -> tuple[float, float]:
            frames = read(self.source, part.first, part.n_rows)
            sets = choice.sets.read(part.first, part.n_rows)
            return (
                float(truncated.log_likelihood(frames, sets).sum()),
                float(exact.log_likelihood(frames).sum()),
            )

        free_energy, log_likelihood = np.sum(list(self._map(mixture, both)), axis=0) / n
        last = state.history[-1] if state.history else None
        evaluations = mixture.n_components * (1 - (last.skipped if last else 0.0))
        return ApproximationLoss(
            self.approximation, float(free_energy), float(log_likelihood), float(evaluations)
        )

    def _map(self, mixture: Mixture, work: Callable[[SetSlice], T]) -> Iterator[T]:
        """Apply `work` to each slice, in order; in threads, since nothing is decoded."""
        reducer = self.reducer.threaded if isinstance(self.reducer, LocalReducer) else LocalReducer()
        return reducer.map(self._slices(mixture.n_components), work)

    def _slices(self, n_components: int) -> Iterator[SetSlice]:
        n = self.source.n_frames
        rows = min(max(ROWS_EACH * n_components, SLICE_ROWS), ROWS_MOST)
        for first in range(0, n, rows):
            yield SetSlice(first, min(rows, n - first))

    def _stamp(self, state: TrainingState) -> Json:
        """Identify the training that sets belong to."""
        return {
            "pass": len(state.history),
            "mixture": state.mixture.fingerprint,
            "shape": [self.source.n_frames, self.approximation.n_components],
        }


def _key(seed: int, number: int, first: int) -> int:
    """Return 63 bits that decide the components tried at random in pass `number` from row `first`."""
    return int(np.random.SeedSequence([seed, number, first]).generate_state(1, np.uint64)[0]) >> 1
