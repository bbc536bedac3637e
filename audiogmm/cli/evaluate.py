"""`audiogmm evaluate verify` and `audiogmm evaluate detect`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from audiogmm.cli import options
from audiogmm.cli.console import run

if TYPE_CHECKING:
    from audiogmm.evaluation.detection.criteria import DetectionCriteria
    from audiogmm.evaluation.intervals import Draws
    from audiogmm.verification.decision import OperatingPoint

C = TypeVar("C", bound=Callable[..., Any])


def results(*, plot: str, drawn: str, bad: str, threads: bool = False) -> Callable[[C], C]:
    """What both commands have: `-o`, `--force`, `--plot`, `--strict`, and the draws for the intervals."""
    return options.together(
        options.picture(plot),
        options.output("the result as JSON", required=False),
        options.option(
            "--replicates",
            type=click.IntRange(100),
            default=1000,
            help=f"Draws of the {drawn} for the intervals.",
        ),
        options.option(
            "--confidence", type=options.PROBABILITY, default=0.95, help="Confidence of the intervals."
        ),
        options.seed,
        click.option("--strict", is_flag=True, help=f"Fail on the first {bad}."),
        *([options.threads] if threads else []),
        options.reporting,
        options.joined("draws", "replicates", "confidence", "seed", *["threads"] * threads, by=_draws),
    )


def _draws(**given: Any) -> Draws:
    from audiogmm.evaluation.intervals import Draws

    return Draws(**given)


def _points(
    prior: tuple[float, ...], cost_miss: tuple[float, ...], cost_false_alarm: tuple[float, ...]
) -> tuple[OperatingPoint, ...]:
    from audiogmm.evaluation.verification.score_evaluation import operating_points

    return operating_points(prior, cost_miss, cost_false_alarm)


def _criteria(collar: float, offset_share: float, **others: Any) -> DetectionCriteria:
    from audiogmm.evaluation.detection.criteria import DetectionCriteria
    from audiogmm.evaluation.detection.matching import Collars

    return DetectionCriteria(**others, collars=Collars(collar, offset_share))


@click.group()
def command() -> None:
    """Measure how good scores and events are, where the truth is known.

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
    help="Probability of a target, for the costs; may be repeated [default: 0.01 and 0.05].",
)
@click.option(
    "--cost-miss", type=float, multiple=True, help="Cost of rejecting a target, for each prior [default: 1]."
)
@click.option(
    "--cost-false-alarm",
    type=float,
    multiple=True,
    help="Cost of accepting a non-target, for each prior [default: 1].",
)
@options.joined("points", "prior", "cost_miss", "cost_false_alarm", by=_points)
@click.option(
    "--by",
    multiple=True,
    metavar="COLUMN",
    help="Evaluate each value of this column separately, too (numbers: four parts); may be repeated.",
)
@click.option(
    "--against",
    type=options.PATH,
    metavar="OTHER.csv",
    help="Compare with another system's scores of the same trials.",
)
@options.option("--column", default="score", metavar="NAME", help="Name of the column of scores.")
@options.option(
    "--trials",
    type=options.PATH,
    metavar="KEY",
    help="A list of trials that says which are targets, where SCORES has no column target.",
)
@results(plot="the DET curve and the calibration", drawn="speakers", bad="bad row", threads=True)
def verify(scores: Path, output: Path | None, as_json: bool, **given: Any) -> None:
    """Measure equal error rate, costs and Cllr of the scores of trials whose truth is known.

    SCORES.csv is what `verify` writes, with a column target of 1 and 0; or lines of model, test and score, as
    Kaldi writes them, with --trials. Every figure has an interval from
    draws of the speakers, since trials of one speaker are not independent; with fewer than 20 speakers it is
    only indicative. Cllr and min Cllr say whether scores are calibrated log-likelihood ratios.

    \b
    Example:
      audiogmm evaluate verify scores.csv --by sex --plot det.png -o result.json
    """
    from audiogmm.evaluation.verification.score_evaluation import EvaluateVerifySettings
    from audiogmm.jobs.evaluate_verify import evaluate_verify_to_file

    settings = EvaluateVerifySettings(**given)
    run(evaluate_verify_to_file, scores, output, settings=settings, as_json=as_json)


@command.command()
@click.argument("events", type=options.PATH, nargs=-1, required=True, metavar="EVENTS.jsonl...")
@click.argument("manifest", metavar="M")
@click.option(
    "--scores",
    type=options.PATH,
    multiple=True,
    metavar="DIR",
    help="Tracks that `score` wrote, for the AUC; may be repeated.",
)
@click.option(
    "--by",
    multiple=True,
    metavar="KEY",
    help="Compare scores only among recordings with the same value of this key of the manifest.",
)
@click.option(
    "--dcase",
    type=click.IntRange(2020, 2024),
    metavar="YEAR",
    help="Compute the official score of DCASE Task 2, from the keys machine, section and domain.",
)
@options.option(
    "--window",
    type=options.POSITIVE,
    default=0.5,
    metavar="S",
    help="Seconds over which the score of a frame is averaged.",
)
@options.option(
    "--segment",
    type=options.POSITIVE,
    default=1.0,
    metavar="S",
    help="Seconds of a segment, for the F1 of segments.",
)
@options.option(
    "--clip",
    type=click.Choice(["mean", "lowest"]),
    default="mean",
    help="Score of a recording: the mean of its frames, or its lowest window.",
)
@options.option(
    "--max-fpr",
    type=click.FloatRange(0, 1, min_open=True),
    default=0.1,
    help="Largest false-alarm rate of the partial AUC.",
)
@options.option(
    "--collar",
    type=options.POSITIVE,
    default=0.5,
    metavar="S",
    help="Seconds by which the onset and offset of an event may differ from the truth.",
)
@options.option(
    "--offset-share",
    type=options.SHARE,
    default=0.5,
    help="Share of an event's length by which its offset may differ, where that is more.",
)
@options.option(
    "--stream",
    default="stream",
    metavar="KEY",
    help="Key of M that tells streams apart: an event that spans recordings counts in each of them.",
)
@options.joined("criteria", "window", "segment", "clip", "max_fpr", "collar", "offset_share", by=_criteria)
@results(
    plot="the ROC curve and the figures of events", drawn="recordings", bad="recording that cannot be used"
)
def detect(events: tuple[Path, ...], manifest: str, output: Path | None, as_json: bool, **given: Any) -> None:
    """Measure AUC of scores, and F1, delay and false alarms of events, where the truth is known.

    EVENTS are what `detect` wrote. The truth is in the manifest M: a key events, [{"start": ..., "end": ...}]
    in seconds ([] for none), or a label, normal or anomaly, of the whole recording. Every figure has an
    interval from draws of the recordings; with fewer than 20 recordings it is only indicative.

    \b
    Example:
      audiogmm score room.agmm test.jsonl -o scores
      audiogmm detect room.agmm test.jsonl -o events.jsonl
      audiogmm evaluate detect events.jsonl test.jsonl --scores scores --plot roc.png -o result.json
    """
    from audiogmm.evaluation.detection.event_evaluation import EvaluateDetectSettings
    from audiogmm.jobs.evaluate_detect import evaluate_detect_to_file

    scores = given.pop("scores")
    settings = EvaluateDetectSettings(**given)
    run(evaluate_detect_to_file, events, manifest, output, scores=scores, settings=settings, as_json=as_json)
