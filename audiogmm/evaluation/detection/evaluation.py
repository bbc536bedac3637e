"""What there is to say about events that were found, where the truth is known."""

from __future__ import annotations

from dataclasses import dataclass

from audiogmm.evaluation.detection.case import DetectionCriteria
from audiogmm.evaluation.detection.figures import Detected, MeanAreas, Rates, SiteFigures
from audiogmm.evaluation.intervals import FEW_RECORDINGS, Draws, Interval
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
class DcaseSection:
    """The official figures of one section of a machine.

    Attributes
    ----------
    machine, section : str
        Which.
    figures : mapping from str to Interval
        By the organisers' names.
    decisions : mapping from str to Rates
        Precision, recall and F1 of each domain: a clip is called anomalous if anything was found in it.
    reason : str
        Why it is left out of the score; empty if it is not.
    """

    machine: str
    section: str
    figures: dict[str, Interval]
    decisions: dict[str, Rates]
    reason: str = ""

    def to_json(self) -> Json:
        """As a JSON object."""
        return {
            "machine": self.machine,
            "section": self.section,
            "figures": {name: figure.to_json() for name, figure in self.figures.items()},
            "decisions": {domain: rates.to_json() for domain, rates in self.decisions.items()},
            "left_out": self.reason or None,
        }


@dataclass(frozen=True)
class DcaseScore:
    """The official score of DCASE Task 2.

    Attributes
    ----------
    year : int
        Whose rules.
    mean : {"arithmetic", "harmonic"}
        Which is taken.
    score : Interval
        Of the system; NaN where no section could be measured.
    sections : tuple of DcaseSection
        By machine and section.
    machines : mapping from str to mapping from str to Interval
        The mean of each figure over the sections of a machine, of the kind that the year takes.
    """

    year: int
    mean: str
    score: Interval
    sections: tuple[DcaseSection, ...]
    machines: dict[str, dict[str, Interval]]

    def to_json(self) -> Json:
        """As a JSON object."""
        return {
            "year": self.year,
            "official_score": self.score.to_json(),
            "mean": self.mean,
            "machines": {
                machine: {name: figure.to_json() for name, figure in figures.items()}
                for machine, figures in self.machines.items()
            },
            "sections": [section.to_json() for section in self.sections],
        }


@dataclass(frozen=True)
class DetectionEvaluation:
    """What there is to say about events.

    Attributes
    ----------
    events, scores : tuple of str
        The files of events, and the folders of tracks.
    manifest : str
        The recordings with their truth.
    by : tuple of str
        Keys whose values make the sites.
    judging : DetectionCriteria
        How they were judged.
    n_recordings, n_anomalous : int
        Recordings judged, and those with anything anomalous.
    hours : float
        Of audio.
    means : mapping from str to MeanAreas
        Of frames, segments and clips, over the sites that have both kinds.
    detected : Detected
        What the events are worth, all sites together.
    sites : tuple of SiteFigures
        Each by itself, by name.
    dcase : DcaseScore or None
        The official score, where asked for.
    curves : tuple of RocCurve
        For a picture.
    delays : ndarray of shape (n_caught,), float64
        Of the true events that were caught, in rising order, seconds.
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
    judging: DetectionCriteria
    n_recordings: int
    n_anomalous: int
    hours: float
    means: dict[str, MeanAreas]
    detected: Detected
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
        return self.n_recordings < FEW_RECORDINGS

    def to_dict(self) -> Json:
        """The result as one JSON object."""
        judging = self.judging
        return {
            "events": list(self.events),
            "manifest": self.manifest,
            "scores": list(self.scores),
            "by": list(self.by),
            "n_recordings": self.n_recordings,
            "n_anomalous": self.n_anomalous,
            "hours": self.hours,
            "areas": {level: means.to_json() for level, means in self.means.items()},
            "detected": self.detected.to_json(),
            "dcase": None if self.dcase is None else self.dcase.to_json(),
            "sites": [site.to_json() for site in self.sites],
            "settings": {
                "window_seconds": judging.window,
                "segment_seconds": judging.segment,
                "clip": judging.clip,
                "max_fpr": judging.max_fpr,
                "collar_seconds": judging.collars.collar,
                "offset_share": judging.collars.offset_share,
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
