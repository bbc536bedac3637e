"""Train a model: from a manifest to a mixture, with the scores that normal audio gets under it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from audiogmm.anomaly.learning.normal_audio import NormalAudio, learn_normal_audio
from audiogmm.blocks import FrameBlock, Shard
from audiogmm.jobs.train_settings import TrainSettings
from audiogmm.keywords import accepts
from audiogmm.mixture.metadata import ModelMetadata
from audiogmm.mixture.statistics import SufficientStats
from audiogmm.mixture.store import Model, model_from
from audiogmm.reduce import LocalReducer, Reducer
from audiogmm.runs.aside import Aside
from audiogmm.runs.defaults import doubt_of_size
from audiogmm.runs.frontends import as_frontend, match_frontend
from audiogmm.runs.labels import OTHER, Labels, as_labeled, read_labels
from audiogmm.runs.progress import Progress, progress_of
from audiogmm.runs.settings import OF_FILES
from audiogmm.runs.sources import Source
from audiogmm.runs.training_inputs import TrainingInputs, open_training_inputs
from audiogmm.runs.watch import Watch
from audiogmm.training.classes import ClassResult, train_classes
from audiogmm.training.incremental import add_recordings
from audiogmm.training.ledger import Ledger
from audiogmm.training.result import TrainingResult
from audiogmm.training.schedule.steps import Stepwise
from audiogmm.training.settings import MixtureSettings
from audiogmm.training.training import train_mixture
from audiogmm.types import Json
from audiogmm.verification.backend import with_backend
from audiogmm.verification.recordings.backend_training import has_background_speakers, train_backend

if TYPE_CHECKING:
    from audiogmm.audio.frontend.frontend import FrontEnd
    from audiogmm.manifest import Entry
    from audiogmm.mixture.gaussian import Mixture


@accepts(TrainSettings, without=(*OF_FILES, "frontend", "checkpoint", "dask"))
def train(
    source: Source | Iterable[FrameBlock],
    frontend: FrontEnd | str | None = None,
    *,
    settings: TrainSettings,
    checkpoint: Path | None = None,
    reducer: Reducer | None = None,
    aside: Aside | None = None,
    progress: Progress | bool | None = None,
) -> Model:
    """Train a Gaussian mixture model on recordings.

    Parameters
    ----------
    source : Source, or re-iterable of FrameBlock
        A manifest, a frame cache, a recording or a table by its path; an `Entry`; ``(samples,
        sample_rate)``; a matrix; a data frame of pandas, polars or Arrow; an object of Lhotse; a list of
        these (see `audiogmm.runs.sources.entries_from`); or blocks of frames.
    frontend : FrontEnd or str, optional
        Or the name of a preset, or a TOML file; that of the settings, by default the preset `speech`. Not
        used for tables. A model of blocks keeps it, so that it can score recordings.
    settings : TrainSettings
        How it is trained; or its fields as keywords.
    checkpoint : Path, optional
        Beginning of the names of files that take what was reached, from which the same call continues.
    reducer : Reducer, optional
        Reads and sums, in place of `threads` and `workers`: a `dask_reduce.DaskReducer`.
    aside : Aside, optional
        Takes recordings that cannot be used; by default the first one raises.
    progress : Progress, optional
        Receives stages and notes.

    Returns
    -------
    Model
        With its front end, its statistics, its history and, unless `hold_out` is 0, its detector
        and moments of normal sound that its reasons compare with.

    Raises
    ------
    ChoiceError
        If a setting is outside its choices or its range, or two contradict each other.
    TrainingError
        If there are fewer frames than components, or none at all.
    TrainingInterrupted
        On Ctrl-C.
    AudioGMMError
        The first bad recording's, unless `aside` takes it.

    Examples
    --------
    >>> import numpy as np
    >>> import audiogmm as ag
    >>> random = np.random.default_rng(0)
    >>> hum = [(0.05 * random.standard_normal(32000), 16000) for _ in range(4)]
    >>> model = ag.train(hum, "ambient", n_components=2)
    >>> model
    Model(Mixture(2 components, 39 features, 'full'), fingerprint ...)
    """
    progress = progress_of(progress)
    aside = Aside(strict=True) if aside is None else aside
    start = None if settings.start is None else model_from(settings.start)
    with nullcontext(reducer) if reducer else LocalReducer(settings.threads, settings.workers) as reducer:
        inputs = open_training_inputs(
            source,
            match_frontend(start, as_frontend(frontend or settings.frontend), settings.sample_rate),
            reducer=reducer,
            aside=aside,
            progress=progress,
            sample_rate=settings.sample_rate,
            upsample=settings.upsample,
            choice=settings.choice.or_those_of(start.metadata.columns if start else ()),
            streams=settings.streams,
        )
        labels = None
        if settings.label is not None:
            labels = read_labels(settings.label, inputs.entries, progress.say)
            inputs = labels.of(inputs)
        for_speakers = has_background_speakers(inputs.entries, settings.speakers)
        mixture_settings = settings.of_mixture(inputs.frontend, start, for_speakers=for_speakers)
        fitter = MixtureFitter(mixture_settings, inputs, inputs.hours, reducer, progress, checkpoint, labels)
        partial, normal = None, NormalAudio()
        if settings.hold_out:
            partial, normal = learn_normal_audio(
                fitter,
                inputs,
                share=settings.hold_out,
                scores=settings.scores,
                seed=settings.seed,
                reducer=reducer,
                progress=progress,
                cells=settings.cells,
            )
        result = fitter.fit_all(partial)
        if not settings.hold_out and labels is None:
            size = result.mixture.n_components
            if doubt := doubt_of_size(size, result.n_frames, inputs.frontend):
                progress.say(doubt)
        normal = normal.learn_again(result.mixture, inputs, reducer)
        estimate = fill_ledger(result, inputs, settings, reducer, progress)
        backend = train_backend(
            estimate.mixture, inputs.recordings, settings.speakers, settings.compensation, reducer, progress
        )
    metadata = ModelMetadata(
        frontend=inputs.frontend.to_dict() if inputs.frontend else None,
        sample_rate=inputs.frontend.sample_rate if inputs.frontend else None,
        seed=settings.seed,
        columns=inputs.columns,
        classes=describe_classes(labels, result),
        training=result.to_json() | describe_settings(settings, mixture_settings) | estimate.figures,
        data=describe_data(inputs.entries, result),
    )
    model = Model(estimate.mixture, statistics=estimate.statistics, metadata=metadata)
    return normal.put_into(with_backend(model, backend))


@dataclass(frozen=True)
class MixtureFitter:
    """Trains a mixture on recordings, or on some of them, each time as a stage of progress."""

    settings: MixtureSettings
    inputs: TrainingInputs
    hours: float | None  # of audio, where known
    reducer: Reducer
    progress: Progress
    checkpoint: Path | None  # to which the name of a part is added
    labels: Labels | None = None  # of the classes, each of which has a mixture

    def __call__(self, shards: Iterable[Shard], name: str, stage: str) -> TrainingResult:
        """Train on some recordings."""
        with Watch(self.progress, stage, self.settings.passes, self.hours) as watch:
            common: Json = {
                "settings": self.settings,
                "reducer": self.reducer,
                "monitor": watch,
                "checkpoint": self.checkpoint and self.checkpoint.with_name(f"{self.checkpoint.name}.{name}"),
                "on_error": self.inputs.on_error,
            }
            if self.labels is None:
                return train_mixture(shards, **common)
            labeled = [as_labeled(shard) for shard in shards]
            # a class may have all of its recordings among those that are held out
            optional = [OTHER] if name == "all" else self.labels.names
            return train_classes(labeled, self.labels.names, optional=optional, **common)

    def fit_all(self, start: Mixture | None = None) -> TrainingResult:
        """Train on all recordings, after a mixture of some of them by batch EM, since the end is near."""
        if start is None or self.labels is not None:
            return self(self.inputs.shards, "all", "training")
        settings = replace(self.settings, init=start, restarts=1)
        if settings.algorithm == "stepwise":
            settings = replace(settings, algorithm="em", stepwise=None)
        return replace(self, settings=settings)(self.inputs.shards, "all", "training on all")


@dataclass(frozen=True)
class Estimate:
    """The mixture of a model, its statistics, and the figures of the pass that filled its ledger."""

    mixture: Mixture
    statistics: SufficientStats | None
    figures: Json


def fill_ledger(
    result: TrainingResult,
    inputs: TrainingInputs,
    settings: TrainSettings,
    reducer: Reducer,
    progress: Progress,
) -> Estimate:
    """Fill the ledger in one more pass, from which the model is then estimated; without one, change nothing.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    if not isinstance(settings.ledger, Path):
        return Estimate(result.mixture, result.statistics, {})
    progress.begin("filling the ledger", None, "recordings")
    ledger = Ledger(settings.ledger, settings.ledger_keep, result.mixture.fingerprint[:16])
    entered = add_recordings(
        result.mixture,
        None,
        inputs.shards,
        floor=result.floor,
        reducer=reducer,
        ledger=ledger,
        on_error=inputs.on_error,
    )
    ledger.save(entered.mixture.fingerprint)
    progress.end()
    figures = entered.figures() | {"ledger_pass": True}
    if entered.loss is not None:
        figures["ledger_loss"] = entered.loss.to_json()
    return Estimate(entered.mixture, entered.statistics, figures)


def describe_classes(labels: Labels | None, result: TrainingResult) -> Json | None:
    """Return what a model file says of its classes; those without a frame are left out."""
    if labels is None or not isinstance(result, ClassResult):
        return None
    rows = [row for row in zip(labels.names, result.sizes, result.class_frames, strict=True) if row[1]]
    names, sizes, frames = zip(*rows, strict=True)
    return {"names": names, "components": sizes, "frames": frames}


def describe_settings(settings: TrainSettings, mixture: MixtureSettings) -> Json:
    """Return what a model file says of the settings of its training."""
    described: Json = {
        "algorithm": settings.algorithm,
        "init": settings.init if settings.start is None else "model",
        "hold_out": settings.hold_out,
    }
    if settings.label is not None:
        described["label"] = settings.label
    if settings.algorithm == "stepwise":
        described["stepwise"] = (mixture.stepwise or Stepwise()).to_json()
    return described


def describe_data(entries: Iterable[Entry] | None, result: TrainingResult) -> Json:
    """Return what a model file says of its data: how much, and a fingerprint of the entries."""
    digest = hashlib.sha256()
    for entry in entries or ():
        piece = [entry.id, Path(entry.original_path).name, entry.offset, entry.duration, entry.channel]
        digest.update(json.dumps(piece).encode())
    return {
        "n_recordings": result.n_recordings,
        "n_frames": result.n_frames,
        "seconds": result.seconds,
        "fingerprint": digest.hexdigest() if entries is not None else None,
    }
