"""`audiogmm update`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from audiogmm.cli import options
from audiogmm.cli.console import run


@click.command()
@options.model
@options.manifest
@options.output("the model")
@click.option("--remove", is_flag=True, help="Remove the recordings of M (the model needs its ledger).")
@click.option(
    "--reweight",
    is_flag=True,
    help="Change the weight of the recordings of M, each to its key `weight` (the model needs its ledger).",
)
@click.option(
    "--weight",
    type=click.FloatRange(0),
    help="With --reweight: the weight of all recordings of M (1: as they were added; 0: not counted).",
)
@options.option(
    "--forget",
    type=click.FloatRange(0, 1, min_open=True),
    default=1.0,
    help="Weight of the earlier recordings when new ones are added.",
)
@click.option(
    "--compare-with",
    "against",
    metavar="M",
    help="Also train on this manifest, from the updated model and with its variance floor, and print the "
    "distance between the two.",
)
@options.model_upsample
@options.tables
@options.resume
@options.workers
@options.common
def command(model: Path, manifest: str, output: Path, as_json: bool, **given: Any) -> None:
    """Add the recordings of M to a model, remove them, or change their weight, without reading the others.

    Recordings can be removed or weighted, by their ids, if the model was trained with --ledger: the
    statistics of each recording are then in a folder beside it.

    \b
    Example:
      audiogmm update room.agmm today.jsonl -o room2.agmm
    """
    from audiogmm.jobs.update import UpdateSettings
    from audiogmm.jobs.updated_files import update_file

    run(update_file, model, manifest, output, settings=UpdateSettings(**given), as_json=as_json)
