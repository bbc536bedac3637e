"""`audiogmm enroll`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from audiogmm.cli import options
from audiogmm.cli.console import run


@click.command()
@click.argument("background_model", type=options.PATH, metavar="UBM")
@options.manifest
@click.option(
    "-o",
    "--output",
    type=options.PATH,
    required=True,
    metavar="DIR",
    help="Folder of speakers: a new one, or one to add to.",
)
@click.option(
    "--adapt",
    metavar="NAMES",
    callback=lambda _, __, names: names and tuple(names.split(",")),
    help="What is adapted: some of means,variances,weights [default: means].",
)
@click.option(
    "--tau",
    type=click.FloatRange(0),
    metavar="FRAMES",
    help="Relevance factor: with so many frames, a component moves half the way to the speaker "
    "[default: 16].",
)
@click.option("--iterations", type=options.COUNT, help="Passes over the recordings [default: 1].")
@click.option(
    "--background",
    metavar="M",
    help="Learn a back end from this manifest of at least 20 speakers, in place of that of UBM.",
)
@options.compensation
@click.option(
    "--share-channel/--own-channels",
    default=True,
    help="Move the background model to the channel that all enrolled speakers share (of a new DIR, with five "
    "speakers or more and a UBM with a back end), or do not [default: --share-channel].",
)
@options.model_upsample
@options.tables
@options.workers
@options.common
def command(background_model: Path, manifest: str, output: Path, as_json: bool, **given: Any) -> None:
    """Enroll each `speaker` of the manifest M: a model of the voice, adapted from the background model UBM.

    Speakers are added to those in DIR. New recordings of a speaker are added to the earlier ones, which are
    not read again; a recording that was enrolled before is not counted twice.

    Scores are calibrated by leaving one recording out, where M has at least 5 speakers with two recordings
    or more, and these give 30 target and 200 nontarget trials; otherwise by the calibration of UBM.
    `audiogmm speakers DIR` says which.

    \b
    Example:
      audiogmm train background.jsonl -o ubm.agmm
      audiogmm enroll ubm.agmm people.jsonl -o known
    """
    from audiogmm.jobs.enroll import enroll_to_folder
    from audiogmm.verification.recordings.enrollment_run import EnrollSettings

    settings = EnrollSettings(**given)
    run(enroll_to_folder, background_model, manifest, output, settings=settings, as_json=as_json)
