"""Every worked example of every `--help` runs as it stands."""

from __future__ import annotations

import json
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path

import click
import numpy as np
import pytest

from audiogmm.cli.main import COMMANDS, cli
from audiogmm.synth import write_corpus
from audiogmm.synth.corpus import make_speakers
from tests.cli.calls import Audiogmm, arrays, records

ORDER = [
    "manifest",
    "features",
    "train",
    "select",
    "update",
    "score",
    "info",
    "cluster",
    "calibrate",
    "detect",
    "group",
    "name",
    "rerun",
    "stream",
    "report",
    "enroll",
    "speakers",
    "verify",
    "identify",
    "fuse",
    "evaluate",
    "inspect",
]
"""Later commands use what earlier ones made."""

ADDING = ("features", "enroll", "group")
"""What adds to its output, and needs no leave to."""


def examples(command: click.Command) -> Iterator[list[str]]:
    """The lines of the help that call us."""
    for line in (command.help or "").splitlines():
        if line.strip().startswith("audiogmm "):
            yield shlex.split(line)[1:]
    if isinstance(command, click.Group) and command is not cli:
        for part in command.commands.values():
            yield from examples(part)


def commands(command: click.Command) -> Iterator[click.Command]:
    """A command and those below it."""
    yield command
    if isinstance(command, click.Group) and command is not cli:
        for part in command.commands.values():
            yield from commands(part)


def command(name: str) -> click.Command:
    found = cli.get_command(click.Context(cli), name)
    assert found is not None
    return found


@pytest.mark.parametrize("name", COMMANDS)
def test_every_help_has_a_worked_example(name: str) -> None:
    for part in commands(command(name)):
        assert list(examples(part)), f"{part.name} has no example"


def test_every_example_runs(workshop: Path, audiogmm: Audiogmm) -> None:
    shutil.copytree(workshop / "train", workshop / "recordings" / "ann")
    shutil.copy(workshop / "train.jsonl", workshop / "normal.jsonl")
    shutil.copy(workshop / "test.jsonl", workshop / "today.jsonl")
    shutil.copy(next((workshop / "test").glob("*.wav")), workshop / "today.wav")
    write_corpus("voices", make_speakers(count=2, train=2, test=1, duration=4.0))
    people = [json.loads(line) for line in Path("voices/train.jsonl").read_text().splitlines()]
    rows = [row | {"audio_filepath": f"voices/{row['audio_filepath']}"} for row in people]
    for name in ("background.jsonl", "people.jsonl", "unknown.jsonl"):
        Path(name).write_text("".join(json.dumps(row) + "\n" for row in rows))
    Path("trials.csv").write_text(f"model,audio_filepath\nspeaker_0,{rows[-1]['audio_filepath']}\n")
    for name in ("scores", "a", "b", "a_train", "b_train"):
        Path(f"{name}.csv").write_text(
            "model,audio_filepath,sex,target,score\n"
            "ann,1.wav,f,1,2.5\nann,2.wav,f,0,-3\nbob,2.wav,m,1,1.5\nbob,1.wav,m,0,-0.5\n"
        )
    ran = set()
    for name in [*ORDER, None]:
        if name == "inspect":
            shutil.copytree(workshop / "train", workshop / "recordings" / "normal")
            shutil.copytree(workshop / "test", workshop / "recordings" / "today")
        for example in examples(cli if name is None else command(name)):
            if name != "demo" and example[0] != "demo":
                again = [*example, "--force"] if "-o" in example and example[0] not in ADDING else example
                done = audiogmm(*again, "--log-json")
                assert done.status == 0, (example, done.err)
                assert done.out, example
                assert [row["event"] for row in records(done.err)][:: len(done.err.splitlines()) - 1] == [
                    "begin",
                    "end",
                ]
                ran.add(example[0])
    assert ran == set(COMMANDS) - {"demo"}

    track = arrays(next((workshop / "scores").glob("*.npz")))
    assert np.isfinite(track["scores"]).all()
    assert {"times", "voiced"} <= set(track)
    assert (workshop / "events.jsonl").exists()
    assert list((workshop / "clusters" / "sounds").rglob("*.wav"))


def test_the_demo_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, audiogmm: Audiogmm) -> None:
    monkeypatch.chdir(tmp_path)
    (example,) = examples(command("demo"))
    done = audiogmm(*example, "--json")
    assert done.status == 0, done.err
    summary = done.json
    assert summary["auc"] > 0.85  # type: ignore[operator]
    assert abs(summary["auc_loudness"] - 0.5) < 0.12  # type: ignore[operator]
    voices = summary["speakers"]
    assert (voices["n_speakers"], voices["n_trials"]) == (20, 1200)  # type: ignore[index]
    assert voices["eer"]["value"] < 0.25 > voices["eer"]["low"] > 0  # type: ignore[index]
    assert voices["identified"] > 0.3  # type: ignore[index]
    assert summary["events_caught"] > 0.6 * summary["events_true"]  # type: ignore[operator]
    assert Path(str(summary["picture"])).stat().st_size > 10_000

    again = audiogmm(*example)  # a second run names the pages that are there
    assert again.status == 0
    assert "--force" in again.out
    assert "report.html" in again.out
