"""`audiogmm evaluate verify`."""

from __future__ import annotations

from pathlib import Path

import click

from audiogmm.cli import options
from audiogmm.cli.console import close, console


@click.group()
def command() -> None:
    """Say how good results are, where the truth is known.

    \b
    Example:
      audiogmm evaluate verify scores.csv
    """


@command.command()
@click.argument("scores", type=options.PATH, metavar="SCORES.csv")
@click.option(
    "--prior",
    type=float,
    multiple=True,
    help="Probability of a target, for the costs; several times for several points [default: 0.01 and 0.05].",
)
@click.option("--cost-miss", type=float, multiple=True, help="Of rejecting a target [default: 1].")
@click.option("--cost-false-alarm", type=float, multiple=True, help="Of accepting another [default: 1].")
@click.option(
    "--by",
    multiple=True,
    metavar="COLUMN",
    help="Evaluate the conditions of this column as well; numbers are cut into four parts.",
)
@click.option(
    "--against", type=options.PATH, default=None, metavar="OTHER.csv", help="Compare with another system."
)
@click.option("--column", default="score", show_default=True, metavar="NAME", help="Where the scores are.")
@click.option(
    "--plot",
    type=options.PATH,
    default=None,
    metavar="PICTURE",
    help="DET and calibration (.png, .svg, .pdf).",
)
@click.option("-o", "--output", type=options.PATH, default=None, metavar="PATH", help="The result as JSON.")
@click.option("--force", is_flag=True, help="Overwrite what is there.")
@click.option(
    "--replicates",
    type=click.IntRange(100),
    default=1000,
    show_default=True,
    help="Draws of the speakers for the intervals.",
)
@click.option(
    "--confidence",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    default=0.95,
    show_default=True,
    help="Of the intervals.",
)
@options.seed
@click.option("--strict", is_flag=True, help="Fail on the first bad row.")
@options.threads
@options.reporting
def verify(
    scores: Path,
    prior: tuple[float, ...],
    cost_miss: tuple[float, ...],
    cost_false_alarm: tuple[float, ...],
    by: tuple[str, ...],
    against: Path | None,
    column: str,
    plot: Path | None,
    output: Path | None,
    force: bool,
    replicates: int,
    confidence: float,
    seed: int,
    strict: bool,
    threads: int | None,
    as_json: bool,
    verbose: bool,
) -> None:
    """Equal error rate, costs, Cllr and DET of the scores of trials whose truth is known.

    SCORES.csv is what `verify` writes, with a column target of 1 and 0. Every figure has an interval from
    draws of the speakers, since the trials of one speaker are not so many witnesses; under 20 speakers it is
    indicative. Whether a score may be read as a log-likelihood ratio is said as well.

    \b
    Example:
      audiogmm evaluate verify scores.csv --by sex --plot det.png -o result.json
    """
    from audiogmm.jobs.evaluate_verify import evaluate_verify_to_file, operating_points
    from audiogmm.verification.bootstrap import Draws

    with console() as screen:
        result = evaluate_verify_to_file(
            scores,
            output,
            points=operating_points(prior, cost_miss, cost_false_alarm),
            by=by,
            against=against,
            column=column,
            plot=plot,
            draws=Draws(replicates, confidence, seed, threads),
            force=force,
            strict=strict,
            progress=screen,
        )
    close(result.summary(), result.lines(), as_json=as_json)
