#!/usr/bin/env python
"""How well are sounds of one kind put into one group, and recognized afterwards?

    python scripts/bench_group.py DATA [PART ...]

DATA holds esc10.jsonl (keys label and fold) and scenes_train.jsonl (key site). Parts:

group    adjusted Rand index of the groups with the labels, the number of groups not given, by fold; beside
         scikit-learn's k-means (number given), HDBSCAN and a Bayesian mixture on statistics of MFCC, and
         k-means on loudness and duration. The method was chosen on folds 1 and 2.
fewshot  three examples a kind, the rest recognized: accuracy, and with three of the ten kinds left out the
         equal error rate of the probability of none (20 draws).
scenes   ESC-10 sounds (2 s, 10 dB above the scene) mixed into half of the training clips of `scenes`, found
         by a detector trained on the other half, and grouped: purity, and the share of reviews saved.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
import warnings
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import soxr
from sklearn.cluster import HDBSCAN, KMeans
from sklearn.metrics import adjusted_rand_score
from sklearn.mixture import BayesianGaussianMixture
from sklearn.preprocessing import StandardScaler

import audiogmm as ag
from audiogmm.anomaly.kinds.description import Description
from audiogmm.anomaly.kinds.likeness import Likeness
from audiogmm.anomaly.kinds.recognizer import Recognizer

FOLDS = ((1,), (2,), (1, 2), (3,), (1, 2, 3))
EXAMPLES, LEFT_OUT, DRAWS = 3, 3, 20


def rows_of(data: Path) -> list[dict[str, Any]]:
    """The lines of esc10.jsonl, with whole paths."""
    rows = [json.loads(line) for line in (data / "esc10.jsonl").read_text().splitlines()]
    return [row | {"audio_filepath": str(data / row["audio_filepath"])} for row in rows]


def entries(rows: list[dict[str, Any]]) -> list[ag.Entry]:
    return [ag.Entry(row["audio_filepath"], id=str(number)) for number, row in enumerate(rows)]


def statistics(path: str) -> tuple[np.ndarray, np.ndarray]:
    """Mean and deviation of MFCC and of their changes by librosa; loudness and duration."""
    import librosa

    samples, rate = librosa.load(path, sr=22050)
    mfcc = librosa.feature.mfcc(y=samples, sr=rate, n_mfcc=20)
    changes = librosa.feature.delta(mfcc)
    level = 20 * np.log10(np.sqrt(np.mean(samples**2)) + 1e-9)
    active = np.mean(np.abs(samples) > 0.05 * np.abs(samples).max())
    return np.concatenate([mfcc.mean(1), mfcc.std(1), changes.std(1)]), np.array([level, active])


def bench_groups(rows: list[dict[str, Any]], folder: Path) -> None:
    labels, folds = np.array([row["label"] for row in rows]), np.array([row["fold"] for row in rows])
    found = [statistics(row["audio_filepath"]) for row in rows]
    mfcc, plain = (np.array(part) for part in zip(*found, strict=True))
    peers: dict[str, Callable[[np.ndarray], np.ndarray]] = {
        "k-means, 10 given": lambda k: KMeans(10, n_init=10, random_state=0).fit_predict(scaled(mfcc[k])),
        "HDBSCAN": lambda k: HDBSCAN(min_cluster_size=3, copy=True).fit_predict(scaled(mfcc[k])),
        "Bayesian mixture": lambda k: BayesianGaussianMixture(
            n_components=30, covariance_type="diag", reg_covar=1e-2, random_state=0, max_iter=500
        ).fit_predict(scaled(mfcc[k])),
        "loudness, duration": lambda k: KMeans(10, n_init=10, random_state=0).fit_predict(scaled(plain[k])),
    }
    print("adjusted Rand index (groups)")
    print(f"{'folds':8} {'audiogmm':>14} " + " ".join(f"{name:>20}" for name in peers))
    for chosen in FOLDS:
        keep = np.flatnonzero(np.isin(folds, chosen))
        picked = [rows[i] for i in keep]
        result = ag.group(entries(picked), folder / f"k{''.join(map(str, chosen))}", force=True)
        groups = np.array([-1 if row["group"] is None else row["group"] for row in result.rows])
        cells = [groups, *(peer(keep) for peer in peers.values())]
        scores = [
            f"{adjusted_rand_score(labels[keep], each):.2f} ({len(set(each) - {-1})})" for each in cells
        ]
        name = "+".join(map(str, chosen))
        print(f"{name:8} {scores[0]:>14} " + " ".join(f"{score:>20}" for score in scores[1:]), flush=True)


def scaled(values: np.ndarray) -> np.ndarray:
    return np.asarray(StandardScaler().fit_transform(values))


def describe(rows: list[dict[str, Any]], folder: Path) -> list[Description]:
    """The description of each sound, from the ledger that `group` leaves."""
    ag.group(entries(rows), folder / "all", force=True)
    ledger = (folder / "all.inputs.jsonl").read_text().splitlines()
    found = {row["row"]["id"]: row["row"] for row in map(json.loads, ledger) if "row" in row}
    ordered = [found[str(number)] for number in range(len(rows))]
    return [Description(np.array(row["vector"]), np.array(row["pieces"])) for row in ordered]


def learn(described: list[Description], labels: np.ndarray) -> Recognizer:
    vectors = np.array([each.vector for each in described])
    scatter = np.mean([np.cov(each.pieces.T) for each in described if len(each.pieces) > 1], axis=0)
    return Recognizer.learned(vectors, labels, Likeness.learned(vectors, scatter, None))


def equal_error(known: np.ndarray, unknown: np.ndarray) -> float:
    """The rate at which as many known are taken for none as unknown for one of the groups."""
    limits = np.sort(np.concatenate([known, unknown]))
    refused = np.array([np.mean(known > limit) for limit in limits])
    taken = np.array([np.mean(unknown <= limit) for limit in limits])
    place = int(np.argmin(np.abs(refused - taken)))
    return float((refused[place] + taken[place]) / 2)


def bench_few(rows: list[dict[str, Any]], folder: Path) -> None:
    described = describe(rows, folder)
    labels, folds = np.array([row["label"] for row in rows]), np.array([row["fold"] for row in rows])
    numbers = np.unique(labels, return_inverse=True)[1]
    print(
        f"{EXAMPLES} examples a kind: accuracy of the rest; equal error rate with {LEFT_OUT} kinds left out"
    )
    for chosen in FOLDS:
        keep = np.isin(folds, chosen)
        right, errors = [], []
        for draw in range(DRAWS):
            random = np.random.default_rng(draw)
            order = random.permutation(np.flatnonzero(keep))
            shown = np.concatenate([order[numbers[order] == n][:EXAMPLES] for n in range(10)])
            rest = np.setdiff1d(order, shown)
            vectors = np.array([described[i].vector for i in rest])
            model = learn([described[i] for i in shown], numbers[shown])
            right.append(np.mean(model.posteriors(vectors)[:, :-1].argmax(axis=1) == numbers[rest]))
            known = random.permutation(10)[LEFT_OUT:]
            some = shown[np.isin(numbers[shown], known)]
            model = learn([described[i] for i in some], numbers[some])
            none = model.posteriors(vectors)[:, -1]
            is_known = np.isin(numbers[rest], known)
            errors.append(equal_error(none[is_known], none[~is_known]))
        name = "+".join(map(str, chosen))
        print(f"{name:8} accuracy {np.mean(right):.2f}, equal error rate {np.mean(errors):.2f}", flush=True)


def bench_scenes(data: Path, rows: list[dict[str, Any]], folder: Path) -> None:
    clips: dict[str, list[np.ndarray]] = defaultdict(list)
    for line in (data / "scenes_train.jsonl").read_text().splitlines():
        row = json.loads(line)
        samples, rate = soundfile.read(data / row["audio_filepath"], dtype="float32")
        clips[row["site"]].append(samples)
    sounds = [row for row in rows if row["fold"] in (1, 2)]
    lines, truth, n_mixed = [], {}, len(sounds)
    for number, (site, found) in enumerate(sorted(clips.items())):
        half = len(found) // 2
        model = ag.train([(clip, rate) for clip in found[:half]], "ambient")
        others, mixed = found[half:], sounds[number :: len(clips)]
        for place, row in enumerate(mixed):
            clip = others[place % len(others)].copy()
            sound = loudest(row["audio_filepath"], rate, 2.0)
            at = len(clip) // 3
            part = clip[at : at + len(sound)]
            gain = np.sqrt(np.mean(part**2) / (np.mean(sound**2) + 1e-12)) * 10 ** (10 / 20)
            clip[at : at + len(sound)] = part + gain * sound
            path = folder / f"{site}-{place:03}.wav"
            soundfile.write(path, 0.5 * clip / np.abs(clip).max(), rate)
            truth[path.stem] = (row["label"], at / rate, (at + len(sound)) / rate)
            for event in ag.detect(model, ag.Entry(str(path), id=path.stem), reasons=False):
                lines.append(event.to_dict())
    events = folder / "events.jsonl"
    events.write_text("".join(json.dumps(line) + "\n" for line in lines))
    result = ag.group(events, folder / "kinds", force=True)
    labels = []
    for row in result.rows:
        label, start, end = truth[row["id"]]
        labels.append(label if row["start"] < end and row["end"] > start else "the scene itself")
    groups = np.array([-1 if row["group"] is None else row["group"] for row in result.rows])
    kinds = np.unique(labels, return_inverse=True)[1]
    grouped = groups >= 0
    pure = sum(np.bincount(kinds[groups == group]).max() for group in set(groups[grouped].tolist()))
    n_groups, n_none = len(set(groups[grouped].tolist())), int(np.sum(~grouped))
    n_own = labels.count("the scene itself")
    print(f"{n_mixed} sounds mixed, {len(groups)} events ({n_own} of the scenes themselves)")
    print(f"groups {n_groups}, of none {n_none}; purity {pure / np.sum(grouped):.2f}")
    saved = 1 - (n_groups + n_none) / len(groups)
    print(f"adjusted Rand index {adjusted_rand_score(labels, groups):.2f}; reviews saved {saved:.2f}")


def loudest(path: str, rate: int, seconds: float) -> np.ndarray:
    """The loudest so many seconds of a sound, faded at both ends."""
    samples, own = soundfile.read(path, dtype="float32", always_2d=True)
    samples = soxr.resample(samples.mean(axis=1), own, rate)
    n = round(seconds * rate)
    power = np.convolve(samples**2, np.ones(n), "valid")
    cut = samples[int(np.argmax(power)) :][:n].copy()
    fade = round(0.02 * rate)
    cut[:fade] *= np.linspace(0, 1, fade)
    cut[-fade:] *= np.linspace(1, 0, fade)
    return np.asarray(cut)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path)
    parser.add_argument("parts", nargs="*", default=["group", "fewshot", "scenes"])
    given = parser.parse_args()
    rows = rows_of(given.data)
    with tempfile.TemporaryDirectory() as name, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        folder = Path(name)
        for part in given.parts:
            began = time.perf_counter()
            if part == "group":
                bench_groups(rows, folder)
            elif part == "fewshot":
                bench_few(rows, folder)
            else:
                bench_scenes(given.data, rows, folder)
            print(f"({part}: {time.perf_counter() - began:.0f} s)\n", flush=True)


if __name__ == "__main__":
    main()
