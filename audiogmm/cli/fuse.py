"""`audiogmm fuse`."""

from __future__ import annotations

from pathlib import Path

import click

from audiogmm.cli import options
from audiogmm.cli.console import close, console


class Fuse(click.Command):
    """A command whose `--train` takes all file names that follow it."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Give each file name after `--train` an option of its own."""
        spread: list[str] = []
        training = False
        for argument in args:
            if argument.startswith("-") and argument != "-":
                training = argument == "--train"
                if not training:
                    spread.append(argument)
            elif training:
                spread += ["--train", argument]
            else:
                spread.append(argument)
        if args and args[-1] == "--train":
            spread.append("--train")  # click says what it lacks
        return super().parse_args(ctx, spread)


@click.command(cls=Fuse)
@click.argument("scores", type=options.PATH, nargs=-1, required=True, metavar="A.csv [B.csv ...]")
@click.option(
    "--train",
    type=options.PATH,
    multiple=True,
    required=True,
    metavar="TA.csv [TB.csv ...]",
    help="Scores of the same systems, in the same order, on trials with a column target.",
)
@options.output("the fused scores, a CSV")
@click.option(
    "--column",
    multiple=True,
    default=("score",),
    show_default=True,
    metavar="NAME",
    help="Where each file has its scores; several times for several.",
)
@click.option(
    "--quality",
    multiple=True,
    metavar="NAME",
    help="Column of A.csv that says how good the audio was; log_NAME takes its logarithm.",
)
@click.option(
    "--train-prior",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    default=0.1,
    show_default=True,
    help="Where on the scale the fusion has to be right.",
)
@options.operating_point
@click.option("--strict", is_flag=True, help="Fail on the first bad row.")
@options.reporting
def command(
    scores: tuple[Path, ...],
    train: tuple[Path, ...],
    output: Path,
    force: bool,
    column: tuple[str, ...],
    quality: tuple[str, ...],
    train_prior: float,
    prior: float,
    cost_miss: float,
    cost_false_alarm: float,
    strict: bool,
    as_json: bool,
) -> None:
    """Fuse several systems' scores of the same trials into one calibrated log-likelihood ratio.

    The fusion is learnt by logistic regression from training files, whose speakers should not be those of the
    trials. Rows are brought together by trial, whatever their order. Of a single system, this is its
    calibration.

    \b
    Example:
      audiogmm fuse a.csv b.csv --train a_train.csv b_train.csv -o fused.csv
    """
    from audiogmm.jobs.fuse import fuse_to_file
    from audiogmm.verification.decision import OperatingPoint

    with console() as screen:
        result = fuse_to_file(
            scores,
            train,
            output,
            columns=column,
            quality=quality,
            point=OperatingPoint(prior, cost_miss, cost_false_alarm),
            train_prior=train_prior,
            force=force,
            strict=strict,
            progress=screen,
        )
    close(result, as_json=as_json)
