"""`audiogmm cluster`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from audiogmm.cli import options
from audiogmm.cli.console import run


@click.command()
@options.model
@options.manifest
@options.output("a folder of assignments, components.jsonl, segments.csv, labels and sounds")
@options.option(
    "--examples",
    type=click.IntRange(0),
    default=3,
    help="Number of segments to write for each component, as wav files.",
)
@options.option(
    "--min-posterior",
    type=options.SHARE,
    default=1e-3,
    help="Posteriors below this are left out of the soft assignment.",
)
@click.option(
    "--shortest",
    type=click.FloatRange(0),
    metavar="S",
    help="Shortest interruption of a segment, in seconds, or rows of a table [default: 0.2; of a table 0].",
)
@click.option(
    "--labels",
    type=options.ChoiceOf("audiogmm.manifest.segments.table", "SPAN_FORMATS"),
    help="Write the segments as labels, too: one file a recording, which `train --label` reads.",
)
@options.resume
@options.retry
@options.model_upsample
@options.tables
@options.common
def command(model: Path, manifest: str, output: Path, as_json: bool, **given: Any) -> None:
    """Assign every frame of M to the components of MODEL, hard and soft, and write examples of each.

    The most distinct components come first. segments.csv has every segment; a model with classes
    (`train --label`) gives segments of classes.

    \b
    Example:
      audiogmm cluster room.agmm today.jsonl --labels audacity -o clusters
    """
    from audiogmm.jobs.cluster import ClusterSettings, cluster_to_folder

    run(cluster_to_folder, model, manifest, output, settings=ClusterSettings(**given), as_json=as_json)
