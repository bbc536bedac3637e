"""What the command line says, and with which status it ends."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile

from audiogmm import load
from audiogmm.mixture import container
from tests.cli.calls import RATE, Audiogmm, arrays, hear_ctrl_c

SMALL = ["-k", 2, "--passes", 3, "--preset", "ambient", "--hold-out", 0]


def noise(path: Path, seconds: float = 2.0, seed: int = 0, rate: int = RATE, **options: str) -> None:
    """A wav of coloured noise."""
    samples = np.random.default_rng(seed).normal(size=round(seconds * rate)) * 0.1
    soundfile.write(path, np.convolve(samples, [1, 0.9, 0.5])[: len(samples)], rate, **options)


def manifest(path: Path, *rows: dict[str, object] | str) -> Path:
    """A JSONL manifest of rows, or of raw lines."""
    path.write_text("".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows))
    return path


@pytest.fixture
def model(workshop: Path, audiogmm: Audiogmm) -> Path:
    done = audiogmm("train", "train.jsonl", "-o", "room.agmm", "-k", 4, "--preset", "ambient")
    assert done.status == 0, done.err
    return workshop / "room.agmm"


def test_help_is_instant() -> None:
    environment = os.environ | {"PYTHONPROFILEIMPORTTIME": ""}
    done = subprocess.run(
        [sys.executable, "-m", "audiogmm", "--help"],
        capture_output=True,
        text=True,
        env=environment,
        check=True,
    )
    for name in ("demo", "train", "score", "detect"):
        assert name in done.stdout


def test_json_is_the_only_thing_on_standard_output(workshop: Path, audiogmm: Audiogmm) -> None:
    done = audiogmm("train", "train.jsonl", "-o", "room.agmm", *SMALL, "--json")
    assert done.status == 0, done.err
    assert done.json["n_components"] == 2
    assert done.json["n_recordings"] == 6


def test_how_stepwise_em_stepped_is_told(workshop: Path, audiogmm: Audiogmm) -> None:
    options = ["--stepwise-passes", 1, "--step-exponent", 0.7, "--averaging", 0.5, "--batch", 300]
    stepwise = ["--algorithm", "stepwise", *options, "--variance-reduction"]
    done = audiogmm("train", "train.jsonl", "-o", "room.agmm", *SMALL, "--passes", 2, *stepwise, "--json")
    assert done.status == 0, done.err
    assert "--variance-reduction was removed" in done.err
    settings = {"passes": 1, "exponent": 0.7, "batch": 300, "averaging": 0.5, "variant": "plain"}
    assert (done.json["algorithm"], done.json["stepwise"]) == ("stepwise", settings)
    history = load("room.agmm").metadata.training["history"]
    assert [report["stepwise"] for report in history] == [True, False]
    assert "--variance-reduction" not in audiogmm("train", "--help").out
    stopped = audiogmm(
        "train", "train.jsonl", "-o", "other.agmm", *SMALL, *stepwise[:2], "--stepwise-passes", 4
    )
    assert stopped.status == 2
    assert "passes=3 with stepwise passes=4; needed: at least 4" in stopped.err
    refused = audiogmm("train", "train.jsonl", "-o", "other.agmm", *SMALL, "--averaging", 0.5)
    assert refused.status == 2
    assert "stepwise EM for algorithm 'em': averaging=0.5; needed: algorithm 'stepwise'" in refused.err


def test_a_bad_recording_is_set_aside_with_its_reason(workshop: Path, audiogmm: Audiogmm) -> None:
    good = [json.loads(line) for line in Path("train.jsonl").read_text().splitlines()]
    Path("broken.wav").write_bytes(b"RIFF not a wav at all")
    Path("empty.wav").write_bytes(b"")
    bad = [{"audio_filepath": name} for name in ("broken.wav", "empty.wav", "gone.wav")]
    manifest(Path("mixed.jsonl"), *good, *bad, "this is not JSON", '{"nor": "this"}')
    done = audiogmm("train", "mixed.jsonl", "-o", "room.agmm", *SMALL, "--json")
    assert done.status == 3, done.err
    assert done.json["set_aside"] == 5
    rows = [json.loads(line) for line in Path("room.agmm.errors.jsonl").read_text().splitlines()]
    reasons = {row["id"]: row["reason"] for row in rows}
    assert "gone.wav" in reasons["gone"]
    assert "empty" in reasons["empty"]
    assert "broken.wav" in reasons["broken"]
    lines = [row["reason"] for row in rows if not row["id"]]
    assert "mixed.jsonl:10" in lines[0] and "mixed.jsonl:11" in lines[1]

    strict = audiogmm("train", "mixed.jsonl", "-o", "strict.agmm", *SMALL, "--strict")
    assert strict.status == 1
    assert not Path("strict.agmm").exists()


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("{not json", "bad.jsonl:2"),
        ('{"duration": 3}', "audio_filepath"),
        ('["a.wav"]', "bad.jsonl:2"),
        ('{"audio_filepath": "x.wav", "duration": -1}', "-1"),
    ],
)
def test_a_bad_manifest_line_is_named_with_its_number(
    workshop: Path, audiogmm: Audiogmm, line: str, told: str
) -> None:
    first = Path("train.jsonl").read_text().splitlines()[0]
    manifest(Path("bad.jsonl"), first, line)
    done = audiogmm("manifest", "check", "bad.jsonl")
    assert done.status == 1
    assert told in done.out
    assert "bad.jsonl:2" in done.out


def test_manifest_check_names_each_fault(workshop: Path, audiogmm: Audiogmm) -> None:
    noise(Path("good.wav"))
    noise(Path("short.wav"), seconds=0.01)
    noise(Path("whole.wav"))
    content = Path("whole.wav").read_bytes()
    Path("truncated.wav").write_bytes(content[: len(content) // 2])
    Path("empty.wav").write_bytes(b"")
    Path("text.wav").write_text("not audio at all, but long enough to be read as a header" * 4)
    samples = np.zeros(RATE, dtype=np.float32)
    samples[RATE // 2] = np.nan
    soundfile.write("nan.wav", samples, RATE, subtype="FLOAT")
    rows: list[dict[str, object]] = [
        {"audio_filepath": "good.wav"},
        {"audio_filepath": "gone.wav"},
        {"audio_filepath": "empty.wav"},
        {"audio_filepath": "truncated.wav"},
        {"audio_filepath": "text.wav"},
        {"audio_filepath": "short.wav"},
        {"audio_filepath": "good.wav", "id": "late", "offset": 9.0},
        {"audio_filepath": "good.wav", "id": "rate", "sample_rate": 8000},
        {"audio_filepath": "good.wav", "id": "channels", "channels": 2},
        {"audio_filepath": "whole.wav", "id": "good"},
        {"audio_filepath": "nan.wav"},
    ]
    manifest(Path("all.jsonl"), *rows)
    done = audiogmm("manifest", "check", "all.jsonl", "--json")
    assert done.status == 1
    problems = {problem["source"].rpartition(":")[2]: problem["reason"] for problem in done.json["problems"]}  # type: ignore[attr-defined]
    told = {
        "2": "gone.wav",
        "3": "empty",
        "4": "truncated",
        "5": "text.wav",
        "6": "short",
        "7": "9",
        "8": "8000",
        "9": "2",
        "11": "0.5",
    }
    for number, word in told.items():
        assert word in problems.get(number, ""), (number, problems)
    doubled = [reason for reason in problems.values() if "'good'" in reason]
    assert doubled and "line 1" in doubled[0]
    assert done.json["entries"] == 10  # the doubled one is not opened


def test_silence_clipping_and_non_finite_samples(workshop: Path, audiogmm: Audiogmm) -> None:
    soundfile.write("silent.wav", np.zeros(RATE), RATE)
    soundfile.write("clipped.wav", np.sign(np.sin(np.arange(2 * RATE) / 20)), RATE, subtype="PCM_16")
    soundfile.write("none.wav", np.zeros(0), RATE)
    for name, value in (("nan", np.nan), ("infinite", np.inf)):
        samples = np.full(RATE, 0.1, dtype=np.float32)
        samples[RATE // 4] = value
        soundfile.write(f"{name}.wav", samples, RATE, subtype="FLOAT")
    good = [json.loads(line) for line in Path("train.jsonl").read_text().splitlines()]
    names = ("silent", "clipped", "none", "nan", "infinite")
    manifest(Path("mixed.jsonl"), *good, *({"audio_filepath": f"{name}.wav"} for name in names))
    trained = audiogmm("train", "mixed.jsonl", "-o", "room.agmm", *SMALL)
    assert trained.status == 3
    assert "clipped.wav" in trained.err
    reasons = Path("room.agmm.errors.jsonl").read_text()
    for name in ("silent", "none", "nan", "infinite"):
        assert f'"{name}"' in reasons, reasons
    assert "0.25" in reasons
    assert '"clipped"' not in reasons

    scored = audiogmm("score", "room.agmm", "mixed.jsonl", "-o", "scores")
    assert scored.status == 3
    assert "silent.wav" in scored.err
    silent = arrays("scores/silent.npz")
    assert np.isfinite(silent["scores"]).all() and not silent["voiced"].any()
    assert not Path("scores/nan.npz").exists()


def test_a_recording_without_a_voiced_frame(workshop: Path, audiogmm: Audiogmm) -> None:
    soundfile.write("quiet.wav", np.full(RATE, 0.001), RATE)
    noise(Path("a.wav"))
    manifest(Path("one.jsonl"), {"audio_filepath": "quiet.wav"})
    done = audiogmm("train", "one.jsonl", "-o", "ubm.agmm", "-k", 2, "--preset", "speech")
    assert done.status == 1
    assert "quiet" in Path("ubm.agmm.errors.jsonl").read_text()
    assert "voiced" in Path("ubm.agmm.errors.jsonl").read_text()


def test_fewer_frames_than_components(workshop: Path, audiogmm: Audiogmm) -> None:
    noise(Path("a.wav"), seconds=0.3)
    done = audiogmm("train", "a.wav", "-o", "m.agmm", "-k", 500, "--preset", "ambient", "--hold-out", 0)
    assert done.status == 1
    assert "28 frames for 500 components" in done.err
    assert not Path("m.agmm").exists()


def test_identical_and_constant_frames(workshop: Path, audiogmm: Audiogmm) -> None:
    rng = np.random.default_rng(0)
    np.save("same.npy", np.ones((200, 3), np.float32))
    np.save("constant.npy", np.c_[rng.normal(size=(200, 2)), np.full(200, 7.0)].astype(np.float32))
    for name in ("same", "constant"):
        done = audiogmm("train", f"{name}.npy", "-o", f"{name}.agmm", "-k", 2)
        assert done.status == 0, done.err
        assert "constant features" in done.out
        scored = audiogmm("score", f"{name}.agmm", f"{name}.npy", "-o", f"{name}-scores")
        assert scored.status == 0, scored.err
        assert np.isfinite(arrays(f"{name}-scores/{name}.npz")["scores"]).all()


def test_a_strange_model_file(model: Path, workshop: Path, audiogmm: Audiogmm) -> None:
    import pickle

    from safetensors.numpy import save_file

    content = model.read_bytes()
    document, tensors = container.read(model)
    Path("cut.agmm").write_bytes(content[: len(content) // 2])
    Path("pickle.agmm").write_bytes(pickle.dumps({"weights": 1}))
    Path("newer.agmm").write_bytes(container.pack(tensors, document | {"format_version": 9}))
    save_file({"weight": np.zeros(3, np.float32)}, "other.agmm")
    told = {"cut": "truncated", "pickle": "pickle", "newer": "9", "other": "other.agmm", "gone": "gone.agmm"}
    for name, word in told.items():
        done = audiogmm("info", f"{name}.agmm")
        assert done.status == 1, name
        assert word in done.err, done.err


def test_the_wrong_sample_rate(model: Path, workshop: Path, audiogmm: Audiogmm) -> None:
    noise(Path("low.wav"), rate=8000)
    done = audiogmm("score", model, "low.wav", "-o", "scores")
    assert done.status == 3
    reason = Path("scores.errors.jsonl").read_text()
    assert "8000" in reason and "16000" in reason and "--upsample" in reason
    assert audiogmm("score", model, "low.wav", "-o", "up", "--upsample").status == 0
    noise(Path("high.wav"), rate=44100)
    down = audiogmm("score", model, "high.wav", "-o", "down")
    assert down.status == 0
    assert "44100 Hz is resampled to 16000 Hz" in down.err


def test_an_output_that_cannot_be_written(model: Path, workshop: Path, audiogmm: Audiogmm) -> None:
    Path("file").write_text("not a folder")
    for command in (
        ["score", model, "test.jsonl"],
        ["detect", model, "test.jsonl"],
        ["train", "train.jsonl"],
    ):
        done = audiogmm(*command, "-o", "file/inside.jsonl")
        assert done.status == 1
        assert "file/inside.jsonl cannot be written" in done.err
    kept = audiogmm("score", model, "test.jsonl", "-o", "file")
    assert kept.status == 1 and "--force" in kept.err
    assert Path("file").read_text() == "not a folder"


def test_a_full_disk_leaves_no_half_file(workshop: Path) -> None:
    noise(Path("long.wav"), seconds=60)
    code = (
        "import resource, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); "
        "resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000)); "
        "from audiogmm.cli.main import main; main(sys.argv[1:])"
    )
    command = ["train", "long.wav", "-o", "m.agmm", *map(str, SMALL)]
    done = subprocess.run([sys.executable, "-c", code, *command], capture_output=True, text=True)
    assert done.returncode == 1, done.stderr
    assert "cannot be written" in done.stderr or "File too large" in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(Path().glob("*m.agmm*"))


@pytest.mark.parametrize("command", ["score", "features"])
def test_a_full_disk_stops_a_batch_and_blames_no_recording(model: Path, workshop: Path, command: str) -> None:
    code = (
        "import resource, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); "
        "from audiogmm.jobs import features, score; "
        "resource.setrlimit(resource.RLIMIT_FSIZE, (3_000, 3_000)); "
        "from audiogmm.cli.main import main; main(sys.argv[1:])"
    )
    call = ["score", str(model), "train.jsonl"] if command == "score" else ["features", "train.jsonl"]
    done = subprocess.run([sys.executable, "-c", code, *call, "-o", "out"], capture_output=True, text=True)
    assert done.returncode == 1, done.stderr
    assert "cannot be" in done.stderr
    assert "Traceback" not in done.stderr
    assert not Path("out.errors.jsonl").exists()
    assert not list(Path("out").rglob("*.npz"))


def test_ctrl_c_in_training_keeps_what_is_done(workshop: Path) -> None:
    call = [sys.executable, "-m", "audiogmm"]
    options = ["train", "train.jsonl", "-o", "m.agmm", "-k", "32", "--preset", "ambient", "--hold-out", "0"]
    options += ["--passes", "9999", "--tol", "0"]
    running = subprocess.Popen([*call, *options], stderr=subprocess.PIPE, text=True, preexec_fn=hear_ctrl_c)
    deadline = time.monotonic() + 120
    while not list(Path().glob("m.agmm.checkpoint.all")) and time.monotonic() < deadline:
        assert running.poll() is None, running.stderr and running.stderr.read()
        time.sleep(0.05)
    running.send_signal(2)
    _, told = running.communicate(timeout=60)
    assert running.returncode == 130, told
    assert "interrupted after" in told and "--resume" in told
    assert "Traceback" not in told
    assert not Path("m.agmm").exists()
    reached = int(told.partition("interrupted after ")[2].split()[0])
    more = [*options, "--resume"]
    more[more.index("9999")] = str(reached + 2)
    done = subprocess.run([*call, *more, "--json"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["passes"] == reached + 2
    assert not list(Path().glob("m.agmm.checkpoint*"))


@pytest.mark.parametrize(
    ("command", "told"),
    [("features", "continues from there"), ("cluster", "--resume"), ("calibrate", "--resume")],
)
def test_ctrl_c_says_how_to_go_on(
    model: Path, workshop: Path, audiogmm: Audiogmm, monkeypatch: pytest.MonkeyPatch, command: str, told: str
) -> None:
    from audiogmm.audio.recording import Recording

    def stop(_: object) -> None:
        raise KeyboardInterrupt

    before = audiogmm("info", model).out
    monkeypatch.setattr(Recording, "__iter__", stop)
    call = ["features", "train.jsonl"] if command == "features" else [command, model, "train.jsonl"]
    done = audiogmm(*call, "-o", "out", "--threads", 1)
    assert done.status == 130
    assert told in done.err
    assert audiogmm("info", model).out == before


def test_the_first_reasons_are_told_at_once(model: Path, workshop: Path, audiogmm: Audiogmm) -> None:
    for i in range(5):
        Path(f"bad{i}.wav").write_text("no audio")
    manifest(Path("bad.jsonl"), *({"audio_filepath": f"bad{i}.wav"} for i in range(5)))
    done = audiogmm("score", model, "bad.jsonl", "-o", "scores")
    assert done.status == 3
    assert "5 inputs were set aside" in done.err
    assert "bad0: " in done.err and "bad2.wav is not audio" in done.err and "bad3" not in done.err


def test_a_long_job_knows_how_much_there_is(workshop: Path, audiogmm: Audiogmm, tmp_path: Path) -> None:
    from audiogmm.runs.aside import Aside
    from audiogmm.runs.inputs import Inputs, read_entries
    from audiogmm.runs.progress import say_nothing

    def extent(source: str) -> tuple[float, str]:
        found = Inputs(read_entries(source, Aside()), None, Aside(), say_nothing).extent()
        return round(found.total * 3600, 3), found.unit

    assert extent("train.jsonl") == (36.0, "h of audio")
    rows = [json.loads(line) for line in Path("train.jsonl").read_text().splitlines()]
    assert Inputs(read_entries("train.jsonl", Aside()), None, Aside(), say_nothing).extent().hours == 0.01
    del rows[2]["duration"]
    manifest(Path("some.jsonl"), *rows)
    assert extent("some.jsonl") == (6 * 3600, "recordings")
    assert audiogmm("manifest", "scan", "train", "-o", "scanned.jsonl").status == 0
    assert extent("scanned.jsonl") == (36.0, "h of audio")


def test_v_logs_every_pass_and_every_input_set_aside(
    workshop: Path, audiogmm: Audiogmm, caplog: pytest.LogCaptureFixture
) -> None:
    Path("bad.wav").write_text("no audio")
    rows = [json.loads(line) for line in Path("train.jsonl").read_text().splitlines()]
    manifest(Path("mixed.jsonl"), *rows, {"audio_filepath": "bad.wav"})
    with caplog.at_level("INFO", logger="audiogmm"):
        assert audiogmm("train", "mixed.jsonl", "-o", "m.agmm", *SMALL, "-v").status == 3
    assert sum("training, pass" in message for message in caplog.messages) == 3
    assert any("bad is set aside" in message for message in caplog.messages)


@pytest.mark.parametrize("folder", [[], ["--checkpoint", "kept"]])
def test_a_resumed_training_gives_the_same_bytes(
    workshop: Path, audiogmm: Audiogmm, monkeypatch: pytest.MonkeyPatch, folder: list[str]
) -> None:
    from audiogmm.mixture.store import Model
    from audiogmm.training import checkpoint_file

    monkeypatch.setattr(checkpoint_file, "SHARE", float("inf"))
    options = ["train", "train.jsonl", "-k", 4, "--preset", "ambient", "--passes", 3, "--tol", 0, "--ledger"]
    assert audiogmm(*options, "-o", "whole.agmm").status == 0
    options += ["-o", "m.agmm", *folder]
    save, files = Model.save, {"m.agmm.checkpoint.turn1", "m.agmm.checkpoint.all", "m.agmm.checkpoint.begun"}

    def killed_after_saving(model: Model, path: Path, *, force: bool = False) -> None:
        save(model, path, force=force)
        raise MemoryError

    def killed_before_saving(model: Model, path: Path, *, force: bool = False) -> None:
        raise MemoryError  # the ledger is in place

    for killed in (killed_before_saving, killed_after_saving):
        monkeypatch.setattr(Model, "save", killed)
        audiogmm(*options, "--resume")
        assert files <= {file.name for file in Path("kept" if folder else ".").iterdir()}
        assert audiogmm(*options).status == 1  # without --resume, nothing is replaced
    monkeypatch.setattr(Model, "save", save)
    done = audiogmm(*options, "--resume")
    assert done.status == 0, done.err
    assert Path("m.agmm").read_bytes() == Path("whole.agmm").read_bytes()
    for file in Path("whole.agmm.ledger").iterdir():
        assert (Path("m.agmm.ledger") / file.name).read_bytes() == file.read_bytes()
    assert not list(Path().rglob("*checkpoint*"))
    assert audiogmm(*options, "--resume").status == 1  # the model is there, and no run has to go on


def test_a_scoring_run_goes_on_where_it_stopped(
    model: Path, workshop: Path, audiogmm: Audiogmm, monkeypatch: pytest.MonkeyPatch
) -> None:
    from audiogmm.jobs.score import ScoreTask

    whole = audiogmm("score", model, "train.jsonl", "-o", "whole")
    assert whole.status == 0
    scored: list[str] = []
    plain = ScoreTask.__call__

    def stopping(task: ScoreTask, shard: object) -> object:
        if len(scored) == 3:
            raise KeyboardInterrupt
        scored.append(shard.id)  # type: ignore[attr-defined]
        return plain(task, shard)  # type: ignore[arg-type]

    monkeypatch.setattr(ScoreTask, "__call__", stopping)
    stopped = audiogmm("score", model, "train.jsonl", "-o", "scores", "--threads", 1)
    assert stopped.status == 130
    assert "3 recordings" in stopped.err and "--resume" in stopped.err
    monkeypatch.setattr(ScoreTask, "__call__", lambda t, s: scored.append(s.id) or plain(t, s))
    done = audiogmm("score", model, "train.jsonl", "-o", "scores", "--resume", "--threads", 1)
    assert done.status == 0, done.err
    assert len(scored) == len(set(scored)) == 6
    for track in Path("whole").iterdir():
        assert (Path("scores") / track.name).read_bytes() == track.read_bytes()


def test_the_same_model_for_any_number_of_threads_and_workers(workshop: Path, audiogmm: Audiogmm) -> None:
    options = ["train", "train.jsonl", "-k", 4, "--preset", "ambient", "--passes", 4]
    for name, extra in (("one", ["--threads", 1]), ("seven", ["--threads", 7]), ("procs", ["--workers", 2])):
        done = audiogmm(*options, "-o", f"{name}.agmm", *extra)
        assert done.status == 0, done.err
    assert Path("one.agmm").read_bytes() == Path("seven.agmm").read_bytes()
    assert Path("one.agmm").read_bytes() == Path("procs.agmm").read_bytes()


def test_the_frame_cache_stands_for_the_manifest(workshop: Path, audiogmm: Audiogmm) -> None:
    assert audiogmm("features", "train.jsonl", "--preset", "ambient", "-o", "frames").status == 0
    for name, source in (("direct", "train.jsonl"), ("cached", "frames")):
        done = audiogmm("train", source, "-o", f"{name}.agmm", *SMALL)
        assert done.status == 0, done.err
    from audiogmm.mixture.store import load

    direct, cached = load(Path("direct.agmm")), load(Path("cached.agmm"))
    assert direct.mixture == cached.mixture
    refused = audiogmm("train", "frames", "-o", "x.agmm", "-k", 2, "--preset", "speech")
    assert refused.status == 1
    assert "another front end" in refused.err and "n_mels: 40 != 30" in refused.err


def test_standard_input_is_scored_as_a_file_is(model: Path, workshop: Path) -> None:
    name = json.loads(Path("test.jsonl").read_text().splitlines()[1])["audio_filepath"]
    call = [sys.executable, "-m", "audiogmm"]
    content = Path(name).read_bytes()
    unknown = content[:40] + b"\xff\xff\xff\xff" + content[44:]  # as ffmpeg writes to a pipe
    for source, given in (("-", unknown), (name, None)):
        output = "piped" if source == "-" else "filed"
        detect = ["detect", "-o", f"{output}.csv", "--quantile", "0.9"]
        for command in (["score", "-o", f"{output}-scores"], detect):
            done = subprocess.run(
                [*call, command[0], str(model), source, *command[1:]], input=given, capture_output=True
            )
            assert done.returncode == 0, done.stderr
    piped, filed = arrays("piped-scores/stdin.npz"), arrays(f"filed-scores/{Path(name).stem}.npz")
    for key in ("scores", "times", "voiced"):
        assert piped[key].tobytes() == filed[key].tobytes()
    columns = [
        [line.split(",")[2:] for line in Path(f"{output}.csv").read_text().splitlines()]
        for output in ("piped", "filed")
    ]
    assert columns[0] == columns[1]
    assert len(columns[0]) > 1


def test_training_and_drawing_from_standard_input(workshop: Path) -> None:
    name = json.loads(Path("train.jsonl").read_text().splitlines()[0])["audio_filepath"]
    content = Path(name).read_bytes()
    call = [sys.executable, "-m", "audiogmm"]
    for command in (
        ["train", "-", "--preset", "ambient", "-k", "2", "-o", "piped.agmm"],
        ["detect", "piped.agmm", "-", "-o", "events.jsonl", "--plot", "heard.png"],
    ):
        done = subprocess.run([*call, *command], input=content, capture_output=True)
        assert done.returncode == 0, done.stderr
    assert Path("heard.png").stat().st_size > 5000


def test_resume_never_overwrites_what_it_did_not_begin(
    model: Path, workshop: Path, audiogmm: Audiogmm
) -> None:
    assert audiogmm("score", model, "test.jsonl", "-o", "scores").status == 0
    track = next(Path("scores").glob("*.npz"))
    before = track.read_bytes()
    assert audiogmm("train", "test.jsonl", "-o", "other.agmm", *SMALL).status == 0
    done = audiogmm("score", "other.agmm", "test.jsonl", "-o", "scores", "--resume")
    assert done.status == 1
    assert "--force" in done.err
    assert track.read_bytes() == before


def test_a_dead_microphone_is_an_event(model: Path, workshop: Path, audiogmm: Audiogmm) -> None:
    name = json.loads(Path("test.jsonl").read_text().splitlines()[0])["audio_filepath"]
    samples, rate = soundfile.read(name)
    samples[2 * rate : 4 * rate] = 0
    soundfile.write("gap.wav", samples, rate)
    soundfile.write("dead.wav", np.zeros(5 * rate), rate)
    for recording, start, end in (("gap.wav", 2.0, 4.0), ("dead.wav", 0.0, 5.0)):
        done = audiogmm("detect", model, recording, "-o", "dead.jsonl", "--force")
        assert done.status == 0, done.err
        events = [json.loads(line) for line in Path("dead.jsonl").read_text().splitlines()]
        assert any(e["start"] <= start + 0.1 and e["end"] >= end - 0.1 for e in events), events


def test_a_strange_entry_does_not_end_a_batch(model: Path, workshop: Path, audiogmm: Audiogmm) -> None:
    good = [json.loads(line) for line in Path("test.jsonl").read_text().splitlines()]
    name = good[0]["audio_filepath"]
    odd = os.fsdecode(b"caf\xe9.wav")
    Path(odd).write_bytes(Path(name).read_bytes())
    manifest(
        Path("odd.jsonl"),
        *good,
        {"audio_filepath": "a\0b.wav", "id": "null"},
        {"audio_filepath": name, "id": "far", "offset": 1e308},
        {"audio_filepath": name, "id": "long", "duration": 1e308},
    )
    done = audiogmm("score", model, "odd.jsonl", "-o", "scores", "--json")
    assert done.status == 3, done.err
    assert done.json["recordings"] == len(good)
    assert done.json["set_aside"] == 3
    assert audiogmm("score", model, odd, "-o", "latin").status == 0


def test_sigterm_is_taken_like_ctrl_c(workshop: Path) -> None:
    options = ["train", "train.jsonl", "-o", "m.agmm", "-k", "32", "--preset", "ambient", "--hold-out", "0"]
    spools = Path(tempfile.mkdtemp(prefix="at"))  # short: the workers' sockets lie there
    running = subprocess.Popen(
        [sys.executable, "-m", "audiogmm", *options, "--passes", "400", "--tol", "0", "--workers", "2"],
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"TMPDIR": str(spools)},
    )
    deadline = time.monotonic() + 120
    while not list(Path().glob("m.agmm.checkpoint.all")) and time.monotonic() < deadline:
        assert running.poll() is None, running.stderr and running.stderr.read()
        time.sleep(0.05)
    running.terminate()
    _, told = running.communicate(timeout=60)  # ends only when no worker holds the pipe
    assert running.returncode == 130, told
    assert "--resume" in told
    assert not list(spools.glob("audiogmm-*"))
    shutil.rmtree(spools)


def test_a_resumed_run_takes_only_what_still_is(
    model: Path, workshop: Path, audiogmm: Audiogmm, monkeypatch: pytest.MonkeyPatch
) -> None:
    from audiogmm.jobs.score import ScoreTask

    plain, seen = ScoreTask.__call__, []

    def stopping(task: ScoreTask, shard: object) -> object:
        if len(seen) == 4:
            raise KeyboardInterrupt
        seen.append(shard.id)  # type: ignore[attr-defined]
        return plain(task, shard)  # type: ignore[arg-type]

    rows = [json.loads(line) for line in Path("train.jsonl").read_text().splitlines()]
    monkeypatch.setattr(ScoreTask, "__call__", stopping)
    assert audiogmm("score", model, "train.jsonl", "-o", "scores", "--threads", 1).status == 130
    assert seen == [row["id"] for row in rows[:4]]
    monkeypatch.setattr(ScoreTask, "__call__", plain)
    noise(Path(rows[0]["audio_filepath"]), seconds=6.0)  # another recording under the same name
    before = Path("scores", f"{rows[0]['id']}.npz").read_bytes()
    Path("scores", f"{rows[1]['id']}.npz").unlink()
    manifest(Path("fewer.jsonl"), *rows[:3])
    done = audiogmm("score", model, "fewer.jsonl", "-o", "scores", "--resume", "--json")
    assert done.json["recordings"] == 3
    found = [json.loads(line) for line in Path("scores/summary.jsonl").read_text().splitlines()]
    assert sorted(row["id"] for row in found) == sorted(row["id"] for row in rows[:3])
    assert Path("scores", f"{rows[0]['id']}.npz").read_bytes() != before
    assert Path("scores", f"{rows[1]['id']}.npz").exists()


def test_an_output_that_would_be_lost_or_late_is_refused_first(
    model: Path, workshop: Path, audiogmm: Audiogmm
) -> None:
    before = Path("train.jsonl").read_bytes()
    assert "is the input" in audiogmm("train", "train.jsonl", "-o", "train.jsonl", "--force", *SMALL).err
    assert Path("train.jsonl").read_bytes() == before
    Path("folder").mkdir()
    assert "folder is a folder" in audiogmm("train", "train.jsonl", "-o", "folder", *SMALL).err
    Path("there.png").write_text("kept")
    for picture, status, told in (("there.png", 1, "--force"), ("p.gif", 2, ".png")):
        done = audiogmm("detect", model, "test.jsonl", "-o", "events.jsonl", "--plot", picture)
        assert done.status == status and told in done.err
        assert not Path("events.jsonl").exists()


def test_force_leaves_no_track_of_an_earlier_run(model: Path, workshop: Path, audiogmm: Audiogmm) -> None:
    assert audiogmm("score", model, "train.jsonl", "-o", "scores").status == 0
    Path("scores/mine.npz").write_bytes(b"not ours")
    assert audiogmm("score", model, "test.jsonl", "-o", "scores", "--force").status == 0
    tracks = {path.stem for path in Path("scores").glob("*.npz")}
    rows = [json.loads(line) for line in Path("scores/summary.jsonl").read_text().splitlines()]
    assert tracks == {row["id"] for row in rows} | {"mine"}


def test_two_runs_do_not_share_an_output(model: Path, workshop: Path, audiogmm: Audiogmm) -> None:
    from audiogmm.runs.journal import Journal

    Path("scores").mkdir()
    with Journal(Path("scores"), key="another run"):
        done = audiogmm("score", model, "test.jsonl", "-o", "scores", "--force")
        assert done.status == 1
        assert "another run is writing scores" in done.err
    assert audiogmm("score", model, "test.jsonl", "-o", "scores", "--force").status == 0


def test_the_first_command_says_that_it_compiles(
    model: Path, workshop: Path, audiogmm: Audiogmm, monkeypatch: pytest.MonkeyPatch
) -> None:
    call = ["score", model, "test.jsonl", "-o", "scores", "--force"]
    assert "compiling" not in audiogmm(*call).err
    empty = workshop / "empty"
    empty.mkdir()
    monkeypatch.setattr("audiogmm.kernels.compiled._folders", lambda *_: [empty])
    monkeypatch.setattr("audiogmm.kernels.compile_lock._ANNOUNCED", set())  # it is said once in a process
    assert "compiling, the first time" in audiogmm(*call).err


def test_wrong_usage_has_status_two(audiogmm: Audiogmm) -> None:
    assert audiogmm("train").status == 2
    assert audiogmm("nonsense").status == 2
    assert audiogmm("train", "a.jsonl", "-o", "b", "-k", 0).status == 2
    assert audiogmm("train", "a.jsonl", "-o", "b", "--covariance", "round").status == 2
    assert audiogmm("detect", "m.agmm", "a.jsonl", "-o", "e.jsonl", "--window", "1e9").status == 2
    done = audiogmm("train", "a.jsonl", "-o", "b", "--preset", "kaldi", "--frontend", "f.toml")
    assert done.status == 2 and "one front end" in done.err


def test_a_pipe_in_place_of_a_manifest_is_refused(model: Path, workshop: Path, audiogmm: Audiogmm) -> None:
    os.mkfifo("pipe")
    done = audiogmm("score", model, "pipe", "-o", "scores")
    assert done.status == 1
    assert "pipe is a pipe" in done.err and "standard input" in done.err


def test_a_short_recording_is_not_set_aside_for_its_last_fifth(workshop: Path, audiogmm: Audiogmm) -> None:
    np.save("three.npy", np.eye(3, dtype=np.float32))
    done = audiogmm("train", "three.npy", "-o", "m.agmm", "-k", 2)
    assert done.status == 0, done.err
    assert "calibrate" in done.out
    Path("quoted.csv").write_text('"a","b"\n"1","2"\n"3","4"\n"5","7"\n')
    assert audiogmm("train", "quoted.csv", "-o", "q.agmm", "-k", 1, "--hold-out", 0).status == 0


def test_a_path_that_is_not_there(workshop: Path, audiogmm: Audiogmm) -> None:
    done = audiogmm("train", "gone.jsonl", "-o", "m.agmm")
    assert done.status == 1
    assert "gone.jsonl" in done.err
    done = audiogmm("detect", "gone.agmm", "test.jsonl", "-o", "e.jsonl")
    assert done.status == 1
    assert "gone.agmm" in done.err


def test_detect_without_normal_scores_says_what_to_do(workshop: Path, audiogmm: Audiogmm) -> None:
    assert audiogmm("train", "train.jsonl", "-o", "m.agmm", *SMALL).status == 0
    done = audiogmm("detect", "m.agmm", "test.jsonl", "-o", "events.jsonl")
    assert done.status == 1
    assert "calibrate" in done.err


@pytest.mark.parametrize("suffix", [".jsonl", ".csv", ".rttm", ".txt"])
def test_events_in_every_format(model: Path, workshop: Path, audiogmm: Audiogmm, suffix: str) -> None:
    from audiogmm.anomaly.formats import read_events

    done = audiogmm("detect", model, "test.jsonl", "-o", f"events{suffix}", "--quantile", 0.9, "--json")
    assert done.status == 0, done.err
    found = list(read_events(Path(f"events{suffix}")))
    assert len(found) == done.json["events"]
    assert found and all(event.end > event.start for event in found)


def test_a_slip_of_the_hand_in_a_command_is_answered_with_the_command(audiogmm: Audiogmm) -> None:
    done = audiogmm("trian", "x")
    assert done.status == 2
    assert "No such command 'trian'. Did you mean 'train'?" in done.err
    assert "Did you mean" not in audiogmm("zzz").err
