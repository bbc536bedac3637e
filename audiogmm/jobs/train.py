"""Train a model: from a manifest to a mixture, with the scores that normal audio gets under it."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from audiogmm.anomaly.detector import Detector
from audiogmm.anomaly.learning.assembly import make_score_context
from audiogmm.anomaly.learning.cross_fit import cross_fit, learn_from
from audiogmm.anomaly.learning.model_parts import with_detector, with_moments, with_scores
from audiogmm.anomaly.learning.moments import learn_moments
from audiogmm.anomaly.learning.score_learning import relearn_scores
from audiogmm.anomaly.scorers.learned import LearnedScores
from audiogmm.anomaly.scorers.table import check_scores
from audiogmm.blocks import FrameBlock, Shard
from audiogmm.errors import ChoiceError
from audiogmm.mixture.evaluator import Evaluator
from audiogmm.mixture.metadata import ModelMetadata
from audiogmm.mixture.store import Model
from audiogmm.runs.aside import Aside, ignore_repeated
from audiogmm.runs.defaults import defaults
from audiogmm.runs.frontends import match_frontend
from audiogmm.runs.holdout import divide
from audiogmm.runs.progress import Progress, Silent
from audiogmm.runs.training_inputs import open_training_inputs
from audiogmm.runs.watch import Watch
from audiogmm.training import LocalReducer, Reducer, TrainingResult, train_mixture
from audiogmm.training.incremental import add
from audiogmm.training.ledger import Ledger
from audiogmm.training.schedule.approximation import Approximation
from audiogmm.training.schedule.steps import Stepwise
from audiogmm.training.seeding import Init
from audiogmm.training.settings import Algorithm
from audiogmm.types import CovarianceType, Json
from audiogmm.verification.backend import with_backend
from audiogmm.verification.compensation import Kind
from audiogmm.verification.recordings.background_backend import (
    FOR_SPEAKERS,
    Whether,
    learn_speakers,
    n_speakers,
)

if TYPE_CHECKING:
    from audiogmm.anomaly.normal_moments import NormalMoments
    from audiogmm.audio.frontend.frontend import FrontEnd
    from audiogmm.manifest import Entry


def train(
    source: str | os.PathLike[str] | Iterable[Entry] | Iterable[FrameBlock],
    frontend: FrontEnd | None = None,
    *,
    n_components: int | None = None,
    covariance_type: CovarianceType | None = None,
    algorithm: Algorithm = "em",
    batch: int | None = None,
    stepwise: Stepwise | None = None,
    accelerate: bool = False,
    approximate: str | None = None,
    seed: int = 0,
    init: Init = "k-means++",
    start: Model | None = None,
    passes: int = 100,
    tol: float = 1e-3,
    floor: float | None = None,
    restarts: int = 1,
    hold_out: float = 0.1,
    scores: str | Iterable[str] | None = None,
    sample_rate: int | None = None,
    upsample: bool = False,
    threads: int | None = None,
    workers: int = 0,
    checkpoint: Path | None = None,
    ledger: Path | None = None,
    ledger_keep: float = 0.0,
    speakers: Whether = "auto",
    compensation: Kind | None = None,
    reducer: Reducer | None = None,
    aside: Aside | None = None,
    progress: Progress | None = None,
) -> Model:
    """Train a Gaussian mixture model on recordings.

    Parameters
    ----------
    source : path-like, or re-iterable of Entry or of FrameBlock
        A manifest, a frame cache, one recording, or a feature matrix; entries; or blocks of frames.
    frontend : FrontEnd, optional
        The preset `speech` by default; not used for frames of your own.
    n_components : int, optional
        Gaussian components, K; see `defaults`.
    covariance_type : {"diag", "full", "tied", "spherical"}, optional
        See `defaults` (k-means: ``"spherical"``).
    algorithm : {"em", "stepwise", "kmeans"}
        Batch EM; two passes of stepwise EM, for data that is slow to read, and batch EM from there;
        or k-means for comparison.
    batch : int, optional
        Frames between two updates of stepwise EM; by the size of the model by default.
    stepwise : Stepwise, optional
        How stepwise EM steps: passes, exponent, averaging; what measured best by default.
    accelerate : bool
        Extrapolate every second pass of batch EM (SQUAREM); the likelihood never falls.
    approximate : str, optional
        Posteriors on a few components of each frame, for large K: ``"truncated:5"`` or ``"top:30"``, see
        `audiogmm.training.schedule.approximation`. The model tells what was given up.
    seed : int
        Of all randomness.
    init : {"k-means++", "random", "split"}
        Where EM starts.
    start : Model, optional
        Start from this model's parameters instead, through its front end.
    passes : int
        At most so many passes over the data.
    tol : float
        Stop when a pass gains less, nats a frame; 0: never.
    floor : float, optional
        Least variance, as a share of each feature's variance over all frames; see `defaults`.
    restarts : int
        Starts tried; the best is kept.
    hold_out : float
        Share of the recordings (of a single one: its last fifth) that is scored by a model of the others, to
        learn how normal audio scores; the model is then re-estimated on all. Where there are less than ten
        minutes of audio, every recording takes its turn. 0: none.
    scores : str or iterable of str, optional
        What the detector scores by: names, ``"fusion"`` or ``"auto"``, see `calibrated_scores`; the plain
        mean log-likelihood by default. They are taught by what the partial model is trained on, put on a
        scale by what is held out, and taught anew by all, as the model is; recordings take no turns then.
    sample_rate : int, optional
        Hertz; the first good recording's by default.
    upsample : bool
        Accept audio below the sample rate.
    threads, workers : int
        Threads (all cores by default), and processes that decode and extract (none by default).
    checkpoint : Path, optional
        Written after every pass, and gone on from.
    ledger : Path, optional
        Folder to be filled with what each recording gave to the model, so that `update` can remove it: one
        more pass over the recordings, an exact one, from which the model is then estimated and whose
        likelihood is told.
    ledger_keep : float
        Share of a recording's frames that a component must have for the ledger to keep its statistics. The
        model is estimated from what is kept; what that loses is in the metadata, as `ledger_loss`.
    speakers : {"auto", "yes", "no"}
        Whether to learn, in one more pass, what tells the speakers of the manifest apart: a back end that
        `verify` compares voices by, with a cohort and a calibration. By default where at least 20 are named.
    compensation : {"nap", "isv"}, optional
        Take out of the back end's statistics what differs between recordings of one speaker; needs at least
        ten speakers with two or more.
    reducer : Reducer, optional
        Who reads and sums, in place of `threads` and `workers`: a `dask_reduce.DaskReducer`.
    aside : Aside, optional
        Takes recordings that cannot be used; by default the first one raises.
    progress : Progress, optional
        Who listens.

    Returns
    -------
    Model
        With its front end, its statistics, its history and, unless `hold_out` is 0, its detector
        and moments of normal sound that its reasons compare with.

    Raises
    ------
    TrainingError
        If there are fewer frames than components, or none at all.
    TrainingInterrupted
        On Ctrl-C.
    AudioGMMError
        The first bad recording's, unless `aside` takes it.
    """
    check_scores(scores)
    if scores is not None and hold_out == 0:
        raise ChoiceError(
            f"scores {scores!r} and nothing held out",
            needed="normal audio that the model was not trained on, to put scores on a scale",
            remedy="--hold-out 0.1, or audiogmm calibrate --scores with other normal audio",
        )
    progress = progress or Silent()
    aside = Aside(strict=True) if aside is None else aside
    with nullcontext(reducer) if reducer else LocalReducer(threads, workers) as reducer:
        opened = open_training_inputs(
            source,
            match_frontend(start, frontend, sample_rate),
            aside=aside,
            progress=progress,
            reducer=reducer,
            sample_rate=sample_rate,
            upsample=upsample,
        )
        inputs, shards = opened.recordings, opened.shards
        settled = inputs.frontend if inputs else None
        on_error = None if inputs is None else inputs.refuse

        hours = inputs.extent().hours if inputs else None

        def fit(
            part: Iterable[Shard], name: str, stage: str, share: float = 1.0, **changes: Any
        ) -> TrainingResult:
            with Watch(progress, stage, passes, hours and hours * share) as watch:
                return train_mixture(
                    part,
                    **(arguments | changes),
                    reducer=reducer,
                    monitor=watch,
                    checkpoint=checkpoint and checkpoint.with_name(f"{checkpoint.name}.{name}"),
                    on_error=on_error,
                )

        def partly(part: Iterable[Shard], name: str, stage: str) -> TrainingResult:
            return fit(part, name, stage, 1 - hold_out)

        usual = defaults(settled, algorithm)
        if n_speakers(inputs, speakers):
            usual = usual | {"n_components": FOR_SPEAKERS}
        if start is not None:
            usual = usual | {"n_components": start.mixture.n_components}
            usual = usual | {"covariance_type": start.mixture.covariance_type}
        arguments: dict[str, Any] = {
            "n_components": n_components or usual["n_components"],
            "covariance_type": covariance_type or usual["covariance_type"],
            "floor": usual["floor"] if floor is None else floor,
            "algorithm": algorithm,
            "seed": seed,
            "init": init if start is None else start.mixture,
            "passes": passes,
            "tol": tol,
            "restarts": restarts,
            "accelerate": accelerate,
            "approximation": None if approximate is None else Approximation.parse(approximate),
            "stepwise": stepwise if batch is None else replace(stepwise or Stepwise(), batch=batch),
        }
        parts = None if hold_out == 0 else divide(inputs, shards, hold_out, seed)
        detector: Detector | None = None
        learnt: LearnedScores | None = None
        moments: NormalMoments | None = None
        if parts is None:
            result = fit(shards, "all", "training")
        else:
            fitted = cross_fit(partly, *parts, inputs, seed)
            first = next(fitted)
            partial = first.result
            detector, learnt = learn_from(first, fitted, scores, settled, reducer, inputs, progress)
            moments = learn_moments(
                Evaluator(partial.mixture),
                settled,
                [(first.held, True), (first.kept, False)],
                reducer,
                None if inputs is None else ignore_repeated,
                progress,
            )
            again: dict[str, Any] = (
                {"algorithm": "em", "stepwise": None} if algorithm == "stepwise" else {}
            )  # near the end already: polish
            result = fit(shards, "all", "training on all", init=partial.mixture, restarts=1, **again)
        mixture, statistics, loss = result.mixture, result.statistics, None
        if learnt is not None:
            ground = make_score_context(mixture, settled, learnt.frame_rate)
            learnt = relearn_scores(
                learnt, ground, shards, reducer, None if inputs is None else ignore_repeated
            )
        figures: Json = {}
        if ledger is not None:
            progress.begin("filling the ledger", None, "recordings")
            book = Ledger(ledger, ledger_keep)
            entered = add(
                mixture, None, shards, floor=result.floor, reducer=reducer, ledger=book, on_error=on_error
            )
            mixture, statistics, loss = entered.mixture, entered.statistics, entered.loss
            figures = entered.figures() | {"ledger_pass": True}
            book.save(mixture.fingerprint)
            progress.end()
        backend = learn_speakers(mixture, inputs, speakers, compensation, reducer, progress)
    model = Model(
        mixture,
        statistics=statistics,
        metadata=ModelMetadata(
            frontend=settled.to_dict() if settled else None,
            sample_rate=settled.sample_rate if settled else None,
            seed=seed,
            training=result.to_json()
            | {"algorithm": algorithm, "init": init if start is None else "model", "hold_out": hold_out}
            | figures
            | ({} if loss is None else {"ledger_loss": loss.to_json()})
            | (
                {"stepwise": (arguments["stepwise"] or Stepwise()).to_json()}
                if algorithm == "stepwise"
                else {}
            ),
            data=describe(inputs.entries if inputs else None, result),
        ),
    )
    model = with_moments(with_backend(model, backend), moments)
    if detector is None:
        return model
    return with_detector(with_scores(model, learnt), detector)


def describe(entries: Iterable[Entry] | None, result: TrainingResult) -> Json:
    """What a model saw: how much, and a fingerprint of the entries."""
    digest = hashlib.sha256()
    for entry in entries or ():
        piece = [entry.id, Path(entry.path).name, entry.offset, entry.duration, entry.channel]
        digest.update(json.dumps(piece).encode())
    return {
        "n_recordings": result.n_recordings,
        "n_frames": result.n_frames,
        "seconds": result.seconds,
        "fingerprint": digest.hexdigest() if entries is not None else None,
    }
