"""Rows in a temporary file."""

from __future__ import annotations

import errno
import tempfile
from pathlib import Path
from threading import Thread

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audiogmm.errors import OutputError
from audiogmm.training.frames.row_spool import RowSpool, join_rows


@settings(max_examples=50, deadline=None)
@given(st.data())
def test_any_rows_and_columns_come_back(data: st.DataObject) -> None:
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    dtype = data.draw(st.sampled_from(["f4", "f8", "?"]))
    parts = [
        rng.normal(size=(n, 5)).astype(dtype) for n in data.draw(st.lists(st.integers(0, 9), min_size=1))
    ]
    whole = np.concatenate(parts)
    with RowSpool() as spool:
        rows = join_rows([spool.put(part) for part in parts])
        which = np.array(data.draw(st.lists(st.integers(0, len(whole) - 1))) if len(whole) else [], int)
        first, last = sorted(data.draw(st.tuples(st.integers(0, 5), st.integers(0, 5))))
        found = rows.take(which).read(slice(first, last))
        np.testing.assert_array_equal(found, whole[which][:, first:last])
        blocks = list(rows.blocks(most=4))
        assert all(0 < len(block) <= 4 for _, block in blocks)
        np.testing.assert_array_equal(np.concatenate([whole[:0], *(b.read() for _, b in blocks)]), whole)


def test_threads_share_a_spool() -> None:
    with RowSpool() as spool:
        found = {}
        threads = [
            Thread(target=lambda i=i: found.update({i: spool.put(np.full((9, 4000), i))})) for i in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert all((rows.read() == i).all() for i, rows in found.items()) and len(found) == 8


def test_nothing_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with RowSpool() as spool:
        spool.put(np.ones((3, 2)))
        assert not list(tmp_path.iterdir()) or "audiogmm-" in next(tmp_path.iterdir()).name
    assert not list(tmp_path.iterdir())


def test_a_full_disk_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(tempfile, "TemporaryFile", full)
    with RowSpool() as spool, pytest.raises(OutputError, match="No space left on device") as caught:
        spool.put(np.ones((1, 1)))
    assert "TMPDIR" in str(caught.value)
