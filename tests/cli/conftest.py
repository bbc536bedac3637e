"""A small workshop of recordings, and a way to call the command line without a process."""

from __future__ import annotations

import json
import shutil
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from audiogmm.cli.main import main
from audiogmm.synth import scenes, write_corpus

RATE = 16000


@dataclass(frozen=True)
class Ran:
    """What a call of the command line gave."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, object]:
        """Standard output, which must be one JSON object and nothing else."""
        content = json.loads(self.out)
        assert isinstance(content, dict)
        return content


Audiogmm = Callable[..., Ran]


def hear_ctrl_c() -> None:
    """For a process that is to be interrupted: tests that run in the background are deaf to it, and so it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def arrays(path: Path | str) -> dict[str, np.ndarray]:
    """The arrays of a file, which is closed again."""
    with np.load(path, allow_pickle=False) as file:
        return dict(file)


@pytest.fixture
def audiogmm(capsys: pytest.CaptureFixture[str]) -> Audiogmm:
    """Call the command line in this process."""

    def call(*arguments: object) -> Ran:
        capsys.readouterr()
        with pytest.raises(SystemExit) as stopped:
            main([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        assert isinstance(stopped.value.code, int)
        assert "Traceback" not in err or "-v" in arguments
        return Ran(stopped.value.code, out, err)

    return call


@pytest.fixture(scope="session")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Recordings of one synthesised site: `train/`, `test/`, `train.jsonl`, `test.jsonl`."""
    folder = tmp_path_factory.mktemp("corpus") / "site"
    one_site = (r for r in scenes(seed=1, train=6, test=2, duration=6.0) if r.site == "fan")
    write_corpus(folder, one_site)
    return folder


@pytest.fixture
def workshop(recordings: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the recordings, in the working folder."""
    folder = tmp_path / "work"
    shutil.copytree(recordings, folder)
    monkeypatch.chdir(folder)
    return folder
