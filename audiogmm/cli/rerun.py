"""`audiogmm rerun`."""

from __future__ import annotations

import sys
from contextlib import chdir, redirect_stdout
from pathlib import Path

import click

from audiogmm.cli import options
from audiogmm.cli.console import close
from audiogmm.cli.provenance import IS_RERUN, REPEATABLE, repeat


@click.command()
@click.argument("manifest", type=options.PATH, metavar="FILE.run.json")
@click.option(
    "-o", "--output", type=options.PATH, metavar="PATH", help="Where to write [default: compare only]."
)
@click.option("--anyway", is_flag=True, help="Repeat it though an input has changed, or is at a URL.")
@options.reporting
def command(manifest: Path, output: Path | None, anyway: bool, as_json: bool) -> None:
    """Repeat the run whose manifest is FILE.run.json, and compare what it writes with what it wrote.

    Models, lists and recordings must be as they were. The exit status is 1 if they are not, or if an output
    is not equal to the byte. Only commands of audiogmm are repeated, and only what -o names is written.

    \b
    Example:
      audiogmm rerun events.jsonl.run.json
    """
    from audiogmm.jobs.provenance.rerun import Rerun

    rerun = Rerun.of(manifest, REPEATABLE, output)
    changed = rerun.changed_inputs()
    if (changed or rerun.unknown_inputs) and not anyway:
        close(rerun.refused(changed), as_json=as_json)
        click.get_current_context().exit(1)
    root = click.get_current_context().find_root()
    root.meta[IS_RERUN] = True
    with rerun.place() as (target, others):
        with chdir(rerun.folder), redirect_stdout(sys.stderr):
            repeat(root, rerun.arguments, target, others)
        result = rerun.compare(target, others, changed)
    close(result, as_json=as_json)
    click.get_current_context().exit(int(not result.is_equal))
