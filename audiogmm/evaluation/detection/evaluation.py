"""The result of an evaluation of detection."""

from __future__ import annotations

from dataclasses import dataclass

from audiogmm.evaluation.detection.areas import MeanAreas
from audiogmm.evaluation.detection.criteria import DetectionCriteria
from audiogmm.evaluation.detection.dcase_score import DcaseScore
from audiogmm.evaluation.detection.event_figures import EventFigures
from audiogmm.evaluation.detection.site_figures import SiteFigures
from audiogmm.evaluation.intervals import INDICATIVE_BELOW, Draws, fields_to_json
from audiogmm.runs.aside import Aside
from audiogmm.types import FloatArray, Json


@dataclass(frozen=True, eq=False)
class RocCurve:
    """The ROC curve of one site.

    Attributes
    ----------
    site, level : str
        Whose, and of frames, segments or clips.
    false_alarms, hits : ndarray of shape (n,), float64
        Rates, rising from 0 to 1.
    """

    site: str
    level: str
    false_alarms: FloatArray
    hits: FloatArray


@dataclass(frozen=True)
class DetectionEvaluation:
    """The result of an evaluation of detection.

    Attributes
    ----------
    events, scores : tuple of str
        The files of events, and the folders of tracks.
    manifest : str
        The recordings with their truth.
    by : tuple of str
        Keys whose values make the sites.
    criteria : DetectionCriteria
        Windows, segments, clip score, collars.
    n_recordings, n_anomalous : int
        Recordings evaluated, and those with anything anomalous.
    hours : float
        Of audio.
    means : mapping from str to MeanAreas
        Of frames, segments and clips, over the sites that have both kinds.
    detected : EventFigures
        Figures of the events, of all sites together.
    sites : tuple of SiteFigures
        Figures of each site, by name.
    dcase : DcaseScore or None
        The official score, where asked for.
    curves : tuple of RocCurve
        For a picture.
    delays : ndarray of shape (n_caught,), float64
        Of the true events that were found, in rising order, seconds.
    notes : tuple of str
        What a reader should know.
    draws : Draws
        Of recordings, for the intervals.
    aside : Aside
        Recordings, events and sites that were not used.
    """

    events: tuple[str, ...]
    scores: tuple[str, ...]
    manifest: str
    by: tuple[str, ...]
    criteria: DetectionCriteria
    n_recordings: int
    n_anomalous: int
    hours: float
    means: dict[str, MeanAreas]
    detected: EventFigures
    sites: tuple[SiteFigures, ...]
    dcase: DcaseScore | None
    curves: tuple[RocCurve, ...]
    delays: FloatArray
    notes: tuple[str, ...]
    draws: Draws
    aside: Aside

    @property
    def indicative(self) -> bool:
        """Whether there are so few recordings that the intervals are to be read with care."""
        return self.n_recordings < INDICATIVE_BELOW

    def to_dict(self) -> Json:
        """Return the result as one JSON object."""
        criteria = self.criteria
        return {
            "events": list(self.events),
            "manifest": self.manifest,
            "scores": list(self.scores),
            "by": list(self.by),
            "n_recordings": self.n_recordings,
            "n_anomalous": self.n_anomalous,
            "hours": self.hours,
            "areas": {level: fields_to_json(means) for level, means in self.means.items()},
            "detected": fields_to_json(self.detected),
            "dcase": None if self.dcase is None else self.dcase.to_json(),
            "sites": [site.to_json() for site in self.sites],
            "settings": {
                "window_seconds": criteria.window,
                "segment_seconds": criteria.segment,
                "clip": criteria.clip,
                "max_fpr": criteria.max_fpr,
                "collar_seconds": criteria.collars.collar,
                "offset_share": criteria.collars.offset_share,
            },
            "interval": {
                "confidence": self.draws.confidence,
                "resampled": "recordings of each site",
                "replicates": self.draws.replicates,
                "seed": self.draws.seed,
                "indicative": self.indicative,
            },
            "notes": list(self.notes),
        }
