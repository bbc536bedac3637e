"""`audiogmm update`."""

from __future__ import annotations

from pathlib import Path

import click

from audiogmm.cli import options
from audiogmm.cli.console import close, console


@click.command()
@options.model
@options.manifest
@options.output("the model")
@click.option("--remove", is_flag=True, help="Remove the recordings of M (the model needs its ledger).")
@click.option(
    "--reweight",
    is_flag=True,
    help="Let the recordings of M count more or less, each by its key `weight` (needs the ledger).",
)
@click.option(
    "--weight",
    type=click.FloatRange(0),
    default=None,
    help="With --reweight: the weight of all of them (1 when they were added; 0: leave out, keep the entry).",
)
@click.option(
    "--forget",
    type=click.FloatRange(0, 1, min_open=True),
    default=1.0,
    show_default=True,
    help="What the past counts when recordings are added.",
)
@click.option(
    "--compare-with",
    "against",
    default=None,
    metavar="M",
    help="Also train on all of these, from there and with its variance floor, and print the distance.",
)
@options.model_upsample
@options.workers
@options.common
def command(
    model: Path,
    manifest: str,
    output: Path,
    force: bool,
    remove: bool,
    reweight: bool,
    weight: float | None,
    forget: float,
    against: str | None,
    upsample: bool,
    workers: int,
    as_json: bool,
    strict: bool,
    threads: int | None,
) -> None:
    """Add the recordings of M to a model, remove them, or weigh them anew, without going through the others.

    A model that was trained with --ledger keeps what each recording gave, beside it; only then can recordings
    be removed or weighed anew, by the ids they had.

    \b
    Example:
      audiogmm update room.agmm today.jsonl -o room2.agmm
    """
    from audiogmm.jobs.update import update_file

    if remove and reweight:
        raise click.UsageError("--remove and --reweight: one of them; --reweight --weight 0 keeps the entry")
    if weight is not None and not reweight:
        raise click.UsageError(f"--weight {weight:g} needs --reweight")
    if forget != 1 and (remove or reweight):
        verb = "--remove" if remove else "--reweight"
        raise click.UsageError(
            f"--forget {forget:g} and {verb}: the past is forgotten where recordings are added"
        )
    with console() as screen:
        result = update_file(
            model,
            manifest,
            output,
            force=force,
            strict=strict,
            against=against,
            remove=remove,
            reweight=reweight,
            weight=weight,
            forget=forget,
            upsample=upsample,
            threads=threads,
            workers=workers,
            progress=screen,
        )
    close(result, as_json=as_json)
