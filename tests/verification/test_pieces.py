"""Pieces of recordings, and channels."""

from __future__ import annotations

import numpy as np

from audiogmm.training.frames.row_spool import RowSpool
from audiogmm.verification.pieces import cut_pieces
from tests.verification.voices import mixture, people


def test_some_pieces_come_over_other_channels() -> None:
    voices = people(40, seconds=8.0)
    spool = RowSpool()
    plain = cut_pieces(mixture(), voices, spool)
    moved = cut_pieces(mixture(), voices, spool, np.full((1, 3), 4.0, np.float32))
    assert not plain.moved.any() and 0.15 < moved.moved.sum() / len(plain.owners) < 0.45
    np.testing.assert_array_equal(moved.first.take(~moved.moved).read(), plain.first.read())
    spool.close()
