"""All figures of one site."""

from __future__ import annotations

from dataclasses import dataclass

from audiogmm.evaluation.detection.areas import Areas
from audiogmm.evaluation.detection.event_figures import EventFigures
from audiogmm.evaluation.intervals import INDICATIVE_BELOW, fields_to_json
from audiogmm.types import Json


@dataclass(frozen=True, slots=True)
class SiteFigures:
    """All figures of one site.

    Attributes
    ----------
    site : str
        Its name.
    n_recordings, n_anomalous : int
        Recordings, and those with anything anomalous.
    hours : float
        Of audio.
    areas : mapping from str to Areas
        Of frames, segments and clips, where there are anomalous and normal ones.
    left_out : mapping from str to str
        Why the others have none.
    detected : EventFigures
        Of the events found.
    """

    site: str
    n_recordings: int
    n_anomalous: int
    hours: float
    areas: dict[str, Areas]
    left_out: dict[str, str]
    detected: EventFigures

    @property
    def indicative(self) -> bool:
        """Whether there are so few recordings that an interval is to be read with care."""
        return self.n_recordings < INDICATIVE_BELOW

    def to_json(self) -> Json:
        """Return a JSON object."""
        return fields_to_json(self) | {"indicative": self.indicative}
