#!/usr/bin/env python
"""Do alarm budgets keep what they promise?

    python scripts/bench_alarms.py [--site hall] [--seed 0] [--minutes 2,60]
    python scripts/bench_alarms.py --scenes DATA [--scores fusion]

Synthesizes recordings of a site, five minutes each on a day of its own, whose level (1.5 dB) and color
wander in minutes, besides what the site does by itself. Half of them are there to train on. Then, as often
as asked: draws twelve of these, takes a twelfth of the minutes from each, and trains a model and its detector
as `train` does (one training for all the scores, since they do not change it). Half an hour of the others,
or eight times the minutes, is scored by the final model, and its events are counted at the thresholds of
budgets at which the normal audio itself raised two and five alarms. Printed is how often the interval that
was stated held the rate that was found.

Trainings on an hour take too long to be many. From twenty minutes on, one model, trained on twenty minutes of
the first half, serves all draws; twelve recordings of the other half calibrate it, and those that are left
are counted in. What cross-fitting does to a budget is seen in the shorter ones.

The rate that is found is a count itself, of hours and not of weeks. "Covered" takes it as it is; "allowing
for it" widens it by its own error between recordings (90 %).

With --scenes, each site of DATA (scenes_train.jsonl, scenes_test.jsonl) has a model trained on its training
clips with nothing chosen, and a budget of --rate alarms an hour: how many events have its normal test clips?
"""

from __future__ import annotations

import argparse
import json
import pickle
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy.signal import lfilter

import audiogmm as ag
from audiogmm.anomaly.detector import Detector
from audiogmm.anomaly.detector_calibration import calibrate_detector
from audiogmm.anomaly.learning.assembly import make_score_context
from audiogmm.anomaly.learning.cross_fit import calibrate_folds, cross_fit
from audiogmm.anomaly.learning.model_parts import read_detector, with_detector
from audiogmm.anomaly.learning.score_learning import relearn_scores
from audiogmm.anomaly.low_runs import LowRuns
from audiogmm.anomaly.scorer import FrameScorer, LogLikelihoodScorer
from audiogmm.anomaly.scorers.track import score_recording
from audiogmm.audio.frontend.frontend import FrontEnd
from audiogmm.blocks import FrameBlock
from audiogmm.errors import MismatchError
from audiogmm.jobs.train import MixtureFitter
from audiogmm.jobs.train_settings import TrainSettings
from audiogmm.mixture.evaluator import Evaluator
from audiogmm.reduce import LocalReducer
from audiogmm.runs.progress import Silent
from audiogmm.runs.training_inputs import TrainingInputs
from audiogmm.scoring.track import ScoreTrack
from audiogmm.synth.noise import SAMPLE_RATE, random_curve
from audiogmm.synth.sites import SITES, make_background

LENGTH = 300 * SAMPLE_RATE
PIECES = 12
"""Recordings that a training draws from."""

LONG = 20.0
"""Minutes from which one model serves all draws."""

EVENTS = (2, 5)
"""Alarms that the normal audio itself raises at the budgets."""


@dataclass(frozen=True)
class Piece:
    """Some frames of a recording."""

    id: str
    frames: np.ndarray
    frontend: FrontEnd

    def __iter__(self) -> Iterator[FrameBlock]:
        clock = self.frontend.clock(SAMPLE_RATE)
        for first in range(0, len(self.frames), 1000):
            block = np.ascontiguousarray(self.frames[first : first + 1000])
            yield FrameBlock(block, np.ones(len(block), np.bool_), first, clock)


@dataclass(frozen=True)
class FrameInputs(TrainingInputs):
    """Pieces with their front end, in place of recordings."""

    behind: FrontEnd | None = None

    @property
    def frontend(self) -> FrontEnd | None:
        """Of the pieces."""
        return self.behind


def main(arguments: argparse.Namespace) -> None:
    """Synthesize, train, score, count, print."""
    if arguments.scenes is not None:
        scenes(arguments)
        return
    pool, frontend = make_pool(arguments)
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.keep or Path(temporary)
        outcomes = folder / "outcomes.jsonl"
        outcomes.touch()
        for minutes in map(float, arguments.minutes.split(",")):
            known = {(row["minutes"], row["score"], row["draw"]) for row in read(outcomes)}
            for draw in range(arguments.draws):
                scores = [s for s in arguments.scores.split(",") if (minutes, s, draw) not in known]
                rng = np.random.default_rng([arguments.seed, round(60 * minutes), draw])
                take = drawn if minutes < LONG else drawn_from_one
                for score, detector, tracks in take(pool, frontend, minutes, rng, scores, arguments, folder):
                    with outcomes.open("a") as file:
                        for events in EVENTS:
                            row = {"minutes": minutes, "score": score, "draw": draw, "events": events}
                            file.write(json.dumps(row | outcome(detector, tracks, events)) + "\n")
        report(read(outcomes))


Drawn = Iterator[tuple[str, Detector, list[ScoreTrack]]]
"""A score, a detector calibrated on what was drawn, and tracks of other recordings."""


def drawn(
    pool: np.ndarray,
    frontend: FrontEnd,
    minutes: float,
    rng: np.random.Generator,
    scores: list[str],
    arguments: argparse.Namespace,
    folder: Path,
) -> Drawn:
    """Train on what is drawn of the first half, and score the other half by the final model."""
    half = len(pool) // 2
    pieces = draw_pieces(pool[:half], frontend, minutes, PIECES, rng)
    others = draw_pieces(pool[half:], frontend, max(30.0, 8 * minutes), len(pool) - half, rng)
    for score, detector, scorer in calibrated(pieces, frontend, scores, arguments.components):
        yield score, detector, [score_recording(scorer, piece) for piece in others]


def drawn_from_one(
    pool: np.ndarray,
    frontend: FrontEnd,
    minutes: float,
    rng: np.random.Generator,
    scores: list[str],
    arguments: argparse.Namespace,
    folder: Path,
) -> Drawn:
    """Train once on the first half, and draw normal audio from the other half, whose rest is counted in."""
    half = len(pool) // 2
    clock = frontend.clock(SAMPLE_RATE)
    for score in scores:
        path = folder / f"{arguments.site}{arguments.seed}.{score}.npy"
        if not path.exists():
            kept = path.with_suffix(".pickle")
            if not kept.exists():
                seeded = np.random.default_rng(arguments.seed)
                pieces = draw_pieces(pool[:half], frontend, LONG, PIECES, seeded)
                ((_, _, made),) = calibrated(pieces, frontend, [score], arguments.components)
                kept.write_bytes(pickle.dumps(made))
            scorer = pickle.loads(kept.read_bytes())
            others = [Piece(f"day{i}", frames, frontend) for i, frames in enumerate(pool[half:])]
            np.save(path, [score_recording(scorer, piece).scores for piece in others])
        rows = np.load(path)
        n = min(round(60 * minutes / PIECES * clock.frame_rate), rows.shape[1])
        order = rng.permutation(len(rows))
        tracks = [ScoreTrack(f"day{i}", rows[i], np.ones(rows.shape[1], np.bool_), clock) for i in order]
        starts = rng.integers(0, rows.shape[1] - n + 1, PIECES)
        normal = [
            ScoreTrack(track.id, track.scores[at : at + n], track.voiced[:n], clock)
            for track, at in zip(tracks[:PIECES], starts, strict=True)
        ]
        yield score, calibrate_detector(normal), tracks[PIECES:]


def read(outcomes: Path) -> list[dict[str, Any]]:
    """What was found so far."""
    return [json.loads(line) for line in outcomes.read_text().splitlines()]


def make_pool(arguments: argparse.Namespace) -> tuple[np.ndarray, FrontEnd]:
    """Frames of all recordings, shape (n_recordings, n_frames, n_features), and their front end."""
    frontend = FrontEnd.preset("ambient", sample_rate=SAMPLE_RATE).without_global()
    kept = arguments.keep and arguments.keep / f"{arguments.site}{arguments.seed}.npy"
    if kept is not None and kept.exists():
        pool = np.load(kept)
    else:
        sounds = (recording(arguments.site, arguments.seed, i) for i in range(arguments.recordings))
        pool = np.array([frontend(sound, SAMPLE_RATE) for sound in sounds])
        if kept is not None:
            np.save(kept, pool)
    flat = pool[: len(pool) // 2].reshape(-1, pool.shape[2])
    mean, deviation = flat.mean(axis=0, dtype=np.float64), flat.std(axis=0, dtype=np.float64)
    pool -= mean.astype(np.float32)
    pool /= deviation.astype(np.float32)
    return pool, frontend.with_global(mean.tolist(), deviation.tolist())


def recording(site: str, seed: int, number: int) -> np.ndarray:
    """Five minutes of a site on a day of its own, shape (n_samples,), float32."""
    rng = np.random.default_rng([seed, number])
    sound = make_background(site, LENGTH, rng)
    bright = np.asarray(lfilter([1, -0.9], [1], sound))
    sound = (sound + 0.3 * random_curve(LENGTH, rng, 1 / 120) * bright) * 10 ** (
        1.5 * random_curve(LENGTH, rng, 1 / 180) / 20
    )
    return sound.astype(np.float32)


def draw_pieces(
    pool: np.ndarray, frontend: FrontEnd, minutes: float, n_pieces: int, rng: np.random.Generator
) -> list[Piece]:
    """So many minutes, the same share from each of so many recordings."""
    n = min(round(60 * minutes / n_pieces * frontend.clock(SAMPLE_RATE).frame_rate), pool.shape[1])
    starts = rng.integers(0, pool.shape[1] - n + 1, n_pieces)
    chosen = rng.choice(len(pool), n_pieces, replace=False)
    return [Piece(f"day{i}", pool[i, at : at + n], frontend) for i, at in zip(chosen, starts, strict=True)]


def calibrated(
    pieces: list[Piece], frontend: FrontEnd, scores: list[str], n_components: int
) -> Iterator[tuple[str, Detector, FrameScorer]]:
    """Train once, and calibrate for every score, as `train` does: its detector, and the final scorer."""
    settings, progress = TrainSettings(n_components=n_components), Silent()
    inputs = FrameInputs(pieces, None, frontend)
    with LocalReducer(2, 0) as reducer:
        fitter = MixtureFitter(settings.of_mixture(frontend), inputs, None, reducer, progress, None)
        folds = cross_fit(fitter, inputs, settings.hold_out, 0)
        mixture = fitter.fit_all(folds[0].mixture).mixture
        for score in scores:
            detector, learned = calibrate_folds(folds, score, inputs, reducer, progress)
            scorer: FrameScorer = LogLikelihoodScorer(Evaluator(mixture))
            if learned is not None:
                context = make_score_context(mixture, frontend, detector.frame_rate)
                scorer = relearn_scores(learned, context, pieces, reducer, None).scorer(context)
            yield score, detector, scorer


def outcome(detector: Detector, tracks: list[ScoreTrack], events: int) -> dict[str, float]:
    """Rate that is promised, its interval, the rate that is found, and the standard error of that."""
    detector = detector.with_settings(alarms_per_hour=events / detector.hours)
    budget = detector.budget
    assert budget is not None
    counts = np.array([count(detector, [track]) for track in tracks], dtype=np.float64)
    hours = sum(len(track) for track in tracks) / detector.frame_rate / 3600
    error = float(np.sqrt(max(len(counts) * np.var(counts, ddof=1), counts.sum() + 1))) / hours
    found = {"found": float(counts.sum()) / hours, "error": error}
    return {"promised": budget.alarms_per_hour, "low": budget.low, "high": budget.high} | found


def report(rows: list[dict[str, Any]]) -> None:
    """Print a line for each length, score and budget."""
    print("minutes  score   events  draws  promised/h   found  median  interval/promised  covered  allowing")
    cases = sorted({(row["minutes"], row["events"], row["score"]) for row in rows})
    for minutes, events, score in cases:
        chosen = [r for r in rows if (r["minutes"], r["events"], r["score"]) == (minutes, events, score)]
        names = ("promised", "low", "high", "found", "error")
        promised, low, high, found, error = (np.array([row[name] for row in chosen]) for name in names)
        covered = np.mean((low <= found) & (found <= high))
        allowed = np.mean((low <= found + 1.645 * error) & (found - 1.645 * error <= high))
        interval = f"{np.mean(low / promised):6.2f} to {np.mean(high / promised):5.2f}"
        beside = f"(over {np.mean(found > high):4.2f}, under {np.mean(found < low):4.2f})"
        print(
            f"{minutes:7g}  {score:<6}  {events:6d}  {len(chosen):5d}  {promised.mean():10.1f}  "
            f"{found.mean():6.1f}  {np.median(found / promised):6.2f}  {interval:>17}  {covered:7.2f}  "
            f"{allowed:8.2f}  {beside}"
        )


def count(detector: Detector, tracks: list[ScoreTrack]) -> int:
    """Events that a detector finds in tracks."""
    runs = LowRuns.of(tracks, detector.half, detector.merge_gap_frames, detector.release, detector.typical)
    return len(runs.events(detector.threshold, detector.merge_gap_frames, detector.min_duration_frames))


def scenes(arguments: argparse.Namespace) -> None:
    """Count the events of the normal test clips of each site."""
    data, scores = arguments.scenes, arguments.scores.split(",")[0]
    sites: dict[str, dict[str, list[ag.Entry]]] = defaultdict(lambda: {"train": [], "test": []})
    for split in ("train", "test"):
        for entry in ag.read_manifest(data / f"scenes_{split}.jsonl"):
            sites[entry.extra["site"]][split].append(entry)
    print(f"{'site':<15}  normal, s  events there  promised  clips, s  events  an hour")
    n_events, seconds = 0, 0.0
    for site, parts in sites.items():
        if arguments.only not in (None, site):
            continue
        model = ag.train(parts["train"], FrontEnd.preset("ambient"), scores=scores)
        detector = read_detector(model).with_settings(alarms_per_hour=arguments.rate)
        try:
            budget = detector.budget
        except MismatchError as error:
            print(f"{site:<12}  refused: {error}")
            continue
        assert budget is not None
        model = with_detector(model, detector)
        clips = [entry for entry in parts["test"] if not entry.events]
        found = sum(len(ag.detect(model, entry)) for entry in clips)
        length = sum(len(ag.score(model, entry)) for entry in clips) / detector.frame_rate
        n_events, seconds = n_events + found, seconds + length
        promised = f"{budget.low:.0f}..{budget.high:.0f}"
        print(f"{site:<15}  {3600 * budget.hours:9.1f}  {budget.n_events:12d}  {promised:>8}", end="")
        print(f"  {length:8.1f}  {found:6d}  {3600 * found / length:7.1f}")
    if seconds:
        print(f"{'all':<52}  {seconds:8.1f}  {n_events:6d}  {3600 * n_events / seconds:7.1f}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--site", choices=SITES, default="hall")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--minutes", default="2,5,10,20,60")
    parser.add_argument("--scores", default="mean,fusion,auto")
    parser.add_argument("--draws", type=int, default=20)
    parser.add_argument("--recordings", type=int, default=84)
    parser.add_argument("-k", "--components", type=int, default=8, help="fewer than usual, to be quick")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="of frames and outcomes; continues there")
    parser.add_argument("--scenes", type=Path, default=None, metavar="DATA")
    parser.add_argument("--only", metavar="SITE", help="of the scenes")
    parser.add_argument("--rate", type=float, default=60.0)
    main(parser.parse_args())
