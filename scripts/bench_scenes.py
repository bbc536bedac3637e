#!/usr/bin/env python
"""How well are foreign sounds told apart?

    python scripts/bench_scenes.py DATA [--scores NAME ...] [--proxy]

DATA holds scenes_train.jsonl and scenes_test.jsonl (keys site, and events in the test). For each site a model
is trained by `audiogmm train --preset ambient` with nothing else chosen, and scores the test by `audiogmm
score`. Prints the frame AUC of the 0.5 s mean, its part up to a false-alarm rate of 0.1, and what plain
loudness gets.

--scores takes names as `train --scores` does (mean, fusion, auto, twfr, ratio:0.5, ...): each is what the
detector of a model scores by, written by `score --detector`, and judged in the same way. `all` means every
score of the table, fusion and auto. The last column is how many seconds of audio one second of processor time
takes to score, the front end not counted.

--proxy looks at the training clips alone, never at the test: each third of a site's clips in turn is left out
of the training, and other sites' sounds and synthetic ones are mixed into it at its own level. That is no way
to choose a score (proxies are not what will come), but shows whether a choice made without them does harm.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import soundfile
import soxr

from audiogmm.anomaly.learning.assembly import make_scorer
from audiogmm.anomaly.scorers.table import AUTO, FUSION, SCORES
from audiogmm.audio.decode import open_audio
from audiogmm.evaluation.detection.frame_metrics import (
    LabeledTrack,
    SiteAreas,
    evaluate_frames,
    score_loudness,
)
from audiogmm.manifest import Entry, read_manifest, write_manifest
from audiogmm.mixture.store import load
from audiogmm.runs.aside import Aside
from audiogmm.runs.inputs import open_inputs
from audiogmm.runs.progress import say_nothing
from audiogmm.scoring.track_file import read_track
from audiogmm.synth.foreign import FOREIGN
from audiogmm.synth.noise import SAMPLE_RATE
from audiogmm.timeline import Segment
from audiogmm.types import FloatArray

FOLDS = 3
"""Parts of the training clips for `--proxy`."""


def main(data: Path, names: list[str], proxy: bool) -> None:
    """Train, score and judge each site."""
    ours: dict[str, list[LabeledTrack]] = defaultdict(list)
    plain: list[LabeledTrack] = []
    speed: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        for place, (site, train, test) in enumerate(parts(data, work, proxy)):
            lists = {"train": work / f"{place}-train.jsonl", "test": work / f"{place}-test.jsonl"}
            write_manifest(train, lists["train"])
            write_manifest(test, lists["test"])
            trial = f"{site} {place}" if proxy else site  # frames of one model only are compared
            for name in names or [""]:
                model, scores = work / "site.agmm", work / f"scores-{place}-{name.replace(':', '-')}"
                scored_by = ["--scores", name] if name else []
                call("train", lists["train"], "--preset", "ambient", "-o", model, "--force", *scored_by)
                call("score", model, lists["test"], "-o", scores, *["--detector"] * bool(name))
                if name not in speed:
                    speed[name] = times_real_time(model, test)
                for entry in test:
                    ours[name].append(
                        LabeledTrack(read_track(scores / f"{entry.id}.npz"), entry.events, trial)
                    )
            for judged, entry in zip(next(iter(ours.values()))[-len(test) :], test, strict=True):
                with open_audio(entry) as stream:
                    samples = np.concatenate(list(stream))
                plain.append(
                    LabeledTrack(score_loudness(samples, judged.track.clock, entry.id), entry.events, trial)
                )
    found = {name: by_site(evaluate_frames(judged)) for name, judged in ours.items()}
    baseline = by_site(evaluate_frames(plain))
    if not names:
        print_sites(found[""], baseline)
        return
    print(
        f"{'score':<12}  {'AUC':>5}  {'pAUC':>5}  " + "  ".join(f"{site:>15}" for site in baseline),
        " x real time",
    )
    for name, figures in (found | {"loudness": baseline}).items():
        auc, pauc = np.mean(list(figures.values()), axis=0)
        each = "  ".join(f"{f'{auc:.3f} / {pauc:.3f}':>15}" for auc, pauc in figures.values())
        print(
            f"{name:<12}  {auc:.3f}  {pauc:.3f}  {each}  "
            + (f"{speed[name]:11,.0f}" if name in speed else "")
        )


Figures = dict[str, tuple[float, float]]
"""AUC and pAUC of each site."""


def by_site(results: list[SiteAreas]) -> Figures:
    """The figures of each site, the mean over its folds where there are several."""
    found: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for result in results:
        found[result.site.partition(" ")[0]].append((result.auc, result.pauc))
    return {
        site: (float(auc), float(pauc))
        for site, rows in found.items()
        for auc, pauc in [np.mean(rows, axis=0)]
    }


def times_real_time(path: Path, entries: list[Entry]) -> float:
    """Seconds of audio scored in a second of processor time, from frames at hand; the best of three."""
    model = load(path)
    inputs = open_inputs(entries, model=model, aside=Aside(strict=True), say=say_nothing)
    recordings = [(shard.id, list(shard)) for shard in inputs]
    scorer, took = make_scorer(model), []
    for _ in range(3):
        began = time.process_time()
        for id, blocks in recordings:
            stream = scorer.open(id)
            for block in blocks:
                stream.push(block)
            stream.flush()
        took.append(time.process_time() - began)
    frames = sum(len(block) for _, blocks in recordings for block in blocks)
    return frames / recordings[0][1][0].clock.frame_rate / min(took)


def print_sites(ours: Figures, plain: Figures) -> None:
    """A row for each site, and their mean."""
    print(f"{'site':<18}  frame AUC   pAUC   of loudness")
    for site, (auc, pauc) in ours.items():
        print(f"{site:<18}  {auc:9.3f}  {pauc:5.3f}  {plain[site][0]:11.3f}")
    auc, pauc = np.mean(list(ours.values()), axis=0)
    print(f"{'mean':<18}  {auc:9.3f}  {pauc:5.3f}  {np.mean(list(plain.values()), axis=0)[0]:11.3f}")


def call(*command: object) -> None:
    """Run a command of ours; what it says is shown if it fails."""
    done = subprocess.run(
        [sys.executable, "-m", "audiogmm", *map(str, command)], capture_output=True, text=True
    )
    if done.returncode:
        sys.exit(done.stderr)


def parts(data: Path, work: Path, proxy: bool) -> Iterator[tuple[str, list[Entry], list[Entry]]]:
    """For each training: its name, the clips to train on, and those to be judged."""
    train, test = sites(data / "scenes_train.jsonl"), sites(data / "scenes_test.jsonl")
    if not proxy:
        yield from ((site, entries, test[site]) for site, entries in train.items())
        return
    rng = np.random.default_rng(0)
    for site, entries in train.items():
        others = [entry for other, clips in train.items() if other != site for entry in clips]
        for fold in range(FOLDS):
            kept = [entry for i, entry in enumerate(entries) if i % FOLDS != fold]
            left = [entry for i, entry in enumerate(entries) if i % FOLDS == fold]
            mixed = [with_proxy(entry, others, work / f"{site}-{fold}-{entry.id}.wav", rng) for entry in left]
            yield site, kept, mixed


def with_proxy(entry: Entry, others: list[Entry], path: Path, rng: np.random.Generator) -> Entry:
    """The clip with a sound in each half, faded, and at the level that the clip had there."""
    samples, rate = soundfile.read(entry.path)
    events = []
    for half in range(2):
        n = int(rng.uniform(0.5, 2.0) * rate)
        start = half * len(samples) // 2 + int(rng.integers(0, len(samples) // 2 - n))
        place = slice(start, start + n)
        sound = foreign(n, rate, others, rng)
        fade = np.minimum(1.0, np.minimum(np.arange(n), np.arange(n)[::-1]) / (0.05 * rate))
        level = np.sqrt(np.mean(samples[place] ** 2))
        gain = 10 ** (rng.uniform(-5, 8) / 20) * level / (np.sqrt(np.mean(sound**2)) + 1e-9)
        samples[place] += gain * fade * sound
        samples[place] *= level / (np.sqrt(np.mean(samples[place] ** 2)) + 1e-9)
        events.append(Segment(start / rate, (start + n) / rate))
    soundfile.write(path, samples, rate)
    return replace(entry, audio_filepath=str(path), events=tuple(events))


def foreign(n: int, rate: int, others: list[Entry], rng: np.random.Generator) -> FloatArray:
    """A piece of another site's clip, or a synthetic sound."""
    if rng.random() < 0.6:
        samples, _ = soundfile.read(others[int(rng.integers(len(others)))].path)
        first = int(rng.integers(0, len(samples) - n))
        return np.asarray(samples[first : first + n])
    made = FOREIGN[str(rng.choice(list(FOREIGN)))](n * SAMPLE_RATE // rate + 1, rng)
    return np.asarray(soxr.resample(made, SAMPLE_RATE, rate)[:n])


def sites(manifest: Path) -> dict[str, list[Entry]]:
    """The entries of each site."""
    found: dict[str, list[Entry]] = defaultdict(list)
    for entry in read_manifest(manifest):
        found[entry.extra["site"]].append(entry)
    return found


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path)
    parser.add_argument("--scores", nargs="+", default=[], metavar="NAME")
    parser.add_argument("--proxy", action="store_true")
    chosen = parser.parse_args()
    wanted = [*SCORES, FUSION, AUTO] if chosen.scores == ["all"] else chosen.scores
    main(chosen.data, wanted, chosen.proxy)
