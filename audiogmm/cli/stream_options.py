"""Options of `audiogmm stream`: for inputs, for what is told, and for learning."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from audiogmm.cli import options

C = TypeVar("C", bound=Callable[..., Any])


def _all(*decorators: Callable[[Any], Any]) -> Callable[[C], C]:
    """Several options as one decorator, in the order in which help lists them."""

    def decorate(command: C) -> C:
        for decorator in reversed(decorators):
            command = decorator(command)
        return command

    return decorate


def _seconds(name: str, default: float, help: str, parameter: str | None = None) -> Callable[[Any], Any]:
    return click.option(
        name,
        *([parameter] if parameter else []),
        type=click.FloatRange(0, 3600, min_open=True),
        default=default,
        show_default=True,
        metavar="S",
        help=help,
    )


inputs = _all(
    click.option(
        "--device",
        "devices",
        multiple=True,
        metavar="N",
        help="A microphone: its number, a part of its name, or default. May be given several times.",
    ),
    click.option(
        "--raw",
        default=None,
        metavar="FORMAT:HZ[:CHANNELS]",
        help="Inputs are samples without a header, such as s16le:16000:1 (u8, s8; s16, s24, s32, f32, f64 "
        "with le or be; alaw, mulaw).",
    ),
    click.option(
        "--channel",
        type=click.IntRange(0),
        default=None,
        help="Channel to hear, from 0 [default: mix all down].",
    ),
    _seconds(
        "--queue", 10.0, "Seconds of a microphone that may wait before some are dropped; it is said.", "held"
    ),
    click.option(
        "--exit-on-loss", is_flag=True, help="End when a microphone vanishes, and do not wait for it."
    ),
    click.option(
        "--heartbeat",
        type=click.FloatRange(0, 86400),
        default=10.0,
        show_default=True,
        metavar="S",
        help="Seconds of sound between two signs of life; 0: none.",
    ),
    click.option("--quiet-heartbeat", is_flag=True, help="The same as --heartbeat 0."),
    click.option(
        "--lines",
        "most_lines",
        type=click.IntRange(1),
        default=10_000,
        show_default=True,
        help="Lines that may wait for a slow reader before heartbeats, scores and labels are left out.",
    ),
)

telling = _all(
    click.option(
        "--emit",
        default="events",
        show_default=True,
        metavar="WHAT,...",
        help="What is told: events, clusters, speakers, scores, with commas; or all.",
    ),
    click.option(
        "--gallery", type=options.PATH, default=None, metavar="DIR", help="Who may be heard: see enroll."
    ),
    _seconds("--score-interval", 1.0, "With scores: seconds that each is the mean of."),
    _seconds("--cluster-window", 0.5, "With clusters: seconds over which a component has to lead."),
    _seconds("--speaker-window", 3.0, "With speakers: seconds over which it is asked who speaks."),
    click.option(
        "--prior",
        type=click.FloatRange(0, 1, min_open=True),
        default=0.5,
        show_default=True,
        help="With speakers: how likely one of those enrolled speaks; 1: for certain.",
    ),
    options.detector,
    click.option("--no-reasons", is_flag=True, help="Do not say what made each event anomalous."),
)

learning = _all(
    click.option("--learn", is_flag=True, help="Train a model while listening; there is no MODEL argument."),
    click.option(
        "-o", "--output", type=options.PATH, default=None, metavar="PATH", help="With --learn: the model."
    ),
    click.option("--force", is_flag=True, help="Overwrite what is there."),
    click.option(
        "--start", type=options.PATH, default=None, metavar="MODEL", help="With --learn: go on from it."
    ),
    click.option(
        "-k",
        "--components",
        type=click.IntRange(1),
        default=None,
        help="With --learn: Gaussian components [default: as of train].",
    ),
    click.option(
        "--covariance",
        type=click.Choice(["diag", "full", "tied", "spherical"]),
        default=None,
        help="With --learn: covariance form [default: as of train].",
    ),
    click.option(
        "--cold-start",
        type=click.FloatRange(0, 3600, min_open=True),
        default=None,
        metavar="S",
        help="With --learn: seconds of sound to start from [default: 30].",
    ),
    click.option(
        "--forget",
        type=click.FloatRange(0, min_open=True),
        default=None,
        metavar="H",
        help="With --learn: hours after which sound counts half [default: it is averaged ever more slowly].",
    ),
    click.option(
        "--step-exponent",
        type=click.FloatRange(0.5, 1, min_open=True),
        default=None,
        metavar="ALPHA",
        help="With --learn: the t-th step has the weight (t+2)^-ALPHA [default: 0.8].",
    ),
    click.option(
        "--save-every",
        type=click.FloatRange(0, min_open=True),
        default=None,
        metavar="MIN",
        help="With --learn: minutes of sound between two writings of the model [default: 10].",
    ),
    options.floor,
    options.front_end,
    options.seed,
)

OF_LEARNING = (
    *("output", "force", "start", "components", "covariance", "cold_start", "forget", "step_exponent"),
    *("save_every", "floor", "preset", "frontend_file", "sample_rate", "seed"),
)
"""Parameters that `--learn` alone has."""

OF_TELLING = (
    *("emit", "gallery", "score_interval", "cluster_window", "speaker_window", "prior"),
    *("window", "quantile", "alarms_per_hour", "alarms_per_day", "min_duration", "merge_gap", "no_reasons"),
)
"""Parameters that it has not."""


def refuse_strangers(context: click.Context, *, learn: bool) -> None:
    """Refuse options that mean nothing here, so that nobody waits for what they ask for.

    Raises
    ------
    UsageError
        That names them.
    """
    typed = click.core.ParameterSource.COMMANDLINE
    strangers = [
        parameter.opts[-1]
        for parameter in context.command.params
        if parameter.name in (OF_TELLING if learn else OF_LEARNING)
        and context.get_parameter_source(parameter.name) is typed
    ]
    if strangers:
        with_or_without = "cannot go with --learn" if learn else "needs --learn"
        raise click.UsageError(f"{', '.join(strangers)} {with_or_without}")
