"""`audiogmm demo`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from audiogmm.cli import options
from audiogmm.cli.console import close, run


@click.command()
@options.option("--out", type=options.PATH, default=Path("demo"), help="Folder to write to.")
@options.force
@options.seed
@options.reporting
@options.threads
def command(out: Path, as_json: bool, **given: Any) -> None:
    """Try all commands on a synthesized corpus: train, score, cluster, detect, enroll, verify.

    The corpus has sites with changing backgrounds; foreign sounds are mixed into the test recordings, no
    louder than the background. Then voices are synthesized and enrolled, and every test recording is compared
    with every speaker. Prints the results and the files to look at.

    \b
    Example:
      audiogmm demo --out demo
    """
    from audiogmm.jobs.demo.sites import demo, find_earlier_demo

    if not given["force"] and (earlier := find_earlier_demo(out)) is not None:
        close(earlier, as_json=as_json)
    else:
        run(demo, out, as_json=as_json, **given)
