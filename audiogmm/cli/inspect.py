"""`audiogmm inspect`."""

from __future__ import annotations

from pathlib import Path

import click

from audiogmm.cli import options
from audiogmm.cli.console import run


@click.command()
@click.argument("normal", type=options.PATH, metavar="NORMAL")
@click.argument("new", type=options.PATH, metavar="NEW")
@options.option("-o", "--output", type=options.PATH, default=Path("inspected"), help="Folder to write to.")
@options.force
@options.reporting
def command(normal: Path, new: Path, output: Path, force: bool, as_json: bool) -> None:
    """Find what is anomalous in the folder NEW, by a model of the folder NORMAL.

    NORMAL holds recordings of how it should sound, NEW those to look for anomalies in; both are walked to the
    bottom. This is `manifest scan`, `train --preset ambient`, `score`, `detect` and `report` in one, with
    their default settings; the last line names the page to look at.

    \b
    Example:
      audiogmm inspect recordings/normal recordings/today -o inspected
    """
    from audiogmm.jobs.inspect import inspect

    run(inspect, normal, new, output, force=force, as_json=as_json)
