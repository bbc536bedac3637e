"""What made an event anomalous: which bands, which components, which moments, and what kind of change."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from audiogmm.anomaly.likelihood_terms import LikelihoodTerms, divide_distance
from audiogmm.anomaly.moment import MomentPlan
from audiogmm.anomaly.named_changes import STEADY, ChangeSearch
from audiogmm.anomaly.normal_moments import NormalMoments
from audiogmm.anomaly.ranges import Ranges
from audiogmm.anomaly.reasons import describe_reasons
from audiogmm.anomaly.rhythm import measure_rhythm
from audiogmm.blocks import FrameBlock
from audiogmm.mixture.evaluator import Evaluator
from audiogmm.mixture.gaussian import Mixture
from audiogmm.threads import one_blas_thread
from audiogmm.timeline import FrameClock
from audiogmm.types import BoolArray, FloatArray, IntArray, Json, Seconds

PART: Seconds = 60.0
"""Longest part of an event that is explained: its last one."""

LAG: Seconds = 60.0
"""How long after its end an event may close, and all of that part still be known."""

MOST_LOSSES, MOST_FRAMES = 1_000, 64
"""Frames of an event whose losses are divided, and on which changes are tried, evenly spread over it."""

WHOLE, LEAST_WHOLE = 0.9, 5.0
"""Share of a recording that an event covers to be one over all of it, and seconds that it lasts at least."""

MOSTLY = 0.5
"""Share of the loss from which a steady change is what happened, however the sound is modulated."""

CLEARLY = 3.0
"""Modulation so unusual is rhythm, whatever the frames are: most of what happened is no steady change."""

DYNAMICS = 0.7
"""Share of the loss that the deltas carry, given the static features, from which it is one of rhythm, unless
a steady change is part of it (which changes the deltas that the model expects, too)."""

SHOWN = 3
"""Components, worst instants and nearest moments that are given."""

APART: Seconds = 0.25
"""Least time between two of the worst instants."""

Center = Callable[[int], Seconds]
"""Gives the time of a frame's center."""

TYPICAL_FRAMES = 2_000
"""Frames drawn from the mixture to estimate what is typical, where no normal moments are kept."""


@dataclass(frozen=True, eq=False)
class EventExplainer:
    """Explains why events are anomalous; frozen and picklable.

    Parameters
    ----------
    mixture : Mixture
        The model.
    plan : MomentPlan
        Which features are static, and how modulation is measured.
    ranges : Ranges
        What changes are named by.
    level : ndarray of shape (n_features,), float64, optional
        The level of all bands together as a linear map of the features, where these contain it.
    names : tuple of str
        Names of the columns, where features are columns that have some.
    moments : NormalMoments, optional
        Normal moments to compare with. Without them there is no nearest moment, and only deltas show rhythm.

    Notes
    -----
    What `EventExplainerStream.explain` gives as JSON; all numbers are finite, losses are nats a frame below a
    typical normal frame:

    - `kind`: ``"level"``, ``"colour"`` or ``"rhythm"``;
    - `frames`: voiced frames used, at most `MOST_LOSSES`; `loss`: their mean loss;
    - `parts`: the loss as ``{"level", "colour", "dynamics"}``, whose sum it is (see `LikelihoodTerms`);
    - `moments`: the loss as ``{"mean", "spread", "dynamics"}``, whose sum it is: another mean, more
      scatter, other dynamics;
    - `bands`: a list of ``{"low_hz", "high_hz", "db", "share", "steady", "tone", "alike"}``: what would have
      to be undone, by how many decibels (above 0: louder than expected; the median over the frames), the
      share of the loss that this explains, from 0 to 1 how much the frames agree in its sign, whether it is
      as narrow as a tone, and whether it is alike in all frames. For frames of the user's own `columns` in
      its place, ``{"column", "amount", "deviations", "share", "steady"}`` (and ``"name"``): columns count
      from 0, and deviations are those of the whole mixture;
    - `components`: the likeliest ones, ``{"component", "share", "weight"}``, and `mix`: the divergence of
      their shares from the weights, nats;
    - `worst`: ``{"time", "loss"}``, the worst instants first, seconds;
    - `nearest`: ``{"id", "audio_filepath", "start", "end", "distance"}``, the nearest first; absent without
      normal moments;
    - `rhythm`: ``{"unusual", "within", "stronger", "weaker"}``: squared distance of the modulation
      from normal in units of what 99 % of normal moments stay within, whether the event was long enough to
      be measured alone (else with what came before it), and the rates that differ most, each ``{"low",
      "high", "db"}`` in hertz (or None); absent where the modulation is not known;
    - `whole`: the first of `bands` once more, by frames from the beginning and the end of the recording;
      absent unless the event is over all of it and alike throughout: another gain, codec or microphone;
    - `unusual`: the loss in units of what 99 % of normal moments stay within; absent without normal moments.
    """

    mixture: Mixture
    plan: MomentPlan
    ranges: Ranges
    level: FloatArray | None = None
    moments: NormalMoments | None = None
    names: tuple[str, ...] = ()

    def open(self, clock: FrameClock) -> EventExplainerStream:
        """Begin with a recording."""
        return EventExplainerStream(self, clock)

    @cached_property
    def changes(self) -> ChangeSearch:
        """Names what changed."""
        return ChangeSearch(self.mixture, self.ranges)

    @cached_property
    def parts(self) -> LikelihoodTerms:
        """Divides losses."""
        return LikelihoodTerms(self.mixture, self.plan.static, self.level)

    @cached_property
    def evaluator(self) -> Evaluator:
        """Of the whole mixture."""
        return Evaluator(self.mixture)

    @cached_property
    def typical(self) -> FloatArray:
        """Mean of the three terms of `LikelihoodTerms` over normal frames, shape (3,), nats."""
        if self.moments is None:
            frames = self.mixture.sample(TYPICAL_FRAMES, seed=0)[0]
        else:
            frames = self.moments.reference_frames.astype(np.float64)
        mean: FloatArray = self.parts(frames).mean(axis=0)
        return mean

    def explain(
        self,
        first: int,
        frames: np.ndarray,
        counting: BoolArray,
        before: np.ndarray,
        clock: FrameClock,
        head: Sequence[np.ndarray] | None = None,
        center: Center | None = None,
    ) -> tuple[tuple[str, ...], Json]:
        """Explain an event.

        Parameters
        ----------
        first : int
            Index of its first frame (of the part that is explained).
        frames : ndarray of shape (n, n_features), float32
            From there to its last one.
        counting : ndarray of shape (n,), bool
            Which of them count.
        before : ndarray of shape (m, n_features), float32
            The frames that came before, as many as a span of modulation needs, where there are.
        clock : FrameClock
            Of the recording.
        head : sequence of ndarray of shape (n_features,), optional
            Some frames of the recording's first minute, where the event is over all of the recording.
        center : callable, optional
            Gives the time of a frame's center where it is not as the clock has it: in a stream with gaps.

        Returns
        -------
        reasons : tuple of str
            Sentences.
        explanation : dict
            See the class; both are empty if no frame counts.
        """
        numbers = np.flatnonzero(counting)
        if not len(numbers):
            return (), {}
        numbers = numbers[_spread(len(numbers), MOST_LOSSES)]
        counted = frames[numbers]
        losses = self.typical - self.parts(counted)
        total = losses.sum(axis=1)
        found: Json = {"kind": "", "frames": len(numbers), "loss": float(total.mean())}
        level, colour, dynamics = (float(part) for part in losses.mean(axis=0))
        found["parts"] = {"level": level, "colour": colour, "dynamics": dynamics}
        posteriors = self.evaluator.posteriors(counted)
        found["moments"] = self._moments(counted, level + colour, dynamics)
        chosen = _spread(len(numbers), MOST_FRAMES)
        named, is_level = self.changes(counted[chosen], float(total[chosen].sum()))
        if self.ranges.bands is None and self.names:
            named = [change | {"name": self.names[change["column"]]} for change in named]
        found["columns" if self.ranges.bands is None else "bands"] = named
        found["components"], found["mix"] = self._components(posteriors)
        found["worst"] = _worst(total, numbers, first, clock, center or clock.center)
        if self.moments is not None:
            rhythm = measure_rhythm(self.moments, self.plan, frames, before)
            if rhythm is not None:
                found["rhythm"] = rhythm
            usual, lowest = self.moments.usual_score
            scores = self.evaluator.log_likelihood(counted)
            found["unusual"] = float((usual - scores.mean()) / max(usual - lowest, 1e-9))
            mean, spread = self.plan.describe(counted)
            found["nearest"] = self.moments.find_nearest(self.mixture, self.plan, mean, spread, SHOWN)
        found["kind"] = self._kind(found, is_level)
        if head is not None and found["kind"] != "rhythm":
            whole = self._whole(np.concatenate([*(frame[None] for frame in head), counted[chosen]]))
            found |= {} if whole is None else {"whole": whole}
        found = round_numbers(found)
        return describe_reasons(found, in_rows=clock.frame_rate == 1.0), found

    def _whole(self, frames: np.ndarray) -> Json | None:
        """The change that frames of a whole recording have alike, if there is one."""
        first = self.changes(frames, float((self.typical - self.parts(frames)).sum()))[0][0]
        return first if first.get("alike") and first["share"] >= MOSTLY else None

    def _kind(self, found: Json, is_level: bool) -> str:
        """Rhythm, where no steady change explains the loss, and modulation is less usual than frames."""
        first = found["columns" if self.ranges.bands is None else "bands"][0]
        is_steady = first["steady"] >= STEADY
        by_frames, by_rhythm = found.get("unusual", np.inf), found.get("rhythm", {}).get("unusual", 0.0)
        by_deltas = found["parts"]["dynamics"] / found["loss"] if found["loss"] > 0 else 0.0
        if is_steady and first["share"] >= MOSTLY:
            # another pace changes the mean level, too; only modulation within the event itself then counts
            is_rhythm = by_frames < 1.0 and by_rhythm > CLEARLY and found["rhythm"]["within"]
        elif is_steady:
            is_rhythm = by_rhythm > CLEARLY
        else:
            is_rhythm = by_rhythm > min(by_frames, CLEARLY) or by_deltas > DYNAMICS
        if is_rhythm:
            return "rhythm"
        return "level" if is_level else "colour"

    def _moments(self, frames: np.ndarray, static_loss: float, dynamics: float) -> Json:
        """Divide the static loss by shift and by scatter, as the distances beyond the expected are."""
        static = np.ascontiguousarray(frames[:, self.plan.static], dtype=np.float64)
        evaluator = self.parts.static_evaluator
        posteriors = evaluator.posteriors(static)
        shift, scatter = divide_distance(evaluator.mixture, posteriors, static)
        scatter = max(0.0, scatter - static.size)
        share = shift / (shift + scatter) if shift + scatter > 0 else 0.0
        return {"mean": share * static_loss, "spread": (1 - share) * static_loss, "dynamics": dynamics}

    def _components(self, posteriors: FloatArray) -> tuple[list[Json], float]:
        shares, weights = posteriors.mean(axis=0), self.mixture.weights
        order = np.lexsort((np.arange(len(shares)), -shares))[:SHOWN]
        found = [
            {"component": int(k), "share": float(shares[k]), "weight": float(weights[k])}
            for k in order
            if shares[k] > 0.005
        ]
        present = shares > 0
        mix = float((shares[present] * np.log(shares[present] / np.maximum(weights[present], 1e-300))).sum())
        return found, max(0.0, mix)


def _spread(n: int, most: int) -> IntArray:
    """At most `most` of the numbers below n, evenly spread, with the first and the last."""
    return np.unique(np.linspace(0, n - 1, min(n, most)).round().astype(np.int64))


def _worst(
    losses: FloatArray, numbers: IntArray, first: int, clock: FrameClock, center: Center
) -> list[Json]:
    """The instants that lost most, some time apart."""
    apart = APART * clock.frame_rate
    taken: list[int] = []
    for i in np.lexsort((numbers, -losses)):
        if all(abs(int(numbers[i] - numbers[j])) >= apart for j in taken):
            taken.append(int(i))
        if len(taken) == SHOWN:
            break
    return [{"time": float(center(first + int(numbers[i]))), "loss": float(losses[i])} for i in taken]


def round_numbers(value: object) -> Json:
    """Round the real numbers of JSON to six significant digits.

    Examples
    --------
    >>> round_numbers({"a": [1.23456789, 2], "b": None})
    {'a': [1.23457, 2], 'b': None}
    """
    return _rounded(value)  # type: ignore[return-value]


def _rounded(value: object) -> object:
    if isinstance(value, dict):
        return {key: _rounded(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_rounded(part) for part in value]
    return float(f"{value:.6g}") + 0.0 if isinstance(value, float) else value


class EventExplainerStream:
    """Keeps the last two minutes of one recording's frames, and some of the first one; made by
    `EventExplainer.open`.

    An event is explained by its last `PART`, which lies at the same frames however the recording was cut.
    """

    def __init__(self, explainer: EventExplainer, clock: FrameClock) -> None:
        self._explainer = explainer
        self._clock = clock
        self._blocks: list[FrameBlock] = []
        self._kept = clock.count(PART + LAG) + explainer.plan.modulation.span
        self._every = max(1, clock.count(PART) // MOST_FRAMES)  # of the first minute
        self._head: list[np.ndarray] = []

    def push(self, block: FrameBlock) -> None:
        """Take the next block.

        What is dropped was older than needed before this block came: events that close within it are known.
        """
        if self._blocks:
            oldest = self._blocks[-1].start + len(self._blocks[-1]) - self._kept
            while self._blocks and self._blocks[0].start + len(self._blocks[0]) <= oldest:
                self._blocks.pop(0)
        self._blocks.append(block)
        numbers = np.arange(block.start, min(block.start + len(block), self._every * MOST_FRAMES))
        chosen = numbers[numbers % self._every == 0] - block.start
        self._head += list(block.frames[chosen][self._counting(block)[chosen]])

    def explain(
        self, first: int, last: int, *, over: bool = False, center: Center | None = None
    ) -> tuple[tuple[str, ...], Json]:
        """Explain the event from frame `first` to frame `last`, as sentences and as JSON.

        `center` gives the time of a frame, where it is not as the clock has it.
        Where the recording is `over`, an event over all of it is told apart.
        """
        n = self._blocks[-1].start + len(self._blocks[-1]) if self._blocks else 0
        is_whole = over and last + 1 - first >= max(WHOLE * n, self._clock.count(LEAST_WHOLE))
        first = max(first, last + 1 - self._clock.count(PART))
        start = first - self._explainer.plan.modulation.span
        pieces = [block for block in self._blocks if block.start + len(block) > start and block.start <= last]
        if not pieces:
            return (), {}
        frames = np.concatenate([block.frames for block in pieces])
        counting = np.concatenate([self._counting(block) for block in pieces])
        at, stop = first - pieces[0].start, last + 1 - pieces[0].start
        before = frames[max(0, start - pieces[0].start) : max(0, at)]
        at = max(0, at)
        with one_blas_thread():
            return self._explainer.explain(
                pieces[0].start + at,
                frames[at:stop],
                counting[at:stop],
                before,
                self._clock,
                self._head if is_whole else None,
                center,
            )

    def _counting(self, block: FrameBlock) -> BoolArray:
        return np.ones_like(block.voiced) if self._explainer.plan.every_frame else block.voiced
