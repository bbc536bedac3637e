#!/usr/bin/env python
"""How well are foreign sounds told apart? scripts/bench_scenes.py DATA

DATA holds scenes_train.jsonl and scenes_test.jsonl (keys site, and events in the test). For each site a model
is trained by `audiogmm train --preset ambient` with nothing else chosen, and scores the test by `audiogmm
score`. Prints the frame AUC of the 0.5 s mean, its part up to a false-alarm rate of 0.1, and what plain
loudness gets.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

import numpy as np

from audiogmm.anomaly.metrics import Judged, judge_frames, loudness
from audiogmm.audio.decode import open_audio
from audiogmm.manifest import Entry, read_manifest, write_manifest
from audiogmm.scoring.track import read_track


def main(data: Path) -> None:
    """Train, score and judge each site."""
    ours, plain = [], []
    with tempfile.TemporaryDirectory() as folder:
        for site, parts in sites(data).items():
            lists = {}
            for split, entries in parts.items():
                lists[split] = Path(folder) / f"{site}-{split}.jsonl"
                write_manifest(entries, lists[split])
            model, scores = Path(folder) / f"{site}.agmm", Path(folder) / site
            for command in (
                ["train", lists["train"], "--preset", "ambient", "-o", model],
                ["score", model, lists["test"], "-o", scores],
            ):
                call = [sys.executable, "-m", "audiogmm", *map(str, command)]
                subprocess.run(call, check=True, capture_output=True)
            for entry in parts["test"]:
                track = read_track(scores / f"{entry.id}.npz")
                with open_audio(entry) as stream:
                    samples = np.concatenate(list(stream))
                ours.append(Judged(track, entry.events, site))
                plain.append(Judged(loudness(samples, track.clock, entry.id), entry.events, site))
    print(f"{'site':<18}  frame AUC   pAUC   of loudness")
    results = list(zip(judge_frames(ours), judge_frames(plain), strict=True))
    for found, baseline in results:
        print(f"{found.site:<18}  {found.auc:9.3f}  {found.pauc:5.3f}  {baseline.auc:11.3f}")
    auc, pauc = (np.mean([getattr(found, key) for found, _ in results]) for key in ("auc", "pauc"))
    print(f"{'mean':<18}  {auc:9.3f}  {pauc:5.3f}  {np.mean([b.auc for _, b in results]):11.3f}")


def sites(data: Path) -> dict[str, dict[str, list[Entry]]]:
    """The entries of each site, for training and for the test."""
    found: dict[str, dict[str, list[Entry]]] = defaultdict(lambda: {"train": [], "test": []})
    for split in ("train", "test"):
        for entry in read_manifest(data / f"scenes_{split}.jsonl"):
            found[entry.extra["site"]][split].append(entry)
    return found


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]))
