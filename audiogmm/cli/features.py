"""`audiogmm features`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from audiogmm.cli import options
from audiogmm.cli.console import run


@click.command()
@options.manifest
@click.option("-o", "--output", type=options.PATH, required=True, metavar="DIR", help="The frame cache.")
@options.front_end
@options.workers
@options.common
def command(manifest: str, output: Path, as_json: bool, **given: Any) -> None:
    """Compute the frames of M once. Every command that takes a manifest takes DIR in its place.

    What DIR holds already is not computed again, so a run that was stopped continues where it was.

    \b
    Example:
      audiogmm features train.jsonl --preset ambient -o frames
      audiogmm train frames -k 64 -o room.agmm
    """
    from audiogmm.jobs.features import FeaturesSettings, features

    run(features, manifest, output, settings=FeaturesSettings(**given), as_json=as_json)
