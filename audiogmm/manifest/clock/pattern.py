"""A user's pattern for the time in a path."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo

from audiogmm.errors import ChoiceError
from audiogmm.manifest.clock.names import plausible
from audiogmm.types import Seconds

_DIRECTIVES = {
    "Y": r"\d{4}",
    "y": r"\d\d",
    "m": r"\d\d",
    "d": r"\d\d",
    "H": r"\d\d",
    "M": r"\d\d",
    "S": r"\d\d",
    "j": r"\d{3}",
    "f": r"\d{1,6}",
    "z": r"(?:Z|[+-]\d\d:?\d\d)",
    "b": r"[A-Za-z]{3}",
    "s": r"\d{9,10}(?:\.\d+)?",
    "%": "%",
}
"""What a directive of strptime stands for; ``%s`` is Unix time."""


@dataclass(frozen=True)
class TimePattern:
    """A pattern as `strptime` has it, to be searched in a path.

    Parameters
    ----------
    pattern : str
        As ``%Y-%m-%d/%H%M%S``, or ``mic_%s`` for Unix time.

    Raises
    ------
    ChoiceError
        If a directive is unknown, or there is no date in it.

    Examples
    --------
    >>> TimePattern("%Y-%m-%d/%H%M%S").find("/data/2024-05-01/120000.wav")
    1714564800.0
    >>> TimePattern("take%j%y").find("/data/a.wav") is None
    True
    """

    pattern: str

    def __post_init__(self) -> None:
        unknown = sorted({one for one in self._directives() if one not in _DIRECTIVES})
        days = {"s"}, {"j"}, {"d", "m"}, {"d", "b"}
        years = {"s"}, {"Y"}, {"y"}
        has = set(self._directives())
        whole = any(day <= has for day in days) and any(year <= has for year in years)
        if unknown or not whole:
            what = f"the directive %{unknown[0]}" if unknown else "no whole date"
            known = " ".join(f"%{one}" for one in _DIRECTIVES)
            raise ChoiceError(
                f"the time pattern {self.pattern!r} has {what}",
                needed=f"a date of {known}, as strptime has them (%s is Unix time)",
                remedy="--time-pattern %Y%m%d_%H%M%S",
            )

    def _directives(self) -> list[str]:
        return re.findall(r"%(.)", self.pattern)

    def find(self, path: str, zone: tzinfo = UTC) -> Seconds | None:
        """Return the time that is found last in a path; None if it has none, or the digits are no date."""
        parts = re.split(r"(%.)", self.pattern)
        expression = "".join(
            f"({_DIRECTIVES[part[1]]})" if part.startswith("%") and len(part) == 2 else re.escape(part)
            for part in parts
        )
        names = [part for part in parts if part.startswith("%") and len(part) == 2]
        for match in reversed(list(re.finditer(f"(?<!\\d){expression}(?!\\d)", path))):
            values = dict(zip(names, match.groups(), strict=True))
            if "%s" in values:
                return plausible(float(values["%s"]))
            text = " ".join(values[name] for name in values if name != "%%")
            format = " ".join(name for name in values if name != "%%")
            try:
                found = datetime.strptime(text, format)
            except ValueError:
                continue
            return plausible((found if found.tzinfo else found.replace(tzinfo=zone)).timestamp())
        return None
