"""The content hash of a file does not depend on how a disk gives it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from audiogmm.content_hash import hash_blocks


@pytest.mark.parametrize("size", [300, 102_400])
def test_a_read_that_falls_short_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    (tmp_path / "a").write_bytes((bytes(range(256)) * 400)[:size])
    whole, read = hash_blocks(tmp_path / "a"), os.read
    monkeypatch.setattr(os, "read", lambda file, size: read(file, min(size, 7)))
    assert hash_blocks(tmp_path / "a") == whole
