"""The picture of an evaluation of detection."""

from __future__ import annotations

from pathlib import Path

from audiogmm.evaluation.detection.evaluation import DetectionEvaluation
from audiogmm.evaluation.detection.wording import LEVELS, hourly, shown, with_interval
from audiogmm.reporting.detection import DetectionPicture, EventMeasures, SiteRoc, draw_detection
from audiogmm.words import amount


def draw_detection_evaluation(found: DetectionEvaluation, path: Path, *, force: bool = False) -> None:
    """Draw an evaluation as `draw_detection` does."""
    areas = {site.site: site.areas for site in found.sites}
    level = found.curves[0].level if found.curves else "frame"
    curves = [
        SiteRoc(c.site, c.false_alarms, c.hits, areas[c.site][level].auc, areas[c.site][level].pauc)
        for c in found.curves
    ]
    means = found.means.get(level)
    mean = ""
    if means is not None:
        mean = f"{shown(means.auc.value)}, {shown(means.pauc.value)}"
        mean += f" (mean of {means.n_sites})" if means.n_sites > 1 else ""
    if found.dcase is not None:
        mean += f"; official score {shown(found.dcase.score.value)}"
    detected, criteria = found.detected, found.criteria
    named = (
        (f"events,\nonset to {criteria.collars.collar:g} s", detected.onset),
        ("events,\nonset and offset", detected.event),
        (f"segments\nof {criteria.segment:g} s", detected.segment),
        ("recordings", detected.recording),
    )
    few = ", indicative" if found.indicative else ""
    draw_detection(
        DetectionPicture(
            curves=curves,
            what=LEVELS[level],
            mean=mean,
            max_fpr=criteria.max_fpr,
            measures=[EventMeasures(name, r.precision, r.recall, r.f1) for name, r in named if r is not None],
            delays=found.delays,
            n_true=0 if detected.event is None else detected.event.n_true,
            false_alarms=f"{with_interval(detected.false_alarms.per_hour, show=hourly)} false alarms an hour",
            intervals=f"{found.draws.confidence:.0%} over {amount(found.n_recordings, 'recording')}{few}",
        ),
        path,
        force=force,
    )
