"""The bootstrap over speakers, since trials of one speaker are not independent.

Speakers are drawn with replacement, on the model's and on the test's side alike. A trial weighs the product
of how often its two speakers were drawn (Owen 2007, "The pigeonhole bootstrap"); a target trial, in which
there is one speaker, weighs that number once (Snijders and Borgatti 1999): its square would overstate the
variance of miss rates.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from audiogmm.evaluation.intervals import Draws, draw_count
from audiogmm.evaluation.verification.hull import Hull, SortedTrials, pool_trials
from audiogmm.evaluation.verification.metrics import bits_lost
from audiogmm.types import BoolArray, FloatArray, IntArray
from audiogmm.verification.decision import OperatingPoint

_MIN_TRIALS = 30_000
"""Trials from which on threads are used."""

_AT_ONCE = 25
"""Replicates that a thread makes at a time."""


class TrialSet:
    """Trials with their speakers, sorted once, to be measured under many draws of the speakers.

    Parameters
    ----------
    scores : ndarray of shape (n,), float64
        Scores; for Cllr and the actual cost, log-likelihood ratios in nats.
    target : ndarray of shape (n,), bool
        Whether each is a target trial.
    speakers : ndarray of shape (n, 2), int64
        Speaker of the model and of the test (`cluster_speakers`).
    points : sequence of OperatingPoint
        Where costs are measured.

    Raises
    ------
    ChoiceError
        If a score is NaN, or all trials are of one kind.

    Examples
    --------
    >>> target = np.array([True, True, False, False])
    >>> speakers = np.array([[0, 0], [1, 1], [0, 1], [1, 0]])
    >>> trials = TrialSet(np.array([3.0, 1.0, 2.0, 0.0]), target, speakers, [OperatingPoint(0.5)])
    >>> dict(zip(trials.names, trials.measure()[0].round(3).tolist()))
    {'eer': 0.25, 'cllr': 1.148, 'min_cllr': 0.5, 'min_dcf': 0.5, 'act_dcf': 1.0}
    """

    def __init__(
        self, scores: FloatArray, target: BoolArray, speakers: IntArray, points: Sequence[OperatingPoint]
    ) -> None:
        self.ordered = SortedTrials.of(scores, target)
        self.points = tuple(points)
        used, numbered = np.unique(speakers, return_inverse=True)
        self.speakers = numbered.reshape(speakers.shape).astype(np.int64)[self.ordered.order]
        self.n_speakers = len(used)
        ordered = self.ordered
        wrong = [(ordered.scores >= point.threshold) != ordered.target for point in self.points]
        self._losses = np.column_stack([bits_lost(ordered.scores, ordered.target), *wrong])

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the figures of `measure`: the costs at each point in turn, the minima first."""
        k = len(self.points)
        return ("eer", "cllr", "min_cllr", *["min_dcf"] * k, *["act_dcf"] * k)

    @property
    def n_target_speakers(self) -> int:
        """Speakers with a target trial, on whom misses are counted."""
        return len(np.unique(self.speakers[self.ordered.target]))

    def scratch(self) -> FloatArray:
        """Return an array for `measure` to work in."""
        return np.empty((len(self.ordered.scores), 3))

    def measure(
        self, multiplicity: FloatArray | None = None, scratch: FloatArray | None = None
    ) -> tuple[FloatArray, Hull]:
        """Return the figures of `names`, and the hull, each speaker counted as often as drawn.

        The figures are NaN where no target or no nontarget trial was drawn.
        """
        counts, ordered = np.ones(self.n_speakers) if multiplicity is None else multiplicity, self.ordered
        sums = np.empty((2, self._losses.shape[1]))
        space = self.scratch() if scratch is None else scratch
        hull = pool_trials(ordered.target, ordered.begins, self.speakers, counts, self._losses, space, sums)
        n_nontargets, n_targets = hull.nontargets.sum(), hull.targets.sum()
        if not (n_targets and n_nontargets):
            return np.full(len(self.names), np.nan), hull
        false_alarms, misses = sums[0] / n_nontargets, sums[1] / n_targets
        costs = [p.cost(misses[1 + i], false_alarms[1 + i]) for i, p in enumerate(self.points)]
        cllr = (misses[0] + false_alarms[0]) / 2
        least = [hull.min_dcf(point) for point in self.points]
        return np.array([hull.eer(), cllr, hull.min_cllr(), *least, *costs]), hull


def replicate(
    sets: Sequence[TrialSet], draws: Draws, extra: Callable[[Hull], FloatArray] | None = None
) -> FloatArray:
    """Measure sets of trials under draws of the speakers, the same draws for all.

    Parameters
    ----------
    sets : sequence of TrialSet
        The same trials, in the same order before sorting.
    draws : Draws
        How many, and their seed.
    extra : callable, optional
        What else to measure on each hull, as an array of shape (n_extra,).

    Returns
    -------
    ndarray of shape (n_draws, n_sets, n_measures + n_extra), float64
        NaN where a draw had no target or no nontarget trial.
    """
    n_speakers = sets[0].n_speakers
    n_columns = len(sets[0].names) + (0 if extra is None else len(extra(sets[0].measure()[1])))

    def some(first: int) -> FloatArray:
        spaces = [trials.scratch() for trials in sets]
        last = min(first + _AT_ONCE, draws.replicates)
        found = np.full((last - first, len(sets), n_columns), np.nan)
        for i in range(first, last):
            multiplicity = draw_count(n_speakers, draws.seed, i)
            for j, (trials, space) in enumerate(zip(sets, spaces, strict=True)):
                row, hull = trials.measure(multiplicity, space)
                if np.isfinite(row[0]):
                    found[i - first, j] = row if extra is None else np.append(row, extra(hull))
        return found

    many = len(sets[0].ordered.scores) >= _MIN_TRIALS
    with ThreadPoolExecutor(draws.threads if many else 1) as pool:
        return np.concatenate(list(pool.map(some, range(0, draws.replicates, _AT_ONCE))))
