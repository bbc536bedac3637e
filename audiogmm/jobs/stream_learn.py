"""Learn from a stream: a model that is trained on sound as it arrives, and saved as it goes."""

from __future__ import annotations

import os
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from audiogmm.audio.decoders.notices import Warn
from audiogmm.audio.frame_cache.index import signature_of
from audiogmm.errors import ChoiceError
from audiogmm.keywords import accepts
from audiogmm.live.file import File
from audiogmm.live.microphone import HELD
from audiogmm.live.outlet import MOST
from audiogmm.live.source import Source
from audiogmm.live.stream.learn_settings import LearnSettings
from audiogmm.live.stream.learned_state import LearnedState, identify_learning
from audiogmm.live.stream.session import Pipeline, StreamResult, StreamSession, Write, run_sessions
from audiogmm.live.stream.sources import AnyInputs, InputIdentity, inputs_of
from audiogmm.live.stream.training import TrainingPipeline, TrainingPlan
from audiogmm.mixture.store import Model, model_from
from audiogmm.runs.frontends import match_frontend
from audiogmm.runs.inputs import announce_compiling
from audiogmm.runs.outputs import check_output
from audiogmm.runs.progress import Progress, progress_of
from audiogmm.runs.unfinished import unfinished
from audiogmm.training.checkpoint_file import CheckpointFile
from audiogmm.types import Seconds

if TYPE_CHECKING:
    from audiogmm.audio.frontend.frontend import FrontEnd


@accepts(LearnSettings)
def learn_from_stream(
    output: Path,
    inputs: AnyInputs,
    write: Write,
    *,
    settings: LearnSettings,
    most_lines: int = MOST,
    progress: Progress | bool | None = None,
) -> StreamResult:
    """Train a model on a stream, in one pass of stepwise EM, and save it at intervals and at the end.

    The first seconds settle what the front end leaves open, and train the first model. Every batch of frames
    is scored before the model learns from it; these scores make the detector, so that `detect` works at once.
    Lines are `start`, `learning` (the first model is trained), `saved`, `heartbeat`, and those of `stream` on
    inputs.

    Parameters
    ----------
    output : Path
        The model.
    inputs : AnyInputs
        One input.
    write : callable
        Takes whole lines as one text.
    settings : LearnSettings
        Or its fields as keywords.
    most_lines : int
        As of `stream`.
    progress : Progress, optional
        Receives notes.

    Raises
    ------
    ChoiceError
        If there is more than one input, or none.
    MismatchError
        If the model to start from has another front end or form than is asked for.
    OutputError
        If the output exists (and not `force`), cannot be written, or another run is writing it.
    AudioGMMError
        Of the input, if it fails.
    """
    progress = progress_of(progress)
    return _run(output, inputs, write, settings, most_lines, progress)[0]


@accepts(LearnSettings, without=("resume",))
def learn(
    source: Any = None,
    output: str | os.PathLike[str] | None = None,
    *,
    settings: LearnSettings,
    device: str | int | None = None,
    raw: str | None = None,
    channel: int | None = None,
    held: Seconds = HELD,
    exit_on_loss: bool = False,
    progress: Progress | bool | None = None,
) -> Model:
    """Train a model on a stream, in one pass of stepwise EM, and return it when the stream ends.

    The first seconds settle what the front end leaves open, and train the first model. Every chunk is scored
    before the model learns from it; these scores make the detector, so that `detect` works at once. The model
    does not depend on how the sound is cut into chunks.

    Parameters
    ----------
    source, device, raw, channel, held, exit_on_loss
        As for `audiogmm.stream`.
    output : path-like, optional
        A model file, written every `save_every` minutes and at the end.
    settings : LearnSettings
        Or its fields as keywords. `sample_rate`, hertz, is that of the model, and of samples that come
        without one.
    progress : Progress, optional
        Receives notes.

    Returns
    -------
    Model
        Of all of the sound.

    Raises
    ------
    ChoiceError
        If there is no source, samples have no rate, or a setting is out of range.
    TrainingError
        If there was too little sound for a model.
    OutputError
        If the output exists (and not `force`), or cannot be written.
    AudioFileError, AudioDataError
        If the source cannot be read to its end; with `output`, what came before it was learned and saved.

    Examples
    --------
    >>> import numpy as np
    >>> import audiogmm as ag
    >>> hum = 0.05 * np.random.default_rng(0).standard_normal(16000 * 5)
    >>> model = ag.learn(hum, frontend=ag.FrontEnd.preset("ambient"), sample_rate=16000, n_components=2)
    >>> model.mixture.n_components, model.metadata.data["n_frames"]
    (2, 498)
    """
    progress = progress_of(progress)
    inputs = inputs_of(
        source, settings.sample_rate, device, raw=raw, channel=channel, held=held, exit_on_loss=exit_on_loss
    )
    path = None if output is None else Path(output)
    _, model = _run(path, inputs, lambda _: None, settings, MOST, progress)
    assert model is not None, "or the input's error was raised"
    return model


def _run(
    output: Path | None,
    inputs: AnyInputs,
    write: Write,
    settings: LearnSettings,
    most_lines: int,
    progress: Progress,
) -> tuple[StreamResult, Model | None]:
    """Learn from one input to its end; return how it ended, and the model."""
    say = progress.say
    if output is not None:
        check_output(output, True, *inputs.names)
    start = None if settings.start is None else model_from(settings.start)
    plan = TrainingPlan(output, _frontend(start, settings), settings, start)
    with ExitStack() as stack:
        run = None
        if output is not None:
            run = stack.enter_context(unfinished([output], resume=settings.resume, force=settings.force))
        sources = inputs.open(plan.frontend.sample_rate)
        if len(sources) != 1:
            raise ChoiceError(
                f"{len(sources)} inputs to learn from",
                needed="one input, since a model of several would depend on which was faster",
                remedy="audiogmm train, on recordings",
            )
        if run is not None:
            plan = _going_on(plan, run.part("state"), *sources[0], say)
        announce_compiling()
        pipelines = []

        def pipeline(session: StreamSession, identity: InputIdentity) -> Pipeline:
            pipelines.append(TrainingPipeline(plan, identity.name, lambda: session.status, say))
            return pipelines[-1]

        result = run_sessions(
            sources,
            pipeline,
            write,
            say,
            clock=inputs.clock,
            patience=settings.heartbeat or None,
            most_lines=most_lines,
        )
    return result, pipelines[0].model


def _going_on(
    plan: TrainingPlan, place: Path, source: Source, identity: InputIdentity, say: Warn
) -> TrainingPlan:
    """Return the plan with what an earlier run had learned, and where to keep what this one does."""
    file = CheckpointFile(place, identify_learning(plan.settings, plan.frontend, plan.start), say)
    input = None
    if isinstance(source, File) and (signature := signature_of(source.name)) is not None:
        input = f"{identity.audio_filepath} {signature} {source.channel}"
    stood = file.load(LearnedState.checked)
    plan = replace(plan, state=file, stood=stood, input=input)
    if stood is not None:
        heard = f"{stood.document['n_heard']:,} frames are learned already"
        say(
            heard
            if plan.is_same_input or input is None
            else f"{heard}, of another input or an earlier state of it"
        )
    return plan


def _frontend(start: Model | None, settings: LearnSettings) -> FrontEnd:
    """Return the front end of the model to start from, the one asked for, or the preset `speech`.

    Raises
    ------
    ChoiceError
        If that model has another form than is asked for, or was trained on precomputed features.
    MismatchError
        If it has another front end than is asked for.
    """
    from audiogmm.audio.frontend.frontend import FrontEnd

    if start is not None:
        form = start.mixture.n_components, start.mixture.covariance_type
        asked = settings.n_components or form[0], settings.covariance_type or form[1]
        if asked != form:
            raise ChoiceError(
                f"{asked[0]} {asked[1]} components, and a start of {form[0]} {form[1]} ones",
                needed="the same",
                remedy="leave -k and --covariance out",
            )
    frontend = match_frontend(start, settings.frontend, settings.sample_rate) or FrontEnd.preset("speech")
    if start is not None and start.metadata.frontend is None:
        raise ChoiceError(
            f"{settings.start} was trained on precomputed features",
            needed="a model that was trained on audio, to start from",
        )
    return replace(frontend, sample_rate=settings.sample_rate or frontend.sample_rate)
