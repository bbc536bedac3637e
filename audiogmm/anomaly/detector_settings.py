"""How events are cut out of scores: windows, thresholds, gaps and least durations."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from audiogmm.errors import ChoiceError
from audiogmm.types import Json, Seconds


@dataclass(frozen=True)
class DetectorSettings:
    """How events are cut out of scores.

    Parameters
    ----------
    window : Seconds
        Length of the box over which scores are averaged, centered on the frame.
    quantile : float
        Share of normal windows that score at or under the threshold: 0.001 is the 99.9 % rule.
    release_quantile : float
        The same of the looser threshold: an event reaches as far to both sides as scores stay under it.
    min_duration : Seconds
        Shorter events are dropped, after merging.
    merge_gap : Seconds
        Events this far apart, or less, are one.
    alarms_per_hour : float, optional
        Rate of events that normal audio may raise: sets the threshold in place of `quantile`.
    by_default : bool
        Whether nobody asked for a threshold: it then follows from how much normal audio there is, see
        `default_budget`.

    Raises
    ------
    ChoiceError
        If a value is outside its range.

    Examples
    --------
    >>> DetectorSettings(quantile=0.01, release_quantile=0.05).window
    0.5
    """

    window: Seconds = 0.5
    quantile: float = 0.001
    release_quantile: float = 0.02
    min_duration: Seconds = 0.1
    merge_gap: Seconds = 0.25
    alarms_per_hour: float | None = None
    by_default: bool = False

    def __post_init__(self) -> None:
        if not 0 < self.quantile <= self.release_quantile <= 0.5:
            raise ChoiceError(
                f"quantile={self.quantile}, release_quantile={self.release_quantile}",
                needed="0 < quantile <= release_quantile <= 0.5: events begin under the stricter threshold",
            )
        if not (
            0 < self.window < np.inf and 0 <= self.min_duration < np.inf and 0 <= self.merge_gap < np.inf
        ):
            raise ChoiceError(
                f"window={self.window}, min_duration={self.min_duration}, merge_gap={self.merge_gap}",
                needed="seconds: a positive window, and finite values of at least 0",
            )
        if self.alarms_per_hour is not None and not 0 < self.alarms_per_hour < np.inf:
            raise ChoiceError(
                f"alarms_per_hour={self.alarms_per_hour}", needed="a positive number of alarms an hour"
            )


def settings_from(metadata: Json) -> DetectorSettings:
    """Read the settings in a detector's metadata.

    Raises
    ------
    KeyError
        If one is missing.
    """
    known = {name: metadata[name] for name in _SETTINGS if name not in ("alarms_per_hour", "by_default")}
    rate, by_default = metadata.get("alarms_per_hour"), metadata.get("by_default", False)
    return DetectorSettings(**known, alarms_per_hour=rate, by_default=by_default)


_SETTINGS = tuple(DetectorSettings.__dataclass_fields__)


@dataclass(frozen=True, kw_only=True)
class DetectorOptions:
    """What a user asks of a detector; None leaves what the detector has.

    Attributes
    ----------
    window, min_duration, merge_gap : Seconds or None
        As of `DetectorSettings`.
    quantile : float or None
        Share of normal windows that raise no alarm, in [0.5, 1): sets the threshold.
    alarms_per_hour : float or None
        Rate of events that normal audio may raise: sets the threshold in place of `quantile`.

    Raises
    ------
    ChoiceError
        If `quantile` and `alarms_per_hour` are both given.

    Examples
    --------
    >>> found = DetectorOptions(quantile=0.99).applied_to(DetectorSettings(alarms_per_hour=2.0))
    >>> found.quantile, found.alarms_per_hour
    (0.01, None)
    """

    window: Seconds | None = None
    quantile: float | None = None
    alarms_per_hour: float | None = None
    min_duration: Seconds | None = None
    merge_gap: Seconds | None = None

    def __post_init__(self) -> None:
        if self.quantile is not None and self.alarms_per_hour is not None:
            raise ChoiceError(
                f"a quantile of {self.quantile:g} and {self.alarms_per_hour:g} alarms an hour",
                needed="one of them, to set the threshold by",
            )

    def applied_to(self, settings: DetectorSettings) -> DetectorSettings:
        """Return the settings with those changed that were given.

        Raises
        ------
        ChoiceError
            If a value is outside its range.
        """
        names = ("window", "alarms_per_hour", "min_duration", "merge_gap")
        changes: dict[str, Any] = {name: getattr(self, name) for name in names}
        if self.quantile is not None:
            changes["quantile"] = round(1 - self.quantile, 12)
            changes["release_quantile"] = max(settings.release_quantile, changes["quantile"])
            settings = replace(settings, alarms_per_hour=None, by_default=False)
        if self.alarms_per_hour is not None:
            settings = replace(settings, by_default=False)
        return replace(settings, **{name: value for name, value in changes.items() if value is not None})
