"""`audiogmm score`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from audiogmm.cli import options
from audiogmm.cli.console import run


@click.command()
@options.model
@options.manifest
@options.output("the folder of tracks")
@click.option(
    "--against",
    type=options.PATH,
    metavar="UBM",
    help="Write log-likelihood ratios against this background model.",
)
@click.option(
    "--detector", is_flag=True, help="Write the scores of MODEL's detector, in place of log-likelihoods."
)
@options.option("--format", type=click.Choice(["npz", "csv"]), default="npz", help="Format of the tracks.")
@options.model_upsample
@options.tables
@options.resume
@options.retry
@options.workers
@options.common
def command(model: Path, manifest: str, output: Path, as_json: bool, **given: Any) -> None:
    """Write the log-likelihood of every frame of M under MODEL: one track per recording, and summary.jsonl.

    \b
    Example:
      audiogmm score room.agmm today.jsonl -o scores
    """
    from audiogmm.jobs.score import ScoreSettings, score_to_folder

    run(score_to_folder, model, manifest, output, settings=ScoreSettings(**given), as_json=as_json)
