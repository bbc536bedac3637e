"""What a run set aside is tried again, and the output is as if all had been good at first."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from tests.cli.calls import Audiogmm


def contents(output: str) -> dict[str, bytes]:
    """The bytes of each file of an output, by its name."""
    files = [path for path in Path(output).rglob("*") if path.is_file()] if Path(output).is_dir() else []
    return {str(path): path.read_bytes() for path in files or [Path(output)]}


@pytest.mark.parametrize(
    ("verb", "output", "workers"),
    [
        ("score", "found", 0),
        ("score", "found", 1),
        ("detect", "found.jsonl", 0),
        ("detect", "found.jsonl", 1),
        ("identify", "found.jsonl", 0),
        ("identify", "found.jsonl", 1),
        ("cluster", "found", 0),
        ("verify", "found.csv", 0),
    ],
)
def test_a_retry_gives_what_a_good_run_would(
    workshop: Path, audiogmm: Audiogmm, verb: str, output: str, workers: int
) -> None:
    options = ["train", "train.jsonl", "-o", "m.agmm", "-k", 2, "--preset", "ambient", "--passes", 2]
    assert audiogmm(*options).status == 0
    subject, listed_in = "m.agmm", "train.jsonl"
    if verb in ("identify", "verify"):
        rows = Path("train.jsonl").read_text().replace('"id"', '"speaker": "fan", "id"')
        Path("people.jsonl").write_text(rows)
        assert audiogmm("enroll", "m.agmm", "people.jsonl", "-o", "known").status == 0
        subject = "known"
    if verb == "verify":
        entries = map(json.loads, Path("train.jsonl").read_text().splitlines())
        paths = [entry["audio_filepath"] for entry in entries]
        listed_in = "trials.csv"
        Path(listed_in).write_text(
            "\n".join(["model,audio_filepath", *(f"fan,{path}" for path in paths), ""])
        )
    call = [verb, subject, listed_in, "-o", output]
    call += ["--labels", "audacity"] if verb == "cluster" else ["--workers", workers]
    assert audiogmm(*call).status == 0
    whole = contents(output)
    for left in Path().glob("found*"):
        shutil.rmtree(left) if left.is_dir() else left.unlink()

    bad = sorted(Path("train").rglob("*.wav"))[2]
    good = bad.rename(bad.with_suffix(".kept"))
    done = audiogmm(*call, "--json")
    assert done.status == 3 and done.json["set_aside"] == 1, done.err
    listed = audiogmm("info", "--inputs", output, "--json").json
    assert listed["inputs"] == {"done": 5, "set_aside": 1, "pending": 0}
    (row,) = (row for row in listed["rows"] if row["state"] == "set aside")  # type: ignore[attr-defined]
    assert (
        row["id"] == ("trials.csv:4" if verb == "verify" else bad.stem)
        and row["tries"] == 1
        and "is missing" in row["reason"]
    )
    assert all(len(row["content"]) == 32 for row in listed["rows"] if row["state"] == "done")  # type: ignore[attr-defined]

    os.utime(listed_in)  # of the list, its content counts
    assert audiogmm(*call, "--retry").status == 3
    assert "(2 tries)" in audiogmm("info", "--inputs", output).out
    good.rename(bad)
    for track in Path(output).rglob("*.npz"):
        os.utime(track, (0, 0))  # written long before the retry
    done = audiogmm(*call, "--retry")
    assert done.status == 0, done.err
    assert contents(output) == whole
    assert not Path(f"{output}.errors.jsonl").exists()
    assert audiogmm("rerun", f"{output}.run.json").status == 0
    assert "6 done, 0 set aside, 0 pending" in audiogmm("info", "--inputs", output).out


def test_a_retry_without_a_ledger_or_of_another_model_changes_nothing(
    workshop: Path, audiogmm: Audiogmm
) -> None:
    for k in (2, 3):
        options = ["train", "train.jsonl", "-k", k, "--preset", "ambient", "--passes", 1]
        assert audiogmm(*options, "-o", f"{k}.agmm").status == 0
    call = ["detect", "2.agmm", "test.jsonl", "-o", "events.jsonl"]
    assert "ledger of inputs, does not exist" in audiogmm(*call, "--retry").err
    assert audiogmm(*call).status == 0
    Path("events.jsonl.errors.jsonl").write_text("kept\n")
    done = audiogmm("detect", "3.agmm", *call[2:], "--retry")
    assert done.status == 1 and "belongs to another model or other settings" in done.err
    assert Path("events.jsonl.errors.jsonl").read_text() == "kept\n"
    assert Path("events.jsonl.inputs.jsonl").exists()
