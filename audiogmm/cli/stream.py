"""`audiogmm stream`."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from audiogmm.cli import options, stream_options
from audiogmm.cli.console import SOME_SET_ASIDE, Console, console

if TYPE_CHECKING:
    from audiogmm.audio.frontend.frontend import FrontEnd
    from audiogmm.live.stream.session import StreamResult
    from audiogmm.live.stream.sources import StreamInputs
    from audiogmm.types import CovarianceType


@click.command()
@click.argument("names", nargs=-1, metavar="MODEL [INPUT]...")
@stream_options.inputs
@stream_options.telling
@stream_options.learning
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
    heartbeat: float,
    quiet_heartbeat: bool,
    most_lines: int,
    **asked: Any,
) -> None:
    """Tell what is heard, as it happens: one JSON object a line.

    INPUT is a recording, a named pipe, or - for a stream on standard input, wav or --raw; several are heard
    at once. Ctrl-C and SIGTERM end it in good order, with exit status 0: what is under way is told.

    \b
    Example:
      audiogmm stream room.agmm today.wav
      ffmpeg -i rtsp://camera -f wav - | audiogmm stream room.agmm --emit events,scores

    With --learn it trains a model while it listens, in one pass, and saves it as it goes.

    \b
      audiogmm stream --learn --preset ambient -k 8 -o new.agmm today.wav
      arecord -f S16_LE -r 16000 | audiogmm stream --learn --preset ambient -o new.agmm -

    Lines have a type: start, open, confirmed, closed or dropped (an event, as detect finds it), cluster,
    speaker, score, heartbeat, gap, lost, back, overflow, end; with --learn also learning and saved. Exit
    status: 3 if some inputs failed.
    """
    from audiogmm.live.stream.sources import StreamInputs, as_names

    stream_options.refuse_strangers(context, learn=learn)
    if not learn and not names:
        raise click.UsageError("a MODEL is needed, or --learn -o MODEL")
    sounds = names if learn else names[1:]
    inputs = StreamInputs(as_names(sounds, devices), devices, raw, channel, held, exit_on_loss)
    pulse = 0.0 if quiet_heartbeat else heartbeat
    with console() as screen:
        result = (_learn if learn else _tell)(names, inputs, pulse, most_lines, screen, **asked)
    for name, error in result.failed:
        click.echo(f"audiogmm: {name}: {error}", err=True)
    if result.failed:
        context.exit(SOME_SET_ASIDE)


def _tell(
    names: tuple[str, ...],
    inputs: StreamInputs,
    heartbeat: float,
    most_lines: int,
    screen: Console,
    *,
    emit: str,
    gallery: Path | None,
    score_interval: float,
    cluster_window: float,
    speaker_window: float,
    prior: float,
    window: float | None,
    quantile: float | None,
    alarms_per_hour: float | None,
    min_duration: float | None,
    merge_gap: float | None,
    no_reasons: bool,
    upsample: bool,
    **_: Any,
) -> StreamResult:
    from audiogmm.jobs.stream import stream
    from audiogmm.live.stream.settings import StreamSettings, parse_emit

    settings = StreamSettings(
        parse_emit(emit, gallery=gallery is not None),
        heartbeat,
        score_interval,
        cluster_window,
        speaker_window,
        prior,
        reasons=not no_reasons,
        upsample=upsample,
        detector={
            "window": window,
            "quantile": quantile,
            "alarms_per_hour": alarms_per_hour,
            "min_duration": min_duration,
            "merge_gap": merge_gap,
        },
    )
    return stream(
        Path(names[0]), inputs, write, settings, gallery=gallery, most_lines=most_lines, progress=screen
    )


def _learn(
    _: tuple[str, ...],
    inputs: StreamInputs,
    heartbeat: float,
    most_lines: int,
    screen: Console,
    *,
    output: Path | None,
    force: bool,
    start: Path | None,
    components: int | None,
    covariance: CovarianceType | None,
    cold_start: float | None,
    forget: float | None,
    step_exponent: float | None,
    save_every: float | None,
    floor: float | None,
    frontend: FrontEnd | None,
    sample_rate: int | None,
    upsample: bool,
    seed: int,
    **__: Any,
) -> StreamResult:
    from audiogmm.jobs.stream_learn import learn_from_stream
    from audiogmm.live.stream.learn_settings import LearnSettings

    if output is None:
        raise click.UsageError("--learn needs -o, the model to be written")
    given = {
        "cold_start": cold_start,
        "half_life": forget,
        "exponent": step_exponent,
        "save_every": save_every,
    }
    settings = LearnSettings(
        n_components=components,
        covariance_type=covariance,
        seed=seed,
        floor=floor,
        heartbeat=heartbeat,
        upsample=upsample,
        **{name: value for name, value in given.items() if value is not None},
    )
    return learn_from_stream(
        output,
        inputs,
        write,
        settings,
        frontend=frontend,
        sample_rate=sample_rate,
        start=start,
        force=force,
        most_lines=most_lines,
        progress=screen,
    )


def write(text: str) -> None:
    """Write lines at once; what nobody reads is forgotten, so that the end does not try again."""
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise
