"""Power cuts on a disk image: a share of `scripts/check_power.py`."""

from __future__ import annotations

import importlib
import os
import random
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.recorded_disk import NoDiskError, make_disk, mounted, recorded

SCRIPTS = Path(__file__).parent.parent / "scripts"

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="Linux's loop devices and FUSE are needed")


@pytest.fixture
def check_power(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(SCRIPTS))
    return importlib.import_module("check_power")


def checked(check_power: Any, *arguments: Any, **options: Any) -> Any:
    try:
        return check_power.check(*arguments, **options)
    except NoDiskError as error:
        pytest.skip(f"disks cannot be mounted here: {error}")


@pytest.mark.parametrize("system", ["ext4", "xfs"])
def test_a_power_failure_loses_nothing(check_power: Any, system: str) -> None:
    names = ["features", "score"]
    rows = checked(check_power, [system], names, 3, seed=1)
    for name in names:
        row = rows[system, name]
        assert row.faults == []
        assert (row.ended, row.midway, row.lost, row.left, row.same) == (4, 2, 0, 0, 6)


def test_without_syncing_the_check_finds_losses(check_power: Any) -> None:
    row = checked(check_power, ["ext4"], ["score"], 1, unsynced=True)["ext4", "score"]
    assert row.lost > 1000
    assert "summary.jsonl is gone" in "\n".join(row.faults)


def test_the_disk_forgets_what_was_not_flushed(tmp_path: Path) -> None:
    try:
        make_disk(tmp_path / "base", "ext4")
        with recorded(tmp_path / "base", tmp_path / "mounted", tmp_path) as disk:
            (disk.folder / "unsynced").write_bytes(bytes(9000))
            with (disk.folder / "synced").open("wb") as file:
                file.write(b"a" * 9000)
                file.flush()
                os.fsync(file.fileno())
            instant = disk.length()
            (disk.folder / "later").write_bytes(b"b" * 9000)
            os.sync()
            end = disk.length()
    except NoDiskError as error:
        pytest.skip(f"disks cannot be mounted here: {error}")
    assert instant < end
    for lost in (None, random.Random(0)):
        disk.image(tmp_path / "image", instant, lost)
        with mounted(tmp_path / "image", tmp_path / "mounted") as there:
            assert (there / "synced").read_bytes() == b"a" * 9000
            assert not (there / "later").exists()
    disk.image(tmp_path / "image", end)
    with mounted(tmp_path / "image", tmp_path / "mounted") as there:
        assert (there / "later").read_bytes() == b"b" * 9000
