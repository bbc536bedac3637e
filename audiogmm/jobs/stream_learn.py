"""Learn from a stream: a model that is trained on sound as it arrives, and saved as it goes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from audiogmm.errors import ChoiceError
from audiogmm.files import exclusive
from audiogmm.keywords import accepts
from audiogmm.live.outlet import MOST
from audiogmm.live.stream.learn_settings import LearnSettings
from audiogmm.live.stream.session import Pipeline, StreamResult, StreamSession, Write, run_sessions
from audiogmm.live.stream.sources import InputIdentity, StreamInputs
from audiogmm.live.stream.training import TrainingPipeline, TrainingPlan
from audiogmm.mixture.store import Model, load
from audiogmm.runs.frontends import match_frontend
from audiogmm.runs.inputs import announce_compiling
from audiogmm.runs.outputs import check_output
from audiogmm.runs.progress import Progress, Silent

if TYPE_CHECKING:
    from audiogmm.audio.frontend.frontend import FrontEnd


@accepts(LearnSettings)
def learn_from_stream(
    output: Path,
    inputs: StreamInputs,
    write: Write,
    *,
    settings: LearnSettings,
    most_lines: int = MOST,
    progress: Progress | None = None,
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
    inputs : StreamInputs
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
    progress = progress or Silent()
    say = progress.say
    check_output(output, settings.force, *inputs.names)
    start = None if settings.start is None else load(settings.start)
    frontend = _frontend(start, settings)
    sources = inputs.open(frontend.sample_rate)
    if len(sources) != 1:
        raise ChoiceError(
            f"{len(sources)} inputs to learn from",
            needed="one input, since a model of several would depend on which was faster",
            remedy="audiogmm train, on recordings",
        )
    announce_compiling()
    plan = TrainingPlan(output, frontend, settings, start)

    def pipeline(session: StreamSession, identity: InputIdentity) -> Pipeline:
        return TrainingPipeline(plan, identity.name, lambda: session.status, say)

    with exclusive(output):
        return run_sessions(
            sources,
            pipeline,
            write,
            say,
            clock=inputs.clock,
            patience=settings.heartbeat or None,
            most_lines=most_lines,
        )


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
