"""`audiogmm fuse`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from audiogmm.cli import options
from audiogmm.cli.console import run

if TYPE_CHECKING:
    from audiogmm.verification.decision import OperatingPoint


class FuseCommand(click.Command):
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


def _point(**given: float) -> OperatingPoint:
    from audiogmm.verification.decision import OperatingPoint

    return OperatingPoint(**given)


@click.command(cls=FuseCommand)
@click.argument("scores", type=options.PATH, nargs=-1, required=True, metavar="A.csv [B.csv ...]")
@click.option(
    "--train",
    type=options.PATH,
    multiple=True,
    required=True,
    metavar="TA.csv [TB.csv ...]",
    help="Scores of the same systems, in the same order, on trials with a column target.",
)
@options.output("the fused scores, as CSV")
@options.option(
    "--column",
    "columns",
    multiple=True,
    default=("score",),
    metavar="NAME",
    help="Column of scores in each file; may be repeated.",
)
@click.option(
    "--quality",
    multiple=True,
    metavar="NAME",
    help="Column of A.csv that measures the quality of the audio; log_NAME takes the logarithm of NAME.",
)
@options.option(
    "--train-prior",
    type=options.PROBABILITY,
    default=0.1,
    help="Prior probability of a target at which the fusion is to be most accurate.",
)
@options.operating_point
@options.joined("point", "prior", "cost_miss", "cost_false_alarm", by=_point)
@click.option("--strict", is_flag=True, help="Fail on the first bad row.")
@options.reporting
def command(
    scores: tuple[Path, ...], train: tuple[Path, ...], output: Path, as_json: bool, **given: Any
) -> None:
    """Fuse several systems' scores of the same trials into one calibrated log-likelihood ratio.

    The fusion is learned by logistic regression from training files, whose speakers should not be those of
    the trials. Rows are matched by trial, in whatever order. With a single system, its scores are calibrated.

    \b
    Example:
      audiogmm fuse a.csv b.csv --train a_train.csv b_train.csv -o fused.csv
    """
    from audiogmm.evaluation.verification.fusion import FuseSettings
    from audiogmm.jobs.fuse import fuse_to_file

    run(fuse_to_file, scores, train, output, settings=FuseSettings(**given), as_json=as_json)
