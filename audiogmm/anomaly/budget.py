"""An alarm budget: the threshold at which normal audio raises a given number of alarms an hour."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass

import numpy as np
from scipy.special import gammaincinv, ndtr, stdtrit

from audiogmm.anomaly.low_runs import LowRuns, NormalEvents
from audiogmm.errors import BudgetError
from audiogmm.types import FloatArray, Json

ENOUGH = 1.0
"""Alarms that the normal audio itself must raise, at least: nothing is extrapolated beyond it. Fits to the
tail (peaks over threshold with a generalized Pareto law) predicted two to five times too few alarms on audio
whose level and spectrum drift."""

SLACK = 0.02
"""Share of that by which it may fall short: an hour of audio has a few frames less than an hour."""

MORE = "audiogmm calibrate MODEL NORMAL.jsonl -o CALIBRATED.agmm"
"""The command that gives a detector more normal audio."""

COVERAGE = 0.9
"""Of the interval that is stated."""

_BLOCKS = (8, 12, 20, 30)
_FOR_DISPERSION = 20
_LEVEL = float(ndtr(stdtrit(_BLOCKS[0] - 1, (1 + COVERAGE) / 2)))  # a variance known from eight blocks


@dataclass(frozen=True, slots=True)
class AlarmBudget:
    """The expected rate of alarms, and what it is estimated from.

    Attributes
    ----------
    alarms_per_hour : float
        The budget: expected rate of events in normal audio.
    threshold : float
        Window score at or under which an event begins, nats.
    low, high : float
        Interval that holds the rate in the long run with probability `COVERAGE`, alarms an hour.
    hours : float
        Of normal audio.
    n_events : int
        Events in it at this threshold.

    Examples
    --------
    >>> AlarmBudget(6.0, -60.0, 3.6, 9.1, 2.0, 12).note
    'Normal audio is expected to raise 6 alarms an hour (90 % interval: 3.6 to 9.1); it raised 12 in 2.00 h.'
    """

    alarms_per_hour: float
    threshold: float
    low: float
    high: float
    hours: float
    n_events: int

    @property
    def note(self) -> str:
        """The expectation, in a sentence."""
        times, unit = (1, "an hour") if self.alarms_per_hour >= 0.5 else (24, "a day")
        return (
            f"Normal audio is expected to raise {_alarms(self.alarms_per_hour * times)} {unit} ("
            f"{100 * COVERAGE:.0f} % interval: {_digits(self.low * times)} to {_digits(self.high * times)}); "
            f"it raised {self.n_events} in {format_hours(self.hours)}."
        )

    def to_json(self) -> Json:
        """Return what `--json` prints."""
        return asdict(self)

    @classmethod
    def of(
        cls,
        runs: LowRuns,
        alarms_per_hour: float,
        *,
        hours: float,
        frame_rate: float,
        merge_gap: int,
        min_duration: int,
        further: float = 0.0,
    ) -> AlarmBudget:
        """Find the threshold that keeps a budget.

        Events of normal audio, with their neighbors merged into them, are treated as a point process: this is
        the declustering by which dependent frames count once (peaks over threshold). At the
        score of the k-th lowest event of T hours, the rate times T is distributed as a gamma variable of
        shape k, whatever the scores' distribution (the order statistics of a Poisson process). So the
        threshold lies at k = rate * T, between two events where that is no whole number.

        Where levels and spectra drift, alarms come in clusters, and their number varies more than a Poisson
        variable does. The variance of the number beyond that, relative to its square, is estimated from
        counts in blocks of several lengths (the largest of them: short blocks miss slow clusters) and widens
        the interval: the shape becomes 1 / (1 / k + that), and its quantiles those of a variance known from
        few blocks. Clusters that last longer than the normal audio are not seen.

        Parameters
        ----------
        runs : LowRuns
            Of normal audio.
        alarms_per_hour : float
            The budget; less is expected where all the runs are fewer.
        hours : float
            Length of the normal audio, its voiced part.
        frame_rate : float
            Frames a second.
        merge_gap, min_duration : int
            Frames, as of `LowRuns.events`.
        further : float
            Relative variance of the rate that comes of something else: the levels of cells.

        Raises
        ------
        BudgetError
            If there is too little normal audio for it.

        Examples
        --------
        >>> rng = np.random.default_rng(0)
        >>> first = 500 * np.arange(720)  # in an hour, at 100 frames a second
        >>> runs = LowRuns(first, first + 20, -50 - rng.exponential(size=720), np.ones(720, bool))
        >>> found = AlarmBudget.of(runs, 30, hours=1.0, frame_rate=100, merge_gap=25, min_duration=10)
        >>> found.n_events, round(found.low), round(found.high)
        (30, 19, 43)
        """
        whole = runs.events(math.inf, merge_gap, min_duration)
        _refuse_too_little(alarms_per_hour, hours, whole)
        expected = min(alarms_per_hour * hours, float(len(whole)))
        excess = dispersion(whole, hours * 3600 * frame_rate, max(_FOR_DISPERSION, round(expected)))
        threshold = _at_rank(runs, expected, merge_gap, min_duration)
        shape = 1 / (1 / expected + excess + further)
        low, high = (float(gammaincinv(shape, q)) / shape * expected / hours for q in (1 - _LEVEL, _LEVEL))
        n_events = len(runs.events(threshold, merge_gap, min_duration))
        return cls(expected / hours, threshold, low, high, hours, n_events)


def dispersion(events: NormalEvents, n_frames: float, n_lowest: int) -> float:
    """Estimate the variance of the number of events beyond a Poisson variable's, relative to its square.

    Parameters
    ----------
    events : NormalEvents
        By time.
    n_frames : float
        In which they were counted.
    n_lowest : int
        Only this many of the lowest ones are counted: clusters show most in them.

    Returns
    -------
    float
        The largest of the estimates by blocks of several lengths, at least 0.

    Examples
    --------
    >>> even = NormalEvents(np.arange(100) * 100, np.arange(100) * 100, np.zeros(100))
    >>> cluster = NormalEvents(np.arange(100), np.arange(100), np.zeros(100))
    >>> dispersion(even, 10_000, 100), dispersion(cluster, 10_000, 100) > 0.9
    (0.0, True)
    """
    lowest = np.sort(np.argsort(events.peaks, kind="stable")[:n_lowest])
    n = len(lowest)
    if n < 2:
        return 0.0
    estimates = [0.0]
    for n_blocks in _BLOCKS:
        counts = np.bincount(
            np.minimum(events.first[lowest] * n_blocks // max(int(n_frames), 1), n_blocks - 1),
            minlength=n_blocks,
        )
        estimates.append(n_blocks * float(np.var(counts, ddof=1)) / n**2 - 1 / n)
    return max(estimates)


def format_hours(hours: float) -> str:
    """Format a length in hours, or in minutes or seconds where it is short, to at least three digits.

    Examples
    --------
    >>> format_hours(3.0), format_hours(0.5), format_hours(0.01)
    ('3.00 h', '30.0 minutes', '36.0 s')
    """
    if hours >= 1:
        return f"{hours:,.2f} h"
    return f"{60 * hours:,.1f} minutes" if hours >= 1 / 6 else f"{3600 * hours:,.1f} s"


def _alarms(number: float) -> str:
    """Format a number of alarms, three digits.

    Examples
    --------
    >>> _alarms(1.0), _alarms(2.5)
    ('1 alarm', '2.5 alarms')
    """
    text = f"{number:.3g}"
    return f"{text} alarm{'s' * (text != '1')}"


def _digits(rate: float) -> str:
    """Format two digits of a small rate, and a large one as a whole number.

    Examples
    --------
    >>> _digits(0.0964), _digits(117.3)
    ('0.096', '117')
    """
    return f"{rate:.2g}" if rate < 10 else f"{rate:,.0f}"


def _refuse_too_little(alarms_per_hour: float, hours: float, events: NormalEvents) -> None:
    needed = ENOUGH / alarms_per_hour
    if len(events) and hours >= needed * (1 - SLACK):
        return
    times, unit = (1, "an hour") if alarms_per_hour >= 0.5 else (24, "a day")
    asked = f"a budget of {_alarms(alarms_per_hour * times)} {unit}"
    if not len(events):
        raise BudgetError(
            f"{asked}, and {format_hours(hours)} of normal audio whose scores never fall",
            needed="normal audio that varies, of which the lowest scores can be counted",
            remedy=f"--quantile 0.999, or other normal audio: {MORE}",
        )
    raise BudgetError(
        f"{asked}, and {format_hours(hours)} of normal audio",
        needed=f"about {format_hours(needed)} of it for that",
        remedy=f"{_allowed(hours)}, or more normal audio: {MORE}",
    )


def _allowed(hours: float) -> str:
    """The option with the least whole number of alarms that so much normal audio allows.

    Examples
    --------
    >>> _allowed(0.5), _allowed(16.0)
    ('--alarms-per-hour 2', '--alarms-per-day 2')
    """
    if hours < 2:
        return f"--alarms-per-hour {math.ceil(ENOUGH * (1 - SLACK) / hours)}"
    return f"--alarms-per-day {math.ceil(24 * ENOUGH * (1 - SLACK) / hours)}"


def _at_rank(runs: LowRuns, rank: float, merge_gap: int, min_duration: int) -> float:
    """The score at or under which `rank` events lie; between two of them where that is no whole number.

    The number of events hardly ever falls as the threshold rises, but it can, when a low run joins two.
    """
    scores: FloatArray = np.sort(runs.lowest)

    def at_least(n: int) -> float:
        """The lowest threshold with `n` events."""
        low, high = 0, len(scores)
        while low < high:
            middle = (low + high) // 2
            if len(runs.events(float(scores[middle]), merge_gap, min_duration)) >= n:
                high = middle
            else:
                low = middle + 1
        return float(scores[min(low, len(scores) - 1)])

    whole = math.floor(rank)
    below, above = at_least(whole), at_least(whole + 1)
    return below + (rank - whole) * (above - below)
