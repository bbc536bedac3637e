#!/usr/bin/env python
"""DCASE Task 2, 2020 to 2024, from the unpacked folders to the official table.

    python scripts/recipe_dcase.py ROOT

ROOT holds MACHINE/train and MACHINE/test (2021: MACHINE/source_test and MACHINE/target_test), at once or
below folders such as dev_data/raw and eval_data/raw; fetched by the user (zenodo.org, see dcase.community).
For each machine and section (2020: machine ID) a model is trained on its normal clips, scores its test clips
and looks for events in them, by train, score and detect with their default settings; evaluate then gives the
official score of the year. An anomaly score is minus the mean log-likelihood of a clip.

The labels of evaluation sets are in the organisers' evaluators: --truth takes the unpacked repository
(github.com/nttcslab/dcase2024_task2_evaluator and its like), or eval_data_list.csv of 2020. Test clips
without a label are scored and left out of the table.

OUT (default: recipe-dcase) gets the models, scores, events, test.jsonl, result.json, roc.png, and what the
organisers' evaluators read: anomaly_score_MACHINE_section_00_test.csv and decision_result_... (2020:
anomaly_score_MACHINE_id_00.csv).
"""

from __future__ import annotations

import csv
import json
import sys
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from collections import defaultdict
from importlib.util import find_spec
from pathlib import Path

from commands import Commands, write
from dcase_layout import Clip, clips_in, with_truth, year_of

from audiogmm.anomaly.formats import read_events
from audiogmm.manifest import Entry, safe_id


def main(arguments: list[str] | None = None) -> int:
    """Run the recipe; the exit status is 3 where some inputs were set aside."""
    parser = ArgumentParser(description=__doc__, formatter_class=RawDescriptionHelpFormatter)
    parser.add_argument("root", type=Path, metavar="ROOT")
    parser.add_argument("--year", type=int, choices=range(2020, 2025), help="default: what the names say")
    parser.add_argument("--truth", type=Path, metavar="PATH", help="of clips whose names do not say")
    parser.add_argument("--machine", action="append", metavar="NAME", help="only this one; may be repeated")
    parser.add_argument("--preset", default="ambient", help="of the front end; default: ambient")
    parser.add_argument("-o", "--output", type=Path, default=Path("recipe-dcase"), metavar="OUT")
    asked = parser.parse_args(arguments)

    clips = with_truth(clips_in(asked.root.resolve()), asked.truth)
    year = asked.year or year_of(clips)
    wanted = [clip for clip in clips if not asked.machine or clip.machine in asked.machine]
    sections = by_section(wanted)
    if not sections:
        sys.exit(
            f"no section of {', '.join(asked.machine or [str(asked.root)])} has both training and test clips"
        )
    recipe = Commands(asked.output)
    judged: list[Entry] = []
    events, scores = [], []
    for (machine, section), members in sections.items():
        folder = asked.output / f"{machine}-{section}"
        folder.mkdir(exist_ok=True)
        train, test = ([entry_of(clip) for clip in members if clip.train is kind] for kind in (True, False))
        write(folder / "train.jsonl", train)
        write(folder / "test.jsonl", test)
        model = folder / "model.agmm"
        recipe.run("train", folder / "train.jsonl", "--preset", asked.preset, "-o", model, "--force")
        recipe.run("score", model, folder / "test.jsonl", "-o", folder / "scores", "--force")
        recipe.run("detect", model, folder / "test.jsonl", "-o", folder / "events.jsonl", "--force")
        submit(asked.output, year, machine, section, [clip for clip in members if not clip.train])
        events.append(folder / "events.jsonl")
        scores += ["--scores", folder / "scores"]
        judged += [entry for entry in test if entry.label]
    if not judged:
        print(f"no test clip has a label; the scores are in {asked.output} (--truth PATH takes labels)")
        return recipe.status
    write(asked.output / "test.jsonl", judged)
    labelled = asked.output / "events.jsonl"
    ids = {entry.id for entry in judged}
    lines = [line for path in events for line in path.read_text(encoding="utf-8").splitlines(keepends=True)]
    labelled.write_text("".join(line for line in lines if json.loads(line)["id"] in ids), encoding="utf-8")
    plot = ("--plot", asked.output / "roc.png") if find_spec("matplotlib") else ()
    result = ("-o", asked.output / "result.json", *plot, "--force")
    recipe.run("evaluate", "detect", labelled, asked.output / "test.jsonl", *scores, "--dcase", year, *result)
    return recipe.status


def by_section(clips: list[Clip]) -> dict[tuple[str, str], list[Clip]]:
    """The clips of each section that has some to train on and some to judge."""
    sections: dict[tuple[str, str], list[Clip]] = defaultdict(list)
    for clip in clips:
        sections[clip.machine, clip.section].append(clip)
    return {
        name: members
        for name, members in sorted(sections.items())
        if len({clip.train for clip in members}) == 2
    }


def id_of(clip: Clip) -> str:
    """Machine, folder and file name: unique, and the same in every run."""
    return safe_id(f"{clip.machine}/{clip.path.parent.name}/{clip.path.stem}")


def entry_of(clip: Clip) -> Entry:
    """A manifest's entry; a label that is not known is left out."""
    keys = {"machine": clip.machine, "section": clip.section}
    return Entry(
        audio_filepath=str(clip.path),
        id=id_of(clip),
        label=clip.label or None,
        extra=keys | ({"domain": clip.domain} if clip.domain else {}),
    )


def submit(out: Path, year: int, machine: str, section: str, clips: list[Clip]) -> None:
    """Write anomaly scores, and decisions by whether anything was found, as participants submit them."""
    folder = out / f"{machine}-{section}"
    rows = map(json.loads, (folder / "scores" / "summary.jsonl").read_text(encoding="utf-8").splitlines())
    scores = {row["id"]: -row["mean"] for row in rows if row["mean"] is not None}
    heard = {event.id for event in read_events(folder / "events.jsonl")}
    for part in sorted({clip.path.parent.name for clip in clips}):
        ending = f"id_{section}" if year == 2020 else f"section_{section}_{part}"
        those = [clip for clip in clips if clip.path.parent.name == part and id_of(clip) in scores]
        for kind, value in (("anomaly_score", scores.get), ("decision_result", lambda id: int(id in heard))):
            with (out / f"{kind}_{machine}_{ending}.csv").open("w", newline="", encoding="utf-8") as file:
                csv.writer(file, lineterminator="\n").writerows(
                    [clip.path.name, value(id_of(clip))] for clip in those
                )


if __name__ == "__main__":
    sys.exit(main())
