"""`audiogmm cluster`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from audiogmm.cli import options
from audiogmm.cli.console import close, console


@click.command()
@options.model
@options.manifest
@options.output("a folder of assignments, components.jsonl and sounds")
@click.option(
    "--examples",
    type=click.IntRange(0),
    default=3,
    show_default=True,
    help="Number of segments to write for each component, as wav files.",
)
@click.option(
    "--min-posterior",
    type=click.FloatRange(0, 1),
    default=1e-3,
    show_default=True,
    help="Posteriors below this are left out of the soft assignment.",
)
@options.model_upsample
@options.common
def command(model: Path, manifest: str, output: Path, as_json: bool, **given: Any) -> None:
    """Assign every frame of M to the components of MODEL, hard and soft, and write examples of each.

    \b
    Example:
      audiogmm cluster room.agmm today.jsonl -o clusters
    """
    from audiogmm.jobs.cluster import ClusterSettings, cluster_to_folder

    with console() as screen:
        result = cluster_to_folder(
            model, manifest, output, settings=ClusterSettings(**given), progress=screen
        )
    close(result, as_json=as_json)
