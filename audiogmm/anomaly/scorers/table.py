"""The scores by name, and how they are asked for.

A score is a file of this folder that makes its series (and learns), and a row of `SCORES`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from audiogmm.anomaly.scorers.bands import BANDS, bands_series
from audiogmm.anomaly.scorers.cusum import cusum_series
from audiogmm.anomaly.scorers.mean import mean_series
from audiogmm.anomaly.scorers.posterior import learn_posterior, posterior_series
from audiogmm.anomaly.scorers.quantile import quantile_series
from audiogmm.anomaly.scorers.ratio import ratio_series
from audiogmm.anomaly.scorers.scales import scales_series
from audiogmm.anomaly.scorers.score import Score
from audiogmm.anomaly.scorers.twfr import LEAST_BANDS, twfr_series
from audiogmm.anomaly.scorers.twfr_fit import learn_twfr
from audiogmm.errors import ChoiceError
from audiogmm.types import Seconds

_FRAME, _WINDOW, _DEVIATES = "nats a frame", "nats a window", "normal deviates"

_ROWS = (
    Score("mean", 0.25, _FRAME, mean_series),
    Score("ratio", 0.25, _FRAME, ratio_series),
    Score("quantile", 0.25, _FRAME, quantile_series),
    Score("scales", 0.5, _DEVIATES, scales_series),
    Score("bands", 0.25, _DEVIATES, bands_series, needs_bands=BANDS),
    Score("twfr", 0.25, _WINDOW, twfr_series, learn_twfr, needs_bands=LEAST_BANDS),
    Score("posterior", 0.5, "of Hellinger distance", posterior_series, learn_posterior),
    Score("cusum", 1.0, _DEVIATES, cusum_series, fused=False),
)
SCORES: MappingProxyType[str, Score] = MappingProxyType({score.name: score for score in _ROWS})
"""Name -> score."""

PLAIN = "mean"
"""The score of a detector that has learned no other: log-likelihoods, averaged by the detector itself."""

FUSION, AUTO = "fusion", "auto"
"""In place of names: all scores that the model allows and that are `fused`, or a choice of them."""

FUSED = tuple(name for name, score in SCORES.items() if score.fused)
"""What `fusion` takes together: all but `cusum`, which is slow by nature."""

LONGEST: Seconds = 60.0
"""Longest window."""


@dataclass(frozen=True, slots=True)
class ScoreSpec:
    """A score that is asked for, with its window.

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
        """Read ``NAME`` or ``NAME:SECONDS``.

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
    """Read which scores are asked for, each once: names with commas between them, or ``fusion``.

    Raises
    ------
    ChoiceError
        If one is unknown, named twice, or none is named.

    Examples
    --------
    >>> [str(spec) for spec in parse_scores("mean,twfr:0.5")]
    ['mean', 'twfr:0.5']
    >>> len(parse_scores("fusion"))
    7
    """
    names = text.split(",") if isinstance(text, str) else list(text)
    if [name.strip() for name in names] == [FUSION]:
        names = list(FUSED)
    specs = tuple(ScoreSpec.parse(name) for name in names)
    if not specs or len(set(specs)) < len(specs):
        raise ChoiceError(
            f"scores {','.join(names)!r}", needed="each score once, or with another window: mean,mean:1"
        )
    return specs


def select_scores(scores: str | Iterable[str], n_bands: int) -> tuple[ScoreSpec, ...]:
    """Read which scores are asked for; of ``fusion`` and ``auto`` those that features of `n_bands` allow.

    Raises
    ------
    ChoiceError
        As of `parse_scores`.

    Examples
    --------
    >>> [str(spec) for spec in select_scores("auto", 0)]
    ['mean', 'ratio', 'quantile', 'scales', 'posterior']
    """
    if scores in (FUSION, AUTO):
        return tuple(spec for spec in parse_scores(FUSED) if spec.score.needs_bands <= n_bands)
    return parse_scores(scores)


def check_scores(scores: str | Iterable[str] | None) -> None:
    """Refuse an unknown score before anything is read.

    Raises
    ------
    ChoiceError
        As of `parse_scores`.
    """
    if scores is not None and scores not in (FUSION, AUTO):
        parse_scores(scores)


def is_plain(specs: Iterable[ScoreSpec]) -> bool:
    """Whether these are the plain score alone: log-likelihoods, which the detector itself averages."""
    return [str(spec) for spec in specs] == [PLAIN]


def score_unit(names: Sequence[str]) -> str:
    """Return the unit of scores: one score has its own, several together are normal deviates.

    Examples
    --------
    >>> score_unit(["mean"]), score_unit(["twfr:0.5"]), score_unit(["mean", "twfr"])
    ('nats a frame', 'nats a window', 'normal deviates')
    """
    return _DEVIATES if len(names) > 1 else ScoreSpec.parse(names[0]).score.unit
