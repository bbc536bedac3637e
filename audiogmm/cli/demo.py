"""`audiogmm demo`."""

from __future__ import annotations

from pathlib import Path

import click

from audiogmm.cli import options
from audiogmm.cli.console import close, console


@click.command()
@click.option("--out", type=options.PATH, default=Path("demo"), show_default=True, help="Folder to write to.")
@click.option("--force", is_flag=True, help="Overwrite what is there.")
@options.seed
@options.reporting
@options.threads
def command(out: Path, force: bool, seed: int, as_json: bool, threads: int | None) -> None:
    """Try all commands on a synthesized corpus: train, score, cluster, detect, enroll, verify.

    The corpus has sites with changing backgrounds; foreign sounds are mixed into the test recordings, no
    louder than the background. Then voices are synthesized and enrolled, and every test recording is compared
    with every speaker. Prints the results and the files to look at.

    \b
    Example:
      audiogmm demo --out demo
    """
    from audiogmm.jobs.demo.sites import demo, find_earlier_demo

    if not force and (earlier := find_earlier_demo(out)) is not None:
        close(earlier, as_json=as_json)
        return
    with console() as screen:
        result = demo(out, seed=seed, force=force, threads=threads, progress=screen)
    close(result, as_json=as_json)
