"""What a departure that lasted turned out to be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from audiogmm.types import BoolArray, FloatArray, Json, Seconds
from audiogmm.wall_clock import format_time

Verdict = Literal["transient", "changed", "rising"]
"""`transient`: it ended by itself; `changed`: it stays, steady, in a new place; `rising`: it goes on."""

VERDICTS: tuple[Verdict, ...] = ("transient", "changed", "rising")

TOLD = 0.5
"""Bands are named whose level changed by at least this share of the largest change."""


@dataclass(frozen=True, slots=True)
class Change:
    """A departure, and what it is.

    Attributes
    ----------
    verdict : {"transient", "changed", "rising"}
        It ended, is steady in a new place, or goes on.
    since, at : Seconds
        When it began, and when that was decided, or it ended.
    earliest, latest : Seconds
        Between them it began, at 95 %.
    shift : ndarray of shape (n_bands,), float64
        Change of the level of each band since then, decibels.
    hertz : ndarray of shape (n_bands, 3), float64
        Lower edge, center and upper edge of the bands.
    probability : float
        Of the verdict against the other one.
    begins : Seconds
        Where the event begins that tells it: `since`, but the last block for what rose for hours.
    severity : float
        Largest change of a band, beside the least one that would count.
    rate, rate_low, rate_high : float or None
        Of the bands named, decibels an hour, with an interval of 95 %, where it is rising.
    """

    verdict: Verdict
    since: Seconds
    at: Seconds
    earliest: Seconds
    latest: Seconds
    shift: FloatArray
    hertz: FloatArray
    probability: float
    begins: Seconds
    severity: float = 1.0
    rate: float | None = None
    rate_low: float | None = None
    rate_high: float | None = None

    @property
    def named(self) -> BoolArray:
        """Which bands changed most, see `find_named`."""
        return find_named(self.shift)

    @property
    def decibels(self) -> float:
        """Mean change of the bands named."""
        return float(self.shift[self.named].mean())

    @property
    def bands(self) -> list[list[float]]:
        """Lower and upper edge of each run of bands named, hertz."""
        found: list[list[float]] = []
        chosen = np.flatnonzero(self.named)
        for band in chosen.tolist():
            low, high = (round(float(self.hertz[band, edge])) for edge in (0, 2))
            if found and band - 1 in chosen:
                found[-1][1] = high
            else:
                found.append([low, high])
        return found

    def hours_to(self, decibels: float) -> tuple[float, float | None] | None:
        """Return in how many hours it will have changed by so much: soonest and latest, None for never."""
        if self.rate_low is None or self.rate_high is None:
            return None
        left = max(0.0, decibels - abs(self.decibels))
        slow, fast = sorted((abs(self.rate_low), abs(self.rate_high)))
        crosses = self.rate_low * self.rate_high <= 0
        return left / max(fast, 1e-9), None if crosses or not slow else left / slow

    def to_dict(self) -> Json:
        """Return what an event has as `change`."""
        row: Json = {
            "bands": self.bands,
            "db": round(self.decibels, 2),
            "since": format_time(self.since),
            "since_interval": [format_time(self.earliest), format_time(self.latest)],
            "probability": round(self.probability, 3),
        }
        if self.rate is not None and self.rate_low is not None and self.rate_high is not None:
            row["rate_db_per_hour"] = round(self.rate, 3)
            row["rate_interval"] = [round(self.rate_low, 3), round(self.rate_high, 3)]
            further = 2 * abs(self.decibels)
            hours = self.hours_to(further)
            assert hours is not None
            row["projected"] = {
                "db": round(float(np.copysign(further, self.decibels)), 2),
                "hours": [None if one is None else round(one, 2) for one in hours],
            }
        return row

    def line(self) -> str:
        """Return it in one line: when, what changed by how many decibels in which band, how sure.

        Examples
        --------
        >>> hertz = np.array([[0.0, 50.0, 100.0], [50.0, 100.0, 200.0]])
        >>> Change("changed", 60, 600, 50, 70, np.array([0.1, 6.0]), hertz, 0.99, 60).line()
        'changed for good since 60 s: +6.0 dB in 50 to 200 Hz (99 % sure)'
        """
        return describe_change(self.verdict, self.to_dict())


def find_named(shift: FloatArray) -> BoolArray:
    """Return which bands changed most, and all of them in one direction; shape (n_bands,)."""
    size = np.abs(shift)
    named: BoolArray = (size >= TOLD * size.max()) & (np.sign(shift) == np.sign(shift[size.argmax()]))
    return named


def describe_change(verdict: str, change: Json) -> str:
    """Return one line about a change as an event has it, see `Change.line`."""
    since = change["since"]
    since = since if isinstance(since, str) else f"{since:,.0f} s"
    where = " and ".join(f"{low:,.0f} to {high:,.0f} Hz" for low, high in change["bands"])
    what = "changed for good" if verdict == "changed" else verdict
    text = f"{what} since {since}: {change['db']:+.1f} dB in {where}"
    if "rate_db_per_hour" in change:
        low, high = change["rate_interval"]
        text += f", {change['rate_db_per_hour']:+.2f} dB an hour ({low:+.2f} to {high:+.2f})"
        soonest, latest = change["projected"]["hours"]
        span = f"{soonest:,.1f} h or later" if latest is None else f"{soonest:,.1f} to {latest:,.1f} h"
        text += f", {change['projected']['db']:+.1f} dB in {span}"
    return f"{text} ({100 * change['probability']:.0f} % sure)"
