"""`audiogmm select`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from audiogmm.cli import options
from audiogmm.cli.console import run

FORMS = ("diag", "full", "tied", "spherical")


def forms(ctx: click.Context, parameter: click.Parameter, value: str) -> tuple[str, ...]:
    """Covariance forms with commas between them; none for an empty text."""
    found = tuple(part.strip() for part in value.split(",")) if value else ()
    for form in found:
        if form not in FORMS:
            raise click.BadParameter(f"{form!r} is not one of {', '.join(FORMS)}, with commas between them")
    return found


@click.command()
@options.manifest
@options.output("the table, as CSV")
@options.option(
    "-k",
    "--components",
    "n_components",
    default="8:256",
    metavar="SIZES",
    help="Numbers of components: 8,16,32, or 8:256, which doubles from 8 to 256.",
)
@click.option(
    "--covariance",
    "covariance_type",
    callback=forms,
    default="",
    metavar="FORMS",
    help="Covariance forms, such as diag,full [default: diag; with --preset ambient full].",
)
@click.option(
    "--by",
    type=click.Choice(["held-out", "bic", "bic-effective", "aic", "icl"]),
    help="Criterion of the recommendation [default: held-out; bic-effective if nothing is held out].",
)
@options.option(
    "--hold-out",
    type=click.FloatRange(0, 0.5),
    default=0.2,
    help="Share of the recordings that is held out; 0: none. Segments of one file stay together.",
)
@options.picture("every criterion")
@click.option(
    "--save",
    type=options.PATH,
    metavar="MODEL",
    help="Where to save the recommended model, ready for `score` and `detect`.",
)
@options.option(
    "--init",
    type=click.Choice(["split", "k-means++", "random"]),
    default="split",
    help="Initialization: each size is split from the one before, or has its own start (slower).",
)
@options.option("--kmeans/--no-kmeans", default=True, help="Run k-means of the same sizes as well.")
@options.scores
@options.resume
@options.checkpoint
@options.front_end
@options.tables
@options.maximum_passes
@options.tol
@options.floor
@options.seed
@options.workers
@options.common
def command(manifest: str, output: Path, as_json: bool, **given: Any) -> None:
    """Compare models of several sizes and covariance forms on the recordings of M.

    All candidates are trained in the same passes over the data. The table has the log-likelihood of held-out
    recordings (with its standard error over recordings), BIC, BIC with the effective number of frames
    (neighboring frames are not independent), AIC and ICL, and the choice of each criterion. The smallest
    model within one standard error of the best held-out likelihood is recommended, unless --by says
    otherwise.

    \b
    Example:
      audiogmm select train.jsonl --preset ambient -k 2:8 --covariance diag,full -o table.csv --plot bic.png
    """
    from audiogmm.jobs.select_settings import SelectSettings
    from audiogmm.jobs.selected_files import select_to_file

    run(select_to_file, manifest, output, settings=SelectSettings(**given), as_json=as_json)
