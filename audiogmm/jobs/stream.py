"""Stream: what is heard, as it happens, one JSON line each."""

from __future__ import annotations

from pathlib import Path

from audiogmm.live.outlet import MOST
from audiogmm.live.stream.pipeline import AnalysisPipeline
from audiogmm.live.stream.plan import StreamPlan
from audiogmm.live.stream.session import Pipeline, StreamResult, StreamSession, Write, run_sessions
from audiogmm.live.stream.settings import StreamSettings
from audiogmm.live.stream.sources import InputIdentity, StreamInputs
from audiogmm.mixture.store import load
from audiogmm.runs.inputs import announce_compiling
from audiogmm.runs.progress import Progress, Silent


def stream(
    model: Path,
    inputs: StreamInputs,
    write: Write,
    settings: StreamSettings | None = None,
    *,
    gallery: Path | None = None,
    most_lines: int = MOST,
    progress: Progress | None = None,
) -> StreamResult:
    """Listen to streams of sound until they end, or Ctrl-C or SIGTERM ends them; tell what is heard.

    Each line is a JSON object with `type`, `input` and `time` (seconds on the input's clock, at which it was
    decided). `start` and `end` say what the input is and came to; `open`, `confirmed`, `closed` and
    `dropped` what happens to an `event`, whose `number` they share, and which when closed is what `detect`
    finds; `cluster`, `speaker` and `score` what was asked for; `heartbeat` that all is well; `gap`, `lost`
    and `back` what was not heard; `overflow` which lines were not written.

    Parameters
    ----------
    model : Path
        A model; calibrated, if events are wanted.
    inputs : StreamInputs
        What is listened to.
    write : callable
        Takes whole lines as one text.
    settings : StreamSettings, optional
        What is told, and how often.
    gallery : Path, optional
        Who may be heard.
    most_lines : int
        Lines that may wait for a slow reader before those that can be spared are left out.
    progress : Progress, optional
        Hears notes.

    Returns
    -------
    StreamResult
        How the inputs ended; what was heard of one that failed was told.

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
    settings = settings or StreamSettings()
    plan = StreamPlan.of(load(model), settings, gallery, progress)
    sources = inputs.open(plan.sample_rate)
    announce_compiling(progress.say)
    say = progress.say

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
