"""Normal scores for a detector: all recordings in turns, scored by models of the others."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from audiogmm.anomaly.cells import CellLevels, CellRule, CellTask, LeveledScorer, fit_levels, no_cells
from audiogmm.anomaly.detector import Detector
from audiogmm.anomaly.detector_calibration import calibrate_detector
from audiogmm.anomaly.detector_settings import DetectorSettings
from audiogmm.anomaly.learning.assembly import make_score_context
from audiogmm.anomaly.learning.score_calibration import find_frame_rate
from audiogmm.anomaly.learning.score_learning import learn_scores
from audiogmm.anomaly.normal import MOST_FRAMES
from audiogmm.anomaly.scorer import FrameScorer, LogLikelihoodScorer
from audiogmm.anomaly.scorers.learned import LearnedScores
from audiogmm.anomaly.scorers.score import NormalRecordings
from audiogmm.anomaly.scorers.table import AUTO, is_plain, select_scores
from audiogmm.anomaly.scorers.track import TrackTask
from audiogmm.audio.decode import probe
from audiogmm.audio.recording import Recording
from audiogmm.blocks import Shard
from audiogmm.errors import AudioGMMError
from audiogmm.manifest import Entry
from audiogmm.mixture.evaluator import Evaluator
from audiogmm.mixture.gaussian import Mixture
from audiogmm.reduce import Reducer
from audiogmm.runs.aside import ignore_repeated
from audiogmm.runs.holdout import take_turns
from audiogmm.runs.progress import Progress, say_nothing
from audiogmm.runs.training_inputs import TrainingInputs
from audiogmm.scoring.track import ScoreTrack
from audiogmm.training.result import TrainingResult
from audiogmm.types import Seconds

TURNS: tuple[tuple[Seconds, int], ...] = ((600.0, 5), (3600.0, 3))
"""Turns in which less audio than this is held out; two where there is more."""

Fit = Callable[[Iterable[Shard], str, str], TrainingResult]
"""Trains on some recordings; takes a name for the checkpoint and one for the stage of progress as well."""


@dataclass(frozen=True, slots=True)
class Fold:
    """A model of the recordings that were kept, and those that were held out."""

    mixture: Mixture
    kept: Iterable[Shard]
    held: Iterable[Shard]


def count_turns(n_frames: int, frame_rate: float, share: float) -> tuple[int, float]:
    """Count the turns in which recordings are held out, and the share that is held out in one turn.

    A tenth of an hour says little about what is rare, so that all recordings are held out once. A model of
    fewer recordings fits new ones worse than the final model does, the more so the less audio there is:
    short audio takes more turns. Where one turn fills what a detector keeps, there is no other.

    Examples
    --------
    >>> [count_turns(100 * seconds, 100.0, 0.1) for seconds in (120, 1800, 7200, 200_000)]
    [(5, 0.1), (3, 0.1), (2, 0.1), (1, 0.1)]
    """
    kept = MOST_FRAMES / max(n_frames, 1)
    if kept <= 0.5:
        return 1, max(share, kept)
    by_length = next((n for length, n in TURNS if n_frames < length * frame_rate), 2)
    return max(2, min(by_length, round(1 / share))), share


def count_frames(inputs: TrainingInputs) -> tuple[int, float]:
    """Count the frames of recordings, and a second's.

    Audio is counted by its duration, in the manifest or else in its header. It is read where neither states
    one, as are tables and blocks of frames, as far as the number decides how many turns there are.
    """
    n_frames, n_read, frame_rate, frontend = 0.0, 0, 1.0, inputs.frontend
    clock = frontend and frontend.sample_rate and frontend.clock(frontend.sample_rate)
    for shard in inputs.shards if inputs.recordings is None else inputs.recordings:
        try:
            seconds = find_duration(shard.entry) if clock and isinstance(shard, Recording) else None
            if clock and seconds is not None:
                n_frames, frame_rate = n_frames + seconds * clock.frame_rate, clock.frame_rate
                continue
            for block in shard:
                n_read, frame_rate = n_read + len(block), block.clock.frame_rate
        except AudioGMMError:
            continue  # set aside when it is trained on
        if n_read > 2 * MOST_FRAMES:
            break
    return round(n_frames) + n_read, frame_rate


def find_duration(entry: Entry) -> Seconds | None:
    """Find how long the audio of an entry is without reading it; None where nothing states it.

    Raises
    ------
    AudioGMMError
        If it cannot be opened.
    """
    if entry.features_filepath is not None:
        return None
    if entry.duration is not None:
        return entry.duration
    whole = probe(entry, full=False, warn=say_nothing).duration
    return None if whole is None else whole - entry.offset


def cross_fit(fit: Fit, inputs: TrainingInputs, share: float, seed: int) -> list[Fold]:
    """Train on the recordings that are kept, in turns, until each has been held out (cross-fitting).

    Each training starts from scratch: from a model of all recordings, even many passes of EM over some of
    them remember the others.

    Parameters
    ----------
    fit : callable
        See `Fit`.
    inputs : TrainingInputs
        The recordings.
    share : float
        Of the recordings that are held out at a time, at least.
    seed : int
        Of the turns.
    """
    turns = take_turns(inputs, *count_turns(*count_frames(inputs), share), seed)
    folds = []
    for i, (kept, held) in enumerate(turns):
        stage = f"training, others held out ({i + 1} of {len(turns)})"
        folds.append(Fold(fit(kept, f"turn{i + 1}", stage).mixture, kept, held))
    return folds


def calibrate_folds(
    folds: Sequence[Fold],
    scores: str | Iterable[str] | None,
    inputs: TrainingInputs,
    reducer: Reducer,
    progress: Progress,
    cells: CellRule | None = None,
) -> tuple[Detector, LearnedScores | None]:
    """Calibrate a detector with what held-out recordings score under models of the others.

    Scores that learn do so from what each fold kept, and the scale that they are on is that of all held-out
    recordings.

    Returns
    -------
    Detector
        With its thresholds.
    LearnedScores or None
        Of the first fold, to be learned again from all (`relearn_scores`); None for plain log-likelihoods.

    Raises
    ------
    MismatchError
        If the features do not allow a score that was named, or nothing can be scored.
    """
    on_error = inputs.on_error and ignore_repeated
    scorers: list[FrameScorer] = [LogLikelihoodScorer(Evaluator(fold.mixture)) for fold in folds]
    learned: LearnedScores | None = None
    if scores is not None:
        frontend = inputs.frontend
        rate = find_frame_rate(frontend, inputs.shards)
        contexts = [make_score_context(fold.mixture, frontend, rate) for fold in folds]
        wanted = select_scores(scores, contexts[0].n_bands)
        if not is_plain(wanted):
            progress.begin("learning scores", None, "recordings")
            normal = [
                NormalRecordings(inputs.pooled(fold.kept), inputs.pooled(fold.held), reducer, on_error)
                for fold in folds
            ]
            found = learn_scores(wanted, list(zip(contexts, normal, strict=True)), choose=scores == AUTO)
            if not is_plain(found[0].specs):
                learned = found[0]
                scorers = [each.scorer(context) for each, context in zip(found, contexts, strict=True)]
            progress.end()

    levels: CellLevels | None = None
    if cells is not None:
        progress.begin("scoring normal audio by cell", None, "recordings")
        levels = fit_levels(
            cells,
            (
                row
                for fold, scorer in zip(folds, scorers, strict=True)
                for row in reducer.map(inputs.pooled(fold.held), CellTask(scorer, cells), on_error)
            ),
        )
        progress.end()
        if levels is None:
            raise no_cells(cells)
        scorers = [LeveledScorer(scorer, levels) for scorer in scorers]

    def tracks() -> Iterator[ScoreTrack]:
        progress.begin("scoring what was held out", None, "recordings")
        for fold, scorer in zip(folds, scorers, strict=True):
            yield from reducer.map(inputs.pooled(fold.held), TrackTask(scorer), on_error)

    try:
        detector = calibrate_detector(join_tracks(tracks()), DetectorSettings(by_default=True))
        return replace(detector, levels=levels), learned
    finally:
        progress.end()


def join_tracks(tracks: Iterable[ScoreTrack]) -> Iterator[ScoreTrack]:
    """Join the tracks of consecutive parts of one recording.

    Examples
    --------
    >>> from audiogmm.timeline import FrameClock
    >>> parts = [ScoreTrack(id, np.zeros(2), np.ones(2, bool), FrameClock.for_rows()) for id in "aab"]
    >>> [(track.id, len(track)) for track in join_tracks(parts)]
    [('a', 4), ('b', 2)]
    """
    last: ScoreTrack | None = None
    for track in tracks:
        if last is not None and last.id == track.id:
            scores = np.concatenate([last.scores, track.scores])
            last = replace(last, scores=scores, voiced=np.concatenate([last.voiced, track.voiced]))
            continue
        if last is not None:
            yield last
        last = track
    if last is not None:
        yield last
