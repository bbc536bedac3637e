"""Learning a back end from the background's speakers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace

import numpy as np

from audiogmm.errors import TrainingError
from audiogmm.mixture.gaussian import Mixture
from audiogmm.reduce import LocalReducer
from audiogmm.training.frames.row_spool import BLOCK_ROWS, RowSpool
from audiogmm.types import BoolArray, FloatArray, Frames, Json
from audiogmm.verification.adaptation import Adaptation
from audiogmm.verification.backend import BackEnd
from audiogmm.verification.background import AnyRecording
from audiogmm.verification.background_trials import (
    MAX_SPEAKERS,
    BackgroundTrials,
    SpeakerRecordings,
    TrialMaker,
    choose_test_recordings,
)
from audiogmm.verification.calibration import Calibration
from audiogmm.verification.calibration_fitting import extend_calibration, fit_calibration
from audiogmm.verification.normalization import NORMALIZATIONS
from audiogmm.verification.pieces import Pieces, cut_pieces
from audiogmm.verification.space import Space, SpaceSettings, learn_space, supervectors
from audiogmm.words import amount

MIN_SPEAKERS = 20
"""Speakers from whom a back end can be learned."""

FOLDS = 4
"""Parts of the speakers; trials of a part are scored in a space that is learned from the other parts."""

COLUMNS = ("raw", "space", "log_voiced_seconds", "log_enrolled_seconds")
"""Columns that a calibration reads."""

NOISE_COLUMNS = ("noise", "noise*raw", "noise*space")
"""Columns that it reads, too, if it is learned from noisy tests."""

MAX_COHORT = 500
"""Impostors of normalization, at most."""


def learn_backend(
    background: Mixture,
    recordings: Sequence[AnyRecording],
    *,
    channels: Frames | None = None,
    settings: SpaceSettings | None = None,
    adaptation: Adaptation | None = None,
    reducer: LocalReducer | None = None,
    noisy: Mapping[str, AnyRecording] | None = None,
) -> BackEnd:
    """Learn a back end from the recordings of background speakers.

    The space is learned from pieces of recordings, some of them also as if over another channel. For
    calibration the speakers are divided into `FOLDS` parts: trials between those of one part are scored in a
    space that is learned from the others. (The background model itself is trained on all of them.)
    Statistics, vectors and frames are in temporary files, `BLOCK_ROWS` of them in memory.

    Parameters
    ----------
    background : Mixture
        The background model.
    recordings : sequence of BackgroundRecording or StoredRecording
        Some frames of each speaker.
    channels : ndarray of shape (c, n_features), float32, optional
        Offsets of frames over other channels.
    settings : SpaceSettings, optional
        Of the space.
    adaptation : Adaptation, optional
        How speakers' models are computed; the calibration holds for these settings.
    reducer : LocalReducer, optional
        Its threads do the work; the result does not depend on them.
    noisy : mapping of str to BackgroundRecording or StoredRecording, optional
        Recordings of `select_tests`, by id, with noise added: further columns of the calibration are learned
        from them. Scores without noise are calibrated as without these.

    Raises
    ------
    TrainingError
        If there are fewer than `MIN_SPEAKERS` speakers, or too few recordings of each for the
        compensation asked for.
    OutputError
        If the temporary folder does not take what is kept there.
    """
    settings, adaptation = settings or SpaceSettings(), adaptation or Adaptation()
    reducer = reducer or LocalReducer(1)
    names = list(dict.fromkeys(recording.speaker for recording in recordings))
    if len(names) < MIN_SPEAKERS:
        raise TrainingError(
            f"a back end from {amount(len(names), 'speaker')}",
            needed=f"recordings of at least {MIN_SPEAKERS}",
            remedy="a background with more speakers, or plain likelihood ratios (--speakers no)",
        )
    with RowSpool() as spool:
        pieces = cut_pieces(background, recordings, spool, channels, reducer)
        space = learn_space(pieces, settings)
        cohort = _cohort(space, pieces, np.ones(len(names), bool))
        columns, target, has_noise = [], [], []
        for fold in _folds(len(names)):
            whose = [
                SpeakerRecordings(names[i], i, [r for r in recordings if r.speaker == names[i]])
                for i in np.flatnonzero(fold).tolist()
            ]
            without = learn_space(pieces, settings, without=fold)
            scorer = _FoldScorer(background, without, _cohort(without, pieces, ~fold), adaptation, reducer)
            del without  # it is large
            if (scored := scorer.score(whose, noisy or {})) is not None:
                columns.append(scored[0])
                target.append(scored[1].target)
                has_noise.append(scored[1].noisy)
            del scorer
    calibrations = {}
    if columns:
        truth, with_noise = np.concatenate(target), np.concatenate(has_noise)
        shared = set.intersection(*map(set, columns))
        for method in NORMALIZATIONS:
            if f"space.{method}" in shared:
                read = {name: f"space.{method}" if name == "space" else name for name in (*COLUMNS, "noise")}
                known = {name: np.concatenate([c[of] for c in columns]) for name, of in read.items()}
                calibrations[method] = _calibration(known, truth, with_noise)
    about: Json = {
        "n_speakers": len(names),
        "n_recordings": len(recordings),
        "n_pieces": len(pieces.owners),
        "n_trials": int(sum(map(len, target))),
        "n_noisy_trials": int(sum(map(np.count_nonzero, has_noise))),
        "channels": 0 if channels is None else len(channels),
        "settings": asdict(settings),
        "adaptation": adaptation.to_dict(),
    }
    return BackEnd(background, space, cohort.astype(np.float32), calibrations, about)


class _FoldScorer:
    """Scores trials between some speakers in a space that is learned from the others."""

    def __init__(
        self,
        background: Mixture,
        space: Space,
        cohort: FloatArray,
        adaptation: Adaptation,
        reducer: LocalReducer,
    ) -> None:
        self.backend = BackEnd(background, replace(space, projection=space.projection.widened), cohort)
        self.adaptation, self.reducer = adaptation, reducer

    def score(
        self, speakers: Sequence[SpeakerRecordings], noisy: Mapping[str, AnyRecording]
    ) -> tuple[dict[str, FloatArray], BackgroundTrials] | None:
        """Return the columns of all trials, and these; None where there are none."""
        backend = self.backend
        maker = TrialMaker(backend.background, backend.vector, self.adaptation, self.reducer, noisy)
        with RowSpool() as spool:
            trials = maker.make(speakers, spool)
        if trials is None:
            return None
        models, tests = (np.stack([side.vector for side in sides]) for sides in (trials.models, trials.tests))
        scores = {method: backend.scores(models, tests, method) for method in backend.normalizations}
        space = {f"space.{method}": found[trials.model, trials.test] for method, found in scores.items()}
        return space | {"raw": trials.raw} | trials.qualities(), trials


def _calibration(columns: Mapping[str, FloatArray], target: BoolArray, noisy: BoolArray) -> Calibration:
    """Learn a calibration from trials without noise, and extend it by those with noise."""
    plain = fit_calibration({name: columns[name][~noisy] for name in COLUMNS}, target[~noisy])
    if not (target & noisy).any() or not (~target & noisy).any():
        return plain
    return extend_calibration(
        plain, {name: column[noisy] for name, column in columns.items()}, target[noisy], NOISE_COLUMNS
    )


def select_tests(recordings: Sequence[AnyRecording]) -> list[str]:
    """Return the ids of the recordings that are tests of the trials of a calibration."""
    names = list(dict.fromkeys(recording.speaker for recording in recordings))
    folds = _folds(len(names))
    found = []
    for i, name in enumerate(names):
        if any(fold[i] for fold in folds):
            own = [recording for recording in recordings if recording.speaker == name]
            found += [recording.id for recording in choose_test_recordings(own)]
    return found


def _folds(n_speakers: int) -> list[BoolArray]:
    """Which speakers have trials in each fold, shape (n_speakers,) each; at most `MAX_SPEAKERS` in all."""
    chosen = np.unique(np.linspace(0, n_speakers - 1, min(n_speakers, MAX_SPEAKERS)).round().astype(int))
    fold = np.full(n_speakers, -1)
    fold[chosen] = np.arange(len(chosen)) % FOLDS
    return [fold == i for i in range(FOLDS)]


def _cohort(space: Space, pieces: Pieces, whose: BoolArray) -> FloatArray:
    """Vectors of the first piece of each speaker, over the recording's own channel."""
    owners, rows = np.unique(np.where(pieces.moved, -1, pieces.owners), return_index=True)
    rows = rows[(owners >= 0) & whose[np.maximum(owners, 0)]]
    rows = rows[np.unique(np.linspace(0, len(rows) - 1, min(len(rows), MAX_COHORT)).round().astype(int))]
    blocks = np.array_split(rows, -(-len(rows) // BLOCK_ROWS))
    return np.concatenate(
        [space.coordinates(supervectors(*pieces.statistics(block), space.compensation)) for block in blocks]
    )
