"""`audiogmm info`."""

from __future__ import annotations

from pathlib import Path

import click

from audiogmm.cli import options
from audiogmm.cli.console import close


@click.command()
@options.model
@options.reporting
def command(model: Path, as_json: bool) -> None:
    """Describe MODEL: its form, its training, its detector and its latency.

    \b
    Example:
      audiogmm info room.agmm
    """
    from audiogmm.jobs.info import info

    close(info(model), as_json=as_json)
