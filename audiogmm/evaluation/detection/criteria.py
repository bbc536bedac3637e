"""By what detection is evaluated."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from audiogmm.errors import ChoiceError
from audiogmm.evaluation.detection.matching import Collars
from audiogmm.types import Seconds

if TYPE_CHECKING:
    pass

Clip = Literal["mean", "lowest"]
"""The score of a whole recording: the mean of its frames, or its lowest window."""


@dataclass(frozen=True, slots=True)
class DetectionCriteria:
    """By what detection is evaluated.

    Attributes
    ----------
    window : Seconds
        Over which scores are averaged around each frame.
    segment : Seconds
        Length of the segments that are scored, and in which activity is compared.
    clip : {"mean", "lowest"}
        Score of a whole recording: the mean of its voiced frames, or its lowest window.
    max_fpr : float
        Largest false-alarm rate of the pAUC.
    collars : Collars
        Of matched events.

    Raises
    ------
    ChoiceError
        If a setting is out of range.
    """

    window: Seconds = 0.5
    segment: Seconds = 1.0
    clip: Clip = "mean"
    max_fpr: float = 0.1
    collars: Collars = field(default_factory=Collars)

    def __post_init__(self) -> None:
        for name, seconds in (("window", self.window), ("segment", self.segment)):
            if not 0 < seconds < math.inf:
                raise ChoiceError(f"a {name} of {seconds} s", needed="more than 0 s")
        if self.clip not in ("mean", "lowest"):
            raise ChoiceError(f"a clip score of {self.clip!r}", needed="mean or lowest")
        if not 0 < self.max_fpr <= 1:
            raise ChoiceError(f"max_fpr={self.max_fpr}", needed="a rate in (0, 1]")
