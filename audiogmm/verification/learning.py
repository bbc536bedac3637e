"""Learning a back end from the background's speakers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict

import numpy as np

from audiogmm.errors import TrainingError
from audiogmm.mixture.gaussian import Mixture
from audiogmm.reduce import LocalReducer
from audiogmm.types import BoolArray, FloatArray, Frames, Json
from audiogmm.verification.adaptation import Adaptation
from audiogmm.verification.backend import BackEnd
from audiogmm.verification.background_frames import Voice
from audiogmm.verification.background_trials import MOST_SPEAKERS, Side, hold_trials, tested_recordings
from audiogmm.verification.calibration import Calibration, extend_calibration, fit_calibration
from audiogmm.verification.normalization import NORMALIZATIONS
from audiogmm.verification.pieces import Pieces, cut_pieces
from audiogmm.verification.space import Space, SpaceSettings, learn_space, supervectors
from audiogmm.verification.supervector import centred

FEWEST_SPEAKERS = 20
"""Speakers that a back end is learned from, at least."""

FOLDS = 4
"""Parts of the speakers; those of a part are tried in a space that was learned from the other parts."""

COLUMNS = ("raw", "space", "log_voiced_seconds", "log_enrolled_seconds")
"""What a calibration reads."""

NOISE_COLUMNS = ("noise", "noise*raw", "noise*space")
"""What it reads besides where it was taught by noise."""

MOST_COHORT = 500
"""Impostors that are kept for normalization, at most."""


def learn_backend(
    background: Mixture,
    voices: Sequence[Voice],
    *,
    channels: Frames | None = None,
    settings: SpaceSettings | None = None,
    adaptation: Adaptation | None = None,
    reducer: LocalReducer | None = None,
    noisy: Mapping[str, Voice] | None = None,
) -> BackEnd:
    """Learn a back end from what was kept of the background's speakers.

    The space is learned from pieces of recordings, some of them also as if they had come over another
    channel. For calibration the speakers are divided into `FOLDS` parts: trials between those of one part
    are scored in a space that was learned from the others. (The background model itself knows them all.)

    Parameters
    ----------
    background : Mixture
        The background model.
    voices : sequence of Voice
        From `listen`.
    channels : ndarray of shape (c, n_features), float32, optional
        Offsets of frames over other channels.
    settings : SpaceSettings, optional
        How the space is learned.
    adaptation : Adaptation, optional
        How speakers' models are made; the calibration holds for these settings.
    reducer : LocalReducer, optional
        Its threads do the work; the result does not depend on them.
    noisy : mapping of str to Voice, optional
        Recordings of `tried_recordings`, by id, with noise added: a calibration learns from them what a
        score is worth in noise. Without noise it judges as it would have without them.

    Raises
    ------
    TrainingError
        If there are fewer than `FEWEST_SPEAKERS` speakers, or too few recordings of each for the
        compensation asked for.
    """
    settings, adaptation = settings or SpaceSettings(), adaptation or Adaptation()
    reducer = reducer or LocalReducer(1)
    names = list(dict.fromkeys(voice.speaker for voice in voices))
    if len(names) < FEWEST_SPEAKERS:
        raise TrainingError(
            f"a back end from {len(names)} speakers",
            needed=f"recordings of at least {FEWEST_SPEAKERS} speakers",
            remedy="a background with more speakers, or plain likelihood ratios (--speakers no)",
        )
    pieces = cut_pieces(background, voices, channels, reducer)
    space = learn_space(pieces, settings)
    folds = _folds(len(names))
    columns, target, through = [], [], []
    for fold in folds:
        tried = {i: [v for v in voices if v.speaker == names[i]] for i in np.flatnonzero(fold).tolist()}
        trials = hold_trials(background, tried, adaptation, reducer, noisy=noisy)
        if trials is None:
            continue
        other = learn_space(pieces, settings, without=fold)
        scores = _scores(background, other, _cohort(other, pieces, ~fold), trials.models, trials.tests)
        columns.append(
            {f"space.{method}": s[trials.model, trials.test] for method, s in scores.items()}
            | {"raw": trials.raw}
            | trials.qualities()
        )
        target.append(trials.target)
        through.append(trials.noisy)
    calibrations = {}
    if columns:
        truth, noisily = np.concatenate(target), np.concatenate(through)
        shared = set.intersection(*map(set, columns))
        for method in NORMALIZATIONS:
            if f"space.{method}" in shared:
                read = {name: f"space.{method}" if name == "space" else name for name in (*COLUMNS, "noise")}
                known = {name: np.concatenate([c[of] for c in columns]) for name, of in read.items()}
                calibrations[method] = _calibration(known, truth, noisily)
    about: Json = {
        "n_speakers": len(names),
        "n_recordings": len(voices),
        "n_pieces": len(pieces.owners),
        "n_trials": int(sum(map(len, target))),
        "n_noisy_trials": int(sum(map(np.count_nonzero, through))),
        "channels": 0 if channels is None else len(channels),
        "settings": asdict(settings),
        "adaptation": adaptation.to_dict(),
    }
    cohort = _cohort(space, pieces, np.ones(len(names), bool))
    return BackEnd(background, space, cohort.astype(np.float32), calibrations, about)


def _calibration(columns: Mapping[str, FloatArray], target: BoolArray, noisy: BoolArray) -> Calibration:
    """What trials without noise teach, and what noise adds to it."""
    plain = fit_calibration({name: columns[name][~noisy] for name in COLUMNS}, target[~noisy])
    if not (target & noisy).any() or not (~target & noisy).any():
        return plain
    return extend_calibration(
        plain, {name: column[noisy] for name, column in columns.items()}, target[noisy], NOISE_COLUMNS
    )


def tried_recordings(voices: Sequence[Voice]) -> list[str]:
    """The ids of the recordings that are tested to learn a calibration."""
    names = list(dict.fromkeys(voice.speaker for voice in voices))
    tried = {name for i, name in enumerate(names) if any(fold[i] for fold in _folds(len(names)))}
    recordings: dict[str, list[Voice]] = {name: [] for name in names if name in tried}
    for voice in voices:
        if voice.speaker in tried:
            recordings[voice.speaker].append(voice)
    return [voice.id for own in recordings.values() for voice in tested_recordings(own)]


def _folds(n_speakers: int) -> list[BoolArray]:
    """Which speakers are tried in each fold, shape (n_speakers,) each; at most `MOST_SPEAKERS` in all."""
    tried = np.unique(np.linspace(0, n_speakers - 1, min(n_speakers, MOST_SPEAKERS)).round().astype(int))
    fold = np.full(n_speakers, -1)
    fold[tried] = np.arange(len(tried)) % FOLDS
    return [fold == i for i in range(FOLDS)]


def _cohort(space: Space, pieces: Pieces, whose: BoolArray) -> FloatArray:
    """Vectors of the first piece of each speaker, over the recording's own channel."""
    owners, rows = np.unique(np.where(pieces.moved, -1, pieces.owners), return_index=True)
    rows = rows[(owners >= 0) & whose[np.maximum(owners, 0)]]
    rows = rows[np.unique(np.linspace(0, len(rows) - 1, min(len(rows), MOST_COHORT)).round().astype(int))]
    return space.coordinates(supervectors(pieces.counts[rows], pieces.first[rows], space.compensation))


def _scores(
    background: Mixture, space: Space, cohort: FloatArray, models: Iterable[Side], tests: Iterable[Side]
) -> dict[str, FloatArray]:
    """Scores (n_models, n_tests) by normalization, of those for which the cohort is large enough."""
    backend = BackEnd(background, space, cohort)
    enrolled, tested = (
        np.stack([space.vector(*centred(background, side.statistics)) for side in sides])
        for sides in (models, tests)
    )
    return {method: backend.scores(enrolled, tested, method) for method in backend.normalizations}
