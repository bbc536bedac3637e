"""Rows that wait: in order, over restarts, kills, torn and damaged lines, and a full disk."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from audiogmm.errors import OutputError
from audiogmm.live.deliver import spool as module
from audiogmm.live.deliver.spool import EventSpool


def rest_of(path: Path) -> list[int]:
    """What the next run finds there."""
    said: list[str] = []
    with EventSpool(path, said.append) as spool:
        spool.end()
        found = []
        while (parcel := spool.take()) is not None:
            found.append(parcel.row["number"])
    return found


def test_a_killed_process_leaves_what_it_had_not_delivered_in_order(tmp_path: Path) -> None:
    path = tmp_path / "spool.jsonl"
    code = (
        "import os, pathlib, signal, sys\n"
        "from audiogmm.live.deliver.spool import EventSpool\n"
        "spool = EventSpool(pathlib.Path(sys.argv[1]), print)\n"
        "for n in range(50): spool.put(f'{n}', {'number': n, 'name': 'gr\\udcfcn'})\n"
        "for _ in range(20): spool.done(spool.take())\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path)], check=False)
    assert done.returncode == -9
    assert rest_of(path) == list(range(20, 50))
    with EventSpool(path, print) as spool:
        assert [spool.put(str(n), {"number": n}) for n in (3, 30, 50)] == [False, False, True]


def test_a_long_run_keeps_the_log_short(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SMALL", 2000)
    monkeypatch.setattr(module, "KNOWN", 20)
    path, sizes = tmp_path / "spool.jsonl", []
    with EventSpool(path, print) as spool:
        for n in range(500):
            spool.put(str(n), {"number": n, "text": "x" * 50})
            if n >= 5:
                spool.done(spool.take())
            sizes.append(path.stat().st_size)
        assert len(spool) == 5
    assert max(sizes) < 12_000
    assert rest_of(path) == [495, 496, 497, 498, 499]


def test_a_torn_end_and_a_changed_bit_cost_no_other_row(tmp_path: Path) -> None:
    path, said = tmp_path / "spool.jsonl", list[str]()
    with EventSpool(path, print) as spool:
        for n in range(4):
            spool.put(str(n), {"number": n})
    lines = path.read_bytes().splitlines(keepends=True)
    lines[1] = lines[1].replace(b'"number": 1', b'"number": 7')
    path.write_bytes(b"".join(lines)[:-9])
    with EventSpool(path, said.append) as spool:
        assert len(spool) == 2
    assert "2 lines cannot be read" in said[0] and str(path.with_suffix(".damaged")) in said[0]
    assert path.with_suffix(".damaged").read_bytes().startswith(lines[1])
    assert rest_of(path) == [0, 2]


def test_a_full_disk_keeps_rows_in_memory_and_order_in_the_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, said, is_full, real = tmp_path / "spool.jsonl", list[str](), True, os.write

    def write(file: int, content: bytes) -> int:
        if is_full and b'"number"' in content:  # half a line, then nothing
            if len(content) > 40:
                return real(file, content[: len(content) // 2])
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        if is_full:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real(file, content)

    with EventSpool(path, said.append) as spool:
        monkeypatch.setattr(os, "write", write)
        for n in range(3):
            assert spool.put(str(n), {"number": n})
        assert spool.unstored == 3 and path.read_bytes() == b""
        assert len(said) == 1 and "No space left on device" in said[0] and "free some space" in said[0]
        is_full = False
        spool.put("3", {"number": 3})
        assert spool.unstored == 0
        assert spool.take().row == {"number": 0}  # type: ignore[union-attr]
    assert rest_of(path) == [0, 1, 2, 3]


def test_rows_beyond_the_bound_are_counted_and_said_once(tmp_path: Path) -> None:
    said: list[str] = []
    with EventSpool(tmp_path / "spool.jsonl", said.append, most_bytes=300) as spool:
        assert [spool.put(str(n), {"number": n, "text": "x" * 40}) for n in range(6)] == [True] * 2 + [
            False
        ] * 4
        assert spool.lost == 4 and len(said) == 1 and "2 events wait" in said[0]


def test_two_runs_do_not_share_a_log(tmp_path: Path) -> None:
    in_use = pytest.raises(OutputError, match="another run is writing")
    with EventSpool(tmp_path / "spool.jsonl", print), in_use:
        EventSpool(tmp_path / "spool.jsonl", print)


def test_a_row_that_is_refused_is_kept_beside_the_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "spool.jsonl"
    with EventSpool(path, print) as spool:
        spool.put("a", {"number": 1})
        parcel: Any = spool.take()
        spool.set_aside(parcel, "status 400")
    assert (
        path.with_suffix(".refused.jsonl").read_text() == '{"reason": "status 400", "row": {"number": 1}}\n'
    )
    assert rest_of(path) == []
