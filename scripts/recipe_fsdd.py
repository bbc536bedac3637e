#!/usr/bin/env python
"""The Free Spoken Digit Dataset.

    python scripts/recipe_fsdd.py RECORDINGS [--background BACKGROUND] [-o OUT]

RECORDINGS is the dataset's folder of wavs named DIGIT_SPEAKER_INDEX.wav (github.com/Jakobovski, fetched by
hand). As the dataset's own split has it, indices 0 to 4 are the test.

Without a background, speakers are identified: a 32-component model of each is trained on the other indices,
and a test recording goes to the model with the highest mean log-likelihood.

With a manifest of other people's speech, speakers are verified: they are enrolled on indices 5 to 9,
and every test recording is tried against each of them, by train, enroll, verify and evaluate with their
default settings; OUT (default: recipe-fsdd) gets the models, scores.csv, result.json and det.png.
"""

from __future__ import annotations

import csv
import sys
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from collections import defaultdict
from pathlib import Path

from commands import write
from verifying import Recipe

import audiogmm as ag
from audiogmm.manifest import Entry, find_recordings

TEST, ENROLLMENT = range(5), range(5, 10)
"""Indices."""


def main(arguments: list[str] | None = None) -> int:
    """Run the recipe; the exit status is 3 where some inputs were set aside."""
    parser = ArgumentParser(description=__doc__, formatter_class=RawDescriptionHelpFormatter)
    parser.add_argument("recordings", type=Path, metavar="RECORDINGS")
    parser.add_argument("--background", type=Path, metavar="MANIFEST", help="other people's speech")
    parser.add_argument("-o", "--output", type=Path, default=Path("recipe-fsdd"), metavar="OUT")
    asked = parser.parse_args(arguments)

    pattern = r"(?:^|/)\d_(?P<speaker>[^_/]+)_\d+\.wav$"
    entries = [
        entry for entry in find_recordings(asked.recordings, speaker=pattern) if entry.speaker is not None
    ]
    if not entries:
        sys.exit(f"{asked.recordings} holds no DIGIT_SPEAKER_INDEX.wav")
    if asked.background is None:
        identify(entries)
        return 0
    return verify(entries, asked.background, asked.output)


def index_of(entry: Entry) -> int:
    """The last number of a recording's name."""
    return int(Path(entry.path).stem.rsplit("_", 1)[1])


def identify(entries: list[Entry]) -> None:
    """Train a model a speaker, identify, and print how many were right."""
    enrolled: dict[str, list[Entry]] = defaultdict(list)
    for entry in entries:
        if index_of(entry) not in TEST:
            enrolled[str(entry.speaker)].append(entry)
    test = [entry for entry in entries if index_of(entry) in TEST]

    frontend = ag.FrontEnd.preset("speech", cmvn="none", sample_rate=8000)
    models = {}
    for speaker, theirs in sorted(enrolled.items()):
        models[speaker] = ag.train(theirs, frontend, n_components=32, hold_out=0)
        print(f"{speaker}: trained on {len(theirs)} recordings")

    right = 0
    for entry in test:
        likelihood = {}
        for speaker, model in models.items():
            track = ag.score(model, entry)
            voiced = track.voiced if track.voiced.any() else slice(None)
            likelihood[speaker] = track.scores[voiced].mean()
        right += max(likelihood, key=likelihood.__getitem__) == entry.speaker
    print(f"identified {right} of {len(test)} ({right / len(test):.1%}) among {len(models)} speakers")


def verify(entries: list[Entry], background: Path, out: Path) -> int:
    """Make the lists, and go from audio to a DET curve."""
    recipe = Recipe(out, sample_rate=8000)
    enrollment, trials = out / "enroll.jsonl", out / "trials.csv"
    write(enrollment, (entry for entry in entries if index_of(entry) in ENROLLMENT))
    speakers = sorted({str(entry.speaker) for entry in entries})
    with trials.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["model", "audio_filepath", "target"])
        for entry in entries:
            if index_of(entry) in TEST:
                writer.writerows((name, entry.path, int(name == entry.speaker)) for name in speakers)
    recipe.evaluate(recipe.score(background, enrollment, trials, out))
    return recipe.status


if __name__ == "__main__":
    sys.exit(main())
