"""Settings of stepwise EM: batch size, step size, averaging."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from audiogmm.errors import ChoiceError
from audiogmm.mixture.forms import form_of
from audiogmm.types import Json

FEWEST = 256
"""Frames of a batch at least."""

FEWEST_STEPS = 16
"""Steps of a pass at least, unless batches would be smaller than `FEWEST`."""


def decay(steps: float, exponent: float) -> float:
    """Return ``(t + 2)^-alpha``, the size of the step after t others (Liang and Klein 2009, section 3).

    For alpha in (0.5, 1] the steps sum to infinity and their squares do not, as Robbins and Monro's
    conditions want it.

    Examples
    --------
    >>> decay(2, 0.5)
    0.5
    """
    return float((steps + 2.0) ** -exponent)


@dataclass(frozen=True, slots=True)
class Stepwise:
    """Settings of stepwise EM.

    Parameters
    ----------
    passes : int
        Stepwise passes over the frames; the passes after them are exact ones of batch EM.
    exponent : float
        Alpha of the step size `decay`, in (0.5, 1], where t counts `unit_each` frames a component, so
        that batches may be of any size.
    batch : int or None
        Frames between two updates; None for `frames_each` a component, at least `FEWEST`.
    averaging : float
        Share of the last pass whose batches' statistics are summed for the final estimate, in [0, 1]: 1
        lets every frame count once; 0 takes the last step's.

    Raises
    ------
    ChoiceError
        If one is outside its range.

    Examples
    --------
    >>> Stepwise().batch_of(128, "diag", 300_000), Stepwise(batch=4096).batch_of(128, "diag", 300_000)
    (512, 4096)
    >>> [round(Stepwise().step(n, batch=16, n_components=8, form="diag"), 4) for n in (0, 16_000)]
    [0.05, 0.0295]
    """

    passes: int = 2
    exponent: float = 0.51
    batch: int | None = None
    averaging: float = 1.0

    def __post_init__(self) -> None:
        for name, value in (("passes", self.passes), ("batch", self.batch)):
            if value is not None and value < 1:
                raise ChoiceError(f"stepwise {name}={value}", needed="at least 1")
        if not 0.5 < self.exponent <= 1:
            raise ChoiceError(
                f"stepwise exponent={self.exponent}",
                needed="a number above 0.5 and at most 1, so that the steps sum to infinity and their "
                "squares do not",
                remedy="0.51",
            )
        if not 0 <= self.averaging <= 1:
            raise ChoiceError(f"stepwise averaging={self.averaging}", needed="a share in [0, 1]")

    def batch_of(self, n_components: int, form: str, n_frames: int) -> int:
        """Frames of a batch."""
        usual = max(FEWEST, min(form_of(form).stepwise.frames_each * n_components, n_frames // FEWEST_STEPS))
        return min(self.batch or usual, n_frames)

    def step(self, seen: int, batch: int, n_components: int, form: str) -> float:
        """Return the weight of a batch: ``batch / u (t + 2)^-alpha``, at most ``batch / (M K)``.

        With u = `unit_each` K, and t = seen / u: the sum of the steps of batches of u frames. M is
        `memory`: an average over fewer frames a component is noise.
        """
        constants = form_of(form).stepwise
        unit = constants.unit_each * n_components
        rho = decay(seen / unit, self.exponent) / unit
        return float(min(batch * min(rho, 1 / (constants.memory * n_components)), 1.0))

    @property
    def changed(self) -> str:
        """The settings that are not the default ones, as text.

        Examples
        --------
        >>> Stepwise(batch=3, averaging=0.5).changed, Stepwise().changed
        ('batch=3, averaging=0.5', 'the default ones')
        """
        usual = asdict(Stepwise())
        changed = [f"{name}={value}" for name, value in asdict(self).items() if value != usual[name]]
        return ", ".join(changed) or "the default ones"

    def to_json(self) -> Json:
        """The settings, as JSON; version 0.1 had a second variant, and wrote which."""
        return asdict(self) | {"variant": "plain"}


def stepwise_of(**options: Any) -> Stepwise | None:
    """Settings of stepwise EM, of which None is for the default; None if all are.

    Examples
    --------
    >>> stepwise_of(passes=None, exponent=0.7).exponent, stepwise_of(passes=None)
    (0.7, None)
    """
    given = {name: value for name, value in options.items() if value is not None}
    return Stepwise(**given) if given else None
