"""The commands that `check_kills.py` kills, and their inputs: a few seconds of synthetic sound."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from audiogmm.cli.main import main
from audiogmm.synth import make_speakers

RATE = 8000

_TRAIN = "train IN/rooms.jsonl --preset ambient --sample-rate 8000 --tol 0 --passes 6 -o m.agmm"
_MODEL = "train --preset ambient --sample-rate 8000 -k 4 --passes 4"
_FEW = f"{_TRAIN} --hold-out 0 -k 4"


@dataclass(frozen=True)
class Case:
    """A command.

    Attributes
    ----------
    words : str
        What is called in an empty folder; ``IN`` is the folder of the inputs.
    copies : tuple of str
        Inputs that are put there first, since the command changes them.
    growing : str
        Names of files, as a regular expression, that are complete only when the run has ended.
    """

    words: str
    copies: tuple[str, ...] = ()
    growing: str = r"$^"


CASES = {
    "train, in turns": Case(f"{_TRAIN} -k 4 --covariance full"),
    "train --workers": Case(f"{_TRAIN} -k 4 --workers 2"),
    "train --algorithm stepwise": Case(f"{_FEW} --algorithm stepwise"),
    "train --accelerate": Case(f"{_FEW} --accelerate --passes 12"),
    "train --algorithm kmeans": Case(f"{_FEW} --algorithm kmeans"),
    "train --approximate": Case(f"{_FEW} -k 16 --approximate truncated:3 --passes 12"),
    "train --restarts": Case(f"{_FEW} --restarts 3 --init random"),
    "train --ledger": Case(f"{_FEW} --ledger"),
    "train --speakers": Case("train IN/people.jsonl -k 4 --passes 4 --tol 0 --speakers yes -o m.agmm"),
    "train --label": Case(f"{_TRAIN} -k 4 --label site"),
    "train --checkpoint": Case(f"{_FEW} --checkpoint kept"),
    "features": Case("features IN/rooms.jsonl --preset ambient -o frames", growing=r".*\.(jsonl?|sqlite.*)"),
    "features --workers": Case(
        "features IN/rooms.jsonl --preset ambient --workers 2 -o frames", growing=r".*\.(jsonl?|sqlite.*)"
    ),
    "score": Case("score IN/room.agmm IN/rooms.jsonl -o scores"),
    "score --workers": Case("score IN/room.agmm IN/rooms.jsonl --workers 2 -o scores"),
    "detect": Case("detect IN/room.agmm IN/rooms.jsonl -o events.jsonl"),
    "cluster": Case("cluster IN/room.agmm IN/rooms.jsonl --labels audacity -o clusters"),
    "select": Case(
        "select IN/rooms.jsonl --preset ambient -k 1:4 --covariance diag,full --passes 8 --tol 0 "
        "-o table.csv --save best.agmm"
    ),
    "calibrate": Case("calibrate IN/room.agmm IN/rooms.jsonl --scores mean,ratio -o calibrated.agmm"),
    "update": Case("update IN/room.agmm IN/more.jsonl -o more.agmm"),
    "update in place": Case(
        "update m.agmm IN/more.jsonl -o m.agmm --force",
        ("m.agmm", "m.agmm.ledger"),
        r".*\.safetensors|.*ledger\.json",
    ),
    "enroll": Case(
        "enroll IN/ubm.agmm IN/known.jsonl -o known",
        growing=r".*(gallery|calibration)\.json|background\.agmm",
    ),
    "verify": Case("verify IN/gallery IN/trials.csv -o scores.csv"),
    "identify": Case("identify IN/gallery IN/unknown.jsonl -o who.jsonl"),
    "report": Case("report IN/events.jsonl -o page.html"),
    "stream --learn": Case(
        "stream --learn --preset ambient -k 4 --cold-start 2 --save-every 0.02 -o learned.agmm IN/long.wav",
        growing=r"learned\.agmm",
    ),
    "manifest convert": Case("manifest convert IN/rooms.jsonl --to kaldi -o kaldi"),
}


def make_inputs(folder: Path, cases: Iterable[Case]) -> None:
    """Write recordings, and the manifests, models, gallery and events that these cases need."""
    import soundfile

    folder.mkdir()
    needed = " ".join(" ".join([case.words, *case.copies]) for case in cases)
    rng = np.random.default_rng(0)

    def sound(name: str, seconds: float, slope: float, event: bool = False) -> str:
        samples = 0.05 * rng.standard_normal(round(seconds * RATE))
        for i in range(3):
            samples[i + 1 :] += slope * samples[: -i - 1]
        if event:
            at = round(seconds * RATE / 2)
            samples[at : at + RATE // 2] += 0.4 * np.sin(np.arange(RATE // 2) * 1.1)
        soundfile.write(folder / name, samples, RATE)
        return name

    def rows(name: str, entries: list[dict[str, str]]) -> None:
        (folder / name).write_text("".join(json.dumps(entry) + "\n" for entry in entries))

    rooms = [
        {"audio_filepath": sound(f"room{i}.wav", 3, 0.1 * (i % 2), i % 3 == 2), "site": "ab"[i % 2]}
        for i in range(8)
    ]
    rows("rooms.jsonl", rooms)
    rows("more.jsonl", [{"audio_filepath": sound(f"more{i}.wav", 2, 0.2)} for i in range(3)])
    if any(name in needed for name in ("people", "ubm", "known", "gallery")):
        _make_voices(folder, rows)
    sound("long.wav", 20, 0.1)
    for name, words in (
        ("room.agmm|events", f"{_MODEL} IN/rooms.jsonl -o IN/room.agmm"),
        ("update m.agmm", f"{_MODEL} IN/rooms.jsonl --ledger -o IN/m.agmm"),
        ("ubm|gallery", "train IN/people.jsonl -k 4 --passes 4 -o IN/ubm.agmm --speakers yes"),
        ("gallery", "enroll IN/ubm.agmm IN/known.jsonl -o IN/gallery"),
        ("events", "detect IN/room.agmm IN/rooms.jsonl -o IN/events.jsonl"),
    ):
        if re.search(name, needed):
            assert call(words, folder) in (0, 3), words


def _make_voices(folder: Path, rows: Callable[[str, list[dict[str, str]]], None]) -> None:
    """Write recordings of speakers, lists of them, and trials."""
    import soundfile

    people = []
    for spoken in make_speakers(0, count=24, train=1, test=1, duration=2.0):
        soundfile.write(folder / f"{spoken.name}.wav", spoken.samples, spoken.sample_rate)
        people.append({"audio_filepath": f"{spoken.name}.wav", "speaker": spoken.speaker})
    people.sort(key=lambda entry: entry["audio_filepath"])
    rows("people.jsonl", people)
    rows("known.jsonl", people[:12])
    rows("unknown.jsonl", [{"audio_filepath": row["audio_filepath"]} for row in people[1:16:2]])
    trials = [
        f"{people[2 * i]['speaker']},{people[j]['audio_filepath']}" for i in range(5) for j in range(1, 12, 2)
    ]
    (folder / "trials.csv").write_text("\n".join(["model,audio_filepath", *trials, ""]))


def call(words: str, inputs: Path) -> int:
    """Call a command; return its status."""
    try:
        main(words.replace("IN/", f"{inputs}/").split())
    except SystemExit as ended:
        return int(ended.code or 0)
    return 0
