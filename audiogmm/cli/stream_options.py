"""Options of `audiogmm stream`: for inputs, for lines, and for learning."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from audiogmm.cli import deliver_options, options


def _seconds(name: str, default: float, help: str, parameter: str | None = None) -> Callable[[Any], Any]:
    return options.option(
        name,
        *([parameter] if parameter else []),
        type=click.FloatRange(0, 3600, min_open=True),
        default=default,
        metavar="S",
        help=help,
    )


inputs = options.together(
    click.option(
        "--device",
        "devices",
        multiple=True,
        metavar="N",
        help="A microphone: its number, a part of its name, or default. May be repeated.",
    ),
    click.option(
        "--raw",
        metavar="FORMAT:HZ[:CHANNELS]",
        help="Inputs are samples without a header, such as s16le:16000:1 (u8, s8; s16, s24, s32, f32, f64 "
        "with le or be; alaw, mulaw).",
    ),
    click.option("--channel", type=click.IntRange(0), help="Channel to use, from 0 [default: the mean]."),
    _seconds("--queue", 10.0, "Seconds of a microphone that may wait before some are dropped.", "held"),
    click.option(
        "--began",
        metavar="now|TIME",
        help="When the inputs began: now, for live ones, or ISO 8601 with a zone [default: microphones now; "
        "recordings as their name or metadata says].",
    ),
    click.option("--time-zone", metavar="ZONE", help="Zone of names and BWF metadata [default: UTC]."),
    click.option("--exit-on-loss", is_flag=True, help="End when a microphone is lost; do not wait for it."),
    options.option(
        "--heartbeat",
        type=click.FloatRange(0, 86400),
        default=10.0,
        metavar="S",
        help="Seconds of sound between two heartbeats; 0: none.",
    ),
    click.option("--quiet-heartbeat", is_flag=True, help="The same as --heartbeat 0."),
    options.joined(
        "heartbeat",
        "heartbeat",
        "quiet_heartbeat",
        by=lambda heartbeat, quiet_heartbeat: 0.0 if quiet_heartbeat else heartbeat,
    ),
    options.option(
        "--lines",
        type=click.Choice(("json", "text", "auto")),
        default="auto",
        help="How lines are written; auto: text on a terminal, else JSON.",
    ),
    options.option(
        "--most-lines",
        type=options.COUNT,
        default=10_000,
        help="Lines that may wait for a slow reader before heartbeats, scores and clusters are left out.",
    ),
)

analysis = options.together(
    options.option(
        "--emit",
        default="events",
        metavar="WHAT,...",
        help="Lines to write, separated by commas: events, clusters, speakers, scores; or all.",
    ),
    click.option(
        "--gallery",
        type=options.PATH,
        metavar="DIR",
        help="Speakers to look for: a folder that `enroll` wrote.",
    ),
    _seconds("--score-interval", 1.0, "For scores: seconds that each is the mean of."),
    _seconds("--cluster-window", 0.5, "For clusters: seconds over which the leading component is found."),
    _seconds("--speaker-window", 3.0, "For speakers: seconds over which the speaker is identified."),
    options.option(
        "--prior",
        "known",
        type=click.FloatRange(0, 1, min_open=True),
        default=0.5,
        help="For speakers: prior probability that a speaker is enrolled; 1: certain.",
    ),
    options.detector,
    options.kinds,
    options.reasons,
    options.drift,
)

learning = options.together(
    click.option("--learn", is_flag=True, help="Train a model; there is no MODEL argument."),
    options.output("the model, with --learn", required=False),
    options.resume,
    options.start,
    options.components("as for train"),
    options.covariance("as for train"),
    _seconds("--cold-start", 30.0, "With --learn: seconds of sound that the first model is trained on."),
    click.option(
        "--forget",
        "half_life",
        type=options.POSITIVE,
        metavar="H",
        help="With --learn: hours after which the weight of sound has halved [default: never].",
    ),
    options.option(
        "--step-exponent",
        "exponent",
        type=click.FloatRange(0.5, 1, min_open=True),
        default=0.8,
        metavar="ALPHA",
        help="With --learn: the t-th step has the weight (t+2)^-ALPHA.",
    ),
    options.option(
        "--save-every",
        type=options.POSITIVE,
        default=10.0,
        metavar="MIN",
        help="With --learn: minutes of sound between two writes of the model.",
    ),
    options.floor,
    options.front_end,
    options.seed,
)

OF_ANALYSIS = (
    *("emit", "gallery", "score_interval", "cluster_window", "speaker_window", "known", "reasons", "kinds"),
    *("drift", "window", "quantile", "alarms_per_hour", "min_duration", "merge_gap"),
    "delivery",
)
"""What `--learn` has no use for, as the command is given it."""

OF_LEARNING = (
    *(
        "output",
        "force",
        "resume",
        "start",
        "n_components",
        "covariance_type",
        "cold_start",
        "half_life",
        "exponent",
    ),
    *("save_every", "floor", "frontend", "sample_rate", "seed"),
)
"""What only `--learn` uses, as the command is given it."""

_JOINED = {"alarms_per_day": "alarms_per_hour", "preset": "frontend", "frontend_file": "frontend"}
_JOINED |= dict.fromkeys(deliver_options.NAMES, "delivery")


def take(context: click.Context, given: dict[str, Any], *, learn: bool) -> dict[str, Any]:
    """Return what the command was given for learning, or for analysis, and refuse what is for the other.

    Raises
    ------
    UsageError
        If options of the other were given; they are named.
    """
    wanted, other = (OF_LEARNING, OF_ANALYSIS) if learn else (OF_ANALYSIS, OF_LEARNING)
    typed = click.core.ParameterSource.COMMANDLINE
    refused = [
        parameter.opts[-1]
        for parameter in context.command.params
        if (name := parameter.name) is not None
        and _JOINED.get(name, name) in other
        and context.get_parameter_source(name) is typed
    ]
    if refused:
        raise click.UsageError(f"{', '.join(refused)} {'cannot go with' if learn else 'needs'} --learn")
    return {name: given[name] for name in (*wanted, "heartbeat", "upsample")}
