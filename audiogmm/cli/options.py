"""Options that several commands share, each worded once."""

from __future__ import annotations

import functools
import importlib
import logging
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

import click

from audiogmm.cli.ending import Ending
from audiogmm.telemetry.json_log import is_json

if TYPE_CHECKING:
    from audiogmm.audio.frontend.frontend import FrontEnd

C = TypeVar("C", bound=Callable[..., Any])

PATH = click.Path(path_type=Path)
COUNT = click.IntRange(1)
SHARE = click.FloatRange(0, 1)
PROBABILITY = click.FloatRange(0, 1, min_open=True, max_open=True)
POSITIVE = click.FloatRange(0, min_open=True)

manifest = click.argument("manifest", type=str, metavar="M")
model = click.argument("model", type=PATH, metavar="MODEL")


class ChoiceOf(click.Choice):  # type: ignore[type-arg, unused-ignore]
    """The names of a table, which is imported when they are needed: help, or a call that gives one.

    Parameters
    ----------
    module, table : str
        Where the table is: a mapping or sequence of names.

    Examples
    --------
    >>> ChoiceOf("audiogmm.verification.normalization", "NORMALIZATIONS").choices[:2]
    ('none', 'z')
    """

    def __init__(self, module: str, table: str) -> None:
        self.module, self.table, self.case_sensitive = module, table, True

    @property
    def choices(self) -> tuple[str, ...]:  # type: ignore[override, unused-ignore]
        """The names, in the order of the table."""
        return tuple(getattr(importlib.import_module(self.module), self.table))


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


def option(*names: str, **given: Any) -> Callable[[C], C]:
    """An option that shows its default in help, where it has one."""
    return click.option(*names, show_default=True, **given)


def without(flag: str, name: str, help: str) -> Callable[[C], C]:
    """A flag that turns off what is on by default: the parameter `name` is True unless it is given."""
    return click.option(flag, name, is_flag=True, callback=lambda _, __, given: not given, help=help)


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


def together(*decorators: Callable[[Any], Any]) -> Callable[[C], C]:
    """Return several options as one decorator, in the order in which help lists them."""

    def decorate(command: C) -> C:
        for decorator in reversed(decorators):
            command = decorator(command)
        return command

    return decorate


def _log(ctx: click.Context, parameter: click.Parameter, verbose: bool) -> None:
    if verbose and is_json():
        logging.getLogger().setLevel(logging.INFO)
    elif verbose:
        logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s: %(message)s")


def _keep_metrics(ctx: click.Context, parameter: click.Parameter, path: Path | None) -> None:
    if path is not None:
        from audiogmm.cli.metrics import Metrics

        metrics = Metrics(path, ctx.command_path.partition(" ")[2])
        if isinstance(ctx.obj, Ending):
            ctx.obj.callbacks.append(metrics.finish)


force = click.option("--force", is_flag=True, help="Overwrite what is there.")
verbose = together(  # for `main` and the log; no command is given them
    click.option(
        "-v",
        "--verbose",
        is_flag=True,
        callback=_log,
        expose_value=False,
        help="Log what is done, and show tracebacks of errors.",
    ),
    click.option(
        "--log-json",
        is_flag=True,
        expose_value=False,
        help="Write every line on standard error as a JSON object; so does AUDIOGMM_LOG=json.",
    ),
)
metrics = click.option(
    "--metrics",
    type=PATH,
    metavar="FILE",
    callback=_keep_metrics,
    expose_value=False,
    help="Keep figures of the run in FILE, for Prometheus: frames a second, set aside, memory, progress.",
)
as_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON object on standard output.")
reporting = together(verbose, as_json)
strict = click.option("--strict", is_flag=True, help="Fail on the first bad recording.")
threads = click.option("--threads", type=COUNT, help="Number of threads [default: all cores].")
common = together(threads, strict, metrics, reporting)
seed = option("--seed", type=click.IntRange(0), default=0, help="Seed of the random numbers.")
workers = option(
    "--workers",
    type=click.IntRange(0),
    default=0,
    help="Processes that decode audio and compute frames; 0: threads of this process.",
)
streams = together(
    option(
        "--stream",
        default="stream",
        metavar="KEY",
        help="Key of M that tells streams of recordings with a time apart, such as site.",
    ),
    click.option(
        "--max-gap",
        type=click.FloatRange(0),
        metavar="S",
        help="Longest gap in a stream that windows and events span [default: 60, or 2.5 usual steps from one "
        "recording to the next]; 0: each recording alone.",
    ),
)
cells = together(
    click.option(
        "--normal-by",
        metavar="hour|KEY",
        help="Learn what is normal for each hour of day, or each value of a key of M: the scores of "
        "each are put on one level before the threshold.",
    ),
    click.option(
        "--time-zone",
        metavar="ZONE",
        help="With --normal-by hour: by whose clocks, such as Europe/Berlin [default: UTC].",
    ),
)
resume = click.option("--resume", is_flag=True, help="Continue a run that was stopped.")
checkpoint = click.option(
    "--checkpoint",
    type=PATH,
    metavar="DIR",
    help="Where to keep what --resume continues from [default: beside the output].",
)
retry = click.option(
    "--retry",
    is_flag=True,
    help="Try again what a run that has ended set aside, and put it into the output.",
)
model_upsample = click.option(
    "--upsample", is_flag=True, help="Accept recordings below the model's sample rate."
)

tables = together(
    click.option(
        "--columns",
        default="",
        metavar="A,B",
        help="Columns of a table to read, in this order [default: those of the model; for a new one, all but "
        "an index and times]. Columns without names count from 0.",
    ),
    click.option("--exclude", default="", metavar="A,B", help="Columns of a table to leave out."),
    click.option(
        "--id-column", metavar="NAME", help="The column that names the rows of a table; it is left out, too."
    ),
)


def output(what: str, *, required: bool = True) -> Callable[[C], C]:
    """The `-o` of a command that writes `what`, and its `--force`."""
    return together(
        click.option(
            "-o", "--output", type=PATH, required=required, metavar="PATH", help=f"Where to write {what}."
        ),
        force,
    )


def picture(what: str) -> Callable[[C], C]:
    """The `--plot` of a command that can draw `what`."""
    return click.option("--plot", type=PATH, metavar="PICTURE", help=f"Draw {what} (.png, .svg, .pdf).")


def components(default: str) -> Callable[[C], C]:
    """`-k`, whose default is described by a text."""
    return click.option(
        "-k",
        "--components",
        "n_components",
        type=COUNT,
        help=f"Number of Gaussian components [default: {default}].",
    )


def covariance(default: str) -> Callable[[C], C]:
    """`--covariance`, whose default is described by a text."""
    return click.option(
        "--covariance",
        "covariance_type",
        type=click.Choice(["diag", "full", "tied", "spherical"]),
        help=f"Covariance form [default: {default}].",
    )


start = click.option("--start", type=PATH, metavar="MODEL", help="Start from the parameters of this model.")
maximum_passes = option("--passes", type=COUNT, default=100, help="Largest number of passes over the data.")
tol = option(
    "--tol",
    type=click.FloatRange(0),
    default=1e-3,
    help="Stop when a pass gains less than this, in nats per frame; 0: never.",
)
floor = click.option(
    "--floor",
    type=click.FloatRange(0),
    help="Least variance, as a share of each feature's variance; less than 1e-10 counts as that "
    "[default: 1e-4; with --preset ambient 1e-2].",
)


def _choose_front_end(preset: str | None, frontend_file: Path | None) -> FrontEnd | None:
    """Return the front end that is named; None, without importing any code of audio, where none is."""
    if preset is None and frontend_file is None:
        return None
    from audiogmm.runs.frontends import choose_frontend

    return choose_frontend(preset, frontend_file)


front_end = together(  # --preset and --frontend are `frontend` to the command
    click.option(
        "--preset",
        type=click.Choice(["speech", "ambient", "librosa", "kaldi"]),
        help="Front end [default: speech].",
    ),
    click.option(
        "--frontend",
        "frontend_file",
        type=PATH,
        metavar="FILE.toml",
        help="Front end whose settings are in this file, in place of a preset.",
    ),
    click.option(
        "--sample-rate",
        type=COUNT,
        metavar="HZ",
        help="Resample to this rate [default: that of the first good recording].",
    ),
    click.option("--upsample", is_flag=True, help="Accept recordings below the sample rate."),
    joined("frontend", "preset", "frontend_file", by=_choose_front_end),
)


def _per_hour(alarms_per_hour: float | None, alarms_per_day: float | None) -> float | None:
    """Return the budget of alarms, an hour, from `--alarms-per-hour` or `--alarms-per-day`."""
    if alarms_per_day is None:
        return alarms_per_hour
    if alarms_per_hour is not None:
        raise click.UsageError("--alarms-per-hour and --alarms-per-day were both given; give one of them")
    return alarms_per_day / 24


detector = together(  # --alarms-per-hour and --alarms-per-day are `alarms_per_hour` to the command
    click.option(
        "--window",
        type=click.FloatRange(0, 3600, min_open=True),
        metavar="S",
        help="Seconds over which scores are averaged [default: 0.5].",
    ),
    click.option(
        "--quantile",
        type=click.FloatRange(0.5, 1, max_open=True),
        help="Share of normal windows that raise no alarm, in place of a number of alarms [default with less "
        "than 10 minutes of normal audio: 0.999].",
    ),
    click.option(
        "--min-duration",
        type=click.FloatRange(0),
        metavar="S",
        help="Drop events shorter than this, in seconds.",
    ),
    click.option(
        "--merge-gap",
        type=click.FloatRange(0),
        metavar="S",
        help="Join events that are no further apart than this, in seconds.",
    ),
    click.option(
        "--alarms-per-hour",
        type=POSITIVE,
        metavar="R",
        help="Set the threshold by the number of events that normal audio may raise; needs enough of it "
        "[default: as many as give 2 in the normal audio, at least 1 an hour].",
    ),
    click.option("--alarms-per-day", type=POSITIVE, metavar="R", help="The same for a day."),
    joined("alarms_per_hour", "alarms_per_hour", "alarms_per_day", by=_per_hour),
)
scores = click.option(
    "--scores",
    metavar="NAMES",
    help="Scores of the detector, with commas: mean, ratio, quantile, scales, bands, twfr, posterior, cusum "
    "(NAME or NAME:SECONDS); fusion: all but cusum; auto: those of fusion that are steady on normal "
    "audio [default: mean].",
)
kinds = click.option(
    "--kinds",
    type=PATH,
    metavar="DIR",
    help="Say of what kind the sound of each event is, by the groups that `group` wrote; leave out those of "
    "kinds that `name --normal` declared normal.",
)
drift = without("--no-drift", "drift", "Do not say of events whether they changed for good or are rising.")
reasons = without("--no-reasons", "reasons", "Do not say why each event is anomalous.")

speakers = option(
    "--speakers",
    type=click.Choice(["auto", "yes", "no"]),
    default="auto",
    help="Learn a back end that compares speakers, for `verify` [auto: if M names at least 20 speakers].",
)
compensation = click.option(
    "--compensation",
    type=click.Choice(["nap", "isv"]),
    help="Compensate for what differs between recordings of one speaker, by nuisance attribute projection or "
    "by eigenchannels. Needs ten speakers with two or more recordings.",
)
scoring = option(
    "--scoring",
    type=click.Choice(["exact", "top", "linear"]),
    default="exact",
    help="Likelihood ratios of all components, of each frame's most likely ones, or to first order of the "
    "adaptation.",
)
operating_point = together(
    option(
        "--prior", type=PROBABILITY, default=0.05, help="Prior probability of a target, for the decision."
    ),
    option("--cost-miss", type=POSITIVE, default=1.0, help="Cost of rejecting a target."),
    option("--cost-false-alarm", type=POSITIVE, default=1.0, help="Cost of accepting a non-target."),
)
