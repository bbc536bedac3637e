"""`audiogmm name`."""

from __future__ import annotations

from pathlib import Path

import click

from audiogmm.cli import options
from audiogmm.cli.console import close


@click.command()
@click.argument("folder", type=options.PATH, metavar="DIR")
@click.argument("group", type=click.IntRange(1))
@click.argument("name", default="")
@click.option(
    "--normal", is_flag=True, help="Events of this group are no alarms: detect --kinds DIR leaves them out."
)
@options.reporting
def command(folder: Path, group: int, name: str, normal: bool, as_json: bool) -> None:
    """Give a GROUP of sounds in DIR a NAME; without one, the name is taken back.

    \b
    Example:
      audiogmm name kinds 1 "door squeaks" --normal
    """
    from audiogmm.jobs.kinds.name import name as name_group

    close(name_group(folder, group, name, normal=normal), as_json=as_json)
