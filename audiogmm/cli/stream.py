"""`audiogmm stream`."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from audiogmm.cli import options
from audiogmm.cli.console import SOME_SET_ASIDE, console


@click.command()
@click.argument("names", nargs=-1, metavar="MODEL [INPUT]...")
@click.option(
    "--device",
    "devices",
    multiple=True,
    metavar="N",
    help="A microphone: its number, a part of its name, or default. May be given several times.",
)
@click.option(
    "--raw",
    default=None,
    metavar="FORMAT:HZ[:CHANNELS]",
    help="Inputs are samples without a header, such as s16le:16000:1 (u8, s8; s16, s24, s32, f32, f64 with "
    "le or be; alaw, mulaw).",
)
@click.option(
    "--channel", type=click.IntRange(0), default=None, help="Channel to hear, from 0 [default: mix all down]."
)
@click.option(
    "--emit",
    default="events",
    show_default=True,
    metavar="WHAT,...",
    help="What is told: events, clusters, speakers, scores, with commas; or all.",
)
@click.option(
    "--gallery", type=options.PATH, default=None, metavar="DIR", help="Who may be heard: see enroll."
)
@click.option(
    "--heartbeat",
    type=click.FloatRange(0, 86400),
    default=10.0,
    show_default=True,
    metavar="S",
    help="Seconds of sound between two signs of life; 0: none.",
)
@click.option("--quiet-heartbeat", is_flag=True, help="The same as --heartbeat 0.")
@click.option(
    "--score-interval",
    type=click.FloatRange(0, 3600, min_open=True),
    default=1.0,
    show_default=True,
    metavar="S",
    help="With scores: seconds that each is the mean of.",
)
@click.option(
    "--cluster-window",
    type=click.FloatRange(0, 3600, min_open=True),
    default=0.5,
    show_default=True,
    metavar="S",
    help="With clusters: seconds over which a component has to lead.",
)
@click.option(
    "--speaker-window",
    type=click.FloatRange(0, 3600, min_open=True),
    default=3.0,
    show_default=True,
    metavar="S",
    help="With speakers: seconds over which it is asked who speaks.",
)
@click.option(
    "--prior",
    type=click.FloatRange(0, 1, min_open=True),
    default=0.5,
    show_default=True,
    help="With speakers: how likely one of those enrolled speaks; 1: for certain.",
)
@click.option(
    "--queue",
    "held",
    type=click.FloatRange(0, 3600, min_open=True),
    default=10.0,
    show_default=True,
    metavar="S",
    help="Seconds of a microphone that may wait before some are dropped, which is said.",
)
@click.option(
    "--lines",
    "most_lines",
    type=click.IntRange(1),
    default=10_000,
    show_default=True,
    help="Lines that may wait for a slow reader before heartbeats, scores and labels are left out.",
)
@click.option(
    "--exit-on-loss", is_flag=True, help="End when a microphone vanishes, in place of waiting for it."
)
@options.detector
@options.model_upsample
@click.option("-v", "--verbose", is_flag=True, callback=options.log, help="Log, and show tracebacks.")
def command(
    names: tuple[str, ...],
    devices: tuple[str, ...],
    raw: str | None,
    channel: int | None,
    emit: str,
    gallery: Path | None,
    heartbeat: float,
    quiet_heartbeat: bool,
    score_interval: float,
    cluster_window: float,
    speaker_window: float,
    prior: float,
    held: float,
    most_lines: int,
    exit_on_loss: bool,
    window: float | None,
    quantile: float | None,
    min_duration: float | None,
    merge_gap: float | None,
    upsample: bool,
    verbose: bool,
) -> None:
    """Tell what is heard, as it happens: one JSON object a line.

    INPUT is a recording, a named pipe, or - for a stream on standard input, wav or --raw; several are heard
    at once. Ctrl-C and SIGTERM end it in good order: what is under way is told.

    \b
    Example:
      audiogmm stream room.agmm today.wav
      ffmpeg -i rtsp://camera -f wav - | audiogmm stream room.agmm -

    Lines have a type: start, open, confirmed, closed or dropped (an event, as detect finds it), cluster,
    speaker, score, heartbeat, gap, lost, back, overflow, end. Exit status: 3 if some inputs failed.
    """
    from audiogmm.jobs.stream import stream
    from audiogmm.jobs.stream_settings import StreamSettings, parse_emit
    from audiogmm.jobs.stream_sources import Inputs, as_names

    if not names:
        raise click.UsageError("a MODEL is needed")
    with console() as screen:
        result = stream(
            Path(names[0]),
            Inputs(as_names(names[1:], devices), devices, raw, channel, held, exit_on_loss),
            write,
            StreamSettings(
                parse_emit(emit, gallery=gallery is not None),
                0.0 if quiet_heartbeat else heartbeat,
                score_interval,
                cluster_window,
                speaker_window,
                prior,
                upsample=upsample,
                detector={
                    "window": window,
                    "quantile": quantile,
                    "min_duration": min_duration,
                    "merge_gap": merge_gap,
                },
            ),
            gallery=gallery,
            most_lines=most_lines,
            progress=screen,
        )
    for name, error in result.failed:
        click.echo(f"audiogmm: {name}: {error}", err=True)
    if result.failed:
        click.get_current_context().exit(SOME_SET_ASIDE)


def write(text: str) -> None:
    """Write lines at once; what cannot be written is forgotten, so that the end does not try again."""
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise
