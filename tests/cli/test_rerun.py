"""A run is repeated from the manifest beside its output, to the byte, and nothing else is."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from audiogmm.checksum import sealed
from audiogmm.cli.provenance import REPEATABLE
from audiogmm.errors import ManifestError
from audiogmm.runs.run_manifest import RunManifest, is_recorded
from tests.cli.calls import Audiogmm

AMBIENT = ["--preset", "ambient"]

RUNS = {
    "train": ["train", "train.jsonl", "-o", "new.agmm", "-k", 2, *AMBIENT, "--passes", 2, "--ledger"],
    "features": ["features", "train.jsonl", "-o", "frames"],
    "score": ["score", "m.agmm", "train.jsonl", "-o", "scores", "--workers", 1],
    "detect": ["detect", "m.agmm", "test.jsonl", "-o", "events.jsonl", "--plot", "events.png"],
    "cluster": ["cluster", "m.agmm", "test.jsonl", "-o", "clusters", "--labels", "audacity"],
    "group": ["group", "train.jsonl", "-o", "kinds"],
    "select": ["select", "train.jsonl", "-o", "table.csv", "-k", "1,2", *AMBIENT, "--save", "best.agmm"],
    "calibrate": ["calibrate", "m.agmm", "train.jsonl", "-o", "new.agmm"],
    "update": ["update", "m.agmm", "train.jsonl", "-o", "new.agmm"],
    "enroll": ["enroll", "m.agmm", "people.jsonl", "-o", "gallery"],
    "verify": ["verify", "known", "trials.csv", "-o", "trial-scores.csv"],
    "identify": ["identify", "known", "test.jsonl", "-o", "names.jsonl"],
    "fuse": ["fuse", "a.csv", "--train", "a.csv", "-o", "fused.csv"],
    "report": ["report", "told.jsonl", "-o", "page.html"],
    "manifest convert": ["manifest", "convert", "train.jsonl", "-o", "train.csv"],
    "manifest scan": ["manifest", "scan", "train", "-o", "all.jsonl"],
}


@pytest.fixture
def made(workshop: Path, audiogmm: Audiogmm) -> Path:
    """A model, speakers, trials, scores of trials and events, and the recordings that they come from."""
    options = ["train", "test.jsonl", "-o", "m.agmm", "-k", 2, "--preset", "ambient", "--passes", 2]
    assert audiogmm(*options).status == 0
    rows = [json.loads(line) for line in Path("train.jsonl").read_text().splitlines()]
    named = [row | {"speaker": f"speaker-{number % 2}"} for number, row in enumerate(rows)]
    Path("people.jsonl").write_text("".join(json.dumps(row) + "\n" for row in named))
    assert audiogmm("enroll", "m.agmm", "people.jsonl", "-o", "known").status == 0
    lines = [f"{row['speaker']},{row['audio_filepath']}" for row in named]
    Path("trials.csv").write_text("\n".join(["model,audio_filepath", *lines, ""]))
    scores = [f"speaker-{n % 2},{n}.wav,{n % 5 + (n % 2) * 2},{n % 2}" for n in range(40)]
    Path("a.csv").write_text("\n".join(["model,audio_filepath,score,target", *scores, ""]))
    assert audiogmm("detect", "m.agmm", "test.jsonl", "-o", "told.jsonl").status == 0
    return workshop


def test_every_repeatable_command_is_here() -> None:
    assert set(RUNS) == set(REPEATABLE)


@pytest.mark.parametrize("name", list(RUNS))
def test_a_run_is_repeated_to_the_byte(made: Path, audiogmm: Audiogmm, name: str) -> None:
    call = RUNS[name]
    done = audiogmm(*call)
    assert done.status == 0, done.err
    output = Path(str(call[call.index("-o") + 1]))
    manifest = output.with_name(f"{output.name}.run.json")
    found = RunManifest.read(manifest)
    assert found.arguments == [str(each) for each in call]
    assert found.folder == str(made) and len(found.run_id) == 12 and found.inputs
    before = sorted(path.name for path in Path().iterdir())
    again = audiogmm("rerun", manifest, "--json")
    assert again.status == 0, (again.out, again.err)
    assert again.json["different"] == [] and again.json["equal"]
    assert sorted(path.name for path in Path().iterdir()) == before
    assert audiogmm("rerun", manifest, "-o", f"other-{output.name}").status == 0
    assert Path(f"other-{output.name}").exists()


def test_what_changed_is_named_and_different_bytes_are_found(made: Path, audiogmm: Audiogmm) -> None:
    assert audiogmm("score", "m.agmm", "train.jsonl", "-o", "scores").status == 0
    first = sorted(Path("train").rglob("*.wav"))[0]
    content = bytearray(first.read_bytes())
    content[2000:2100] = bytes(100)
    first.write_bytes(content)
    shutil.copy("people.jsonl", "train.jsonl")
    done = audiogmm("rerun", "scores.run.json")
    assert done.status == 1
    assert "changed since the run: train.jsonl" in done.out and first.name in done.out
    done = audiogmm("rerun", "scores.run.json", "--anyway", "--json")
    assert done.status == 1
    assert f"scores/{first.stem}.npz" in done.json["different"]  # type: ignore[operator]


@pytest.mark.parametrize("name", ["train", "features", "select"])
def test_recordings_of_runs_with_many_passes_are_compared(
    workshop: Path, audiogmm: Audiogmm, name: str
) -> None:
    first, *_, last = sorted(Path("train").rglob("*.wav"))
    last.rename("kept.wav")
    call = RUNS[name]
    assert audiogmm(*call).status == 3
    output = call[call.index("-o") + 1]
    listed = audiogmm("info", "--inputs", output, "--json").json
    assert listed["inputs"] == {"done": 5, "set_aside": 1, "pending": 0}
    done = [row for row in listed["rows"] if row["state"] == "done"]  # type: ignore[attr-defined]
    assert {len(row["content"]) for row in done} == {32} and last.stem not in {row["id"] for row in done}
    id = json.loads(Path(f"{output}.run.json").read_text())["run"]["run_id"]
    files = [path for path in Path().rglob("*") if path.is_file() and id.encode() in path.read_bytes()]
    assert files == [Path(f"{output}.run.json")]
    Path("kept.wav").rename(last)
    assert audiogmm("rerun", f"{output}.run.json").status == 1  # by one recording more: not the same bytes
    content = bytearray(first.read_bytes())
    content[2000:2100] = bytes(100)
    first.write_bytes(content)
    found = audiogmm("rerun", f"{output}.run.json", "--json").json
    assert found["repeated"] is False and [Path(each).name for each in found["changed"]] == [first.name]


def written(arguments: list[str]) -> Path:
    """A manifest from elsewhere."""
    path = Path("evil.run.json")
    run = {"arguments": arguments, "folder": str(Path.cwd()), "started": "", "outputs": {"x.csv": {"": "0"}}}
    path.write_text(json.dumps(sealed({"format": "audiogmm run 3", "run": run})))
    return path


@pytest.mark.parametrize(
    "arguments",
    [
        ["speakers", "known", "--remove", "speaker-0"],
        ["rerun", "evil.run.json"],
        ["demo"],
        ["sh", "-c", "touch hacked"],
        ["manifest", "check", "train.jsonl"],
        [],
        ["trainx"],
    ],
)
def test_a_manifest_from_elsewhere_runs_no_other_command(
    made: Path, audiogmm: Audiogmm, arguments: list[str]
) -> None:
    before = sorted(path.name for path in Path("known").rglob("*"))
    done = audiogmm("rerun", written(arguments))
    assert done.status == 1 and "is not repeated" in done.err
    assert sorted(path.name for path in Path("known").rglob("*")) == before


def test_a_manifest_from_elsewhere_writes_nowhere_else(made: Path, audiogmm: Audiogmm) -> None:
    call = ["train", "train.jsonl", *AMBIENT, "-k", "1", "--passes", "1", "-o", "victim", "--force"]
    call += ["--checkpoint", "kept", "--metrics", "figures"]
    Path("victim").write_text("precious")
    done = audiogmm("rerun", written(call))
    assert done.status == 1 and "different: x.csv" in done.out, done.err
    assert Path("victim").read_text() == "precious"
    assert not Path("kept").exists() and not Path("figures").exists() and not Path("new.agmm").exists()


def test_standard_input_is_not_repeated(made: Path, audiogmm: Audiogmm) -> None:
    done = audiogmm("rerun", written(["score", "m.agmm", "-", "-o", "x.csv"]), "--anyway")
    assert done.status == 1 and "read standard input, which nobody kept" in done.err


@pytest.mark.parametrize("words", [["https://a.invalid/l.jsonl"], ["train.jsonl", "--against=s3://a/m.agmm"]])
def test_a_url_is_named_and_not_opened(
    made: Path, audiogmm: Audiogmm, monkeypatch: pytest.MonkeyPatch, words: list[str]
) -> None:
    opened: list[object] = []
    monkeypatch.setattr("audiogmm.cli.rerun.repeat", lambda *given: opened.append(given) or 1)
    path = written(["score", "m.agmm", *words, "-o", "x.csv"])
    done = audiogmm("rerun", path)
    assert done.status == 1 and not opened
    assert f"not compared: {words[-1].removeprefix('--against=')}" in done.out
    assert "not repeated: a URL may have other content now" in done.out
    audiogmm("rerun", path, "--anyway")
    assert len(opened) == 1


def test_a_damaged_manifest_is_refused(made: Path, audiogmm: Audiogmm) -> None:
    path = written(["train"])
    path.write_text(path.read_text().replace("train", "score"))
    with pytest.raises(ManifestError, match="does not have its checksum"):
        RunManifest.read(path)


def test_no_manifest_beside_a_device() -> None:
    assert not is_recorded(Path("/dev/null")) and not is_recorded(Path("-"))
