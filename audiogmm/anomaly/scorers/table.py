"""The scores by name, and how they are asked for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from types import MappingProxyType

from audiogmm.anomaly.scorers.bands import BandsScore
from audiogmm.anomaly.scorers.cusum import CusumScore
from audiogmm.anomaly.scorers.mean import MeanScore
from audiogmm.anomaly.scorers.part import Score
from audiogmm.anomaly.scorers.posterior import PosteriorScore
from audiogmm.anomaly.scorers.quantile import QuantileScore
from audiogmm.anomaly.scorers.ratio import RatioScore
from audiogmm.anomaly.scorers.scales import ScalesScore
from audiogmm.anomaly.scorers.twfr import TwfrScore
from audiogmm.errors import ChoiceError
from audiogmm.types import Seconds

_ALL: tuple[Score, ...] = (
    MeanScore(),
    RatioScore(),
    QuantileScore(),
    ScalesScore(),
    BandsScore(),
    TwfrScore(),
    PosteriorScore(),
    CusumScore(),
)
SCORES: MappingProxyType[str, Score] = MappingProxyType({score.name: score for score in _ALL})
"""Name -> score."""

FUSION, AUTO = "fusion", "auto"
"""In place of names: all that the model allows (but `cusum`, which is slow by nature), or a choice."""

FUSED = tuple(name for name in SCORES if name != "cusum")
"""What `fusion` takes together."""

LONGEST: Seconds = 60.0
"""Longest window."""


@dataclass(frozen=True, slots=True)
class ScoreSpec:
    """One score that is asked for.

    Attributes
    ----------
    name : str
        A key of `SCORES`.
    window : Seconds
        Over which it pools.

    Examples
    --------
    >>> ScoreSpec.parse("quantile:1"), str(ScoreSpec.parse("mean"))
    (ScoreSpec(name='quantile', window=1.0), 'mean')
    """

    name: str
    window: Seconds

    @classmethod
    def parse(cls, text: str) -> ScoreSpec:
        """From ``NAME`` or ``NAME:SECONDS``.

        Raises
        ------
        ChoiceError
            If there is no such score, or the window is none.
        """
        name, colon, seconds = text.strip().partition(":")
        if name not in SCORES:
            raise ChoiceError(
                f"score {name!r}",
                needed=f"one of {', '.join(SCORES)} (several with commas between them), {FUSION} or {AUTO}",
            )
        try:
            window = float(seconds) if colon else SCORES[name].window
        except ValueError:
            window = -1.0
        if not 0 < window <= LONGEST:
            raise ChoiceError(
                f"score {text!r}", needed=f"NAME:SECONDS, with a window above 0 and at most {LONGEST:g} s"
            )
        return cls(name, window)

    @property
    def score(self) -> Score:
        """Its row of the table."""
        return SCORES[self.name]

    def __str__(self) -> str:
        usual = self.window == self.score.window
        return self.name if usual else f"{self.name}:{self.window:g}"


def parse_scores(text: str | Iterable[str]) -> tuple[ScoreSpec, ...]:
    """The scores that are asked for, each once: names with commas between them, or ``fusion``.

    Raises
    ------
    ChoiceError
        If one is unknown, named twice, or none is named.

    Examples
    --------
    >>> [str(wanted) for wanted in parse_scores("mean,twfr:0.5")]
    ['mean', 'twfr:0.5']
    >>> len(parse_scores("fusion"))
    7
    """
    names = text.split(",") if isinstance(text, str) else list(text)
    if [name.strip() for name in names] == [FUSION]:
        names = list(FUSED)
    wanted = tuple(ScoreSpec.parse(name) for name in names)
    if not wanted or len(set(wanted)) < len(wanted):
        raise ChoiceError(
            f"scores {','.join(names)!r}", needed="each score once, or with another window: mean,mean:1"
        )
    return wanted
