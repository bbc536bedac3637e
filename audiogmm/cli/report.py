"""`audiogmm report`."""

from __future__ import annotations

from pathlib import Path

import click

from audiogmm.cli import options
from audiogmm.cli.console import close, console


@click.command()
@click.argument("run", type=options.PATH, metavar="RUN")
@options.output("the page (.html)")
@click.option(
    "--model", type=options.PATH, default=None, metavar="MODEL", help="Where the model is, if it was moved."
)
@click.option(
    "--manifest",
    type=str,
    default=None,
    metavar="M",
    help="Where the manifest is, if it or the sound was moved.",
)
@click.option(
    "--table",
    type=options.PATH,
    default=None,
    metavar="TABLE.csv",
    help="Draw BIC and the other criteria of this table, which `select` wrote.",
)
@click.option(
    "--clusters",
    type=options.PATH,
    default=None,
    metavar="DIR",
    help="Components to listen to, as `cluster` wrote them [default: found in the recordings shown].",
)
@click.option(
    "--most",
    type=click.IntRange(0),
    default=200,
    show_default=True,
    help="Recordings shown in full, the most severe first, as far as 25 MB hold them.",
)
@click.option("--title", default="", help="Of the page.")
@options.common
def command(
    run: Path,
    output: Path,
    force: bool,
    model: Path | None,
    manifest: str | None,
    table: Path | None,
    clusters: Path | None,
    most: int,
    title: str,
    as_json: bool,
    strict: bool,
    threads: int | None,
) -> None:
    """Make one HTML page of RUN, the events that `detect` wrote, to look at and to listen to.

    It holds all that it shows, and needs no network: events to hear, the most severe first; spectrogram and
    score of each recording; what is normal; how the model was trained; its components.

    \b
    Example:
      audiogmm report events.jsonl -o report.html
    """
    from audiogmm.jobs.report import report_to_file

    with console() as screen:
        result = report_to_file(
            run,
            output,
            model=model,
            manifest=manifest,
            table=table,
            clusters=clusters,
            most=most,
            title=title,
            force=force,
            strict=strict,
            threads=threads,
            progress=screen,
        )
    close(result, as_json=as_json)
