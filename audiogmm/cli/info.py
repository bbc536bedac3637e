"""`audiogmm info`."""

from __future__ import annotations

from pathlib import Path

import click

from audiogmm.cli import options
from audiogmm.cli.console import close


@click.command()
@options.model
@click.option("--verify", is_flag=True, help="Compare a file, or all in a folder, with their checksums.")
@click.option(
    "--inputs",
    is_flag=True,
    help="List the inputs of the run that wrote an output: done, set aside, pending.",
)
@options.reporting
def command(model: Path, verify: bool, inputs: bool, as_json: bool) -> None:
    """Describe MODEL: its form, its training, its detector and its latency.

    With --verify, MODEL is any file that audiogmm wrote, or a folder of them; the exit status is 1 if one is
    damaged.

    With --inputs, MODEL is the output of a run over recordings: each is listed, with its content hash, frames
    and seconds, or why it was set aside and how often it was tried.

    \b
    Examples:
      audiogmm info room.agmm
      audiogmm info --verify scores
      audiogmm info --inputs scores
    """
    if inputs:
        from audiogmm.jobs.provenance.inputs import inputs as list_inputs

        close(list_inputs(model), as_json=as_json)
        return
    if verify:
        from audiogmm.jobs.integrity.verify_files import verify_files

        found = verify_files(model)
        close(found, as_json=as_json)
        click.get_current_context().exit(int(bool(found.damaged)))
    from audiogmm.jobs.info import info

    close(info(model), as_json=as_json)
