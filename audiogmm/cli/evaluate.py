"""`audiogmm evaluate verify` and `audiogmm evaluate detect`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from audiogmm.cli import options
from audiogmm.cli.console import close, console

if TYPE_CHECKING:
    from audiogmm.evaluation.detection.case import Clip


@click.group()
def command() -> None:
    """Say how good results are, where the truth is known.

    \b
    Example:
      audiogmm evaluate verify scores.csv
      audiogmm evaluate detect events.jsonl test.jsonl --scores scores
    """


@command.command()
@click.argument("scores", type=options.PATH, metavar="SCORES.csv")
@click.option(
    "--prior",
    type=float,
    multiple=True,
    help="Probability of a target, for the costs; several times for several points [default: 0.01 and 0.05].",
)
@click.option("--cost-miss", type=float, multiple=True, help="Of rejecting a target [default: 1].")
@click.option("--cost-false-alarm", type=float, multiple=True, help="Of accepting another [default: 1].")
@click.option(
    "--by",
    multiple=True,
    metavar="COLUMN",
    help="Evaluate the conditions of this column as well; numbers are cut into four parts.",
)
@click.option(
    "--against", type=options.PATH, default=None, metavar="OTHER.csv", help="Compare with another system."
)
@click.option("--column", default="score", show_default=True, metavar="NAME", help="Where the scores are.")
@click.option(
    "--plot",
    type=options.PATH,
    default=None,
    metavar="PICTURE",
    help="DET and calibration (.png, .svg, .pdf).",
)
@click.option("-o", "--output", type=options.PATH, default=None, metavar="PATH", help="The result as JSON.")
@click.option("--force", is_flag=True, help="Overwrite what is there.")
@click.option(
    "--replicates",
    type=click.IntRange(100),
    default=1000,
    show_default=True,
    help="Draws of the speakers for the intervals.",
)
@click.option(
    "--confidence",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    default=0.95,
    show_default=True,
    help="Of the intervals.",
)
@options.seed
@click.option("--strict", is_flag=True, help="Fail on the first bad row.")
@options.threads
@options.reporting
def verify(
    scores: Path,
    prior: tuple[float, ...],
    cost_miss: tuple[float, ...],
    cost_false_alarm: tuple[float, ...],
    by: tuple[str, ...],
    against: Path | None,
    column: str,
    plot: Path | None,
    output: Path | None,
    force: bool,
    replicates: int,
    confidence: float,
    seed: int,
    strict: bool,
    threads: int | None,
    as_json: bool,
) -> None:
    """Equal error rate, costs, Cllr and DET of the scores of trials whose truth is known.

    SCORES.csv is what `verify` writes, with a column target of 1 and 0. Every figure has an interval from
    draws of the speakers, since the trials of one speaker are not so many witnesses; under 20 speakers it is
    indicative. Whether a score may be read as a log-likelihood ratio is said as well.

    \b
    Example:
      audiogmm evaluate verify scores.csv --by sex --plot det.png -o result.json
    """
    from audiogmm.evaluation.intervals import Draws
    from audiogmm.jobs.evaluate_verify import evaluate_verify_to_file, operating_points

    with console() as screen:
        result = evaluate_verify_to_file(
            scores,
            output,
            points=operating_points(prior, cost_miss, cost_false_alarm),
            by=by,
            against=against,
            column=column,
            plot=plot,
            draws=Draws(replicates, confidence, seed, threads),
            force=force,
            strict=strict,
            progress=screen,
        )
    close(result, as_json=as_json)


@command.command()
@click.argument("events", type=options.PATH, nargs=-1, required=True, metavar="EVENTS.jsonl...")
@click.argument("manifest", metavar="M")
@click.option(
    "--scores",
    type=options.PATH,
    multiple=True,
    metavar="DIR",
    help="Tracks that `score` wrote, for the AUC; several times for several folders.",
)
@click.option(
    "--by",
    multiple=True,
    metavar="KEY",
    help="Compare scores within each value of this key of the manifest only.",
)
@click.option(
    "--dcase",
    type=click.IntRange(2020, 2024),
    default=None,
    metavar="YEAR",
    help="The official score of DCASE Task 2, by the keys machine, section and domain.",
)
@click.option(
    "--window",
    type=click.FloatRange(0, min_open=True),
    default=0.5,
    show_default=True,
    metavar="S",
    help="Over which the score of a frame is averaged, seconds.",
)
@click.option(
    "--segment",
    type=click.FloatRange(0, min_open=True),
    default=1.0,
    show_default=True,
    metavar="S",
    help="Length of segments, seconds.",
)
@click.option(
    "--clip",
    type=click.Choice(["mean", "lowest"]),
    default="mean",
    show_default=True,
    help="Score of a recording: the mean of its frames, or its lowest window.",
)
@click.option(
    "--max-fpr",
    type=click.FloatRange(0, 1, min_open=True),
    default=0.1,
    show_default=True,
    help="False-alarm rate up to which the pAUC is taken.",
)
@click.option(
    "--collar",
    type=click.FloatRange(0, min_open=True),
    default=0.5,
    show_default=True,
    metavar="S",
    help="By which onset and offset of an event may be off, seconds.",
)
@click.option(
    "--offset-share",
    type=click.FloatRange(0, 1),
    default=0.5,
    show_default=True,
    help="Of an event's length, by which its offset may be off if that is more.",
)
@click.option(
    "--plot",
    type=options.PATH,
    default=None,
    metavar="PICTURE",
    help="ROC and events (.png, .svg, .pdf).",
)
@click.option("-o", "--output", type=options.PATH, default=None, metavar="PATH", help="The result as JSON.")
@click.option("--force", is_flag=True, help="Overwrite what is there.")
@click.option(
    "--replicates",
    type=click.IntRange(100),
    default=1000,
    show_default=True,
    help="Draws of the recordings for the intervals.",
)
@click.option(
    "--confidence",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    default=0.95,
    show_default=True,
    help="Of the intervals.",
)
@options.seed
@click.option("--strict", is_flag=True, help="Fail on the first recording that cannot be used.")
@options.reporting
def detect(
    events: tuple[Path, ...],
    manifest: str,
    scores: tuple[Path, ...],
    by: tuple[str, ...],
    dcase: int | None,
    window: float,
    segment: float,
    clip: Clip,
    max_fpr: float,
    collar: float,
    offset_share: float,
    plot: Path | None,
    output: Path | None,
    force: bool,
    replicates: int,
    confidence: float,
    seed: int,
    strict: bool,
    as_json: bool,
) -> None:
    """AUC of scores, and F1, delay and false alarms of events, of recordings whose truth is known.

    EVENTS are what `detect` wrote. The truth is in the manifest M: a key events, [{"start": ..., "end": ...}]
    in seconds ([] for none), or a label, normal or anomaly, of the whole recording. Every figure has an
    interval from draws of the recordings; under 20 of them it is indicative.

    \b
    Example:
      audiogmm score room.agmm test.jsonl -o scores
      audiogmm detect room.agmm test.jsonl -o events.jsonl
      audiogmm evaluate detect events.jsonl test.jsonl --scores scores --plot roc.png -o result.json
    """
    from audiogmm.evaluation.detection.case import DetectionCriteria
    from audiogmm.evaluation.detection.matching import Collars
    from audiogmm.evaluation.intervals import Draws
    from audiogmm.jobs.evaluate_detect import evaluate_detect_to_file

    with console() as screen:
        result = evaluate_detect_to_file(
            events,
            manifest,
            output,
            scores=scores,
            by=by,
            dcase=dcase,
            judging=DetectionCriteria(window, segment, clip, max_fpr, Collars(collar, offset_share)),
            plot=plot,
            draws=Draws(replicates, confidence, seed),
            force=force,
            strict=strict,
            progress=screen,
        )
    close(result, as_json=as_json)
