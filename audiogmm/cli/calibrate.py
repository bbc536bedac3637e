"""`audiogmm calibrate`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from audiogmm.cli import options
from audiogmm.cli.console import run


@click.command()
@options.model
@click.argument("manifest", type=str, metavar="M0")
@options.output("the calibrated model")
@options.detector
@options.scores
@click.option(
    "--against",
    type=options.PATH,
    metavar="UBM",
    help="Background model of the score `ratio` [default: one Gaussian of the model's own audio].",
)
@options.streams
@options.cells
@options.model_upsample
@options.tables
@options.resume
@options.workers
@options.common
def command(model: Path, manifest: str, output: Path, as_json: bool, **given: Any) -> None:
    """Set the threshold of MODEL's detector by M0, normal audio that MODEL was not trained on.

    \b
    Example:
      audiogmm calibrate room.agmm normal.jsonl -o room-calibrated.agmm

    Several scores, each on the scale of normal audio, fused into one:

    \b
      audiogmm calibrate room.agmm normal.jsonl --scores fusion -o room-fused.agmm
    """
    from audiogmm.jobs.calibrate import CalibrateSettings, calibrate_to_file

    run(calibrate_to_file, model, manifest, output, settings=CalibrateSettings(**given), as_json=as_json)
