"""`audiogmm speakers`."""

from __future__ import annotations

from pathlib import Path

import click

from audiogmm.cli import options
from audiogmm.cli.console import close


@click.command()
@click.argument("folder", type=options.PATH, metavar="DIR")
@click.option("--remove", multiple=True, metavar="NAME", help="Remove this speaker; may be repeated.")
@options.reporting
def command(folder: Path, remove: tuple[str, ...], as_json: bool) -> None:
    """List the speakers enrolled in DIR, with the recordings and the seconds of speech of each.

    \b
    Example:
      audiogmm speakers known
    """
    from audiogmm.jobs.speakers import speakers

    close(speakers(folder, remove), as_json=as_json)
