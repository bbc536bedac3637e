"""Stream: what is heard, as it happens, one JSON line each."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from audiogmm.anomaly.learning.from_model import load_model
from audiogmm.errors import AudioGMMError
from audiogmm.live.outlet import FAR, MOST, Outlet
from audiogmm.live.source import Source
from audiogmm.live.stop import Stop
from audiogmm.live.stream.pipeline import About, Ears
from audiogmm.live.stream.plan import Plan
from audiogmm.live.stream.session import Hearing, Mind
from audiogmm.live.stream.settings import StreamSettings
from audiogmm.live.stream.sources import Inputs
from audiogmm.runs.inputs import announce_compiling
from audiogmm.runs.progress import Progress, Silent
from audiogmm.types import Seconds

LAST_WORDS: Seconds = 5.0
"""How long a reader who does not read is waited for, after a stop was asked for."""

LOOK: Seconds = 0.5
"""How often it is looked whether an input has ended: a signal may reach another thread than this one."""

Write = Callable[[str], object]
"""Takes whole lines as one text; raises OSError where nobody reads them."""


@dataclass
class StreamResult:
    """How the inputs of a stream ended.

    Attributes
    ----------
    inputs : int
        How many there were.
    failed : list of (str, AudioGMMError)
        Those that could not be used to their end, and why.
    """

    inputs: int
    failed: list[tuple[str, AudioGMMError]] = field(default_factory=list)


def stream(
    model: Path,
    inputs: Inputs,
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
    inputs : Inputs
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
    plan = Plan.of(load_model(model), settings, gallery, progress)
    sources = inputs.opened(plan.sample_rate)
    announce_compiling(progress.say)
    say = progress.say

    def ears(hearing: Hearing, about: About) -> Mind:
        return Ears(plan, about, lambda: hearing.facts, say)

    return listen(sources, ears, write, say, inputs, settings.heartbeat or None, most_lines)


def listen(
    sources: Sequence[tuple[Source, About]],
    mind: Callable[[Hearing, About], Mind],
    write: Write,
    say: Callable[[str], None],
    inputs: Inputs,
    patience: Seconds | None,
    most_lines: int,
) -> StreamResult:
    """Listen to all sources at once, a thread each, until the last one has ended.

    Ctrl-C, and SIGTERM where the command line makes it one, asks all to stop: what is under way is told.
    """
    stop = Stop()
    outlet = Outlet(
        write,
        lambda: stop.set("nobody reads the lines any more"),
        most=most_lines,
        far=max(FAR, 10 * most_lines),
    )
    hearings = [Hearing(source, outlet, stop, say, inputs.clock, patience) for source, _ in sources]

    threads = [
        threading.Thread(target=hearing.run, args=(mind(hearing, about),), name=source.name, daemon=True)
        for hearing, (source, about) in zip(hearings, sources, strict=True)
    ]
    try:
        for thread in threads:
            thread.start()
        while not all(hearing.finished.is_set() for hearing in hearings):
            try:  # not Thread.join: Python 3.11 takes a thread for ended where a signal interrupts it
                for hearing in hearings:
                    hearing.finished.wait(LOOK)
            except KeyboardInterrupt as stopped:
                if stop.is_set:
                    raise
                stop.set(f"stopped {' '.join(map(str, stopped.args))}".rstrip())
                outlet.hurry()
        if not outlet.close(LAST_WORDS if stop.is_set else None) and outlet.failure is None:
            say(f"{outlet.waiting} lines or more were not written: nobody reads them")
    finally:
        stop.close()
    return _result(hearings, outlet)


def _result(hearings: Sequence[Hearing], outlet: Outlet) -> StreamResult:
    for hearing in hearings:
        if hearing.fault is not None:
            raise hearing.fault
    if outlet.failure is not None:
        if isinstance(outlet.failure, OSError):
            raise outlet.failure
        raise BrokenPipeError(str(outlet.failure)) from outlet.failure
    failed = [(h.source.name, h.error) for h in hearings if h.error is not None]
    if len(failed) == len(hearings):
        raise failed[0][1]
    return StreamResult(len(hearings), failed)
