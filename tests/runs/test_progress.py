"""What a caller in Python is told: notes on standard error, what is set aside, bars where they are wanted."""

from __future__ import annotations

import logging
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

import audiogmm as ag
from audiogmm.errors import AudioGMMError
from audiogmm.runs.aside import Aside
from audiogmm.runs.bar import NotebookBar, TerminalBar
from audiogmm.runs.progress import Notes, Silent, progress_of
from tests.live.rooms import RATE, model, room


@pytest.fixture
def clipped(tmp_path: Path) -> Path:
    soundfile.write(tmp_path / "loud.wav", np.clip(40 * room(2.0), -1, 1), RATE)
    return tmp_path / "loud.wav"


def test_a_note_is_logged_once(clipped: Path, caplog: pytest.LogCaptureFixture) -> None:
    ag.score(model(), clipped)
    (note,) = (record for record in caplog.records if "clipped" in record.message)
    assert note.name == "audiogmm" and note.levelno == logging.WARNING and "loud.wav" in note.message
    caplog.clear()
    progress = progress_of(None)
    progress.say("twice")
    progress.say("twice")
    assert caplog.messages == ["twice"] and isinstance(progress, Notes)


def test_recordings_set_aside_are_seen(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    entries = []
    for number in range(6):
        soundfile.write(tmp_path / f"good{number}.wav", room(2.0, number), RATE)
        (tmp_path / f"bad{number}.wav").write_bytes(b"RIFF")
        entries += [ag.Entry(str(tmp_path / f"{kind}{number}.wav")) for kind in ("bad", "good")]
    with pytest.raises(AudioGMMError, match=r"bad0\.wav"):
        ag.train(entries, "ambient", n_components=1, passes=2)
    caplog.clear()
    aside = ag.Aside()
    trained = ag.train(entries, "ambient", n_components=1, passes=2, aside=aside)
    assert trained.metadata.data["n_recordings"] == 6
    assert [row.id for row in aside.rows] == [f"bad{number}" for number in range(6)]
    said = [message for message in caplog.messages if "set aside" in message]
    assert [message.split(" ")[0] for message in said] == ["bad0", "bad1", "bad2", "more"]


def test_a_list_of_what_is_set_aside_is_logged_for_those_who_ask(tmp_path: Path, caplog: object) -> None:
    for quiet in (Aside(tmp_path / "a.errors.jsonl"), Aside(quiet=True)):
        quiet.put("a", "a.wav", AudioGMMError("it is empty"))
    assert caplog.records == []  # type: ignore[attr-defined]


def test_what_is_asked_for_is_shown() -> None:
    own = Silent()
    assert progress_of(own) is own
    assert type(progress_of(False)) is Silent
    assert isinstance(progress_of(True)._bar, TerminalBar)  # type: ignore[attr-defined]


def test_a_plain_script_prints_notes_on_standard_error() -> None:
    script = "from audiogmm.runs.progress import progress_of; progress_of(None).say('a.wav is clipped')"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("", "a.wav is clipped\n")


def test_a_bar_of_a_notebook_escapes_names_and_counts() -> None:
    bar = NotebookBar()
    shown: list[str] = []
    bar._show = shown.append  # type: ignore[method-assign]
    bar.begin("training <b>", None, "frames")
    bar.advance(1500, "pass 1")
    assert shown[0] == '<div><progress max="1"></progress> training &lt;b&gt;</div>'
    assert shown[1].endswith("training &lt;b&gt;: 1,500 frames pass 1</div>")
