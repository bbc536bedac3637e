#!/usr/bin/env python
"""Who speaks? One model a speaker, on the Free Spoken Digit Dataset: scripts/recipe_fsdd.py RECORDINGS

RECORDINGS is the dataset's folder of wavs named DIGIT_SPEAKER_INDEX.wav (github.com/Jakobovski, fetched by
hand). As the dataset's own split has it, indices 0 to 4 are the test; a 32-component model of each speaker is
trained on the others, and a test recording goes to the model with the highest mean log-likelihood.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from pathlib import Path

import audiogmm as ag
from audiogmm.manifest import Entry, scan


def main(folder: Path) -> None:
    """Train, identify, and print how many were right."""
    enrolled: dict[str, list[Entry]] = defaultdict(list)
    test: list[Entry] = []
    for entry in scan(folder, speaker=r"(?:^|/)\d_(?P<speaker>[^_/]+)_\d+\.wav$"):
        if entry.speaker is None:
            continue
        if int(Path(entry.path).stem.rsplit("_", 1)[1]) < 5:
            test.append(entry)
        else:
            enrolled[entry.speaker].append(entry)
    if not enrolled or not test:
        sys.exit(f"{folder} holds no DIGIT_SPEAKER_INDEX.wav")

    frontend = ag.FrontEnd.preset("speech", cmvn="none", sample_rate=8000)
    models = {}
    for speaker, entries in sorted(enrolled.items()):
        models[speaker] = ag.train(entries, frontend, n_components=32, hold_out=0)
        print(f"{speaker}: trained on {len(entries)} recordings")

    right = 0
    for entry in test:
        likelihood = {}
        for speaker, model in models.items():
            track = ag.score(model, entry)
            heard = track.voiced if track.voiced.any() else slice(None)
            likelihood[speaker] = track.scores[heard].mean()
        right += max(likelihood, key=likelihood.__getitem__) == entry.speaker
    print(f"identified {right} of {len(test)} ({right / len(test):.1%}) among {len(models)} speakers")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]))
