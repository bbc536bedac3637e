"""`audiogmm detect`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from audiogmm.cli import deliver_options, options
from audiogmm.cli.console import run


@click.command()
@options.model
@options.manifest
@options.output(
    "the events (.jsonl, .csv, .rttm, .txt for Audacity, .selections.txt for Raven, .BirdNET.results.csv, "
    ".TextGrid), or with --format a folder of a file for each recording"
)
@click.option(
    "--format",
    type=click.Choice(("jsonl", "csv", "rttm", "audacity", "raven", "birdnet", "textgrid")),
    help="Format [default: by the name].",
)
@options.detector
@click.option(
    "--time-zone",
    metavar="ZONE",
    help="By whose clocks events are counted by hour of day and by day: Europe/Berlin [default: UTC].",
)
@click.option(
    "--plot",
    type=options.PATH,
    metavar="PICTURE",
    help="Draw the recording of the most severe event (.png, .svg, .pdf), or each with an event (a folder).",
)
@options.kinds
@options.reasons
@options.drift
@deliver_options.delivery
@deliver_options.endpoint
@options.streams
@options.model_upsample
@options.tables
@options.resume
@options.retry
@options.workers
@options.common
def command(model: Path, manifest: str, output: Path, as_json: bool, **given: Any) -> None:
    """Find the anomalous segments of M: those unlike what MODEL was trained on.

    \b
    Example:
      audiogmm detect room.agmm today.jsonl -o events.jsonl
    """
    from audiogmm.jobs.detect import DetectSettings, detect_to_file

    run(detect_to_file, model, manifest, output, settings=DetectSettings(**given), as_json=as_json)
