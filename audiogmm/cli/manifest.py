"""`audiogmm manifest scan | check | convert`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from audiogmm.cli import options
from audiogmm.cli.console import close, console, run

FORMATS = options.ChoiceOf("audiogmm.manifest.formats", "FORMATS")


def times(command: Any) -> Any:
    """Add the options that say where the times of recordings are."""
    for option in (
        click.option(
            "--time-zone",
            metavar="ZONE",
            help="Zone of names and BWF metadata, such as Europe/Berlin or +02:00 [default: UTC].",
        ),
        click.option(
            "--time-pattern",
            metavar="PATTERN",
            help="Where the time is in a path, as strptime has it: %Y-%m-%d/%H%M%S; %s is Unix time "
            "[default: names of AudioMoth, Song Meter and ISO 8601].",
        ),
    ):
        command = option(command)
    return command


@click.group()
def command() -> None:
    """Build, check and convert lists of recordings.

    \b
    Example:
      audiogmm manifest scan recordings -o all.jsonl
      audiogmm manifest check all.jsonl
    """


@command.command()
@click.argument("folder", type=options.PATH, metavar="DIR")
@click.option(
    "--speaker",
    metavar="parent|PATTERN",
    help="Name of the speaker: that of the parent folder, or the group 'speaker' of a regular expression "
    "that matches the path.",
)
@times
@options.output("the manifest (.jsonl, .csv, ...)")
@options.reporting
def scan(folder: Path, output: Path, as_json: bool, **given: Any) -> None:
    """List every recording below DIR.

    \b
    Example:
      audiogmm manifest scan recordings --speaker parent -o all.jsonl
    """
    from audiogmm.jobs.manifests import scan_folder

    run(scan_folder, folder, output, as_json=as_json, **given)


@command.command()
@options.manifest
@click.option("--fast", is_flag=True, help="Read only headers, not every sample.")
@times
@click.option(
    "--stream",
    default="stream",
    metavar="KEY",
    help="Key of M that tells streams apart; gaps and overlaps are those of a stream.",
)
@options.tables
@options.reporting
def check(manifest: str, fast: bool, as_json: bool, **chosen: Any) -> None:
    """Open every recording of M and name each that cannot be used.

    \b
    Example:
      audiogmm manifest check all.jsonl
    """
    from audiogmm.jobs.manifests import check_manifest

    with console() as screen:
        result = check_manifest(manifest, fast=fast, progress=screen, **chosen)
    close(result, as_json=as_json)
    if result.problems:
        click.get_current_context().exit(1)


@command.command()
@click.argument("source", type=str, metavar="IN")
@click.option("--from", "source_format", type=FORMATS, help="Format of IN [default: by its content].")
@click.option("--to", "format", type=FORMATS, help="Format to write [default: by the name].")
@click.option(
    "--events",
    is_flag=True,
    help="Of a list of segments (RTTM, labels), write each recording with its segments as events, the truth "
    "for `evaluate detect`, in place of an entry for each segment.",
)
@options.output("the manifest, or the folder of a Kaldi data directory or of a file of labels a recording")
@options.reporting
@options.strict
def convert(source: str, output: Path, as_json: bool, **given: Any) -> None:
    """Write the manifest IN in another format.

    \b
    Example:
      audiogmm manifest convert all.jsonl --to kaldi -o data/all
    """
    from audiogmm.jobs.manifests import convert_manifest

    run(convert_manifest, source, output, as_json=as_json, **given)
