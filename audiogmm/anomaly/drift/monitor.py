"""Watch the levels of bands: which departures last, and are they steady or rising?"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field

import numpy as np

from audiogmm.anomaly.drift.baseline import SPAN, DriftBaseline, UsualDistance
from audiogmm.anomaly.drift.change import Change, find_named
from audiogmm.anomaly.drift.level_block import BLOCK, LevelBlock
from audiogmm.anomaly.drift.settings import DriftSettings
from audiogmm.anomaly.drift.trend import Slope, change_point, find_slow_trend, rising_probability
from audiogmm.types import FloatArray, Json, Seconds

MOST_SPANS = 1024
"""Spans that are kept for slow trends: 5.7 days of sound without gaps."""

BEFORE = 30
"""Blocks before a departure, by which its time is found."""

SILENCE: Seconds = 3600.0
"""After so long without sound, a departure that went on before is not the same any more."""

_OVER = 10.0  # by how much the CUSUM may exceed its limit: so many typical blocks end a departure


@dataclass
class DriftState:
    """Where a monitor is; what a restart needs.

    Attributes
    ----------
    level : ndarray of shape (n_bands,)
        What the sound is like now: followed slowly, but not during a departure nor while something rises.
    anchor : ndarray of shape (n_bands,)
        What counts as normal: the baseline, or where a change for good left the sound.
    usual : UsualDistance
        How far steady blocks lie from the level that is followed.
    quiet : list of float
        Their log distances, of the span that is not complete.
    blocks : list of (Seconds, ndarray)
        Since the CUSUM was zero, with some before.
    before : int
        How many those are.
    cusum : float
        Deviations.
    rising : float
        Decibels from the anchor, when it was last called rising; 0 where nothing rises.
    changes : list of dict
        Changes for good that were not accepted, oldest first.
    """

    level: FloatArray
    anchor: FloatArray
    usual: UsualDistance
    quiet: list[float] = field(default_factory=list)
    blocks: list[tuple[Seconds, FloatArray]] = field(default_factory=list)
    before: int = 0
    cusum: float = 0.0
    departed: bool = False
    rising: float = 0.0
    last: Seconds | None = None
    moved: Seconds = 0.0
    span: list[tuple[Seconds, FloatArray]] = field(default_factory=list)
    spans: list[tuple[Seconds, FloatArray]] = field(default_factory=list)
    changed_at: Seconds | None = None

    def to_json(self) -> Json:
        """Return it as JSON; numbers keep all their digits."""
        row: Json = dict(vars(self))
        row["usual"] = asdict(self.usual)
        row |= {name: getattr(self, name).tolist() for name in ("level", "anchor")}
        row |= {name: [(at, x.tolist()) for at, x in getattr(self, name)] for name in _LISTS}
        return row

    @classmethod
    def from_json(cls, row: Mapping[str, object]) -> DriftState:
        """Undo `to_json`; raises KeyError, TypeError or ValueError for what is no state."""
        given = dict(row)
        given |= {name: np.asarray(given[name], np.float64) for name in ("level", "anchor")}
        given["usual"] = UsualDistance(**given["usual"])  # type: ignore[arg-type]
        for name in _LISTS:
            pairs = given[name]
            assert isinstance(pairs, list)
            given[name] = [(float(at), np.asarray(x, np.float64)) for at, x in pairs]
        return cls(**given)  # type: ignore[arg-type]


_LISTS = ("blocks", "span", "spans")


class DriftMonitor:
    """Follow the levels of a recording or a stream; say what changed for good, and what is rising.

    A block's distance from the level that is followed is standardized by that of normal blocks, and summed up
    (CUSUM: Page, Biometrika 1954). Above a limit that steady sound reaches once in `DriftSettings.hours`, a
    departure has begun where the sum was zero last. One that lasts for `hold` gets a verdict, and the level
    moves there: what comes next is a new departure. What is slower than the level that is followed shows in
    its distance from the anchor over many spans (`find_slow_trend`). While something rises the anchor stays:
    a slow fault does not become normal by waiting.

    Parameters
    ----------
    baseline : DriftBaseline
        Of normal audio.
    settings : DriftSettings, optional
        When a departure gets a verdict.
    state : DriftState, optional
        Of an earlier monitor, that goes on here.

    Examples
    --------
    >>> from audiogmm.anomaly.bands import BandMap
    >>> bands = BandMap(np.eye(2), np.zeros(2), np.array([[0.0, 50.0, 100.0], [50.0, 100.0, 150.0]]), True)
    >>> random = np.random.default_rng(0)
    >>> normal = random.normal(0, 0.5, (200, 2))
    >>> baseline = DriftBaseline.learn([normal], bands, DriftSettings())
    >>> monitor = DriftMonitor(baseline)
    >>> today = random.normal(0, 0.5, (200, 2)) + 6 * (np.arange(200) >= 100)[:, None]
    >>> found = [monitor.push(LevelBlock(i, 10.0 * i, 10.0 * i + 10, x)) for i, x in enumerate(today)]
    >>> [change.line() for change in found if change]
    ['changed for good since 1,000 s: +6.0 dB in 0 to 150 Hz (100 % sure)']
    """

    def __init__(
        self,
        baseline: DriftBaseline,
        settings: DriftSettings | None = None,
        state: DriftState | None = None,
    ) -> None:
        self.baseline = baseline
        self.settings = settings or DriftSettings()
        self.state = state or DriftState(baseline.levels.copy(), baseline.levels.copy(), baseline.usual)

    @property
    def _limit(self) -> float:
        return self.state.usual.limit(self.settings, 3600 / BLOCK)

    @property
    def is_departed(self) -> bool:
        """Whether a departure is going on."""
        return self.state.departed

    def push(self, block: LevelBlock) -> Change | None:
        """Take the next block; return a verdict where there is one.

        A block that begins before the last one is left out, unless the clock was set back: then the times
        from there on count as if it had not.
        """
        state = self.state
        start = block.start + state.moved
        if state.last is not None:
            if start <= state.last:
                if state.last - start < SILENCE:
                    return None  # twice, or out of order
                state.moved += state.last + BLOCK - start
                start = state.last + BLOCK
            elif start - state.last > SILENCE:
                self._forget_departure()
        state.last = start
        found = self._look(start, block.levels)
        return self._summarize(start, block.levels) or found

    def judge(self, blocks: Sequence[LevelBlock]) -> Change:
        """Give a verdict on a departure that something else noticed; at least three blocks of it."""
        lasted = [(block.start + self.state.moved, block.levels) for block in blocks]
        self.state.blocks, self.state.before = lasted, 0
        change = self._decide(lasted, bounded=False)
        assert change is not None
        return change

    def accept(self) -> None:
        """Take what the sound is like now for normal."""
        self.state.anchor = self.state.level.copy()
        self.state.spans, self.state.rising = [], 0.0

    def _forget_departure(self) -> None:
        state = self.state
        state.blocks, state.before, state.cusum, state.departed = [], 0, 0.0, False
        state.span, state.quiet = [], []

    def _look(self, start: Seconds, levels: FloatArray) -> Change | None:
        state = self.state
        distance = float(self.baseline.distance(levels, state.level))
        limit = self._limit
        step = state.usual.deviation(distance) - self.settings.allowance
        state.cusum = min(max(0.0, state.cusum + step), limit + _OVER)
        state.blocks.append((start, levels))
        if not state.departed:
            if state.cusum > limit:
                state.departed = True
            else:
                if state.cusum == 0.0:
                    del state.blocks[:-BEFORE]
                    state.before = len(state.blocks)
                state.quiet.append(distance)
                if len(state.quiet) == SPAN:
                    state.usual, state.quiet = state.usual.updated(state.quiet), []
                state.level = state.level + (levels - state.level) / self.settings.memory
                return None
        elif state.cusum < limit:
            return self._end(start)
        lasted = state.blocks[state.before :]
        if start + BLOCK - lasted[0][0] < self.settings.hold or len(lasted) < self.settings.fewest:
            return None
        return self._decide(lasted)

    def flush(self) -> Change | None:
        """End the stream; return the departure that goes on."""
        state = self.state
        if not state.departed or state.last is None:
            return None
        return self._end(state.last + BLOCK)

    def _end(self, at: Seconds) -> Change:
        """End a departure before it got a verdict."""
        state = self.state
        lasted = state.blocks[state.before :]
        sizes = np.stack([x for _, x in lasted]) - state.level
        over = [i for i, (_, x) in enumerate(lasted) if self._deviation(x) > 1]
        first, last = (over[0], over[-1]) if over else (0, len(lasted) - 1)
        since, until = lasted[first][0] - state.moved, min(at, lasted[last][0] + BLOCK) - state.moved
        shift = sizes[first : last + 1].mean(axis=0)
        self._forget_departure()
        severity = self._severity(shift)
        return Change(
            "transient", since, until, since, since, shift, self.baseline.hertz, 1.0, since, severity
        )

    def _decide(self, lasted: list[tuple[Seconds, FloatArray]], *, bounded: bool = True) -> Change | None:
        """Say what a departure is, and go on from where it is now."""
        state = self.state
        times = np.array([at for at, _ in lasted])
        levels = np.stack([x for _, x in lasted])
        away = (levels - state.level) / self.baseline.noise
        direction = away.mean(axis=0)
        direction /= max(float(np.linalg.norm(direction)), 1e-12)
        settled = 2 if len(lasted) > self.settings.fewest + 2 else 0
        rises, probability = rising_probability(times[settled:], (away @ direction)[settled:])
        now = levels[len(levels) // 2 :].mean(axis=0)
        shift = now - state.level
        if bounded and np.abs(shift / self.baseline.wander).max() < self.settings.outside:
            state.level = now
            self._forget_departure()
            return None
        all_times = np.array([at for at, _ in state.blocks])
        path = ((np.stack([x for _, x in state.blocks]) - state.level) / self.baseline.noise) @ direction
        first = len(state.blocks) - len(lasted)
        place, low, high = change_point(path, first - 10, first + 10) if first > 1 else (first, first, first)
        since, earliest, latest = (float(all_times[i]) - state.moved for i in (place, low, high))
        at = float(times[-1]) + BLOCK - state.moved
        rates: list[float | None] = [None, None, None]
        if rises:
            named = find_named(shift)
            slope = Slope.fit(times[settled:], levels[settled:, named].mean(axis=1))
            rates = [slope.rate, *slope.interval]
        change = Change(
            "rising" if rises else "changed",
            since,
            at,
            earliest,
            latest,
            shift,
            self.baseline.hertz,
            probability,
            since,
            self._severity(shift),
            *rates,
        )
        state.level = now
        if rises:
            state.rising = max(state.rising, self._size())
        elif not state.rising:
            state.anchor, state.spans, state.changed_at = now.copy(), [], at
        self._forget_departure()
        return change

    def _deviation(self, levels: FloatArray) -> float:
        return self.state.usual.deviation(float(self.baseline.distance(levels, self.state.level)))

    def _severity(self, shift: FloatArray) -> float:
        least = self.settings.outside * self.baseline.wander
        return max(1.0, float(np.abs(shift / least).max()))

    def _size(self) -> float:
        return float(np.abs(self.state.level - self.state.anchor).max())

    def _summarize(self, start: Seconds, levels: FloatArray) -> Change | None:
        """Add a block to its span; at the end of one look for a slow trend."""
        state = self.state
        state.span.append((start, levels))
        if len(state.span) < SPAN:
            return None
        middle = float(np.mean([at for at, _ in state.span]))
        means = np.mean([one for _, one in state.span], axis=0)
        state.span = []
        state.spans = [*state.spans[-MOST_SPANS + 1 :], (middle, means)]
        if state.departed:
            return None
        baseline, settings = self.baseline, self.settings
        at = np.array([one for one, _ in state.spans])
        stacked = np.stack([one for _, one in state.spans])
        trend = find_slow_trend(
            at,
            stacked,
            state.anchor,
            baseline.wander,
            baseline.span_correlation,
            settings.slow,
            settings.least,
        )
        if trend is None:
            if state.rising and self._size() < 0.5 * state.rising:
                state.rising = 0.0
            return None
        if trend.size < state.rising + max(3.0, 0.5 * state.rising) and state.rising:
            return None  # told already
        state.rising = max(trend.size, settings.least)
        sign = math.copysign(1.0, float((stacked[-1] - state.anchor)[trend.bands].mean()))
        shift = np.where(trend.bands, stacked[-4:].mean(axis=0) - state.anchor, 0.0)
        low, high = sorted(sign * one for one in trend.slope.interval)
        since = float(at[trend.first]) - state.moved
        return Change(
            "rising",
            since,
            start + BLOCK - state.moved,
            float(at[max(0, trend.first - 4)]) - state.moved,
            float(at[trend.first + 4]) - state.moved,
            shift,
            baseline.hertz,
            0.5 * (1 + math.erf(trend.slope.rate / trend.slope.error / math.sqrt(2))),
            start - state.moved,
            self._severity(shift),
            sign * trend.slope.rate,
            low,
            high,
        )
