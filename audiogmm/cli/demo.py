"""`audiogmm demo`."""

from __future__ import annotations

from pathlib import Path

import click

from audiogmm.cli import options
from audiogmm.cli.console import close, console


@click.command()
@click.option("--out", type=options.PATH, default=Path("demo"), show_default=True, help="Folder to make.")
@click.option("--force", is_flag=True, help="Overwrite what an earlier demo left there.")
@options.seed
@options.reporting
@options.threads
def command(out: Path, force: bool, seed: int, as_json: bool, threads: int | None) -> None:
    """Do the whole job on a corpus that it synthesises: train, score, cluster, detect, enroll, verify.

    The corpus has sites whose backgrounds wander; foreign sounds are mixed into the test recordings,
    no louder than their surroundings. Then there are voices: some are enrolled, and every test recording is
    tried against each. Prints what was found, and where to look.

    \b
    Example:
      audiogmm demo --out demo
    """
    from audiogmm.jobs.demo import demo

    with console() as screen:
        result = demo(out, seed=seed, force=force, threads=threads, progress=screen)
    close(result, as_json=as_json)
