"""Options that several commands share, each worded once."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

import click

if TYPE_CHECKING:
    from audiogmm.audio.frontend.frontend import FrontEnd

C = TypeVar("C", bound=Callable[..., Any])

PATH = click.Path(path_type=Path)

manifest = click.argument("manifest", type=str, metavar="M")
model = click.argument("model", type=PATH, metavar="MODEL")


def joined(into: str, *names: str, by: Callable[..., Any]) -> Callable[[C], C]:
    """Give a command one argument `into`, made by a function of its parameters `names`, in their place.

    Below the options that it joins, so that a command takes the fields of its settings and nothing else.

    Examples
    --------
    >>> @click.command()
    ... @click.option("--hours", type=float, default=0.0)
    ... @click.option("--minutes", type=float, default=0.0)
    ... @joined("seconds", "hours", "minutes", by=lambda hours, minutes: 3600 * hours + 60 * minutes)
    ... def wait(**given: float) -> None:
    ...     click.echo(given)
    >>> wait(["--hours", "1", "--minutes", "30"], standalone_mode=False)
    {'seconds': 5400.0}
    """

    def decorate(command: C) -> C:
        @functools.wraps(command)
        def call(*args: Any, **given: Any) -> Any:
            parts = {name: given.pop(name) for name in names}
            return command(*args, **{into: by(**parts)}, **given)

        return cast(C, call)

    return decorate


def without(option: str, name: str, help: str) -> Callable[[C], C]:
    """A flag that turns off what is on by default: the parameter `name` is True unless it is given."""
    return click.option(option, name, is_flag=True, callback=lambda _, __, given: not given, help=help)


def former_names(**names: str) -> dict[str, Any]:
    """Return the context settings of a command whose options are also known by former names, hidden in help.

    Examples
    --------
    >>> @click.command(context_settings=former_names(normalise="normalize"))
    ... @click.option("--normalize")
    ... def verify(normalize: str) -> None:
    ...     click.echo(normalize)
    >>> verify(["--normalise", "z"], standalone_mode=False)
    z
    """
    return {"token_normalize_func": lambda name: names.get(name, name)}


def output(what: str) -> Callable[[C], C]:
    """The `-o` of a command that writes `what`, and its `--force`."""

    def decorate(command: C) -> C:
        command = click.option("--force", is_flag=True, help="Overwrite what is there.")(command)
        return click.option(
            "-o", "--output", type=PATH, required=True, metavar="PATH", help=f"Where to write {what}."
        )(command)

    return decorate


def reporting(command: C) -> C:
    """`--json` and `-v`."""
    command = click.option(
        "--json", "as_json", is_flag=True, help="Print one JSON object on standard output."
    )(command)
    return verbose(command)


def verbose(command: C) -> C:
    """`-v`, which no command is given: it is for `main` and the log."""
    return click.option(
        "-v",
        "--verbose",
        is_flag=True,
        callback=_log,
        expose_value=False,
        help="Log, and show tracebacks.",
    )(command)


def strict(command: C) -> C:
    """`--strict`."""
    return click.option("--strict", is_flag=True, help="Fail on the first bad recording.")(command)


def threads(command: C) -> C:
    """`--threads`."""
    return click.option(
        "--threads", type=click.IntRange(1), default=None, help="Threads (default: all cores)."
    )(command)


def common(command: C) -> C:
    """`--json`, `-v`, `--strict` and `--threads`."""
    return threads(strict(reporting(command)))


def seed(command: C) -> C:
    """`--seed`."""
    return click.option(
        "--seed", type=click.IntRange(0), default=0, show_default=True, help="Seed of all randomness."
    )(command)


def workers(command: C) -> C:
    """`--workers`."""
    return click.option(
        "--workers",
        type=click.IntRange(0),
        default=0,
        show_default=True,
        help="Processes that decode and extract (0: threads of this one).",
    )(command)


def front_end(command: C) -> C:
    """`--preset` and `--frontend`, joined to `frontend`; `--sample-rate` and `--upsample`."""
    command = joined("frontend", "preset", "frontend_file", by=_choose_front_end)(command)
    for option in (
        click.option("--upsample", is_flag=True, help="Accept audio below the sample rate."),
        click.option(
            "--sample-rate",
            type=click.IntRange(1),
            default=None,
            metavar="HZ",
            help="Resample to this rate (default: the first good recording's).",
        ),
        click.option(
            "--frontend",
            "frontend_file",
            type=PATH,
            default=None,
            metavar="FILE.toml",
            help="Settings of your own.",
        ),
        click.option(
            "--preset",
            type=click.Choice(["speech", "ambient", "librosa", "kaldi"]),
            default=None,
            help="Front end [default: speech].",
        ),
    ):
        command = option(command)
    return command


def detector(command: C) -> C:
    """The settings of the decision: `--window`, `--quantile` or a budget, `--min-duration`, `--merge-gap`.

    `--alarms-per-day` is `alarms_per_hour` to the command.
    """
    command = joined("alarms_per_hour", "alarms_per_hour", "alarms_per_day", by=_per_hour)(command)
    for option in (
        click.option(
            "--alarms-per-day",
            type=click.FloatRange(0, min_open=True),
            default=None,
            metavar="R",
            help="The same for a day.",
        ),
        click.option(
            "--alarms-per-hour",
            type=click.FloatRange(0, min_open=True),
            default=None,
            metavar="R",
            help="Events that normal audio may raise; refused where it is too short to tell.",
        ),
        click.option(
            "--merge-gap", type=click.FloatRange(0), default=None, metavar="S", help="Merge events this near."
        ),
        click.option(
            "--min-duration", type=click.FloatRange(0), default=None, metavar="S", help="Drop shorter events."
        ),
        click.option(
            "--quantile",
            type=click.FloatRange(0.5, 1, max_open=True),
            default=None,
            help="Share of normal windows that raise no alarm [default: 0.999].",
        ),
        click.option(
            "--window",
            type=click.FloatRange(0, 3600, min_open=True),
            default=None,
            metavar="S",
            help="Seconds over which scores are averaged [default: 0.5].",
        ),
    ):
        command = option(command)
    return command


def scores(command: C) -> C:
    """`--scores`."""
    return click.option(
        "--scores",
        default=None,
        metavar="NAMES",
        help="What the detector scores by: mean, ratio, quantile, scales, bands, twfr, posterior, cusum "
        "(NAME or NAME:SECONDS), several with commas between them; fusion: all but cusum; auto: those of "
        "fusion that normal audio does not speak against [default: mean].",
    )(command)


def maximum_passes(command: C) -> C:
    """`--passes`."""
    return click.option(
        "--passes", type=click.IntRange(1), default=100, show_default=True, help="Most passes over the data."
    )(command)


def floor(command: C) -> C:
    """`--floor`."""
    return click.option(
        "--floor",
        type=click.FloatRange(0),
        default=None,
        help="Least variance, a share of each feature's variance "
        "[default: 1e-4; with --preset ambient 1e-2].",
    )(command)


def model_upsample(command: C) -> C:
    """`--upsample` of a command that takes its front end from a model."""
    return click.option("--upsample", is_flag=True, help="Accept audio below the model's sample rate.")(
        command
    )


def resume(command: C) -> C:
    """`--resume` of a command that notes what it has done."""
    return click.option("--resume", is_flag=True, help="Go on from a run that was stopped.")(command)


def scoring(command: C) -> C:
    """`--scoring`."""
    return click.option(
        "--scoring",
        type=click.Choice(["exact", "top", "linear"]),
        default="exact",
        show_default=True,
        help="Ratios of all components; of each frame's likeliest; or to first order of the adaptation.",
    )(command)


def operating_point(command: C) -> C:
    """What a decision rests on: `--prior`, `--cost-miss`, `--cost-false-alarm`."""
    for option in (
        click.option(
            "--cost-false-alarm",
            type=click.FloatRange(0, min_open=True),
            default=1.0,
            show_default=True,
            help="What it costs to accept a non-target.",
        ),
        click.option(
            "--cost-miss",
            type=click.FloatRange(0, min_open=True),
            default=1.0,
            show_default=True,
            help="What it costs to reject a target.",
        ),
        click.option(
            "--prior",
            type=click.FloatRange(0, 1, min_open=True, max_open=True),
            default=0.05,
            show_default=True,
            help="How likely a target is, before anything is heard.",
        ),
    ):
        command = option(command)
    return command


def _choose_front_end(preset: str | None, frontend_file: Path | None) -> FrontEnd | None:
    """The front end that is named; None without reading any code of audio where none is."""
    if preset is None and frontend_file is None:
        return None
    from audiogmm.runs.frontends import choose_frontend

    return choose_frontend(preset, frontend_file)


def _per_hour(alarms_per_hour: float | None, alarms_per_day: float | None) -> float | None:
    """The budget of alarms, an hour, from `--alarms-per-hour` or `--alarms-per-day`."""
    if alarms_per_day is None:
        return alarms_per_hour
    if alarms_per_hour is not None:
        raise click.UsageError("--alarms-per-hour and --alarms-per-day were both given; one budget, please.")
    return alarms_per_day / 24


def _log(ctx: click.Context, parameter: click.Parameter, verbose: bool) -> bool:
    if verbose:
        logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s: %(message)s")
    return verbose


speakers = click.option(
    "--speakers",
    type=click.Choice(["auto", "yes", "no"]),
    default="auto",
    show_default=True,
    help="Learn what tells the speakers of M apart, for `verify` [auto: where it names at least 20].",
)
compensation = click.option(
    "--compensation",
    type=click.Choice(["nap", "isv"]),
    default=None,
    help="Take out what differs between recordings of one speaker: by nuisance attribute projection, or by "
    "eigenchannels. Needs ten speakers with two or more recordings.",
)
