"""The settings of a model that learns from a stream."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from audiogmm.errors import ChoiceError
from audiogmm.types import CovarianceType, Seconds

if TYPE_CHECKING:
    from audiogmm.audio.frontend.frontend import FrontEnd
    from audiogmm.mixture.store import AnyModel

COLD_START: Seconds = 30.0
"""Length of the cold start."""

EXPONENT = 0.8
"""Of the step size; a lower one forgets the past sooner, and a stream is not shuffled."""


@dataclass(frozen=True)
class LearnSettings:
    """How a model learns from a stream.

    Parameters
    ----------
    n_components : int or None
        Number of Gaussian components; None: the default of `train` for the front end.
    covariance_type : CovarianceType or None
        Form of the covariances; None: the default of `train`.
    seed : int
        Of the cold start.
    floor : float or None
        Least variance, as a share of each feature's variance in the cold start; None: the default of `train`.
    cold_start : Seconds
        Length of the first sound, which sets what the front end leaves open, and which the first model is
        trained on.
    exponent : float
        Alpha of the step size ``(t + 2)^-alpha``, in (0.5, 1].
    half_life : float or None
        Hours of sound after which frames count half; None: the steps only get smaller.
    save_every : float
        Minutes of sound between two writes of the model.
    heartbeat : Seconds
        Sound between two heartbeats; 0: none.
    upsample : bool
        Accept sound below the sample rate.
    frontend : FrontEnd or None
        None: that of the model it starts from, or the preset `speech`.
    sample_rate : int or None
        Hertz; None: that of the first sound.
    start : Path or None
        A model to start from.
    force : bool
        Overwrite a model that exists.
    resume : bool
        Go on from what a run had learned that was killed; of a recording, where it was, and of any other
        input, with what comes now.

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
    frontend: FrontEnd | None = None
    sample_rate: int | None = None
    start: AnyModel | None = None
    force: bool = False
    resume: bool = False

    def __post_init__(self) -> None:
        for name, unit in (("cold_start", "seconds"), ("save_every", "minutes"), ("half_life", "hours")):
            value = getattr(self, name)
            if value is not None and not 0 < value < float("inf"):
                raise ChoiceError(f"{name}={value}", needed=f"a positive number of {unit}")
        if self.cold_start > 3600:
            raise ChoiceError(
                f"cold_start={self.cold_start} s", needed="at most 3600 s, which are kept in memory"
            )

    def forget(self, batch: int, frame_rate: float) -> float:
        """Return what the past counts after a step of `batch` frames: ``2^-(seconds / half-life)``."""
        if self.half_life is None:
            return 1.0
        return float(2.0 ** -(batch / frame_rate / (3600 * self.half_life)))
