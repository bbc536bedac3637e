"""A small workshop of recordings."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from audiogmm.synth import make_scenes, write_corpus


@pytest.fixture(scope="session")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Recordings of one synthesised site: `train/`, `test/`, `train.jsonl`, `test.jsonl`."""
    folder = tmp_path_factory.mktemp("corpus") / "site"
    one_site = (r for r in make_scenes(seed=1, train=6, test=2, duration=6.0) if r.site == "fan")
    write_corpus(folder, one_site)
    return folder


@pytest.fixture
def workshop(recordings: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the recordings, in the working folder."""
    folder = tmp_path / "work"
    shutil.copytree(recordings, folder)
    monkeypatch.chdir(folder)
    return folder
