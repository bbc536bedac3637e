"""`audiogmm report`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from audiogmm.cli import console, options


@click.command()
@click.argument("run", type=options.PATH, metavar="RUN")
@options.output("the page (.html)")
@click.option("--model", type=options.PATH, metavar="MODEL", help="The model, if it was moved.")
@click.option("--manifest", type=str, metavar="M", help="The manifest, if it or the recordings were moved.")
@click.option(
    "--table",
    type=options.PATH,
    metavar="TABLE.csv",
    help="Draw BIC and the other criteria of a table that `select` wrote.",
)
@click.option(
    "--clusters",
    type=options.PATH,
    metavar="DIR",
    help="Sound of components that `cluster` wrote [default: taken from the recordings shown].",
)
@options.option(
    "--most",
    type=click.IntRange(0),
    default=200,
    help="Most recordings shown in full, the most severe first; fewer if the page reaches 25 MB.",
)
@click.option("--title", default="", help="Title of the page.")
@options.common
def command(run: Path, output: Path, as_json: bool, **given: Any) -> None:
    """Make one HTML page of RUN, the events that `detect` wrote, to look at and to listen to.

    The page is one file that needs no network. It shows the events, the most severe first, each with its
    sound; the spectrogram and the score of each recording; the normal scores; the training of the model; and
    its components.

    \b
    Example:
      audiogmm report events.jsonl -o report.html
    """
    from audiogmm.jobs.report import report
    from audiogmm.reporting.run.page import ReportSettings

    console.run(report, run, output, settings=ReportSettings(**given), as_json=as_json)
