"""What a user asks of a model that learns from a stream."""

from __future__ import annotations

from dataclasses import dataclass

from audiogmm.errors import ChoiceError
from audiogmm.types import CovarianceType, Seconds

COLD_START: Seconds = 30.0
"""Sound from which a model starts."""

EXPONENT = 0.8
"""Of the step size: streams come in order, so the past is to be kept (a lower one forgets it sooner)."""


@dataclass(frozen=True)
class LearnSettings:
    """How a model learns from a stream.

    Parameters
    ----------
    n_components : int or None
        Gaussian components; None: what `train` takes for the front end.
    covariance_type : CovarianceType or None
        Form of the covariances; None likewise.
    seed : int
        Of the start.
    floor : float or None
        Least variance, as a share of each feature's over the first sounds; None: what `train` takes.
    cold_start : Seconds
        Sound that is listened to before anything is learned: it settles what the front end leaves open, and
        the start is trained on it.
    exponent : float
        Alpha of the step size ``(t + 2)^-alpha``, in (0.5, 1].
    half_life : float or None
        Hours of sound after which what was heard counts half; None: it is averaged ever more slowly.
    save_every : float
        Minutes of sound between two writings of the model.
    heartbeat : Seconds
        Sound between two signs of life; 0: none.
    upsample : bool
        Accept sound below the sample rate.

    Raises
    ------
    ChoiceError
        If a number is outside its range.

    Examples
    --------
    >>> round(LearnSettings(half_life=2.0).forget(batch=512, frame_rate=100.0), 6)
    0.999507
    >>> LearnSettings().forget(batch=512, frame_rate=100.0)
    1.0
    """

    n_components: int | None = None
    covariance_type: CovarianceType | None = None
    seed: int = 0
    floor: float | None = None
    cold_start: Seconds = COLD_START
    exponent: float = EXPONENT
    half_life: float | None = None
    save_every: float = 10.0
    heartbeat: Seconds = 10.0
    upsample: bool = False

    def __post_init__(self) -> None:
        for name, unit in (("cold_start", "seconds"), ("save_every", "minutes"), ("half_life", "hours")):
            value = getattr(self, name)
            if value is not None and not 0 < value < float("inf"):
                raise ChoiceError(f"{name}={value}", needed=f"a positive number of {unit}")
        if self.cold_start > 3600:
            raise ChoiceError(
                f"cold_start={self.cold_start} s", needed="at most an hour, which is held in memory"
            )

    def forget(self, batch: int, frame_rate: float) -> float:
        """What the past counts after a step of `batch` frames: ``2^-(seconds / half-life)``."""
        if self.half_life is None:
            return 1.0
        return float(2.0 ** -(batch / frame_rate / (3600 * self.half_life)))
