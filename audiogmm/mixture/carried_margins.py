"""Margins of scores, carried from one pass to the next, proven: most scores need not be computed again."""

from __future__ import annotations

from threading import Lock
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from audiogmm.kernels.estep.drift import bound_drift
from audiogmm.kernels.estep.margins import SHALLOWEST, DriftBound, Margins
from audiogmm.kernels.estep.screens import PANEL
from audiogmm.types import FloatArray

LEAST_COMPONENTS = 2048
"""Components below which fewer than 30 % of scores would be saved, in a training on speech."""

BUDGET = 24 << 20
"""Bytes that the margins of one source of frames may take; frames beyond are screened in full."""

SHARES = 1 - np.array([3e-4, 3e-3, 1e-2, 3e-2, 0.1])
"""Scales that are tried, as shares of the largest possible one."""

BEYOND = 25.0
"""Nats from a component's typical score to the one at which bounds are to be close."""


class ScoreParameters(NamedTuple):
    """Parameters of the components that scores are computed from, along the axes of the frames."""

    active: NDArray[np.int64]
    """(K,): their places in the mixture."""
    means: FloatArray
    """(K, D)."""
    precisions: FloatArray
    """(K, D)."""
    constants: FloatArray
    """(K,), nats."""


def bound_scores(old: ScoreParameters, new: ScoreParameters) -> DriftBound:
    """Bound what moving parameters do to scores: ``s'(x) <= a s(x) + b`` for every frame x.

    With s(x) = C - 1/2 sum_d p_d (x_d - m_d)^2, and s' the same of C', p', m', for any 0 < a <= 1

        s' - a s = C' - a C - 1/2 sum_d [p'_d (x_d - m'_d)^2 - a p_d (x_d - m_d)^2].

    Where p' > a p, a term in brackets is a parabola in x_d that opens upwards; its least value is
    - a p p' (m' - m)^2 / (p' - a p). So with a < min_d p'_d / p_d

        b = C' - a C + 1/2 sum_d a p_d p'_d (m'_d - m_d)^2 / (p'_d - a p_d)

    will do. A larger a is better for scores far away, a smaller one needs a smaller b: of a few, that is
    taken which gives the least bound for a score `BEYOND` nats below that of a frame typical of the
    component. 1e-9 of the sizes is added to b, for its rounding.

    A component looked at in the last pass, or ruled out then, has a margin g: for every frame n of its
    panel s(n) <= L(n) - g, with L(n) a lower bound of the frame's best score. The next pass has a lower bound
    L'(n) too, from the components that it looks at first. Hence

        s'(n) - L'(n) <= b - a g + max_n (a L(n) - L'(n)),

    and the maximum is convex in a, so at most the chord between a = `SHALLOWEST` and a = 1. An integer bound
    is at most s' + slack + 2 step (N / 2) (`mixture.quantization`). If this is below the cut for the
    panel's largest N, the component would not survive the look, nor raise the lower bound of the best: the
    survivors, and so all that is reported, have the same bytes as without margins, whatever was carried. The
    bound on s'(n) - L'(n) is the next margin. A margin is rounded down to a code of a quarter of a nat, and
    `margins.ALLOWANCE` covers the float32 arithmetic.

    Parameters
    ----------
    old, new : ScoreParameters
        With the same `active`.

    Returns
    -------
    DriftBound
        a and b of each component.
    """
    K, D = old.means.shape
    typical = old.constants - (0.5 * D + BEYOND)
    scale, shift = np.full(K, SHALLOWEST), np.empty(K)
    rises = np.stack([old.constants, new.constants, typical], axis=1)
    bound_drift(old.means, old.precisions, rises, new.means, new.precisions, SHARES, scale, shift)
    return DriftBound(scale, shift)


class MemoryBudget:
    """Bytes that several threads may still take.

    Examples
    --------
    >>> budget = MemoryBudget(100)
    >>> budget.take(80), budget.take(80), budget.left
    (True, False, 20)
    """

    def __init__(self, n_bytes: int = BUDGET) -> None:
        self.left = n_bytes
        self._lock = Lock()

    def take(self, n_bytes: int) -> bool:
        """Take that many and return True, or take none."""
        with self._lock:
            taken = n_bytes <= self.left
            self.left -= n_bytes if taken else 0
        return taken


class CarriedMargins:
    """Margins of some frames from the last pass over them; they hold for no other frames.

    They change how many scores are screened, never a result. For one thread at a time. A worker process
    gets one that keeps nothing.

    Parameters
    ----------
    budget : MemoryBudget
        From which its memory is taken.
    """

    def __init__(self, budget: MemoryBudget) -> None:
        self.looked = np.zeros(2)
        """Scores screened in the last pass, and scores in all; zeros where nothing was kept."""
        self._budget = budget
        self._codes, self._lows = NO_MARGINS.codes, NO_MARGINS.lows
        self._under: ScoreParameters | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        return _without_margins, ()

    def copy(self) -> CarriedMargins:
        """Copy the margins, to go on from them twice; the memory is not part of the budget."""
        other = CarriedMargins(MemoryBudget(0))
        other.looked[:] = self.looked
        other._codes, other._lows = self._codes.copy(), self._lows.copy()
        other._under = self._under
        return other

    def begin(self, now: ScoreParameters, drifts: DriftCache, n_frames: int) -> Margins:
        """Return the margins for a pass over the frames under these parameters; `end` comes after it."""
        K, n_panels = len(now.constants), -(-n_frames // PANEL)
        stride = -(-K // PANEL) * PANEL
        before, self._under = self._under, None
        self.looked[:] = 0
        if (len(self._lows), len(self._codes)) != (n_panels * PANEL, n_panels * stride):
            before = None
            self._budget.take(-self._codes.nbytes - self._lows.nbytes)
            self._codes, self._lows = NO_MARGINS.codes, NO_MARGINS.lows
            if not self._budget.take(n_panels * (stride + 4 * PANEL)):
                return NO_MARGINS
            self._codes = np.zeros(n_panels * stride, np.uint8)
            self._lows = np.zeros(n_panels * PANEL, np.float32)
        moved = NO_MARGINS.drift
        if before is not None and np.array_equal(before.active, now.active):
            moved = drifts.since(before)
        return Margins(
            self._codes,
            self._lows,
            moved,
            np.empty(stride, np.float32),
            np.empty(stride + 2 * PANEL, np.int32),
            self.looked,
        )

    def end(self, now: ScoreParameters) -> None:
        """Keep the margins of a pass that went over all frames; without this they are dropped."""
        self._under = now


def _without_margins() -> CarriedMargins:
    return CarriedMargins(MemoryBudget(0))


class MarginStore:
    """One `CarriedMargins` for each slice of the frames of every pass, all of one budget.

    Examples
    --------
    >>> slices = MarginStore()
    >>> slices.of(0) is slices.of(0), slices.of(0) is slices.of(8192)
    (True, False)
    """

    def __init__(self) -> None:
        self._budget = MemoryBudget()
        self._slices: dict[int, CarriedMargins] = {}

    def of(self, first: int) -> CarriedMargins:
        """Return that of the slice that begins at this frame."""
        return self._slices.setdefault(first, CarriedMargins(self._budget))


class DriftCache:
    """The last bounds of moved scores: all frames of a pass need the same ones.

    Parameters
    ----------
    now : ScoreParameters
        The present parameters.
    """

    def __init__(self, now: ScoreParameters) -> None:
        self._now = now
        self._lock = Lock()
        self._before: ScoreParameters | None = None
        self._drift = NO_MARGINS.drift

    def since(self, before: ScoreParameters) -> DriftBound:
        """Return the bounds from those parameters to the present ones."""
        with self._lock:
            if self._before is not before:
                self._before, self._drift = before, bound_scores(before, self._now)
            return self._drift


NO_MARGINS = Margins(
    np.empty(0, np.uint8),
    np.empty(0, np.float32),
    DriftBound(np.empty(0), np.empty(0)),
    np.empty(0, np.float32),
    np.empty(0, np.int32),
    np.zeros(2),
)
"""No margins, and no room for any."""
