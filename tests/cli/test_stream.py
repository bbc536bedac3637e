"""`audiogmm stream` as a process: pipes, signals, readers who are slow or gone, and exit statuses."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

import numpy as np
import pytest
import soundfile

from audiogmm.mixture.store import load
from tests.cli.calls import Audiogmm, hear_ctrl_c
from tests.live.devices import SoundSystem
from tests.live.rooms import RATE, room, saved, with_whistles
from tests.live.streams import open_ended, set_standard_input, wav


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`room.agmm`, `a.wav` with whistles in it, and what `detect` finds there."""
    folder = tmp_path_factory.mktemp("site")
    saved(folder)
    soundfile.write(folder / "a.wav", with_whistles(14.0, (3.0, 6.0, 13.4)), RATE)
    call = ["detect", folder / "room.agmm", folder / "a.wav", "-o", folder / "events.jsonl"]
    subprocess.run([*process(), *map(str, call)], check=True, capture_output=True)
    return folder


def process() -> list[str]:
    return [sys.executable, "-m", "audiogmm"]


def start(*arguments: object) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [*process(), "stream", *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=hear_ctrl_c,
    )


def ended(running: subprocess.Popen[bytes]) -> None:
    """It ended well; all that was open is closed."""
    assert running.stderr is not None
    assert running.wait() == 0, running.stderr.read()
    for pipe in (running.stdin, running.stdout, running.stderr):
        assert pipe is not None
        with suppress(BrokenPipeError):
            pipe.close()


def lines_of(text: str | bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def events_of(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What is told of closed events, but for the names of the recording."""
    named = ("audio_filepath", "id")
    return [
        {k: v for k, v in line["event"].items() if k not in named}
        for line in lines
        if line["type"] == "closed"
    ]


def detected(site: Path) -> list[dict[str, Any]]:
    rows = lines_of((site / "events.jsonl").read_text())
    assert len(rows) >= 3
    return [{k: v for k, v in row.items() if k not in ("audio_filepath", "id")} for row in rows]


def feed(pipe: IO[bytes], content: bytes, seed: int) -> None:
    """Write in pieces that nothing is a multiple of."""
    rng, at = np.random.default_rng(seed), 0
    while at < len(content):
        n = int(rng.integers(1, 20000))
        pipe.write(content[at : at + n])
        pipe.flush()
        at += n


@pytest.mark.parametrize("how", ["wav", "open-ended", "raw"])
def test_standard_input_gives_the_events_of_detect_to_the_last_digit(site: Path, how: str) -> None:
    samples = with_whistles(14.0, (3.0, 6.0, 13.4))
    content = {
        "wav": wav(samples),
        "open-ended": open_ended(wav(samples)),
        "raw": np.round(samples * 32768).astype("<i2").tobytes(),
    }[how]
    more = ["--raw", "s16le:16000:1"] if how == "raw" else []
    running = start(site / "room.agmm", "-", *more)
    assert running.stdin is not None
    feed(running.stdin, content, len(how))
    out, err = running.communicate()
    assert running.returncode == 0, err
    lines = lines_of(out)
    assert events_of(lines) == detected(site)
    assert {line["event"]["id"] for line in lines if line["type"] == "closed"} == {"stdin"}


def test_a_file_gives_the_rows_of_detect(site: Path, audiogmm: Audiogmm) -> None:
    done = audiogmm("stream", site / "room.agmm", site / "a.wav")
    assert done.status == 0
    closed = [line["event"] for line in lines_of(done.out) if line["type"] == "closed"]
    assert closed == lines_of((site / "events.jsonl").read_text())


@pytest.mark.parametrize("threshold", [["--quantile", 0.99], ["--alarms-per-hour", 700]])
def test_the_settings_of_the_detector_are_those_of_detect(
    site: Path, tmp_path: Path, audiogmm: Audiogmm, threshold: list[object]
) -> None:
    how = ["--window", 0.3, *threshold, "--merge-gap", 1, "--min-duration", 0.2, "--no-reasons"]
    assert (
        audiogmm("detect", site / "room.agmm", site / "a.wav", "-o", tmp_path / "e.jsonl", *how).status == 0
    )
    done = audiogmm("stream", site / "room.agmm", site / "a.wav", "--quiet-heartbeat", *how)
    closed = [line["event"] for line in lines_of(done.out) if line["type"] == "closed"]
    assert closed == lines_of((tmp_path / "e.jsonl").read_text())
    assert "heartbeat" not in done.out


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_tells_what_is_under_way_and_ends_well(site: Path, number: int) -> None:
    """In the midst of a whistle: the event that is open is closed by the end."""
    running = start(site / "room.agmm", "-")
    assert running.stdin is not None and running.stdout is not None
    content = open_ended(wav(with_whistles(6.0, (3.0,), length=2.9)))
    running.stdin.write(content)
    running.stdin.flush()
    lines = []
    while "open" not in (line["type"] for line in lines):
        lines.append(json.loads(running.stdout.readline()))
    running.send_signal(number)
    lines += lines_of(running.stdout.read())
    ended(running)
    assert [line["type"] for line in lines if line["type"] != "heartbeat"][-2:] == ["closed", "end"]
    assert lines[-1]["reason"].startswith("stopped")


def test_learning_is_saved_when_a_signal_comes(tmp_path: Path) -> None:
    output = tmp_path / "new.agmm"
    running = start(
        "--learn", "-k", 2, "--cold-start", 5, "--preset", "ambient", "-o", output, "--heartbeat", 5
    )
    assert running.stdin is not None and running.stdout is not None
    running.stdin.write(open_ended(wav(room(20.0))))
    running.stdin.flush()
    types = []
    while types.count("heartbeat") < 3:
        types.append(json.loads(running.stdout.readline())["type"])
    assert "learning" in types and not output.exists()
    running.send_signal(signal.SIGTERM)
    out = running.stdout.read()
    ended(running)
    assert [line["type"] for line in lines_of(out)][-2:] == ["saved", "end"]
    found = load(output)
    assert found.metadata.data["n_frames"] > 1400 and found.metadata.detector is not None


def test_learning_ends_with_its_stream_and_the_model_detects(
    site: Path, tmp_path: Path, audiogmm: Audiogmm, monkeypatch: Any
) -> None:
    set_standard_input(monkeypatch, wav(room(60.0, seed=3)))
    output = tmp_path / "new.agmm"
    call = ["stream", "--learn", "-k", 2, "--preset", "ambient", "-o", output, "--save-every", 0.5]
    assert audiogmm(*call, "-").status == 0
    assert audiogmm("score", output, site / "a.wav", "-o", tmp_path / "scores").status == 0
    assert audiogmm("detect", output, site / "a.wav", "-o", tmp_path / "e.jsonl").status == 0
    found = lines_of((tmp_path / "e.jsonl").read_text())
    assert any(abs(row["start"] - 3.0) < 0.3 for row in found)
    refused = audiogmm(*call, "-")
    assert refused.status == 1 and "new.agmm exists already" in refused.err


def test_a_slow_reader_is_told_what_is_missing(site: Path) -> None:
    """The reader takes nothing until all was heard: heartbeats are counted, and no event is missing."""
    running = start(
        site / "room.agmm", "-", "--emit", "events,scores", "--score-interval", 0.01, "--most-lines", 50
    )
    assert running.stdin is not None and running.stdout is not None
    content = wav(with_whistles(60.0, (3.0, 30.0, 50.0)))
    writer = threading.Thread(target=lambda: (running.stdin.write(content), running.stdin.close()))  # type: ignore[union-attr]
    writer.start()
    writer.join()  # the pipe of lines holds some hundreds of them, and 6,000 are told
    lines = lines_of(running.stdout.read())
    ended(running)
    missing = [line["dropped"] for line in lines if line["type"] == "overflow"]
    assert missing and set().union(*missing) <= {"score", "heartbeat"}
    scores = sum(line["type"] == "score" for line in lines) + sum(d.get("score", 0) for d in missing)
    assert scores == 5998
    assert [line["type"] for line in lines].count("closed") == lines[-1]["events"] >= 3


def test_a_reader_who_goes_ends_it_without_a_traceback(site: Path) -> None:
    running = start(site / "room.agmm", "-", "--emit", "scores")
    assert running.stdin is not None and running.stdout is not None
    running.stdin.write(open_ended(wav(room(2.0))))
    running.stdin.flush()
    assert json.loads(running.stdout.readline())["type"] == "start"
    running.stdout.close()
    with suppress(BrokenPipeError):
        for _ in range(200):
            running.stdin.write(np.zeros(RATE, "<i2").tobytes())
            running.stdin.flush()
    assert running.stderr is not None
    err = running.stderr.read().decode()
    assert running.wait() == 1
    assert "Traceback" not in err and "Exception" not in err
    running.stderr.close()
    with suppress(BrokenPipeError):
        running.stdin.close()


def test_one_bad_input_does_not_end_the_others(site: Path, tmp_path: Path, audiogmm: Audiogmm) -> None:
    bad = tmp_path / "bad.wav"
    bad.write_bytes(b"RIFF and so on, but no wav at all")
    done = audiogmm("stream", site / "room.agmm", bad, site / "a.wav")
    assert done.status == 3
    assert "bad.wav" in done.err
    lines = lines_of(done.out)
    closed = [line["event"] for line in lines if line["type"] == "closed"]
    assert closed == lines_of((site / "events.jsonl").read_text())
    assert [line["input"] for line in lines if "error" in line] == [str(bad)]


def test_several_inputs_are_heard_at_once(site: Path, tmp_path: Path) -> None:
    """A named pipe and standard input, by turns: each waits for the other, so they must be heard together."""
    fifo = tmp_path / "second"
    os.mkfifo(fifo)
    running = start(site / "room.agmm", "-", fifo, "--heartbeat", 1)
    assert running.stdin is not None and running.stdout is not None
    content = open_ended(wav(with_whistles(14.0, (3.0, 6.0, 13.4))))
    heard: dict[str, list[dict[str, Any]]] = {"-": [], str(fifo): []}
    with fifo.open("wb", buffering=0) as second:
        for at in range(0, len(content), 60000):
            for pipe, name in ((running.stdin, "-"), (second, str(fifo))):
                pipe.write(content[at : at + 60000])
                pipe.flush()
                wanted = (at + 60000 - 2000) // 32000  # heartbeats that must have come of this one
                while sum(line["type"] == "heartbeat" for line in heard[name]) < min(wanted, 13):
                    line = json.loads(running.stdout.readline())
                    heard[line["input"]].append(line)
    running.stdin.close()
    for line in lines_of(running.stdout.read()):
        heard[line["input"]].append(line)
    ended(running)
    assert events_of(heard["-"]) == events_of(heard[str(fifo)]) == detected(site)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "standard input is empty"),
        (b"fLaC" + bytes(99), "standard input is not a wav stream: it begins with b'fLaC"),
        (wav(room(1.0))[:20], "ends after 20 bytes, before its samples"),
    ],
)
def test_standard_input_that_is_no_sound(
    site: Path, audiogmm: Audiogmm, monkeypatch: Any, content: bytes, said: str
) -> None:
    set_standard_input(monkeypatch, content)
    done = audiogmm("stream", site / "room.agmm")
    assert done.status == 1
    assert said in done.err


def test_an_end_in_mid_sample_is_told(site: Path, audiogmm: Audiogmm, monkeypatch: Any) -> None:
    set_standard_input(monkeypatch, open_ended(wav(room(1.0))) + b"\x01")
    done = audiogmm("stream", site / "room.agmm")
    assert done.status == 0
    assert lines_of(done.out)[-1]["left_over_bytes"] == 1
    assert "ends in the middle of a sample, after 1 of its 2 bytes" in done.err


def test_a_stream_whose_rate_changes_below_the_models(
    site: Path, audiogmm: Audiogmm, monkeypatch: Any
) -> None:
    set_standard_input(monkeypatch, wav(with_whistles(5.0, (2.0,))) + wav(room(1.0)[::2], 8000))
    done = audiogmm("stream", site / "room.agmm")
    assert done.status == 1
    assert "standard input has a sample rate of 8000 Hz; needed: 16000 Hz" in done.err
    lines = lines_of(done.out)
    assert "closed" in [line["type"] for line in lines]  # what was heard before is told
    assert lines[-1]["type"] == "end" and "8000 Hz" in lines[-1]["error"]


def test_a_microphone_by_its_number(site: Path, audiogmm: Audiogmm, monkeypatch: Any) -> None:
    sound = with_whistles(8.0, (3.0,))

    def then(stream: Any) -> None:
        for at in range(0, len(sound), 1600):
            stream.give(sound[at : at + 1600])
        stream.vanish()

    monkeypatch.setitem(sys.modules, "sounddevice", SoundSystem(then))
    done = audiogmm("stream", site / "room.agmm", "--device", 3, "--exit-on-loss")
    assert done.status == 0, done.err
    lines = lines_of(done.out)
    types = [line["type"] for line in lines]
    assert types[:4] == ["start", "open", "confirmed", "closed"] and types[-2:] == ["lost", "end"]
    assert {line["input"] for line in lines} == {"device:3"}
    monkeypatch.setitem(sys.modules, "sounddevice", SoundSystem(then))
    missing = audiogmm("stream", site / "room.agmm", "--device", 7)
    assert missing.status == 1 and "device:7 is not there" in missing.err


def test_without_sounddevice_the_extra_is_named(site: Path, audiogmm: Audiogmm, monkeypatch: Any) -> None:
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    done = audiogmm("stream", site / "room.agmm", "--device", "default")
    assert done.status == 2
    assert "needs sounddevice, which is not installed: pip install 'audiogmm[live]'" in done.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "a MODEL is needed"),
        (["--learn"], "--learn needs -o"),
        (["--learn", "-o", "x.agmm", "--emit", "scores", "--window", "1"], "--emit, --window cannot go with"),
        (["room.agmm", "-k", "3"], "--components needs --learn"),
        (["room.agmm", "--emit", "colours"], "'colours'"),
        (["room.agmm", "--raw", "mp3:16000"], "'mp3' is not an encoding"),
        (["room.agmm", "--emit", "speakers"], "--gallery DIR"),
    ],
)
def test_wrong_usage(
    site: Path, audiogmm: Audiogmm, monkeypatch: Any, arguments: list[str], said: str
) -> None:
    monkeypatch.chdir(site)
    done = audiogmm("stream", *arguments)
    assert done.status == 2
    assert said in done.err
