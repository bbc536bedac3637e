"""The log as JSON: whole lines, whatever is written, by whom and where."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

from audiogmm.errors import AudioFileError
from audiogmm.run_id import run_id
from audiogmm.telemetry.json_log import LONGEST, VARIABLE, JsonLog, is_json, json_lines, log_error, log_json


def records(text: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in text.splitlines()]


def test_all_that_python_writes_is_a_record(capsys: pytest.CaptureFixture[str]) -> None:
    before = sys.stderr, warnings.showwarning, sys.excepthook, logging.getLogger().handlers[:]
    with json_lines("train"):
        sys.stderr.write("printed\nin two lines\n")
        logging.getLogger("audiogmm.x").warning("logged %d", 1, extra={"fields": {"pass": 3}})
        logging.getLogger("numba").warning("of a library")
        with warnings.catch_warnings():
            warnings.simplefilter("always")
            warnings.warn("warned", UserWarning, stacklevel=1)
        try:
            raise KeyError("lost")
        except KeyError as error:
            sys.excepthook(KeyError, error, error.__traceback__)
        sys.stderr.write("not ended")
    assert (sys.stderr, warnings.showwarning, sys.excepthook, logging.getLogger().handlers[:]) == before
    assert not is_json() and VARIABLE not in os.environ
    rows = records(capsys.readouterr().err)
    assert {(row["run"], row["command"]) for row in rows} == {(run_id(), "train")}
    said = ["printed", "in two lines", "logged 1", "of a library", "warned", "KeyError: 'lost'", "not ended"]
    assert [row["message"] for row in rows] == said
    assert (rows[2]["pass"], rows[4]["error"], rows[5]["level"]) == (3, "UserWarning", "error")
    assert "raise KeyError" in str(rows[5]["traceback"])


def test_an_error_has_its_parts(capsys: pytest.CaptureFixture[str]) -> None:
    with json_lines("train"):
        error = AudioFileError("a.wav is empty", needed="samples", remedy="drop it")
        error.add_note("and b.wav")
        log_error(error, error.what)
        log_error(FileNotFoundError(2, "No such file", "m.agmm"), "m.agmm: No such file")
    first, second = records(capsys.readouterr().err)
    assert [first[key] for key in ("level", "error", "message", "needed", "try", "notes")] == [
        *("error", "AudioFileError", "a.wav is empty", "samples", "drop it"),
        ["and b.wav"],
    ]
    assert second["path"] == "m.agmm" and "needed" not in second and "traceback" not in second


def test_odd_values_stay_json(capsys: pytest.CaptureFixture[str]) -> None:
    def strictly(text: str) -> object:
        raise AssertionError(f"{text} is not JSON")

    with json_lines("score"):
        log_json(
            "info", "a\x1b[2J\u2028b\udcff", figure=float("nan"), path=os.sep, items=(1, None, {"a": -1e999})
        )
    (line,) = capsys.readouterr().err.splitlines()
    assert line.isascii() and line.isprintable()
    row = json.loads(line, parse_constant=strictly)
    assert row["message"] == "a\x1b[2J\u2028b\\udcff"
    assert row["figure"] == "nan" and row["items"] == [1, None, {"a": "-inf"}]


def test_the_line_of_a_worker_fits_a_pipe() -> None:
    lines: list[str] = []
    JsonLog(lines.append, longest=LONGEST).write("info", "\U0001f600" * 9999, path="p" * 9999)
    (line,) = lines
    assert len(line) < LONGEST
    row = json.loads(line)
    assert row["is_cut"] and row["process"] == os.getpid() and row["message"].startswith("\U0001f600")


PROGRAM = """
import os, sys, threading
from audiogmm.telemetry.json_log import json_lines, log_json
from audiogmm.reduce import LocalReducer


class Item(int):
    id = "item"


def work(item):
    os.write(2, f"C in {item}\\n".encode())
    print("printed in", item, file=sys.stderr)
    import warnings
    warnings.warn(f"warned in {item}")
    return item


class Falls:
    def __del__(self):
        raise ValueError("while it ends")


if __name__ == "__main__":
    with json_lines("train", until_exit=True):
        os.write(2, b"x" * 70_000 + b"\\n")
        with LocalReducer(1, workers=2) as reducer:
            assert list(reducer.map(map(Item, range(8)), work)) == list(range(8))
        thread = threading.Thread(target=lambda: 1 / 0)
        thread.start()
        thread.join()
        os.system("echo a child >&2")
        os.write(2, b"not ended")
        log_json("info", "last")
    os.write(2, b"nobody wants this\\n")
    left = Falls()
    raise RuntimeError("uncaught")
"""


def test_all_that_a_program_writes_is_a_record(tmp_path: Path) -> None:
    """C, worker processes, children, threads, and what the interpreter says as it ends."""
    script = tmp_path / "program.py"
    script.write_text(PROGRAM)
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 1
    rows = records(done.stderr)
    assert len({row["run"] for row in rows}) == 1 and {row["command"] for row in rows} == {"train"}
    said = [str(row["message"]) for row in rows]
    for n in range(8):
        for what in (f"C in {n}", f"printed in {n}", f"warned in {n}"):
            assert said.count(what) == 1, what
    for what in (
        "a child",
        "not ended",
        "last",
        "ZeroDivisionError: division by zero",
        "RuntimeError: uncaught",
    ):
        assert said.count(what) == 1, what
    assert sum(len(text) for text in said if set(text) == {"x"}) == 70_000
    assert "nobody wants this" not in done.stderr
    assert "ValueError: while it ends" in said
