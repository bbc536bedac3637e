"""What made an event anomalous: which bands, which components, which moments, and what kind of change."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from audiogmm.anomaly.counterfactual import Undoing
from audiogmm.anomaly.loss_parts import LossParts, mean_and_spread
from audiogmm.anomaly.nearest import nearest
from audiogmm.anomaly.normal_moments import NormalMoments
from audiogmm.anomaly.normal_window import WindowPlan
from audiogmm.anomaly.ranges import Ranges
from audiogmm.anomaly.reasons import reasons_of
from audiogmm.blocks import FrameBlock
from audiogmm.mixture.evaluator import Evaluator
from audiogmm.mixture.gaussian import Mixture
from audiogmm.threads import one_blas_thread
from audiogmm.timeline import FrameClock
from audiogmm.types import BoolArray, FloatArray, IntArray, Json, Seconds

PART: Seconds = 60.0
"""Longest part of an event that is looked at: its last one."""

LAG: Seconds = 60.0
"""How long after its end an event may close, and all of that part still be known."""

MOST_LOSSES, MOST_FRAMES = 1_000, 64
"""Frames of an event whose losses are divided, and on which changes are tried, evenly spread over it."""

WHOLE = 0.6
"""Share of the best range's gain from which a change of all bands is called a change of level."""

NEARLY_ALL = 0.8
"""A change of so many of the bands is one of level, too: the outermost may lie on the logarithm's floor."""

NARROWER = 0.97
"""Share of the best range's gain from which a narrower range is named in its place."""

TONE = 2
"""A steady excess in so many bands, or fewer, is called a tone."""

STEADY = 0.93
"""Of a steady change, the amounts in the frames sum to this share of their sizes' sum, or more."""

MOSTLY = 0.5
"""Share of the loss from which a steady change is what happened, however it moves."""

FURTHER, MOST_RANGES = 0.1, 3
"""A further range is named if undoing it too wins this share of the loss; so many ranges at most."""

SHOWN = 3
"""Components, worst instants and nearest moments that are told."""

APART: Seconds = 0.25
"""Least time between two of the worst instants."""

TYPICAL_FRAMES = 2_000
"""Frames drawn from the mixture to learn what is typical, where no normal moments are kept."""


@dataclass(frozen=True, eq=False)
class EventExplainer:
    """Says why events are anomalous; an `Explainer`, frozen and picklable.

    Parameters
    ----------
    mixture : Mixture
        The model.
    plan : WindowPlan
        Says which features are static, and how movements are measured.
    ranges : Ranges
        What changes are named by.
    level : ndarray of shape (n_features,), float64, optional
        The level of all bands together as a linear map of the features, where these know it.
    moments : NormalMoments, optional
        Normal sound to compare with. Without it, there is no nearest moment, and rhythm is told by deltas
        alone.

    Notes
    -----
    What `ExplainerStream.explain` gives as JSON; all numbers are finite, losses are nats a frame below a
    typical normal frame:

    - `kind`: ``"level"``, ``"colour"`` or ``"rhythm"``;
    - `frames`: voiced frames looked at, at most `MOST_LOSSES`; `loss`: their mean loss;
    - `parts`: the loss as ``{"level", "colour", "dynamics"}``, whose sum it is (see `LossParts`);
    - `moments`: the loss as ``{"mean", "spread", "dynamics"}``, whose sum it is: that the sound lies
      elsewhere, that it scatters more, that it moves otherwise;
    - `bands`: a list of ``{"low_hz", "high_hz", "db", "share", "steady", "tone"}``: what would have to be
      undone, by how many decibels (above 0: louder than expected; the median over the frames), the share of
      the loss that this wins back, from 0 to 1 how much the frames agree in its sign, and whether it is as
      narrow as a tone. For frames of one's own `columns` in its place, ``{"column", "amount", "deviations",
      "share", "steady"}``: columns count from 0, and deviations are those of the whole mixture;
    - `components`: the likeliest ones, ``{"component", "share", "weight"}``, and `mix`: the divergence of
      their shares from the weights, nats;
    - `worst`: ``{"time", "loss"}``, the worst instants first, seconds;
    - `nearest`: ``{"id", "audio_filepath", "start", "end", "distance"}``, the nearest first; absent without
      normal moments;
    - `rhythm`: ``{"unusual", "within", "stronger", "weaker"}``: squared distance of the movements from
      normal ones in units of what 99 % of those stay within, whether the event was long enough to be
      measured alone (else with what came before it), and the rates that stand out, each ``{"low", "high",
      "db"}`` with movements a second (or None); absent where movements are not known;
    - `unusual`: the loss in units of what 99 % of normal moments stay within; absent without normal moments.
    """

    mixture: Mixture
    plan: WindowPlan
    ranges: Ranges
    level: FloatArray | None = None
    moments: NormalMoments | None = None

    def open(self, clock: FrameClock) -> EventExplanations:
        """Begin with a recording."""
        return EventExplanations(self, clock)

    @cached_property
    def undoing(self) -> Undoing:
        """Tries the ranges."""
        return Undoing(self.mixture, self.ranges.directions)

    @cached_property
    def parts(self) -> LossParts:
        """Divides losses."""
        return LossParts(self.mixture, self.plan.static, self.level)

    @cached_property
    def evaluator(self) -> Evaluator:
        """Of the whole mixture."""
        return Evaluator(self.mixture)

    @cached_property
    def typical(self) -> FloatArray:
        """Mean of the three terms of `LossParts` over normal frames, shape (3,), nats."""
        if self.moments is None:
            frames = self.mixture.sample(TYPICAL_FRAMES, seed=0)[0]
        else:
            frames = self.moments.judges.astype(np.float64)
        mean: FloatArray = self.parts(frames).mean(axis=0)
        return mean

    def explain(
        self, first: int, frames: np.ndarray, heard: BoolArray, before: np.ndarray, clock: FrameClock
    ) -> tuple[tuple[str, ...], Json]:
        """Explain an event.

        Parameters
        ----------
        first : int
            Index of its first frame (of the part that is looked at).
        frames : ndarray of shape (n, n_features), float32
            From there to its last one.
        heard : ndarray of shape (n,), bool
            Which of them count.
        before : ndarray of shape (m, n_features), float32
            The frames that came before, as many as a span of movements needs, where there are.
        clock : FrameClock
            Of the recording.

        Returns
        -------
        reasons : tuple of str
            Sentences.
        explanation : dict
            See the class; both are empty if no frame counts.
        """
        numbers = np.flatnonzero(heard)
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
        named, is_level = self._named(counted[chosen], float(total[chosen].sum()))
        found["columns" if self.ranges.bands is None else "bands"] = named
        found["components"], found["mix"] = self._components(posteriors)
        found["worst"] = _worst(total, numbers, first, clock)
        rhythm = self._rhythm(frames, before)
        if rhythm is not None:
            found["rhythm"] = rhythm
        if self.moments is not None:
            usual, lowest = self.moments.usual_score
            scores = self.evaluator.log_likelihood(counted)
            found["unusual"] = float((usual - scores.mean()) / max(usual - lowest, 1e-9))
            mean, spread = self.plan.describe(counted)
            found["nearest"] = nearest(self.moments, self.mixture, self.plan, mean, spread, SHOWN)
        found["kind"] = self._kind(found, is_level)
        found = rounded(found)
        return reasons_of(found), found

    def _kind(self, found: Json, is_level: bool) -> str:
        """Rhythm, where no steady change explains the loss, and movements are less usual than the frames."""
        first = found["columns" if self.ranges.bands is None else "bands"][0]
        is_steady = first["steady"] >= STEADY
        by_frames, by_rhythm = found.get("unusual", np.inf), found.get("rhythm", {}).get("unusual", 0.0)
        by_deltas = found["parts"]["dynamics"] / found["loss"] if found["loss"] > 0 else 0.0
        if is_steady and first["share"] >= MOSTLY:
            # another pace moves the mean level, too; only movements within the event itself then count
            is_rhythm = by_frames < 1.0 and by_rhythm > CLEARLY and found["rhythm"]["within"]
        elif is_steady:
            is_rhythm = by_rhythm > CLEARLY
        else:
            is_rhythm = by_rhythm > min(by_frames, CLEARLY) or by_deltas > DYNAMICS
        if is_rhythm:
            return "rhythm"
        return "level" if is_level else "colour"

    def _named(self, frames: np.ndarray, loss: float) -> tuple[list[Json], bool]:
        """The ranges to be undone, the one that wins most first, and whether that is a change of level."""
        ranges, X = self.ranges, frames.astype(np.float64)
        named: list[Json] = []
        free = np.ones(len(ranges.bounds), dtype=np.bool_)
        is_level = False
        while len(named) < MOST_RANGES and free.any():
            undone = self.undoing(X)
            gains = np.where(free, undone.gains, 0.0)
            best = int(np.argmax(gains >= NARROWER * gains.max()))  # the narrowest that does as well
            if not named and ranges.whole is not None and gains[ranges.whole] >= WHOLE * gains.max():
                best = ranges.whole
            if not named:
                is_level = ranges.is_level(best, NEARLY_ALL)
            gain, amounts = float(gains[best]), undone.amounts[best]
            if named and gain < FURTHER * loss:
                break
            share = min(1.0, max(0.0, gain / loss)) if loss > 0 else 0.0
            named.append(self._name(best, amounts, share))
            free &= ~ranges.overlapping(best)
            X = X - amounts[:, None] * ranges.directions[best]
        return named, is_level

    def _name(self, index: int, amounts: FloatArray, share: float) -> Json:
        amount = float(np.median(amounts))
        size = float(np.abs(amounts).sum())
        steady = abs(float(amounts.sum())) / size if size else 0.0
        if self.ranges.bands is None:
            column = int(self.ranges.bounds[index, 0])
            deviations = amount / float(np.sqrt(self._variances[column]))
            found = {"column": column, "amount": amount, "deviations": deviations}
            return found | {"share": share, "steady": steady}
        low, high = self.ranges.hertz(index)
        width = int(self.ranges.bounds[index, 1] - self.ranges.bounds[index, 0])
        tone = width <= TONE and amount > 0 and steady >= STEADY
        return {"low_hz": low, "high_hz": high, "db": amount, "share": share, "steady": steady, "tone": tone}

    @cached_property
    def _variances(self) -> FloatArray:
        """Of each feature over the whole mixture, shape (n_features,)."""
        from audiogmm.anomaly.counterfactual import covariance_of

        weights, means = self.mixture.weights, self.mixture.means
        away = np.square(means - self.mixture.centre)
        own = np.stack([np.diag(covariance_of(self.mixture, k)) for k in range(len(weights))])
        variances: FloatArray = np.einsum("k,kd->d", weights, away + own)
        return variances

    def _moments(self, frames: np.ndarray, static_loss: float, dynamics: float) -> Json:
        """The static loss by shift and by scatter, in the proportion of the distances beyond the expected."""
        static = np.ascontiguousarray(frames[:, self.plan.static], dtype=np.float64)
        evaluator = self.parts.static_evaluator
        posteriors = evaluator.posteriors(static)
        shift, scatter = mean_and_spread(evaluator.mixture, posteriors, static)
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

    def _rhythm(self, frames: np.ndarray, before: np.ndarray) -> Json | None:
        """How unusual the movements are, and at what rates."""
        modulation = self.plan.modulation
        known = None if self.moments is None else self.moments.movements
        if known is None:
            return None
        mean, precision, limit = known
        span = modulation.span
        missing = max(0, span - len(frames))
        if missing > len(before):
            return None
        sound = np.concatenate([before[len(before) - missing :], frames])
        starts = np.unique(
            np.linspace(0, len(sound) - span, 1 + (len(sound) - span) // self.plan.window).astype(int)
        )
        moved = np.stack([modulation(sound[start : start + span]).ravel() for start in starts])
        away = moved - mean
        unusual = float(np.einsum("ni,ij,nj->n", away, precision, away).mean()) / limit
        deviations = np.sqrt(np.diag(np.linalg.inv(precision)))
        shape = len(modulation.tracks), len(modulation.rates)
        change = away.mean(axis=0).reshape(shape)
        standing = change / deviations.reshape(shape)
        return {
            "unusual": unusual,
            "within": not missing,
            "stronger": _rate(modulation.rates, change, standing),
            "weaker": _rate(modulation.rates, change, -standing),
        }


CLEARLY = 3.0
"""Movements so unusual tell of rhythm, whatever the frames are: most of what happened is no steady change."""

DYNAMICS = 0.7
"""Share of the loss that the deltas carry, given the static features, from which it is one of rhythm, unless
a steady change is part of it (which changes the deltas that the model expects, too)."""

STANDING = 1.0
"""Deviations from normal by which a rate stands out."""


def _rate(rates: FloatArray, change: FloatArray, standing: FloatArray) -> Json | None:
    """The rate band that stands out most in any track."""
    track, rate = np.unravel_index(int(np.argmax(standing)), standing.shape)
    if standing[track, rate] < STANDING:
        return None
    low, high = rates[rate]
    return {"low": float(low), "high": float(high), "db": float(change[track, rate])}


def _spread(n: int, most: int) -> IntArray:
    """At most so many of the numbers below n, evenly spread, the first and the last among them."""
    return np.unique(np.linspace(0, n - 1, min(n, most)).round().astype(np.int64))


def _worst(losses: FloatArray, numbers: IntArray, first: int, clock: FrameClock) -> list[Json]:
    """The instants that lost most, some time apart."""
    apart = APART * clock.frame_rate
    taken: list[int] = []
    for i in np.lexsort((numbers, -losses)):
        if all(abs(int(numbers[i] - numbers[j])) >= apart for j in taken):
            taken.append(int(i))
        if len(taken) == SHOWN:
            break
    return [{"time": float(clock.center(first + int(numbers[i]))), "loss": float(losses[i])} for i in taken]


def rounded(value: object) -> Json:
    """The same with real numbers of six significant digits.

    Examples
    --------
    >>> rounded({"a": [1.23456789, 2], "b": None})
    {'a': [1.23457, 2], 'b': None}
    """
    return _rounded(value)  # type: ignore[return-value]


def _rounded(value: object) -> object:
    if isinstance(value, dict):
        return {key: _rounded(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_rounded(part) for part in value]
    return float(f"{value:.6g}") + 0.0 if isinstance(value, float) else value


class EventExplanations:
    """Remembers the last two minutes of one recording's frames; made by `EventExplainer.open`.

    An event is explained by its last `PART`, which lies at the same frames however the recording was cut.
    """

    def __init__(self, explainer: EventExplainer, clock: FrameClock) -> None:
        self._explainer = explainer
        self._clock = clock
        self._blocks: list[FrameBlock] = []
        self._kept = clock.count(PART + LAG) + explainer.plan.modulation.span

    def push(self, block: FrameBlock) -> None:
        """Take the next block.

        What is dropped was older than needed before this block came: events that close within it are known.
        """
        if self._blocks:
            oldest = self._blocks[-1].start + len(self._blocks[-1]) - self._kept
            while self._blocks and self._blocks[0].start + len(self._blocks[0]) <= oldest:
                self._blocks.pop(0)
        self._blocks.append(block)

    def explain(self, first: int, last: int) -> tuple[tuple[str, ...], Json]:
        """Sentences, and the same as JSON, for the event from frame `first` to frame `last`."""
        first = max(first, last + 1 - self._clock.count(PART))
        start = first - self._explainer.plan.modulation.span
        pieces = [block for block in self._blocks if block.start + len(block) > start and block.start <= last]
        if not pieces:
            return (), {}
        frames = np.concatenate([block.frames for block in pieces])
        voiced = np.concatenate([block.voiced for block in pieces])
        at, stop = first - pieces[0].start, last + 1 - pieces[0].start
        if self._explainer.plan.every_frame:
            voiced = np.ones_like(voiced)
        before = frames[max(0, start - pieces[0].start) : max(0, at)]
        at = max(0, at)
        with one_blas_thread():
            return self._explainer.explain(
                pieces[0].start + at, frames[at:stop], voiced[at:stop], before, self._clock
            )
