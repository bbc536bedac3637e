"""`audiogmm info`."""

from __future__ import annotations

from pathlib import Path

import click

from audiogmm.cli import options
from audiogmm.cli.console import close


@click.command()
@options.model
@click.option("--verify", is_flag=True, help="Compare a file, or all in a folder, with their checksums.")
@options.reporting
def command(model: Path, verify: bool, as_json: bool) -> None:
    """Describe MODEL: its form, its training, its detector and its latency.

    With --verify, MODEL is any file that audiogmm wrote, or a folder of them; the exit status is 1 if one is
    damaged.

    \b
    Examples:
      audiogmm info room.agmm
      audiogmm info --verify scores
    """
    if verify:
        from audiogmm.jobs.integrity.verify_files import verify_files

        found = verify_files(model)
        close(found, as_json=as_json)
        click.get_current_context().exit(int(bool(found.damaged)))
    from audiogmm.jobs.info import info

    close(info(model), as_json=as_json)
