"""`audiogmm group`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from audiogmm.cli import options
from audiogmm.cli.console import run


@click.command()
@click.argument("source", type=str, metavar="EVENTS|M")
@click.option(
    "-o",
    "--output",
    type=options.PATH,
    required=True,
    help="A folder for groups.jsonl and what is remembered of the groups, new or of an earlier run.",
)
@click.option("--force", is_flag=True, help="Forget the groups that the folder holds.")
@options.resume
@options.retry
@options.workers
@options.seed
@options.common
def command(source: str, output: Path, as_json: bool, **given: Any) -> None:
    """Group events, or the recordings of a manifest, by likeness: one group for each kind of sound.

    The number of groups is not given. In a folder with groups, further events join them, and groups keep
    their numbers and names.

    \b
    Example:
      audiogmm group events.jsonl -o kinds
      audiogmm name kinds 1 "door squeaks" --normal
    """
    from audiogmm.jobs.kinds.group import GroupSettings, group

    run(group, source, output, settings=GroupSettings(**given), as_json=as_json)
