"""The folders of DCASE Task 2, 2020 to 2024, and the ground truth of its evaluation sets."""

from __future__ import annotations

import csv
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

TESTS = ("test", "source_test", "target_test")
"""Folders of clips to judge; those by domain are of 2021."""

_OLD = re.compile(r"(?:(?P<label>normal|anomaly)_)?id_(?P<section>\d+)_(?P<number>\d+)")
_NEW = re.compile(
    r"section_(?P<section>\d+)_(?:(?P<domain>source|target)_)?(?:(?:train|test)_)?"
    r"(?:(?P<label>normal|anomaly)_)?(?P<number>\d+)(?:_.*)?"
)

Key = tuple[str, str, str, str]
"""What a clip of an evaluation set is known by: machine, section, number, and domain if its name has one."""


@dataclass(frozen=True)
class Clip:
    """One recording.

    Attributes
    ----------
    path : Path
        Its file.
    machine, section : str
        Machine type, and section (2020: machine ID).
    number : str
        Within it.
    domain, label : str
        "source" or "target"; "normal" or "anomaly"; empty where its name does not say.
    train : bool
        Whether it is to be trained on.
    """

    path: Path
    machine: str
    section: str
    number: str
    domain: str
    label: str
    train: bool

    @property
    def key(self) -> Key:
        """As the ground truth names it."""
        return self.machine, self.section, self.number, self.domain


def clips_in(root: Path) -> list[Clip]:
    """The clips below a folder: every folder with `train` or a test folder in it is a machine.

    `root` may be the machines' folder, or hold the development and the evaluation set with theirs.
    """
    found = []
    for folder in sorted(path for name in ("train", *TESTS) for path in root.rglob(name) if path.is_dir()):
        for path in sorted(folder.glob("*.wav")):
            clip = named(path, folder.parent.name, folder.name)
            if clip is not None:
                found.append(clip)
    if not any(clip.train for clip in found) or all(clip.train for clip in found):
        sys.exit(
            f"{root} holds no MACHINE/train and MACHINE/test with wavs named normal_id_00_00000000.wav "
            "(2020) or section_00_source_train_normal_0000.wav (2021 to 2024)"
        )
    return found


def named(path: Path, machine: str, folder: str) -> Clip | None:
    """What a file name says; None if it is no clip of the challenge."""
    match = _OLD.fullmatch(path.stem) or _NEW.fullmatch(path.stem)
    if match is None:
        return None
    said = match.groupdict(default="")
    return Clip(
        path=path,
        machine=machine,
        section=said["section"],
        number=said["number"],
        domain=said.get("domain", ""),
        label=said["label"],
        train=folder == "train",
    )


def year_of(clips: list[Clip]) -> int:
    """2020 or 2021 by the names and folders; the rules of 2022 to 2024 are the same, and the last is said."""
    if any(_OLD.fullmatch(clip.path.stem) for clip in clips):
        return 2020
    return 2021 if any(clip.path.parent.name in TESTS[1:] for clip in clips) else 2024


def with_truth(clips: list[Clip], truth: Path | None) -> list[Clip]:
    """Clips with the labels and domains of the organisers' evaluator, where their names say neither.

    Parameters
    ----------
    clips : list of Clip
        Of all kinds.
    truth : Path or None
        The evaluator's folder (`ground_truth_data`, `ground_truth_domain`), or `eval_data_list.csv` of 2020.
    """
    if truth is None:
        return clips
    labels = dict(labels_in(truth))
    domains = dict(rows_of(truth / "ground_truth_domain"))
    if not labels:
        sys.exit(f"{truth} holds no ground_truth_data/ground_truth_*.csv, and is no eval_data_list.csv")
    completed = []
    for clip in clips:
        label, domain = clip.label, clip.domain
        if not label and clip.key in labels:
            label = "anomaly" if float(labels[clip.key]) else "normal"
        if not domain and clip.key in domains:
            domain = "target" if float(domains[clip.key]) else "source"
        completed.append(replace(clip, label=label, domain=domain))
    return completed


def labels_in(truth: Path) -> Iterator[tuple[Key, str]]:
    """Labels of clips, 0 or 1."""
    listed = truth / "eval_data_list.csv" if truth.is_dir() else truth
    if listed.is_file():
        machine = ""
        for row in csv.reader(listed.read_text(encoding="utf-8").splitlines()):
            if len(row) == 1:  # a machine's name, then its clips: name, name in full, label
                machine = row[0]
            elif len(row) > 2 and (match := _OLD.fullmatch(Path(row[0]).stem)):
                yield (machine, match["section"], match["number"], ""), row[2]
    yield from rows_of(truth / "ground_truth_data")


def rows_of(folder: Path) -> Iterator[tuple[Key, str]]:
    """Name and value of each row of `ground_truth_MACHINE_section_00_[source_|target_]test.csv`."""
    for path in sorted(folder.glob("ground_truth_*_section_*.csv")) if folder.is_dir() else ():
        machine = path.stem.removeprefix("ground_truth_").partition("_section_")[0]
        for row in csv.reader(path.read_text(encoding="utf-8").splitlines()):
            if len(row) > 1 and (match := _NEW.fullmatch(Path(row[0]).stem)):
                yield (machine, match["section"], match["number"], match["domain"] or ""), row[1]
