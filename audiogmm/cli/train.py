"""`audiogmm train`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from audiogmm.cli import options
from audiogmm.cli.console import complain, run

if TYPE_CHECKING:
    from audiogmm.training.schedule.steps import Stepwise


def _say_removed(context: click.Context, parameter: click.Parameter, given: bool) -> None:
    if given:
        complain(
            "--variance-reduction was removed: SPIDER-EM gained nothing over as many passes of EM. "
            "Training goes on without it."
        )


def _stepwise(stepwise_passes: int | None, step_exponent: float | None, **others: Any) -> Stepwise | None:
    """Settings of stepwise EM; None where none is given."""
    from audiogmm.training.schedule.steps import stepwise_of

    return stepwise_of(passes=stepwise_passes, exponent=step_exponent, **others)


@click.command(context_settings=options.former_names(**{"from": "start"}))
@options.manifest
@options.output("the model")
@options.components("64; 128 where speakers are learned; with --preset ambient 32")
@options.covariance("diag; with --preset ambient full")
@options.option(
    "--algorithm",
    type=click.Choice(["em", "stepwise", "kmeans"]),
    default="em",
    help="EM; stepwise EM, then EM; or k-means (all components share one spherical variance).",
)
@click.option(
    "--batch",
    type=options.COUNT,
    metavar="N",
    help="Frames between two updates of stepwise EM [default: by the size of the model].",
)
@click.option(
    "--stepwise-passes",
    type=options.COUNT,
    metavar="N",
    help="Passes of stepwise EM before those of EM, of the number of --passes [default: 2].",
)
@click.option(
    "--step-exponent",
    type=click.FloatRange(0.5, 1, min_open=True),
    metavar="ALPHA",
    help="The t-th step of stepwise EM has the weight (t+2)^-ALPHA [default: 0.51].",
)
@click.option(
    "--averaging",
    type=options.SHARE,
    metavar="SHARE",
    help="Share of the last stepwise pass over which estimates are averaged; 0: none [default: 1].",
)
@click.option("--variance-reduction", is_flag=True, hidden=True, expose_value=False, callback=_say_removed)
@click.option(
    "--accelerate", is_flag=True, help="Extrapolate every second pass of EM (SQUAREM): about half the passes."
)
@click.option(
    "--approximate",
    metavar="KIND:C",
    help="Approximate EM with C components a frame, for large K: truncated:5 (variational; improved in every "
    "pass) or top:30 (chosen once). What it loses is printed.",
)
@options.front_end
@options.tables
@options.maximum_passes
@options.tol
@options.floor
@options.option(
    "--init",
    type=click.Choice(["k-means++", "random", "split"]),
    default="k-means++",
    help="Initialization of EM.",
)
@click.option(
    "--label",
    metavar="KEY|DIR",
    help="Train classes: the key of M with the label of each recording, or a folder of label files "
    "(Audacity, TextGrid, RTTM, Raven, BirdNET). A class gets at most -k components [default: 16].",
)
@options.start
@options.option("--restarts", type=options.COUNT, default=1, help="Initializations; the best is kept.")
@options.option(
    "--hold-out",
    type=click.FloatRange(0, 0.5),
    default=0.1,
    help="Share of the recordings held out at a time, at least, to set the detector's threshold; all of them "
    "are, in 2 to 5 turns. 0: none (`detect` then needs `calibrate`).",
)
@options.resume
@options.checkpoint
@click.option("--ledger", is_flag=True, help="Keep the statistics of each recording, for `update --remove`.")
@click.option(
    "--ledger-keep",
    type=click.FloatRange(0, 1, max_open=True),
    default=0.0,
    metavar="SHARE",
    help="With --ledger: keep only the components with more than this share of a recording's frames; what is "
    "lost is printed [default: 0, all components].",
)
@click.option(
    "--dask",
    metavar="ADDRESS",
    help="Scheduler of a Dask cluster (tcp://host:8786), whose workers read the recordings.",
)
@options.streams
@options.cells
@options.scores
@options.speakers
@options.compensation
@options.seed
@options.workers
@options.common
@options.joined("stepwise", "batch", "stepwise_passes", "step_exponent", "averaging", by=_stepwise)
def command(manifest: str, output: Path, as_json: bool, **given: Any) -> None:
    """Train a Gaussian mixture model on the recordings of M.

    M is a manifest, a frame cache, one recording, a feature matrix (.npy, .csv, .parquet, .ark), or - for
    a wav on standard input.

    \b
    Example:
      audiogmm train train.jsonl --preset ambient -k 16 --covariance full -o room.agmm

    For data that is slow to read, few passes: two of stepwise EM, then four of EM.

    \b
      audiogmm train frames -k 128 --algorithm stepwise --stepwise-passes 2 --passes 6 -o ubm.agmm

    For thousands of components, approximate EM: a pass costs about the same for any number of them.

    \b
      audiogmm train frames -k 1024 --approximate truncated:5 --passes 6 -o large.agmm

    Classes, by a key of M (or from the labels that `cluster` wrote and a user edited):

    \b
      audiogmm train today.jsonl --preset ambient --label site -o sites.agmm
    """
    from audiogmm.jobs.train_settings import TrainSettings
    from audiogmm.jobs.trained_files import train_to_file

    run(train_to_file, manifest, output, settings=TrainSettings(**given), as_json=as_json)
