"""`--log-json`: each line of standard error is an object, in every command, whatever becomes of it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import click
import pytest

from audiogmm.cli import console
from audiogmm.cli.main import COMMANDS
from audiogmm.run_id import run_id
from tests.cli.calls import Audiogmm, hear_ctrl_c, records
from tests.live.rooms import saved
from tests.test_verbs import LEAVES

FROM_STANDARD_INPUT = (
    "train",
    "select",
    "features",
    "score",
    "detect",
    "cluster",
    "calibrate",
    "update",
    "identify",
)


@pytest.mark.parametrize("name", LEAVES)
def test_every_command_fails_in_records(
    name: str, audiogmm: Audiogmm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("file").write_text("no folder")
    words = name.split()
    usage = audiogmm(*words, "--no-such-option", "--log-json")
    assert usage.status == 2 and not usage.out
    begin, error, end = records(usage.err)
    assert error["error"] == "NoSuchOption" and "--no-such-option" in str(error["message"])
    assert error["try"] == f"audiogmm {name} --help"
    assert (begin["event"], end["event"], end["status"]) == ("begin", "end", 2)
    for option in LEAVES[name].params:
        if isinstance(option, click.Argument) and (option.required or name == "stream"):
            words.append("1" if isinstance(option.type, click.IntRange) else "missing")
        elif option.required:
            words += [option.opts[-1], "missing.csv" if option.name == "train" else "file/out.jsonl"]
    if name == "demo":
        words += ["--out", "file/demo"]
    failed = audiogmm(*words, "--log-json", "-v")
    assert failed.status in (1, 2) and not failed.out, failed
    rows = records(failed.err)
    (error,) = (row for row in rows if row["event"] == "error")
    assert {row["command"] for row in rows} == {name} and {row["run"] for row in rows} == {run_id()}
    assert error["level"] == "error" and "traceback" in error and error["needed"]
    assert rows[-1]["status"] == failed.status


def test_the_environment_asks_for_it_and_text_stays_without(
    audiogmm: Audiogmm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    plain = audiogmm("info", "missing.agmm").err
    assert plain.startswith("audiogmm: missing.agmm") and run_id() not in plain
    assert f"  run {run_id()}\n" in audiogmm("info", "missing.agmm", "-v").err
    monkeypatch.setenv("AUDIOGMM_LOG", "json")
    assert len(records(audiogmm("info", "missing.agmm").err)) == 3
    monkeypatch.setenv("AUDIOGMM_LOG", "text")
    assert audiogmm("info", "missing.agmm").err == plain


def test_a_fault_of_our_own_has_its_traceback(audiogmm: Audiogmm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("audiogmm.jobs.info.info", lambda _: 1 // 0)
    failed = audiogmm("info", "m.agmm", "--log-json", "-v")
    assert failed.status == 1
    _, error, _ = records(failed.err)
    assert error["error"] == "ZeroDivisionError" and "internal error" in str(error["message"])
    assert "1 // 0" in str(error["traceback"])


def test_what_is_set_aside_and_how_far_it_is(
    workshop: Path, audiogmm: Audiogmm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(console, "EVERY", 0.0)
    Path("bad.wav").write_text("no audio")
    with Path("train.jsonl").open("a") as file:
        file.write(json.dumps({"audio_filepath": "bad.wav", "id": "bad"}) + "\n")
    done = audiogmm("features", "train.jsonl", "--preset", "kaldi", "-o", "frames", "--log-json")
    assert done.status == 3 and "frames" in done.out
    rows = records(done.err)
    (aside,) = (row for row in rows if row["event"] == "set_aside")
    assert (aside["level"], aside["id"], aside["error"]) == ("warning", "bad", "AudioFileError")
    assert str(aside["path"]).endswith("bad.wav") and aside["needed"] and aside["try"]
    progress = [row for row in rows if row["event"] == "progress" and row["stage"] == "computing frames"]
    assert [row["done"] for row in progress] == [0, *range(1, len(progress) - 1), len(progress) - 2]
    assert {row["unit"] for row in progress} == {"recordings"} and progress[0]["total"] == len(progress) - 1
    assert rows[-2]["set_aside"] == 1 and rows[-2]["path"] == "frames.errors.jsonl"
    assert (rows[-1]["level"], rows[-1]["status"]) == ("warning", 3)


def test_progress_comes_every_few_seconds_at_most(
    workshop: Path, audiogmm: Audiogmm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(console, "EVERY", 1e9)
    rows = records(audiogmm("features", "train.jsonl", "--preset", "kaldi", "-o", "frames", "--log-json").err)
    stages = [row["stage"] for row in rows if row["event"] == "progress"]
    assert len(stages) == 2 * len(set(stages)), "each begins and ends"


@pytest.mark.parametrize("command", FROM_STANDARD_INPUT)
def test_a_stopped_command_ends_in_records(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each waits for a recording on standard input; half get SIGINT, the others SIGTERM."""
    monkeypatch.chdir(tmp_path)
    model = saved(tmp_path)
    number = 2 + 13 * (FROM_STANDARD_INPUT.index(command) % 2)
    first = [] if command in ("train", "select", "features") else [str(model)]
    call = [sys.executable, "-m", "audiogmm", command, *first, "-", "-o", "out.jsonl", "--log-json"]
    with subprocess.Popen(
        call, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=hear_ctrl_c
    ) as running:
        assert running.stderr is not None
        begin = running.stderr.readline()
        running.send_signal(number)
        out, rest = running.communicate(timeout=120)
    rows = records((begin + rest).decode())
    assert running.returncode == 130 and not out, rows
    assert rows[-1]["status"] == 130
    (stopped,) = (row for row in rows if row.get("event") == "stopped")
    assert ("SIGTERM" in str(stopped["message"])) is (number == 15)
    assert len({row["run"] for row in rows}) == 1


def test_all_commands_are_here() -> None:
    assert {name.split()[0] for name in LEAVES} == set(COMMANDS)
