"""`audiogmm enroll`."""

from __future__ import annotations

from pathlib import Path

import click

from audiogmm.cli import options
from audiogmm.cli.console import close, console


@click.command()
@click.argument("background", type=options.PATH, metavar="UBM")
@options.manifest
@click.option(
    "-o",
    "--output",
    type=options.PATH,
    required=True,
    metavar="DIR",
    help="The folder of speakers: a new one, or one to add to.",
)
@click.option(
    "--adapt",
    default=None,
    metavar="NAMES",
    help="What moves, some of means,variances,weights [default: means].",
)
@click.option(
    "--tau",
    type=click.FloatRange(0),
    default=None,
    metavar="FRAMES",
    help="Relevance factor: a component that heard so many frames goes half the way [default: 16].",
)
@click.option(
    "--iterations",
    type=click.IntRange(1),
    default=None,
    help="Rounds of EM over the recordings [default: 1].",
)
@click.option(
    "--background",
    "speakers",
    default=None,
    metavar="M",
    help="Learn from this manifest, which names at least 20 speakers, what tells voices apart, in place of "
    "what UBM keeps.",
)
@options.compensation
@click.option(
    "--share-channel/--own-channels",
    default=True,
    help="Move the background model to the channel that all enrolled share (for a new DIR, five speakers or "
    "more, and a UBM with a back end), or leave it [default: share].",
)
@options.model_upsample
@options.workers
@options.common
def command(
    background: Path,
    manifest: str,
    output: Path,
    adapt: str | None,
    tau: float | None,
    iterations: int | None,
    speakers: str | None,
    compensation: str | None,
    share_channel: bool,
    upsample: bool,
    workers: int,
    as_json: bool,
    strict: bool,
    threads: int | None,
) -> None:
    """Enroll each `speaker` of the manifest M: a model of the voice, adapted from the background model UBM.

    Speakers are added to those in DIR. A further recording of one who is there is added to what was heard
    before, which is not read again; a recording that was enrolled before is not counted twice.

    Scores are calibrated by leaving one recording out, where M has at least 5 speakers with two recordings
    or more, and 30 true and 200 false claims come of these; else as UBM says. `speakers DIR` tells which.

    \b
    Example:
      audiogmm train background.jsonl -o ubm.agmm
      audiogmm enroll ubm.agmm people.jsonl -o known
    """
    from audiogmm.jobs.enroll import enroll_to_folder

    with console() as screen:
        result = enroll_to_folder(
            background,
            manifest,
            output,
            tau=tau,
            adapt=None if adapt is None else adapt.split(","),
            iterations=iterations,
            background=speakers,
            share_channel=share_channel,
            compensation=compensation,  # type: ignore[arg-type]
            upsample=upsample,
            strict=strict,
            threads=threads,
            workers=workers,
            progress=screen,
        )
    close(result, as_json=as_json)
