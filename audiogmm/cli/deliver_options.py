"""Options of commands whose events go further: to a command, a broker, a web server, a folder of clips."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from audiogmm.cli import options
from audiogmm.cli.ending import Ending

if TYPE_CHECKING:
    from audiogmm.live.deliver.settings import DeliverySettings

NAMES = (
    *("command", "command_limit", "commands_at_once", "mqtt", "mqtt_password", "webhook", "webhook_secret"),
    *("ca", "types", "spool", "clips", "clips_size", "pre_roll"),
)
"""Fields of `DeliverySettings`, as the command is given them."""


def _settings(**given: Any) -> DeliverySettings:
    from audiogmm.live.deliver.settings import DeliverySettings

    return DeliverySettings(**given)


delivery = options.together(
    click.option(
        "--exec",
        "command",
        metavar="CMD",
        help="Run a program for each event, with the event as JSON on standard input and in AUDIOGMM_* "
        "variables; its arguments are split as by a shell, but no shell runs.",
    ),
    options.option(
        "--exec-limit",
        "command_limit",
        type=click.FloatRange(0, 86400, min_open=True),
        default=30.0,
        metavar="S",
        help="Seconds after which the program is killed.",
    ),
    options.option(
        "--exec-jobs",
        "commands_at_once",
        type=click.IntRange(1, 64),
        default=1,
        metavar="N",
        help="Programs that run at once; with more than 1, events may overtake each other.",
    ),
    click.option(
        "--mqtt",
        metavar="URL",
        help="Publish events to a broker, mqtts://[USER@]HOST[:PORT][/PREFIX]; Home Assistant finds them.",
    ),
    click.option(
        "--mqtt-password",
        type=options.PATH,
        metavar="FILE",
        help="File with its password [default: AUDIOGMM_MQTT_PASSWORD].",
    ),
    click.option("--webhook", metavar="URL", help="Post each event as JSON to this URL."),
    click.option(
        "--webhook-secret",
        type=options.PATH,
        metavar="FILE",
        help="File with the secret that signs requests [default: AUDIOGMM_WEBHOOK_SECRET].",
    ),
    click.option(
        "--ca",
        type=options.PATH,
        metavar="FILE",
        help="Certificates to trust, for --mqtt and --webhook [default: the system's].",
    ),
    options.option(
        "--deliver",
        "types",
        default="closed",
        metavar="TYPE,...",
        help="Lines to deliver: closed, confirmed, open, dropped.",
    ),
    options.option(
        "--spool",
        type=options.PATH,
        default=Path("audiogmm-spool"),
        metavar="DIR",
        help="Folder that keeps what could not be delivered yet; the next run sends it.",
    ),
    click.option("--clips", type=options.PATH, metavar="DIR", help="Keep the sound of each event as FLAC."),
    options.option(
        "--clips-size",
        type=options.POSITIVE,
        default=1000.0,
        metavar="MB",
        help="Size of the folder of clips; the oldest ones are removed.",
    ),
    options.option(
        "--pre-roll",
        type=click.FloatRange(0, 600),
        default=2.0,
        metavar="S",
        help="Seconds of sound before the event in its clip.",
    ),
    options.joined("delivery", *NAMES, by=_settings),
)


def _serve(ctx: click.Context, parameter: click.Parameter, address: str | None) -> None:
    if address is None:
        return
    from audiogmm.cli.metrics import RunFigures, render
    from audiogmm.live.deliver.endpoint import MetricsEndpoint, parse_address
    from audiogmm.live.deliver.secret import METRICS_TOKEN, read_secret

    figures = RunFigures(ctx.command_path.partition(" ")[2])
    where, token = parse_address(address), read_secret(ctx.meta.get(_TOKEN), METRICS_TOKEN)
    endpoint = MetricsEndpoint(lambda: render(figures.samples(), "port"), where, token)
    if isinstance(ctx.obj, Ending):
        ctx.obj.callbacks.append(lambda _: endpoint.close())


def _keep_token(ctx: click.Context, parameter: click.Parameter, path: Path | None) -> None:
    ctx.meta[_TOKEN] = path


_TOKEN = "audiogmm.metrics_token"

endpoint = options.together(
    click.option(
        "--metrics-port",
        metavar="[HOST:]PORT",
        callback=_serve,
        expose_value=False,
        help="Answer GET /metrics with the figures of the run, for Prometheus; on this machine alone, unless "
        "there is a token.",
    ),
    click.option(
        "--metrics-token",
        type=options.PATH,
        metavar="FILE",
        callback=_keep_token,
        expose_value=False,
        is_eager=True,
        help="File with the token that clients send [default: AUDIOGMM_METRICS_TOKEN].",
    ),
)
