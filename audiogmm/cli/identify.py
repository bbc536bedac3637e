"""`audiogmm identify`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from audiogmm.cli import options
from audiogmm.cli.console import run


@click.command()
@click.argument("folder", type=options.PATH, metavar="DIR")
@options.manifest
@options.output("the speakers, JSONL")
@options.option(
    "--top",
    type=options.COUNT,
    default=5,
    metavar="N",
    help="Largest number of candidates for each recording.",
)
@click.option("--closed", is_flag=True, help="The speaker is certainly enrolled (a prior of 1).")
@click.option(
    "--prior", type=options.PROBABILITY, help="Prior probability that the speaker is enrolled [default: 0.5]."
)
@options.scoring
@options.model_upsample
@options.tables
@options.resume
@options.retry
@options.workers
@options.common
def command(folder: Path, manifest: str, output: Path, as_json: bool, **given: Any) -> None:
    """Find which speaker of DIR, if any, speaks in each recording of M.

    Each row has speaker (null: not enrolled), posterior (probability of that), nobody (probability that the
    speaker is not enrolled), candidates, voiced_seconds, and flag (short: few or no frames were voiced, so
    the loudest were scored). Where M names speakers, the accuracy is printed.

    \b
    Example:
      audiogmm identify known unknown.jsonl -o who.jsonl --top 3
    """
    from audiogmm.jobs.identify import IdentifySettings, identify_to_file

    run(identify_to_file, folder, manifest, output, settings=IdentifySettings(**given), as_json=as_json)
