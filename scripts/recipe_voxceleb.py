#!/usr/bin/env python
"""VoxCeleb1 from audio to a DET curve.

    python scripts/recipe_voxceleb.py WAV veri_test.txt [-o OUT]

WAV is the dataset's folder wav/SPEAKER/VIDEO/FILE.wav (development and test parts unpacked into one), and
veri_test.txt its list of trials, `1 FILE FILE` a line, both fetched by the user (robots.ox.ac.uk/~vgg/data/
voxceleb). The first recording of a trial is the enrollment, the second the test. Speakers of no trial are
the background: up to 20 recordings a speaker, from as many videos as there are. Calls train, enroll, verify
and evaluate with their default settings; OUT (default: recipe-voxceleb) gets what they make.
"""

from __future__ import annotations

import csv
import sys
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from collections.abc import Iterator
from pathlib import Path

from commands import write
from verifying import Recipe

from audiogmm.manifest import Entry, safe_id


def main(arguments: list[str] | None = None) -> int:
    """Run the recipe; the exit status is 3 where some inputs were set aside."""
    parser = ArgumentParser(description=__doc__, formatter_class=RawDescriptionHelpFormatter)
    parser.add_argument("wav", type=Path, metavar="WAV")
    parser.add_argument("trials", type=Path, metavar="veri_test.txt")
    parser.add_argument("-o", "--output", type=Path, default=Path("recipe-voxceleb"), metavar="OUT")
    parser.add_argument("--sample-rate", type=int, default=16000, metavar="HZ", help="default: 16000")
    parser.add_argument(
        "--per-speaker", type=int, default=20, metavar="N", help="background recordings a speaker, at most"
    )
    asked = parser.parse_args(arguments)

    wav, out = asked.wav.resolve(), asked.output
    recipe = Recipe(out, asked.sample_rate)
    trials = list(read_trials(asked.trials))
    tried = {speaker_of(name) for _, *pair in trials for name in pair}
    others = [folder for folder in sorted(wav.glob("*")) if folder.is_dir() and folder.name not in tried]
    if not others:
        sys.exit(f"{wav} has no speakers but those of {asked.trials}: unpack the development part there, too")
    write(
        out / "background.jsonl",
        (entry(path, folder.name) for folder in others for path in spread(folder, asked.per_speaker)),
    )
    models = dict.fromkeys(enrolled for _, enrolled, _ in trials)
    write(out / "enroll.jsonl", (entry(wav / name, model_of(name)) for name in models))
    with (out / "trials.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["model", "audio_filepath", "speaker", "target"])
        for target, enrolled, test in trials:
            writer.writerow([model_of(enrolled), wav / test, speaker_of(test), target])
    scores = recipe.score(out / "background.jsonl", out / "enroll.jsonl", out / "trials.csv", out)
    recipe.evaluate(scores)
    return recipe.status


def read_trials(path: Path) -> Iterator[tuple[str, str, str]]:
    """Truth, enrollment and test of each line."""
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        cells = line.split()
        if len(cells) != 3 or cells[0] not in ("0", "1"):
            sys.exit(f"{path}:{number} is {line!r}; needed: 1 or 0, and two recordings")
        yield cells[0], cells[1], cells[2]


def speaker_of(name: str) -> str:
    """The speaker of SPEAKER/VIDEO/FILE.wav."""
    return name.split("/")[0]


def model_of(name: str) -> str:
    """The name of the model of one recording."""
    return name.removesuffix(".wav")


def spread(folder: Path, most: int) -> list[Path]:
    """At most so many recordings of a speaker, one of every video before a second of any."""
    videos = [sorted(video.glob("*.wav")) for video in sorted(folder.iterdir())]
    longest = max(map(len, videos), default=0)
    turns = [video[turn] for turn in range(longest) for video in videos if turn < len(video)]
    return sorted(turns[:most])


def entry(path: Path, speaker: str) -> Entry:
    """A manifest's entry."""
    name = "/".join(path.with_suffix("").parts[-3:])
    return Entry(audio_filepath=str(path), id=safe_id(name), speaker=speaker)


if __name__ == "__main__":
    sys.exit(main())
