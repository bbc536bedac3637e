"""Confidence intervals from resampling speakers, since the trials of one speaker are not so many witnesses.

Speakers are drawn with replacement, on the model's and on the test's side alike. A trial weighs the product
of how often its two speakers were drawn (Owen 2007, "The pigeonhole bootstrap"); a target trial, in which
there is one speaker, weighs that number once (Snijders and Borgatti 1999): its square would overstate the
variance of miss rates.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from audiogmm.evaluation.intervals import Draws
from audiogmm.evaluation.verification.hull import Hull, Ordered, pooled
from audiogmm.evaluation.verification.metrics import bits_lost
from audiogmm.types import BoolArray, FloatArray, IntArray
from audiogmm.verification.decision import OperatingPoint

FEW_SPEAKERS = 20
"""With fewer of them, an interval is called indicative."""


_WORTH_THREADS = 30_000


_TOGETHER = 25
"""Replicates that a thread makes in one go."""


class Sample:
    """Trials with their speakers, sorted once, to be measured under any draw of the speakers.

    Parameters
    ----------
    scores : ndarray of shape (n,), float64
        Natural log-likelihood ratios, as far as Cllr and the actual cost are to mean something.
    target : ndarray of shape (n,), bool
        Whether each is a target trial.
    speakers : ndarray of shape (n, 2), int64
        Who speaks in the model and in the test (`speakers_of`).
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
    >>> sample = Sample(np.array([3.0, 1.0, 2.0, 0.0]), target, speakers, [OperatingPoint(0.5)])
    >>> dict(zip(sample.names, sample.measure()[0].round(3).tolist()))
    {'eer': 0.25, 'cllr': 1.148, 'min_cllr': 0.5, 'min_dcf': 0.5, 'act_dcf': 1.0}
    """

    def __init__(
        self,
        scores: FloatArray,
        target: BoolArray,
        speakers: IntArray,
        points: Sequence[OperatingPoint],
    ) -> None:
        self.ordered = Ordered.of(scores, target)
        self.points = tuple(points)
        used, numbered = np.unique(speakers, return_inverse=True)
        self.speakers = numbered.reshape(speakers.shape).astype(np.int64)[self.ordered.order]
        self.n_speakers = len(used)
        ordered = self.ordered
        wrong = [(ordered.scores >= point.threshold) != ordered.target for point in self.points]
        self._losses = np.column_stack([bits_lost(ordered.scores, ordered.target), *wrong])

    @property
    def names(self) -> tuple[str, ...]:
        """What `measure` gives: the costs at each point in turn, the least ones first."""
        k = len(self.points)
        return ("eer", "cllr", "min_cllr", *["min_dcf"] * k, *["act_dcf"] * k)

    @property
    def n_target_speakers(self) -> int:
        """Speakers with a target trial: misses are counted on them alone."""
        return len(np.unique(self.speakers[self.ordered.target]))

    def scratch(self) -> FloatArray:
        """Space in which `measure` works."""
        return np.empty((len(self.ordered.scores), 3))

    def measure(
        self, multiplicity: FloatArray | None = None, scratch: FloatArray | None = None
    ) -> tuple[FloatArray, Hull]:
        """The figures of `names`, and the hull, each speaker counted as often as drawn.

        The figures are NaN where no target or no nontarget trial was drawn.
        """
        drawn, ordered = np.ones(self.n_speakers) if multiplicity is None else multiplicity, self.ordered
        sums = np.empty((2, self._losses.shape[1]))
        space = self.scratch() if scratch is None else scratch
        hull = pooled(ordered.target, ordered.begins, self.speakers, drawn, self._losses, space, sums)
        n_nontargets, n_targets = hull.nontargets.sum(), hull.targets.sum()
        if not (n_targets and n_nontargets):
            return np.full(len(self.names), np.nan), hull
        false_alarms, misses = sums[0] / n_nontargets, sums[1] / n_targets
        costs = [p.cost(misses[1 + i], false_alarms[1 + i]) for i, p in enumerate(self.points)]
        cllr = (misses[0] + false_alarms[0]) / 2
        least = [hull.min_dcf(point) for point in self.points]
        return np.array([hull.eer(), cllr, hull.min_cllr(), *least, *costs]), hull


def replicate(
    samples: Sequence[Sample], draws: Draws, extra: Callable[[Hull], FloatArray] | None = None
) -> FloatArray:
    """Measure samples again under draws of the speakers, the same draws for all.

    Parameters
    ----------
    samples : sequence of Sample
        Of the same trials, in the same order before sorting.
    draws : Draws
        How many, and their seed.
    extra : callable, optional
        What to measure on each hull besides, as an array of shape (n_extra,).

    Returns
    -------
    ndarray of shape (n_draws, n_samples, n_measures + n_extra), float64
        NaN where a draw had no target or no nontarget trial.
    """
    n_speakers = samples[0].n_speakers
    n_columns = len(samples[0].names) + (0 if extra is None else len(extra(samples[0].measure()[1])))

    def some(first: int) -> FloatArray:
        spaces = [sample.scratch() for sample in samples]
        last = min(first + _TOGETHER, draws.replicates)
        found = np.full((last - first, len(samples), n_columns), np.nan)
        for i in range(first, last):
            drawn = np.random.default_rng([draws.seed, i]).integers(n_speakers, size=n_speakers)
            multiplicity = np.bincount(drawn, minlength=n_speakers).astype(np.float64)
            for j, (sample, space) in enumerate(zip(samples, spaces, strict=True)):
                row, hull = sample.measure(multiplicity, space)
                if np.isfinite(row[0]):
                    found[i - first, j] = row if extra is None else np.append(row, extra(hull))
        return found

    many = len(samples[0].ordered.scores) >= _WORTH_THREADS
    with ThreadPoolExecutor(draws.threads if many else 1) as pool:
        return np.concatenate(list(pool.map(some, range(0, draws.replicates, _TOGETHER))))


def limits(
    values: FloatArray, replicates: FloatArray, confidence: float = 0.95
) -> tuple[FloatArray, FloatArray]:
    """Ends of the intervals of figures that are not under 0.

    The normal interval, freed of the bootstrap's bias, on the scale of cube roots. The measures that choose a
    threshold after the fact are too good on few trials, and better still on resampled ones, so that plain
    percentiles lie too low: where the right interval has 95 %, they hold the true EER in 58 % (6 speakers),
    74 % (30) and 86 % (100) of the cases of a simulation, and this one in 93 %, 91 % and 95 %.

    Parameters
    ----------
    values : ndarray of shape (m,), float64
        As measured.
    replicates : ndarray of shape (n, m), float64
        Of draws; NaN where undefined.
    confidence : float
        In (0, 1).

    Returns
    -------
    low, high : ndarray of shape (m,), float64
        NaN where fewer than two draws are defined. They enclose the value.
    """
    from scipy.special import ndtri

    defined = np.isfinite(replicates).sum(axis=0) > 1
    low, high = np.full(len(values), np.nan), np.full(len(values), np.nan)
    roots = np.cbrt(values[defined])
    drawn = np.cbrt(np.where(np.isfinite(replicates), replicates, np.nan)[:, defined])
    centre = 2 * roots - np.nanmean(drawn, axis=0)
    reach = ndtri((1 + confidence) / 2) * np.nanstd(drawn, axis=0)
    low[defined] = np.minimum(np.maximum(centre - reach, 0.0) ** 3, values[defined])
    high[defined] = np.maximum((centre + reach) ** 3, values[defined])
    return low, high
