"""Small corpora of recordings and of tables."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from audiogmm.synth import make_scenes, write_corpus
from tests.cli.tables import manifest_row


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


@pytest.fixture
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Feature files a to d, e without a frame, one.npy; a manifest a letter, and `all.jsonl` of a to d."""
    monkeypatch.chdir(tmp_path)
    random = np.random.default_rng(0)
    for name, n in (*((name, 400) for name in "abcd"), ("e", 0), ("one", 3)):
        centres = random.normal(size=(max(n, 1), 2)) + 3 * random.integers(0, 2, (max(n, 1), 1))
        np.save(f"{name}.npy", centres[:n].astype(np.float32))
    for name in "abcde":
        Path(f"{name}.jsonl").write_text(manifest_row(name))
    Path("all.jsonl").write_text("".join(map(manifest_row, "abcd")))
    return tmp_path
