"""The frames that train: voiced, checked, counted, sampled, and kept for the passes after the first.

A `FrameSource` gives the same frames in every pass: an `ArraySource` from memory, a `Spool` from a temporary
file, a `RereadSource` from the recordings again. Its slices do not depend on threads or workers, so that sums
over them have the same bytes. A `Reservoir` draws a uniform sample that does not depend on how the frames
were cut. A `RowSpool` keeps rows of any kind in a temporary file. Memory does not grow with the corpus.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from audiogmm.lazy import exports

if TYPE_CHECKING:
    from audiogmm.training.frames.moments import FrameMoments as FrameMoments
    from audiogmm.training.frames.packing import Packer as Packer
    from audiogmm.training.frames.reservoir import Reservoir as Reservoir
    from audiogmm.training.frames.row_spool import Rows as Rows
    from audiogmm.training.frames.row_spool import RowSpool as RowSpool
    from audiogmm.training.frames.source import ArraySlice as ArraySlice
    from audiogmm.training.frames.source import ArraySource as ArraySource
    from audiogmm.training.frames.source import FrameSource as FrameSource
    from audiogmm.training.frames.source import RereadSource as RereadSource
    from audiogmm.training.frames.spool import Spool as Spool

__getattr__, __dir__ = exports(__name__)
