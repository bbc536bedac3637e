"""Learn from a stream: a model that is trained while it listens, and saved as it goes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from audiogmm.errors import ChoiceError
from audiogmm.files import exclusive
from audiogmm.live.outlet import MOST
from audiogmm.live.stream.learn_settings import LearnSettings
from audiogmm.live.stream.session import Pipeline, StreamResult, StreamSession, Write, run_sessions
from audiogmm.live.stream.sources import InputIdentity, StreamInputs
from audiogmm.live.stream.training import TrainingPipeline, TrainingPlan
from audiogmm.mixture.store import load
from audiogmm.runs.frontends import match_frontend
from audiogmm.runs.inputs import announce_compiling
from audiogmm.runs.outputs import check_output
from audiogmm.runs.progress import Progress, Silent

if TYPE_CHECKING:
    from audiogmm.audio.frontend.frontend import FrontEnd


def learn_from_stream(
    output: Path,
    inputs: StreamInputs,
    write: Write,
    settings: LearnSettings | None = None,
    *,
    frontend: FrontEnd | None = None,
    sample_rate: int | None = None,
    start: Path | None = None,
    force: bool = False,
    most_lines: int = MOST,
    progress: Progress | None = None,
) -> StreamResult:
    """Train a model while listening, in one pass of stepwise EM, and save it every so often and at the end.

    The first seconds settle what the front end leaves open, and train the start. Every batch of frames is
    scored before it is learned from; these scores make the detector, so that `detect` works at once. Lines
    are `start`, `learning` (the model has come to be), `saved`, `heartbeat`, and what `stream` tells of
    inputs.

    Parameters
    ----------
    output : Path
        The model.
    inputs : StreamInputs
        One input.
    write : callable
        Takes whole lines as one text.
    settings : LearnSettings, optional
        How it learns.
    frontend : FrontEnd, optional
        The preset `speech` by default; the start's, where there is one.
    sample_rate : int, optional
        Hertz; that of the first sound by default.
    start : Path, optional
        A model to go on from.
    force : bool
        Replace what is there.
    most_lines : int
        As of `stream`.
    progress : Progress, optional
        Hears notes.

    Raises
    ------
    ChoiceError
        If there is not one input.
    MismatchError
        If the model to go on from has another front end or form than what is asked for, or none.
    OutputError
        If the output exists (and not `force`), cannot be written, or another run is writing it.
    AudioGMMError
        Of the input, if it fails.
    """
    from audiogmm.audio.frontend.frontend import FrontEnd

    progress = progress or Silent()
    settings = settings or LearnSettings()
    check_output(output, force, *inputs.names)
    begin = None if start is None else load(start)
    if begin is not None:
        _check_form(begin.mixture.n_components, begin.mixture.covariance_type, settings)
    chosen = match_frontend(begin, frontend, sample_rate) or FrontEnd.preset("speech")
    if begin is not None and begin.metadata.frontend is None:
        raise ChoiceError(
            f"{start} was trained on frames of your own",
            needed="a model that was trained on audio, to go on from a stream of sound",
        )
    chosen = replace(chosen, sample_rate=sample_rate or chosen.sample_rate)
    sources = inputs.open(chosen.sample_rate)
    if len(sources) != 1:
        raise ChoiceError(
            f"{len(sources)} inputs to learn from",
            needed="one: a model of several would depend on which was faster",
            remedy="audiogmm train, on recordings",
        )
    announce_compiling(progress.say)
    plan, say = TrainingPlan(output, chosen, settings, begin), progress.say

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


def _check_form(n_components: int, covariance_type: str, settings: LearnSettings) -> None:
    """Refuse to change the form of a model that is gone on from."""
    asked = (settings.n_components or n_components, settings.covariance_type or covariance_type)
    if asked != (n_components, covariance_type):
        raise ChoiceError(
            f"{asked[0]} {asked[1]} components, and a start of {n_components} {covariance_type} ones",
            needed="the same",
            remedy="leave -k and --covariance out",
        )
