"""Calibrate a model: learn from normal audio how its scores vary."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from audiogmm.anomaly.cells import (
    CellOptions,
    CellScores,
    CellTask,
    LeveledScorer,
    fit_levels,
    levels_of,
    no_cells,
)
from audiogmm.anomaly.detector import Detector
from audiogmm.anomaly.detector_calibration import calibrate_detector
from audiogmm.anomaly.detector_settings import DetectorOptions
from audiogmm.anomaly.learning.assembly import make_scorer
from audiogmm.anomaly.learning.cross_fit import join_tracks
from audiogmm.anomaly.learning.drift_learning import LevelsTask, learn_drift, with_drift
from audiogmm.anomaly.learning.model_parts import (
    read_detector,
    read_detector_settings,
    refuse_alarms_of_rows,
    score_names,
    scores_fingerprint,
    terms_of,
    with_detector,
    with_moments,
)
from audiogmm.anomaly.learning.moments import MomentsTask, learn_moments
from audiogmm.anomaly.moment import MomentRows
from audiogmm.anomaly.scorer import FrameScorer
from audiogmm.anomaly.scorers.table import PLAIN, score_unit
from audiogmm.anomaly.scorers.track import TrackTask
from audiogmm.blocks import Shard
from audiogmm.errors import BudgetError
from audiogmm.files import refuse_folder
from audiogmm.keywords import accepts
from audiogmm.mixture.store import load, model_from
from audiogmm.reduce import LocalReducer
from audiogmm.runs.aside import Aside, ignore_repeated, set_aside_by
from audiogmm.runs.batch import Batch
from audiogmm.runs.keeping import keeping
from audiogmm.runs.outputs import keep_apart
from audiogmm.runs.progress import Progress
from audiogmm.runs.settings import OF_FILES, RunSettings, StreamOptions
from audiogmm.runs.sources import Source
from audiogmm.scoring.track import ScoreTrack
from audiogmm.timeline import FrameClock
from audiogmm.types import Json
from audiogmm.words import SOUND, Terms

if TYPE_CHECKING:
    from audiogmm.mixture.store import AnyModel, Model


@dataclass(frozen=True, kw_only=True)
class CalibrateSettings(RunSettings, StreamOptions, CellOptions, DetectorOptions):
    """How a model is calibrated.

    Attributes
    ----------
    scores : str, iterable of str or None
        What the detector scores by, see `anomaly.learning.scores`; what the model has, by default.
    against : Path or None
        Background model of the score `ratio`.
    """

    scores: str | Iterable[str] | None = None
    against: Path | None = None


@accepts(CalibrateSettings, without=(*OF_FILES, "against"))
def calibrate(
    model: AnyModel,
    source: Source,
    *,
    settings: CalibrateSettings,
    against: AnyModel | None = None,
    aside: Aside | None = None,
    reducer: LocalReducer | None = None,
    progress: Progress | bool | None = None,
) -> Model:
    """Learn from normal audio how the scores of a model vary, and set its threshold.

    Parameters
    ----------
    model : Model or path-like
        Not trained on this audio.
    source : Source
        Normal recordings or tables, as for `train`.
    settings : CalibrateSettings
        Or its fields as keywords: how events are cut out, and what the detector scores by; what the model
        has, or the defaults, where they are not given.
    against : Model or path-like, optional
        Background model of the score `ratio`.
    aside : Aside, optional
        Takes recordings that cannot be used; by default the first one raises.
    reducer : LocalReducer, optional
        In place of one with these threads and workers.
    progress : Progress, optional
        Receives stages and notes.

    Returns
    -------
    Model
        The same with a detector.

    Raises
    ------
    MismatchError
        If no normal frame could be scored, or the model does not allow one of the scores.
    AudioGMMError
        The first bad recording's, unless `aside` takes it.

    Examples
    --------
    >>> import numpy as np
    >>> import audiogmm as ag
    >>> random = np.random.default_rng(0)
    >>> hum = [(0.05 * random.standard_normal(32000), 16000) for _ in range(4)]
    >>> model = ag.train(hum[:2], "ambient", n_components=2, hold_out=0)
    >>> calibrated = ag.calibrate(model, hum[2:], quantile=0.99)
    >>> model.metadata.detector is None, calibrated.metadata.detector["quantile"]
    (True, 0.01)
    """
    from audiogmm.anomaly.learning.score_calibration import calibrate_scores
    from audiogmm.mixture.evaluator import Evaluator

    model, against = model_from(model), None if against is None else model_from(against)
    chosen = settings.applied_to(read_detector_settings(model))
    with Batch(None, settings, progress, aside=aside, reducer=reducer) as batch:
        inputs = batch.open(model, source, again=True)
        model, normal = calibrate_scores(
            model, inputs, settings.scores, against, batch.reducer, batch.progress
        )
        stage = f"scoring normal {terms_of(model).material}"

        # silence is not what normal audio sounds like
        scorers: list[FrameScorer] = [
            make_scorer(part, every_frame=False, leveled=False) for part, _ in normal
        ]
        levels = levels_of(model.metadata.detector)
        rule = settings.cells or (None if levels is None else levels.rule)
        levels = None
        if rule is not None:

            def by_cell(task: CellTask, shards: Iterable[Shard]) -> Iterator[CellScores]:
                return batch.map(f"{stage} by cell", inputs, task, shards=inputs.pooled(shards))

            parts = zip(scorers, normal, strict=True)
            levels = fit_levels(
                rule,
                (row for scorer, (_, shards) in parts for row in by_cell(CellTask(scorer, rule), shards)),
            )
            if levels is None:
                raise no_cells(rule)
            scorers = [LeveledScorer(scorer, levels) for scorer in scorers]

        def tracks() -> Iterator[ScoreTrack]:
            for scorer, (_, shards) in zip(scorers, normal, strict=True):
                task = TrackTask(scorer)
                yield from batch.map(stage, inputs, task, shards=inputs.pooled(shards))

        detector = calibrate_detector(join_tracks(_advancing(batch, tracks())), chosen)
        detector = replace(detector, levels=levels)
        moments = learn_moments(
            Evaluator(model.mixture),
            inputs.frontend,
            [(inputs, True)],
            batch.reducer,
            ignore_repeated,
            batch.progress,
        )
        drift = learn_drift(
            inputs.frontend,
            inputs.pooled(None, ignore_repeated),
            batch.reducer,
            ignore_repeated,
            batch.progress,
        )
    model = with_moments(with_detector(model, detector), moments)
    return model if drift is None and model.metadata.drift is None else with_drift(model, drift)


@dataclass(frozen=True)
class CalibrateResult:
    """A calibrated model, and what its detector learned."""

    output: Path
    detector: Detector
    aside: Aside
    scores: list[str]
    terms: Terms = SOUND

    def summary(self) -> Json:
        """Return what `--json` prints."""
        return {
            "output": str(self.output),
            "recordings": len(self.detector.normal.ids),
            "seconds": len(self.detector.normal.scores) / self.detector.frame_rate,
            "threshold": self.detector.threshold,
            "release": self.detector.release,
            "quantile": 1 - self.detector.settings.quantile,
            "window": self.detector.settings.window,
            "budget": None if self.detector.budget is None else self.detector.budget.to_json(),
            "scores": self.scores,
            "note": self.detector.note,
            **self.aside.summary(),
        }

    def lines(self) -> Iterator[str]:
        """Yield the closing lines."""
        summary, terms = self.summary(), self.terms
        recordings, length = terms.recordings(summary["recordings"]), terms.length(summary["seconds"])
        yield f"normal {terms.material}: {recordings} ({length})"
        rows = 2 * self.detector.half + 1
        windows = f"normal {summary['window']:g} s windows"
        if not terms.unit:
            windows = "normal rows" if rows == 1 else f"normal runs of {rows} rows"
        if summary["budget"] is None:
            windows = f"{self.detector.settings.quantile:.3%} of {windows}"
        unit = terms.of(score_unit(self.scores))
        yield f"threshold: {summary['threshold']:.3f} {unit}, of the mean in {windows}"
        if self.scores != [PLAIN]:
            yield f"scores: {', '.join(self.scores)}"
        if summary["note"]:
            yield f"note: {summary['note']}"
        yield f"model: {self.output}"


@accepts(CalibrateSettings)
def calibrate_to_file(
    model: Path,
    source: str,
    output: Path,
    *,
    settings: CalibrateSettings,
    progress: Progress | bool | None = None,
) -> CalibrateResult:
    """Calibrate as `calibrate` does, and save the model.

    Raises
    ------
    OutputError
        If the model file exists (and not `force`), or cannot be written.
    """
    keep_apart(output, source)
    refuse_folder(output)
    loaded = load(model)
    refuse_alarms_of_rows(loaded, settings.alarms_per_hour)
    against = None if settings.against is None else load(settings.against)
    key = f"{loaded.fingerprint} {scores_fingerprint(loaded)} {against and against.fingerprint} "
    kinds = {TrackTask: (ScoreTrack, FrameClock, Terms), MomentsTask: (MomentRows,), LevelsTask: ()}
    with (
        set_aside_by(output, settings.strict) as aside,
        keeping(output, settings, key + settings.key, kinds, aside, progress) as kept,
    ):
        with aside.explaining():
            try:
                calibrated = calibrate(
                    loaded,
                    source,
                    settings=settings,
                    against=against,
                    aside=aside,
                    reducer=kept.reducer,
                    progress=progress,
                )
            except BudgetError as error:
                raise error.with_command("calibrate", model, source, "-o", output) from None
        calibrated.save(output, force=kept.force)
        return CalibrateResult(
            output, read_detector(calibrated), aside, score_names(calibrated), terms_of(calibrated)
        )


def _advancing(batch: Batch, tracks: Iterable[ScoreTrack]) -> Iterator[ScoreTrack]:
    for track in tracks:
        batch.advance(len(track) / track.clock.frame_rate)
        yield track
