"""Stream: analyze sound as it arrives, one JSON line for everything that happens."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

from audiogmm.anomaly.event import Event
from audiogmm.errors import BudgetError
from audiogmm.keywords import accepts
from audiogmm.live.deliver.deliveries import open_deliveries
from audiogmm.live.deliver.settings import DeliverySettings
from audiogmm.live.microphone import HELD
from audiogmm.live.outlet import MOST
from audiogmm.live.stream.iteration import iterate_session
from audiogmm.live.stream.pipeline import AnalysisPipeline
from audiogmm.live.stream.plan import StreamPlan
from audiogmm.live.stream.session import (
    Pipeline,
    StreamResult,
    StreamSession,
    Write,
    run_sessions,
)
from audiogmm.live.stream.settings import StreamSettings, parse_emit
from audiogmm.live.stream.sources import AnyInputs, InputIdentity, inputs_of
from audiogmm.mixture.store import Model, load, model_from
from audiogmm.runs.inputs import announce_compiling
from audiogmm.runs.progress import Progress, progress_of
from audiogmm.types import Json, Seconds


@accepts(StreamSettings)
def stream_to(
    model: str | os.PathLike[str],
    inputs: AnyInputs,
    write: Write,
    *,
    settings: StreamSettings,
    most_lines: int = MOST,
    delivery: DeliverySettings | None = None,
    progress: Progress | bool | None = None,
) -> StreamResult:
    """Analyze streams of sound until they end, or Ctrl-C or SIGTERM ends them.

    Each line is a JSON object with `type`, `input`, `time` (seconds on the input's clock, at which it was
    decided) and `wall` (the same in UTC, where it is known when the input began). `start` and `end` describe
    the input; `open`, `confirmed`, `closed` and `dropped` an `event`, whose `number` they share, and which
    when closed is what `detect` finds; `cluster`, `speaker` and `score` are written where they are asked for;
    `heartbeat` says that the stream goes on; `gap`, `lost` and `back` which sound is missing; `overflow`
    which lines were left out.

    Parameters
    ----------
    model : path-like
        A model; with a detector, if events are wanted.
    inputs : StreamInputs
        The streams.
    write : callable
        Takes whole lines as one text.
    settings : StreamSettings
        Or its fields as keywords.
    most_lines : int
        Lines that may wait for a slow reader before heartbeats, scores and clusters are left out.
    delivery : DeliverySettings, optional
        Where events go besides.
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
    progress = progress_of(progress)
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

    with ExitStack() as stack:
        return run_sessions(
            sources,
            pipeline,
            write,
            say,
            clock=inputs.clock,
            patience=settings.heartbeat or None,
            most_lines=most_lines,
            deliveries=open_deliveries(delivery, say, stack),
        )


@accepts(StreamSettings, without=("emit",))
def stream(
    model: Model | str | os.PathLike[str],
    source: Any = None,
    *,
    settings: StreamSettings,
    emit: str | Iterable[str] | None = None,
    sample_rate: int | None = None,
    device: str | int | None = None,
    raw: str | None = None,
    channel: int | None = None,
    held: Seconds = HELD,
    exit_on_loss: bool = False,
    progress: Progress | bool | None = None,
) -> Iterator[Event] | Iterator[Json]:
    """Yield the events of a stream of sound as they close, or with `emit` all that happens.

    The events are those of `detect`, to the last bit, in whatever chunks the sound comes. Memory does not
    grow with its length. Each chunk is asked for when what is known from those before it was taken; a
    microphone runs on beside the caller (see `held`). Leaving the loop ends the stream.

    Parameters
    ----------
    model : Model or path-like
        With a detector, if events are wanted.
    source : path-like, Entry, array-like, iterable of array-like, or (samples, sample_rate)
        A recording, a named pipe, ``-`` for standard input; an entry; samples, or chunks of them, shape
        (n_samples,) or (n_samples, n_channels), full scale 1.0 or int16.
    settings : StreamSettings
        Or its fields as keywords.
    emit : str or iterable of str, optional
        Kinds of lines, ``"events,clusters,speakers,scores"`` or ``"all"``: yield every line that
        `audiogmm stream` prints, as a dict with `type`, `input` and `time` (seconds).
    sample_rate : int, optional
        Of samples that come without it, hertz.
    device : str or int, optional
        A microphone, in place of `source`: its number, a part of its name, or ``"default"``.
    raw : str, optional
        The format of chunks of bytes or of a file without a header, such as ``"s16le:16000:1"``.
    channel : int, optional
        The channel to use, from 0; the mean of all by default.
    held : Seconds
        Sound of a microphone that may wait before some is dropped.
    exit_on_loss : bool
        End when the microphone is lost; do not wait for it.
    progress : Progress, optional
        Receives notes.

    Yields
    ------
    Event
        When it is over; seconds from the first sample. With `emit`, dict.

    Raises
    ------
    ChoiceError
        At once, if there is no source, samples have no rate, or a setting is out of range.
    ModelFileError, MismatchError
        At once, if the model cannot be used.
    AudioFileError, AudioDataError
        While iterating, if the source cannot be read to its end; what came before it is yielded.

    Examples
    --------
    >>> import numpy as np
    >>> import audiogmm as ag
    >>> random = np.random.default_rng(0)
    >>> hum = (0.05 * random.standard_normal(16000 * 20)).astype(np.float32)
    >>> today = hum.copy()
    >>> today[16000 * 5 : 16000 * 6] += 0.3 * np.sin(np.arange(16000) * 1.1).astype(np.float32)
    >>> how = {"frontend": ag.FrontEnd.preset("ambient"), "n_components": 2, "cold_start": 5.0}
    >>> model = ag.learn((hum, 16000), **how)
    >>> chunks = (today[first : first + 1600] for first in range(0, len(today), 1600))
    >>> [round(event.start) for event in ag.stream(model, chunks, sample_rate=16000)]
    [5]
    """
    progress = progress_of(progress)
    if emit is not None:
        kinds = emit if isinstance(emit, str) else ",".join(emit)
        settings = replace(settings, emit=parse_emit(kinds, gallery=settings.gallery is not None))
    plan = StreamPlan.of(model_from(model), settings, progress)
    inputs = inputs_of(
        source, sample_rate, device, raw=raw, channel=channel, held=held, exit_on_loss=exit_on_loss
    )
    [(opened, identity)] = inputs.open(plan.sample_rate)
    rows = iterate_session(
        opened,
        lambda session: AnalysisPipeline(plan, identity, lambda: session.status, progress.say),
        progress.say,
        clock=inputs.clock,
        patience=settings.heartbeat or None,
        start=identity.start,
    )
    if emit is None:
        return (Event.from_dict(row["event"]) for row in rows if _is_event(row))
    return rows


def _is_event(row: Json) -> bool:
    """Whether a line has an event that `detect` has, too: one that closed, or a change outside of any."""
    return row["type"] == "closed" or (row["type"] in ("change", "rising") and row["number"] is None)
