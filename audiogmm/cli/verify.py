"""`audiogmm verify`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from audiogmm.cli import options
from audiogmm.cli.console import close, console


@click.command(context_settings=options.former_names(normalise="normalize"))
@click.argument("folder", type=options.PATH, metavar="DIR")
@click.argument("trials", type=str, metavar="TRIALS.csv")
@options.output("the scores, a CSV")
@options.scoring
@click.option(
    "--top", type=click.IntRange(1), default=5, show_default=True, help="Components of `--scoring top`."
)
@click.option(
    "--normalize",
    "normalization",
    type=click.Choice(["none", "z", "t", "zt", "s", "as"]),
    default="none",
    show_default=True,
    help="Bring the back end's scores to a scale that all share, by those of impostors of the background: of "
    "the model (z), of the test (t), both (zt, s), or the nearest of both (as).",
)
@click.option(
    "--manifest",
    type=str,
    default=None,
    metavar="M",
    help="The recordings, of any format: TRIALS.csv names them by id, in a column id or test.",
)
@options.operating_point
@options.model_upsample
@options.resume
@options.workers
@options.common
def command(folder: Path, trials: str, output: Path, as_json: bool, **given: Any) -> None:
    """Score each line of TRIALS.csv: is this recording of that speaker of DIR?

    The list has the columns model and audio_filepath (relative to the list; or id, with --manifest), and may
    have offset and duration (seconds); further columns are kept. Added are: score, a log-likelihood ratio
    (calibrated where DIR holds a calibration, and then with a decision from the prior and the costs), raw,
    space, voiced_seconds, snr (decibels), and flag (short: few or no frames were voiced, and the loudest
    were scored).

    \b
    Example:
      audiogmm verify known trials.csv -o trial-scores.csv
    """
    from audiogmm.jobs.verify import VerifySettings, verify_to_file

    with console() as screen:
        result = verify_to_file(folder, trials, output, settings=VerifySettings(**given), progress=screen)
    close(result, as_json=as_json)
