"""Words in messages that depend on a number, or on what the numbers are about."""

from __future__ import annotations

from dataclasses import dataclass


def article(name: str) -> str:
    """Return a name behind its indefinite article.

    Examples
    --------
    >>> article("int"), article("dict")
    ('an int', 'a dict')
    """
    return f"{'an' if name[0].lower() in 'aeiou' else 'a'} {name}"


def amount(number: int | float, noun: str, plural: str | None = None) -> str:
    """Put a number before its noun, which has an s behind any number but 1 (or is `plural`).

    Examples
    --------
    >>> amount(1, "recording"), amount(1200, "frame"), amount(0, "pass", "passes")
    ('1 recording', '1,200 frames', '0 passes')
    """
    return f"{number:,.0f} {noun if number == 1 else plural or noun + 's'}"


@dataclass(frozen=True)
class Terms:
    """What messages call the things that a model is about: a table of numbers has rows, and no seconds.

    Attributes
    ----------
    material, recording, frame : str
        The nouns.
    unit : str
        Behind a time; empty where a time is the number of a row.

    Examples
    --------
    >>> SOUND.recordings(1), SOUND.length(150.0), SOUND.span(1.0, 2.5), SOUND.of("nats a frame")
    ('1 recording', '2.5 minutes', '1.00 to 2.50 s', 'nats a frame')
    >>> SOUND.length(30.0)
    '30.0 s'
    >>> TABLE.frames(1200), TABLE.length(150.0), TABLE.span(12.0, 14.0), TABLE.of("nats a frame")
    ('1,200 rows', '150 rows', 'rows 12 to 14', 'nats a row')
    """

    material: str
    recording: str
    frame: str
    unit: str

    def recordings(self, number: int) -> str:
        """Return so many recordings, or tables."""
        return amount(number, self.recording)

    def frames(self, number: float) -> str:
        """Return so many frames, or rows."""
        return amount(number, self.frame)

    def length(self, seconds: float) -> str:
        """Return how long recordings are together."""
        if not self.unit:
            return self.frames(round(seconds))
        return f"{seconds:.1f} s" if seconds < 60 else f"{seconds / 60:,.1f} minutes"

    def moment(self, seconds: float) -> str:
        """Return a place in a recording."""
        return f"{seconds:.2f}{self.unit}" if self.unit else f"{self.frame} {seconds:.0f}"

    def span(self, start: float, end: float) -> str:
        """Return a segment of a recording."""
        if self.unit:
            return f"{start:.2f} to {end:.2f}{self.unit}"
        return f"{self.frame}s {start:.0f} to {end:.0f}"

    def of(self, unit: str) -> str:
        """Return a unit of scores in these terms."""
        return unit.replace("frame", self.frame)


SOUND = Terms("audio", "recording", "frame", " s")
TABLE = Terms("data", "table", "row", "")
