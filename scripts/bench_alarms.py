#!/usr/bin/env python
"""Do alarm budgets keep what they promise? scripts/bench_alarms.py [--hours 20] [--site hall] [--seed 0]
scripts/bench_alarms.py --scenes DATA

Synthesises hours of a site in recordings of five minutes, whose level (1.5 dB) and colour wander in minutes,
besides what the site does by itself, trains a model on another half hour by the preset `ambient`, and scores
everything. Then, as often as asked: draws recordings for a calibration, asks a detector for a budget, and
counts the events of all the other recordings. Prints how often the interval that was stated held the rate
that was found, beside block-conformal prediction (one minute, the least score of a block) as an alternative.
Nothing is stored but the scores, beside --keep, so that a second run is quick.

With --scenes, each site of DATA (scenes_train.jsonl, scenes_test.jsonl) has a model trained on its training
clips with nothing chosen, and a budget of --rate alarms an hour: how many events have its normal test clips?
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from pathlib import Path

import numpy as np
from scipy.signal import lfilter
from scipy.stats import beta

import audiogmm as ag
from audiogmm.anomaly.detector import Detector
from audiogmm.anomaly.detector_calibration import calibrate_detector
from audiogmm.anomaly.learning.model_parts import read_detector, with_detector
from audiogmm.anomaly.low_runs import LowRuns
from audiogmm.anomaly.smoothing import smooth
from audiogmm.audio.frontend.frontend import FrontEnd
from audiogmm.errors import MismatchError
from audiogmm.mixture.evaluator import Evaluator
from audiogmm.scoring.track import ScoreTrack
from audiogmm.synth.noise import SAMPLE_RATE, random_curve
from audiogmm.synth.sites import SITES, make_background

LENGTH = 300 * SAMPLE_RATE
CASES = ((1, 4), (6, 4), (60, 4), (6, 1), (60, 1), (60, 0.5))
"""Alarms an hour, and hours of normal audio."""


def main(arguments: argparse.Namespace) -> None:
    """Synthesise, score, draw, count, print."""
    if arguments.scenes is not None:
        scenes(arguments.scenes, arguments.rate)
        return
    tracks = score(arguments)
    print(
        "alarms/h  hours  found/asked  covered  too few  too many  interval/asked  conformal: found  covered"
    )
    for rate, hours in CASES:
        report(tracks, rate, hours, arguments.draws, np.random.default_rng(arguments.seed))


def scenes(data: Path, rate: float) -> None:
    """Count the events of the normal test clips of each site."""
    sites: dict[str, dict[str, list[ag.Entry]]] = defaultdict(lambda: {"train": [], "test": []})
    for split in ("train", "test"):
        for entry in ag.read_manifest(data / f"scenes_{split}.jsonl"):
            sites[entry.extra["site"]][split].append(entry)
    print(f"{'site':<15}  normal, s  events there  promised  clips, s  events  an hour")
    n_events, seconds = 0, 0.0
    for site, parts in sites.items():
        model = ag.train(parts["train"], FrontEnd.preset("ambient"))
        detector = read_detector(model).with_settings(alarms_per_hour=rate)
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


def recording(site: str, seed: int, number: int) -> np.ndarray:
    """Five minutes of a site on a day of its own, shape (n_samples,), float32."""
    rng = np.random.default_rng([seed, number])
    sound = make_background(site, LENGTH, rng)
    bright = np.asarray(lfilter([1, -0.9], [1], sound))
    sound = (sound + 0.3 * random_curve(LENGTH, rng, 1 / 120) * bright) * 10 ** (
        1.5 * random_curve(LENGTH, rng, 1 / 180) / 20
    )
    return sound.astype(np.float32)


def score(arguments: argparse.Namespace) -> list[ScoreTrack]:
    """Tracks of all recordings, scored by a model of others."""
    kept: Path | None = arguments.keep
    clock = FrontEnd.preset("ambient").clock(SAMPLE_RATE)
    if kept is not None and kept.exists():
        scores = np.load(kept)
    else:
        model = trained(arguments.site, arguments.seed)
        frontend = FrontEnd.from_dict(model.metadata.frontend)
        evaluator = Evaluator(model.mixture)
        scores = np.array(
            [
                evaluator.log_likelihood(frontend(recording(arguments.site, arguments.seed, i), SAMPLE_RATE))
                for i in range(round(arguments.hours * 12))
            ]
        )
        if kept is not None:
            np.save(kept, scores)
    return [ScoreTrack(f"{i:04d}", row, np.ones(len(row), bool), clock) for i, row in enumerate(scores)]


def trained(site: str, seed: int) -> ag.Model:
    """A model of half an hour of the site."""
    import tempfile

    import soundfile

    with tempfile.TemporaryDirectory() as folder:
        entries = []
        for i in range(6):
            path = Path(folder) / f"{i}.wav"
            soundfile.write(path, recording(site, seed, 10_000 + i), SAMPLE_RATE)
            entries.append(ag.Entry(audio_filepath=str(path), id=str(i)))
        return ag.train(entries, FrontEnd.preset("ambient"), seed=0, hold_out=0)


def report(tracks: list[ScoreTrack], rate: float, hours: float, draws: int, rng: np.random.Generator) -> None:
    """One line of the table."""
    length = len(tracks[0]) / tracks[0].clock.frame_rate / 3600
    n = round(hours / length)
    rows, conformal = [], []
    for _ in range(draws):
        order = rng.permutation(len(tracks))
        chosen, others = [tracks[i] for i in order[:n]], [tracks[i] for i in order[n:]]
        try:
            detector = calibrate_detector(chosen).with_settings(alarms_per_hour=float(rate))
            budget = detector.budget
        except MismatchError as error:
            print(f"{rate:8g}  {hours:5g}  refused: {error}")
            return
        assert budget is not None
        found = count(detector, others) / (len(others) * length)
        rows.append(
            (found / rate, found < budget.low, found > budget.high, budget.low / rate, budget.high / rate)
        )
        conformal.append(by_blocks(detector, chosen, others, rate, length))
    ratios, few, many, low, high = np.mean(rows, axis=0)
    other, covered = np.mean(conformal, axis=0)
    print(
        f"{rate:8g}  {n * length:5.2f}  {ratios:11.2f}  {1 - few - many:7.3f}  {few:7.3f}  {many:8.3f}"
        f"  {low:6.2f}..{high:4.2f}    {other:16.2f}  {covered:7.3f}",
        flush=True,
    )


def count(detector: Detector, tracks: list[ScoreTrack]) -> int:
    """Events that a detector finds in tracks."""
    runs = LowRuns.of(tracks, detector.half, detector.merge_gap_frames, detector.release, detector.typical)
    return len(runs.events(detector.threshold, detector.merge_gap_frames, detector.min_duration_frames))


def by_blocks(
    detector: Detector, chosen: list[ScoreTrack], others: list[ScoreTrack], rate: float, length: float
) -> tuple[float, bool]:
    """Found over asked, and whether the interval covered: a block alarms with a conformal probability."""
    block = 60 * round(detector.frame_rate)
    lowest = np.sort([part.min() for t in chosen for part in parts(smooth(t, detector.half), block)])
    level = -np.expm1(-rate / 60)  # of a minute with an alarm
    k = int(level * (len(lowest) + 1))
    if k < 1:
        return np.nan, False
    threshold = float(lowest[k - 1])
    low, high = (-60 * np.log1p(-beta.ppf(q, k, len(lowest) + 1 - k)) for q in (0.05, 0.95))
    found = sum((part.min() <= threshold) for t in others for part in parts(smooth(t, detector.half), block))
    n_blocks = sum(1 for t in others for _ in parts(t.scores, block))
    alarms = -60 * np.log1p(-min(found / n_blocks, 1 - 1e-9))
    return alarms / rate, bool(low <= alarms <= high)


def parts(values: np.ndarray, n: int) -> list[np.ndarray]:
    """Whole blocks of n values."""
    return [values[i : i + n] for i in range(0, len(values) - n + 1, n)]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--hours", type=float, default=20.0)
    parser.add_argument("--site", choices=SITES, default="hall")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--draws", type=int, default=200)
    parser.add_argument("--keep", type=Path, default=None, metavar="SCORES.npy")
    parser.add_argument("--scenes", type=Path, default=None, metavar="DATA")
    parser.add_argument("--rate", type=float, default=60.0)
    main(parser.parse_args())
