"""Statistics of pieces of background recordings, some of them also as if over another channel."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from audiogmm.mixture.evaluator import Evaluator
from audiogmm.mixture.gaussian import Mixture
from audiogmm.reduce import LocalReducer
from audiogmm.training.frames.row_spool import Rows, RowSpool, join_rows
from audiogmm.types import BoolArray, FloatArray, Frames, IntArray
from audiogmm.verification.background import AnyRecording, BackgroundRecording
from audiogmm.verification.supervector import center_statistics

PIECE_SECONDS = 3.5
"""Voiced seconds of a piece."""

MOVED_SHARE = 0.3
"""Share of the pieces that are also taken as if over another channel."""

MAX_BYTES = 160 << 20
"""Of the statistics of pieces, at most, on disk."""


@dataclass(frozen=True, eq=False)
class Pieces:
    """Statistics of pieces of recordings, in a spool.

    Attributes
    ----------
    owners : ndarray of shape (n,), int64
        Speaker of each, as an index.
    recordings : ndarray of shape (n,), int64
        Recording of each, as an index.
    moved : ndarray of shape (n,), bool
        Whether it was moved to a synthetic channel.
    counts : Rows of n_components columns, float32
    first : Rows of n_components * n_features columns, float32
        See `center_statistics`.
    """

    owners: IntArray
    recordings: IntArray
    moved: BoolArray
    counts: Rows
    first: Rows

    def statistics(self, which: IntArray | BoolArray) -> tuple[FloatArray, FloatArray]:
        """Read the counts (m, n_components) and moments (m, n_components, n_features) of some pieces."""
        counts, first = self.counts.take(which).read(), self.first.take(which).read()
        return counts, first.reshape(*counts.shape, -1)


def cut_spans(n: int, length: int, most: int) -> list[slice]:
    """Cut n frames into at most `most` pieces of `length`; a rest of at least half of it is one, too.

    Examples
    --------
    >>> [(span.start, span.stop) for span in cut_spans(25, 10, 9)]
    [(0, 10), (10, 20), (20, 25)]
    >>> [(span.start, span.stop) for span in cut_spans(30, 10, 2)]
    [(0, 10), (20, 30)]
    """
    starts = [start for start in range(0, n, length) if n - start >= length / 2] or [0]
    if len(starts) > most:
        starts = [starts[i] for i in np.linspace(0, len(starts) - 1, most).round().astype(int)]
    return [slice(start, min(start + length, n)) for start in starts]


def cut_pieces(
    background: Mixture,
    recordings: Sequence[AnyRecording],
    spool: RowSpool,
    channels: Frames | None = None,
    reducer: LocalReducer | None = None,
) -> Pieces:
    """Cut recordings into pieces and compute their statistics under the background model.

    Parameters
    ----------
    background : Mixture
        The model.
    recordings : sequence of BackgroundRecording or StoredRecording
        Of each, evenly spaced pieces are taken, as many as `MAX_BYTES` have room for.
    spool : RowSpool
        Takes the statistics.
    channels : ndarray of shape (c, n_features), float32, optional
        Offsets of frames over other channels.
    reducer : LocalReducer, optional
        Its threads do the work; the result does not depend on them.
    """
    names = {name: i for i, name in enumerate(dict.fromkeys(r.speaker for r in recordings))}
    room = MAX_BYTES // (4 * background.means.size) / (1 + MOVED_SHARE)
    most = max(2, int(room // max(len(recordings), 1)))
    evaluator = Evaluator(background)

    def cut(recording: AnyRecording) -> tuple[list[bool], FloatArray, FloatArray]:
        moved, counts, first = [], [], []
        for frames, is_moved in _pieces_of(recording.load(), most, channels):
            n, f = center_statistics(background, evaluator.accumulate(frames))
            moved.append(is_moved)
            counts.append(n)
            first.append(f)
        return moved, np.array(counts, np.float32), np.array(first, np.float32)

    moved, counts, first = [], [], []
    for is_moved, n, f in (reducer or LocalReducer(1)).threaded.map(recordings, cut):
        moved.append(is_moved)
        counts.append(spool.put(n))
        first.append(spool.put(f))
    sizes = [len(part) for part in moved]
    return Pieces(
        np.repeat([names[recording.speaker] for recording in recordings], sizes).astype(np.int64),
        np.repeat(np.arange(len(recordings)), sizes).astype(np.int64),
        np.concatenate([np.array(part, bool) for part in moved]),
        join_rows(counts),
        join_rows(first),
    )


def _pieces_of(
    recording: BackgroundRecording, most: int, channels: Frames | None
) -> Iterator[tuple[Frames, bool]]:
    """The pieces of a recording, and whether each is moved to another channel, which its id draws."""
    length = max(1, round(PIECE_SECONDS * recording.frame_rate))
    draw = np.random.default_rng(list(recording.id.encode(errors="surrogatepass")))
    for span in cut_spans(len(recording.frames), length, most):
        yield recording.frames[span], False
        if channels is not None and draw.uniform() < MOVED_SHARE:
            yield recording.frames[span] + channels[draw.integers(len(channels))], True
