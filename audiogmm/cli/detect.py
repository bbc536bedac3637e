"""`audiogmm detect`."""

from __future__ import annotations

from pathlib import Path

import click

from audiogmm.cli import options
from audiogmm.cli.console import close, console


@click.command()
@options.model
@options.manifest
@options.output("the events (.jsonl, .csv, .rttm, or .txt for Audacity labels)")
@options.detector
@click.option(
    "--plot",
    type=options.PATH,
    default=None,
    metavar="PICTURE",
    help="Draw the recording with the severest event (.png, .svg or .pdf; a folder draws every recording).",
)
@click.option("--no-reasons", is_flag=True, help="Do not say what made each event anomalous.")
@options.model_upsample
@click.option("--resume", is_flag=True, help="Keep what a stopped run found.")
@options.workers
@options.common
def command(
    model: Path,
    manifest: str,
    output: Path,
    force: bool,
    window: float | None,
    quantile: float | None,
    alarms_per_hour: float | None,
    min_duration: float | None,
    merge_gap: float | None,
    plot: Path | None,
    no_reasons: bool,
    upsample: bool,
    resume: bool,
    workers: int,
    as_json: bool,
    strict: bool,
    threads: int | None,
) -> None:
    """Find the segments of M that do not sound like what MODEL was trained on.

    \b
    Example:
      audiogmm detect room.agmm today.jsonl -o events.jsonl
    """
    from audiogmm.jobs.detect import detect_to_file

    with console() as screen:
        result = detect_to_file(
            model,
            manifest,
            output,
            window=window,
            quantile=quantile,
            alarms_per_hour=alarms_per_hour,
            min_duration=min_duration,
            merge_gap=merge_gap,
            plot=plot,
            reasons=not no_reasons,
            upsample=upsample,
            resume=resume,
            force=force,
            strict=strict,
            threads=threads,
            workers=workers,
            progress=screen,
        )
    close(result, as_json=as_json)
