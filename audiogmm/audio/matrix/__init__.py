"""Feature matrices in place of audio: .npy, CSV, Parquet and Kaldi archives.

`read_matrix_blocks` reads the rows that an entry names, some at a time, as float32; what is not a finite
number is named by its row and column. A format is a reader with one method, found by the name or the first
bytes of a file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from audiogmm.lazy import exports

if TYPE_CHECKING:
    from audiogmm.audio.matrix.columns import ColumnChoice as ColumnChoice
    from audiogmm.audio.matrix.matrix import MatrixReader as MatrixReader
    from audiogmm.audio.matrix.matrix import expand_archive as expand_archive
    from audiogmm.audio.matrix.matrix import read_matrix_blocks as read_matrix_blocks

__getattr__, __dir__ = exports(__name__)
