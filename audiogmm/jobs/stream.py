"""Stream: analyze sound as it arrives, one JSON line for everything that happens."""

from __future__ import annotations

from pathlib import Path

from audiogmm.errors import BudgetError
from audiogmm.keywords import accepts
from audiogmm.live.outlet import MOST
from audiogmm.live.stream.pipeline import AnalysisPipeline
from audiogmm.live.stream.plan import StreamPlan
from audiogmm.live.stream.session import Pipeline, StreamResult, StreamSession, Write, run_sessions
from audiogmm.live.stream.settings import StreamSettings
from audiogmm.live.stream.sources import InputIdentity, StreamInputs
from audiogmm.mixture.store import load
from audiogmm.runs.inputs import announce_compiling
from audiogmm.runs.progress import Progress, Silent


@accepts(StreamSettings)
def stream(
    model: Path,
    inputs: StreamInputs,
    write: Write,
    *,
    settings: StreamSettings,
    most_lines: int = MOST,
    progress: Progress | None = None,
) -> StreamResult:
    """Analyze streams of sound until they end, or Ctrl-C or SIGTERM ends them.

    Each line is a JSON object with `type`, `input` and `time` (seconds on the input's clock, at which it was
    decided). `start` and `end` describe the input; `open`, `confirmed`, `closed` and `dropped` an `event`,
    whose `number` they share, and which when closed is what `detect` finds; `cluster`, `speaker` and `score`
    are written where they are asked for; `heartbeat` says that the stream goes on; `gap`, `lost` and `back`
    which sound is missing; `overflow` which lines were left out.

    Parameters
    ----------
    model : Path
        A model; with a detector, if events are wanted.
    inputs : StreamInputs
        The streams.
    write : callable
        Takes whole lines as one text.
    settings : StreamSettings
        Or its fields as keywords.
    most_lines : int
        Lines that may wait for a slow reader before heartbeats, scores and clusters are left out.
    progress : Progress, optional
        Receives notes.

    Returns
    -------
    StreamResult
        How the inputs ended; lines of one that failed are written up to there.

    Raises
    ------
    ModelFileError, MismatchError, ChoiceError, ManifestError
        If the model, the gallery, or an input cannot be used at all.
    AudioGMMError
        Of the only input, if it fails; of the first, if all do.
    BrokenPipeError
        If nobody reads the lines any more.
    """
    progress = progress or Silent()
    say = progress.say
    try:
        plan = StreamPlan.of(load(model), settings, progress)
    except BudgetError as error:
        devices = (f"--device={device}" for device in inputs.devices)
        raise error.with_command("stream", model, *inputs.names, *devices) from None
    sources = inputs.open(plan.sample_rate)
    announce_compiling()

    def pipeline(session: StreamSession, identity: InputIdentity) -> Pipeline:
        return AnalysisPipeline(plan, identity, lambda: session.status, say)

    return run_sessions(
        sources,
        pipeline,
        write,
        say,
        clock=inputs.clock,
        patience=settings.heartbeat or None,
        most_lines=most_lines,
    )
