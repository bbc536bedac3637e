"""`audiogmm stream`."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from audiogmm.cli import deliver_options, options, stream_options
from audiogmm.cli.console import Console, complain, console
from audiogmm.cli.failures import SOME_SET_ASIDE

if TYPE_CHECKING:
    from audiogmm.live.deliver.settings import DeliverySettings
    from audiogmm.live.stream.session import StreamResult, Write
    from audiogmm.live.stream.sources import StreamInputs


@click.command()
@click.argument("names", nargs=-1, metavar="MODEL [INPUT]...")
@stream_options.inputs
@stream_options.analysis
@stream_options.learning
@deliver_options.delivery
@options.metrics
@deliver_options.endpoint
@options.verbose
@click.pass_context
def command(
    context: click.Context,
    /,
    names: tuple[str, ...],
    learn: bool,
    devices: tuple[str, ...],
    raw: str | None,
    channel: int | None,
    held: float,
    exit_on_loss: bool,
    began: str | None,
    time_zone: str | None,
    most_lines: int,
    lines: str,
    **given: Any,
) -> None:
    """Analyze sound as it arrives: one line for each thing that happens, as JSON or as text.

    INPUT is a recording, a named pipe, or - for a stream on standard input, wav or --raw; several are read at
    once. Ctrl-C and SIGTERM end the stream with exit status 0, once the lines of open events are written.

    \b
    Example:
      audiogmm stream room.agmm today.wav
      ffmpeg -i rtsp://camera -f wav - | audiogmm stream room.agmm --emit events,scores

    With --learn it trains a model in one pass over the sound, and saves it as it goes.

    \b
      audiogmm stream --learn --preset ambient -k 8 -o new.agmm today.wav
      arecord -f S16_LE -r 16000 | audiogmm stream --learn --preset ambient -o new.agmm -

    Lines have a type: start, open, confirmed, closed or dropped (an event, as detect finds it), change and
    rising (a departure that lasts, or goes on growing), cluster, speaker, score, heartbeat, gap, lost, back,
    overflow, end; with --learn also learning and saved. Exit status: 3 if some inputs failed.
    """
    from audiogmm.live.readable import as_text
    from audiogmm.live.stream.sources import StreamInputs, as_names

    chosen = stream_options.take(context, given, learn=learn)
    if not learn and not names:
        raise click.UsageError("a MODEL is needed, or --learn -o MODEL")
    inputs = as_names(names if learn else names[1:], devices)
    sources = StreamInputs(
        inputs, devices, raw, channel, held, exit_on_loss, began=began, time_zone=time_zone
    )
    is_text = lines == "text" or (lines == "auto" and sys.stdout.isatty())
    out = as_text(write) if is_text else write
    with console() as screen:
        if learn:
            result = _learn(sources, out, most_lines, screen, **chosen)
        else:
            result = _analyze(Path(names[0]), sources, out, most_lines, screen, **chosen)
    for name, error in result.failed:
        about = {"id": name, "error": type(error).__name__, "needed": error.needed, "try": error.remedy}
        complain(f"audiogmm: {name}: {error}", event="set_aside", **about)
    if result.failed:
        context.exit(SOME_SET_ASIDE)


def _analyze(
    model: Path,
    inputs: StreamInputs,
    out: Write,
    most_lines: int,
    screen: Console,
    *,
    emit: str,
    delivery: DeliverySettings,
    **chosen: Any,
) -> StreamResult:
    from audiogmm.jobs.stream import stream_to
    from audiogmm.live.stream.settings import StreamSettings, parse_emit

    settings = StreamSettings(parse_emit(emit, gallery=chosen["gallery"] is not None), **chosen)
    return stream_to(
        model,
        inputs,
        out,
        settings=settings,
        most_lines=most_lines,
        delivery=delivery,
        progress=screen,
    )


def _learn(
    inputs: StreamInputs, out: Write, most_lines: int, screen: Console, *, output: Path | None, **chosen: Any
) -> StreamResult:
    from audiogmm.jobs.stream_learn import learn_from_stream
    from audiogmm.live.stream.learn_settings import LearnSettings

    if output is None:
        raise click.UsageError("--learn needs -o, the model to write")
    settings = LearnSettings(**chosen)
    return learn_from_stream(output, inputs, out, settings=settings, most_lines=most_lines, progress=screen)


def write(text: str) -> None:
    """Write lines at once; after the reader has gone, drop what is left, so that the exit does not fail."""
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise
