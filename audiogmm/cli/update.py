"""`audiogmm update`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from audiogmm.cli import options
from audiogmm.cli.console import close, console


@click.command()
@options.model
@options.manifest
@options.output("the model")
@click.option("--remove", is_flag=True, help="Remove the recordings of M (the model needs its ledger).")
@click.option(
    "--reweight",
    is_flag=True,
    help="Let the recordings of M count more or less, each by its key `weight` (needs the ledger).",
)
@click.option(
    "--weight",
    type=click.FloatRange(0),
    default=None,
    help="With --reweight: the weight of all of them (1 when they were added; 0: leave out, keep the entry).",
)
@click.option(
    "--forget",
    type=click.FloatRange(0, 1, min_open=True),
    default=1.0,
    show_default=True,
    help="What the past counts when recordings are added.",
)
@click.option(
    "--compare-with",
    "against",
    default=None,
    metavar="M",
    help="Also train on all of these, from there and with its variance floor, and print the distance.",
)
@options.model_upsample
@options.workers
@options.common
def command(model: Path, manifest: str, output: Path, as_json: bool, **given: Any) -> None:
    """Add the recordings of M to a model, remove them, or change their weight, without reading the others.

    A model that was trained with --ledger has a folder with what each recording contributed; only then can
    recordings be removed or weighted, by the ids that they had.

    \b
    Example:
      audiogmm update room.agmm today.jsonl -o room2.agmm
    """
    from audiogmm.jobs.update import UpdateSettings
    from audiogmm.jobs.updated_files import update_file

    with console() as screen:
        result = update_file(model, manifest, output, settings=UpdateSettings(**given), progress=screen)
    close(result, as_json=as_json)
