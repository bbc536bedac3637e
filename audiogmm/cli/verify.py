"""`audiogmm verify`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from audiogmm.cli import options
from audiogmm.cli.console import run


@click.command(context_settings=options.former_names(normalise="normalize"))
@click.argument("folder", type=options.PATH, metavar="DIR")
@click.argument("trials", type=str, metavar="TRIALS.csv")
@options.output("the scores, as CSV")
@options.scoring
@options.option("--top", type=options.COUNT, default=5, help="Components, for `--scoring top`.")
@options.option(
    "--normalize",
    "normalization",
    type=options.ChoiceOf("audiogmm.verification.normalization", "NORMALIZATIONS"),
    default="none",
    help="Normalize the back end's scores by those of impostors from the background: z-norm, t-norm, "
    "zt-norm, s-norm, or adaptive s-norm (as).",
)
@click.option(
    "--manifest",
    type=str,
    metavar="M",
    help="A manifest, where TRIALS.csv names recordings by id, in a column id or test.",
)
@options.operating_point
@options.model_upsample
@options.tables
@options.resume
@options.retry
@options.workers
@options.common
def command(folder: Path, trials: str, output: Path, as_json: bool, **given: Any) -> None:
    """Score each line of TRIALS.csv: is this recording of that speaker of DIR?

    TRIALS.csv has the columns model and audio_filepath (relative to the file; or id, with --manifest), and
    may have offset and duration (seconds); further columns are kept. The output has these columns as well:
    score, a log-likelihood ratio (calibrated if DIR has a calibration; then decision follows from the prior
    and the costs); raw; space; voiced_seconds; snr (decibels); and flag (short: few or no frames were voiced,
    so the loudest were scored).

    \b
    Example:
      audiogmm verify known trials.csv -o trial-scores.csv
    """
    from audiogmm.jobs.verify import VerifySettings, verify_to_file

    run(verify_to_file, folder, trials, output, settings=VerifySettings(**given), as_json=as_json)
