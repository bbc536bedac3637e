"""The metrics of a run: Prometheus can read them, they say what was done, and never stop a run."""

from __future__ import annotations

import errno
import json
import logging
import math
import time
from pathlib import Path
from typing import Any

import pytest

from audiogmm.cli.main import COMMANDS
from audiogmm.cli.metrics import HELP, Metrics, render
from audiogmm.errors import OutputError
from audiogmm.run_id import run_id
from audiogmm.telemetry import meter
from tests.cli.calls import Audiogmm
from tests.test_verbs import LEAVES

LONG = (
    *("train", "features", "score", "detect", "verify", "identify"),
    *("enroll", "cluster", "select", "calibrate", "update", "stream"),
)


def samples(text: str) -> dict[tuple[str, str], float]:
    """Each sample by its name and its state, as a plain reader takes it."""
    found = {}
    for line in text.splitlines():
        if not line.startswith("#"):
            name, _, rest = line.partition("{")
            labels, _, value = rest.rpartition("} ")
            found[name, labels.partition('state="')[2].rstrip('"')] = float(value)
    return found


def parsed(text: str) -> dict[str, Any]:
    parser = pytest.importorskip("prometheus_client.parser", reason="prometheus_client is not installed")
    return {family.name: family for family in parser.text_string_to_metric_families(text)}


@pytest.mark.parametrize("command", COMMANDS)
def test_long_runs_have_them(command: str) -> None:
    if command in LEAVES:
        has = any(option.name == "metrics" for option in LEAVES[command].params)
        assert has or command not in LONG


def test_a_run_says_what_it_did(workshop: Path, audiogmm: Audiogmm) -> None:
    Path("bad.wav").write_text("no audio")
    rows = Path("train.jsonl").read_text()
    Path("some.jsonl").write_text(rows + json.dumps({"audio_filepath": "bad.wav", "id": "bad"}) + "\n")
    small = ["--preset", "ambient", "-k", 2, "--passes", 3, "--tol", 0]
    done = audiogmm(
        "train", "some.jsonl", *small, "--hold-out", 0, "-o", "m.agmm", "--metrics", "train.prom", "--json"
    )
    assert done.status == 3, done.err
    found = samples(Path("train.prom").read_text())
    assert found["audiogmm_recordings_total", "set_aside"] == 1
    assert found["audiogmm_pass", ""] == 3
    assert found["audiogmm_log_likelihood", ""] == pytest.approx(done.json["log_likelihood"], abs=1e-6)
    assert found["audiogmm_run_finished", ""] == 1 and found["audiogmm_exit_status", ""] == 3
    assert (
        found["audiogmm_last_update_timestamp_seconds", ""]
        >= found["audiogmm_run_start_timestamp_seconds", ""]
    )

    score = audiogmm("score", "m.agmm", "some.jsonl", "-o", "scores", "--metrics", "score.prom", "--json")
    found = samples(Path("score.prom").read_text())
    rows = [json.loads(line) for line in Path("scores/summary.jsonl").read_text().splitlines()]
    assert found["audiogmm_recordings_total", "done"] == len(rows) == score.json["recordings"]
    assert found["audiogmm_frames_total", ""] == sum(row["frames"] for row in rows)
    assert found["audiogmm_audio_seconds_total", ""] == pytest.approx(
        sum(row["duration"] for row in rows), 0.02
    )
    assert found["audiogmm_frames_per_second", ""] > 0
    assert ("audiogmm_log_likelihood", "") not in found  # that of another run
    assert not list(Path().glob(".*")), "a temporary file or a lock is left"


def test_prometheus_reads_them(workshop: Path, audiogmm: Audiogmm) -> None:
    folder = Path('odd "name"\\ of\n a folder')
    folder.mkdir()
    path = folder / 'a"b\\c\nd.prom'
    assert (
        audiogmm(
            "train",
            "train.jsonl",
            "--hold-out",
            0,
            "--preset",
            "ambient",
            "-k",
            2,
            "-o",
            "m.agmm",
            "--metrics",
            path,
        ).status
        == 0
    )
    found = parsed(path.read_text())
    of_run = found["audiogmm_run_info"].samples[0].labels
    assert of_run == {"name": path.stem, "run": run_id(), "command": "train", "version": of_run["version"]}
    for name, (kind, about) in HELP.items():
        family = found.get(name.removesuffix("_total") if kind == "counter" else name)
        assert family is None or (family.type, family.documentation) == (kind, about)
    assert {sample.labels["name"] for family in found.values() for sample in family.samples} == {path.stem}


def test_labels_and_values_are_written_as_the_format_has_them() -> None:
    text = render([("audiogmm_stage_info", {"stage": 'a\\b"c\nd \udcff'}, math.inf)], "n")
    assert text.splitlines()[-1] == r'audiogmm_stage_info{name="n",stage="a\\b\"c\nd \\udcff"} +Inf'
    for value, written in ((math.nan, "NaN"), (-math.inf, "-Inf"), (3, "3"), (0.25, "0.25")):
        assert render([("audiogmm_pass", {}, value)], "n").endswith(f"}} {written}\n")


def test_a_stage_and_its_share_are_there_while_it_runs(tmp_path: Path) -> None:
    from audiogmm.cli.console import console

    metrics = Metrics(tmp_path / "a.prom", "score")
    with console() as screen:
        screen.begin("scoring", 8.0, "recordings")
        screen.advance(2.0)
        metrics.write()
        text = (tmp_path / "a.prom").read_text()
    assert 'audiogmm_stage_info{name="a",stage="scoring"} 1' in text
    assert samples(text)["audiogmm_progress_ratio", ""] == 0.25
    assert samples(text)["audiogmm_run_finished", ""] == 0
    assert ("audiogmm_exit_status", "") not in samples(text)
    metrics.finish(0)
    assert "audiogmm_progress_ratio" not in (tmp_path / "a.prom").read_text()


def test_they_are_written_while_the_run_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "a.prom"
    metrics = Metrics(path, "score", every=0.001)
    meter.count_done(events=5)
    deadline = time.monotonic() + 60
    try:
        while (found := samples(path.read_text())["audiogmm_events_total", ""]) != 5:
            assert time.monotonic() < deadline, found
    finally:
        metrics.finish(0)


def test_no_progress_is_seen(tmp_path: Path) -> None:
    metrics = Metrics(tmp_path / "a.prom", "score", every=1e6)

    def progressed() -> float:
        metrics.write()
        return samples((tmp_path / "a.prom").read_text())["audiogmm_last_progress_timestamp_seconds", ""]

    first = progressed()
    assert progressed() == first
    meter.count_done(frames=1)
    assert progressed() > first
    metrics.finish(0)


def test_a_full_disk_is_said_once_and_the_run_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    metrics = Metrics(tmp_path / "a.prom", "score", every=1e6)
    before = (tmp_path / "a.prom").read_text()

    def fail(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as full, caplog.at_level(logging.WARNING, "audiogmm"):
        full.setattr(Path, "write_text", fail)
        metrics.write()
        metrics.write()
    assert sorted(file.name for file in tmp_path.iterdir()) == [".a.prom.lock", "a.prom"]
    (said,) = caplog.messages
    assert "a.prom cannot be written: No space left on device; the run goes on" in said
    assert (tmp_path / "a.prom").read_text() == before
    metrics.finish(0)  # there is room again
    assert samples((tmp_path / "a.prom").read_text())["audiogmm_run_finished", ""] == 1
    assert [file.name for file in tmp_path.iterdir()] == ["a.prom"]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("m.agmm", "m.agmm exists, and holds no metrics of audiogmm; .*; try: another name"),
        ("scores", "scores is a folder"),
        ("nowhere/a.prom", "there is no folder .*nowhere; .*; try: mkdir .*nowhere"),
        ("/dev/null", "/dev/null exists, and holds no metrics"),
    ],
)
def test_nothing_else_is_overwritten(name: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "m.agmm").write_bytes(b"a model")
    (tmp_path / "scores").mkdir()
    with pytest.raises(OutputError, match=said):
        Metrics(tmp_path / name, "score")
    assert (tmp_path / "m.agmm").read_bytes() == b"a model"


def test_two_runs_do_not_share_a_file(tmp_path: Path) -> None:
    metrics = Metrics(tmp_path / "a.prom", "score", every=1e6)
    with pytest.raises(OutputError, match=r"another run is writing .*a.prom"):
        Metrics(tmp_path / "a.prom", "score")
    metrics.finish(0)
    Metrics(tmp_path / "a.prom", "score", every=1e6).finish(0)


def test_a_run_that_fails_says_so(
    tmp_path: Path, audiogmm: Audiogmm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert audiogmm("score", "no.agmm", "no.jsonl", "-o", "scores", "--metrics", "a.prom").status == 1
    found = samples(Path("a.prom").read_text())
    assert found["audiogmm_run_finished", ""] == 1 and found["audiogmm_exit_status", ""] == 1
