"""Which entry of a stream a frame is of, and where that lies on its clocks."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence

from audiogmm.blocks import StreamPiece
from audiogmm.timeline import FrameClock
from audiogmm.types import Seconds

MOST = 1024
"""Pieces after which those that no event needs are forgotten."""


class PieceTable:
    """The pieces of a stream, as they come; those that are needed no more are forgotten.

    Parameters
    ----------
    clock : FrameClock
        Of the frames of the stream.
    first : StreamPiece
        What all frames are of, as long as nothing else is added.

    Examples
    --------
    >>> clock = FrameClock(8000, 80, 80)
    >>> table = PieceTable(clock, StreamPiece("a", None, 0, 0.0, 100.0))
    >>> _ = table.add(StreamPiece("b", None, 50, 2.0, 110.0))
    >>> table.at(49).id, table.time(50, clock.start), table.seconds(table.at(0), 50, clock.start)
    ('a', 110.0, 10.0)
    """

    def __init__(self, clock: FrameClock, first: StreamPiece) -> None:
        self._clock = clock
        self._pieces = [first]
        self._most = MOST
        self._is_stream = False

    def add(self, piece: StreamPiece) -> bool:
        """Take the next piece, unless it is the last one; return whether it is time to `keep` fewer."""
        last = self._pieces[-1]
        if piece == last:
            return False
        if piece.first == last.first:
            self._pieces.pop()
        else:
            self._is_stream = True
        self._pieces.append(piece)
        return len(self._pieces) > self._most

    def keep(self, ranges: Sequence[tuple[int, int]]) -> None:
        """Forget the pieces without a frame in one of these ranges (first and last frame)."""
        ends = [piece.first for piece in self._pieces[1:]]
        kept = [
            piece
            for piece, end in zip(self._pieces, ends, strict=False)
            if any(first < end and piece.first <= last for first, last in ranges)
        ]
        self._pieces = [*kept, self._pieces[-1]]
        self._most = 2 * max(len(self._pieces), MOST // 2)

    def at(self, frame: int) -> StreamPiece:
        """Return the piece that a frame is of."""
        place = bisect_right(self._pieces, frame, key=lambda piece: piece.first)
        return self._pieces[max(place - 1, 0)]

    def _into(self, piece: StreamPiece, frame: int, of: Callable[[int], Seconds]) -> Seconds:
        return of(frame - piece.first) - self._clock.start(0)

    def time(self, frame: int, of: Callable[[int], Seconds]) -> Seconds | None:
        """Return when a frame begins, or ends, by the function `of` of the clock; None if unknown."""
        piece = self.at(frame)
        return None if piece.time is None else piece.time + self._into(piece, frame, of)

    def seconds(self, piece: StreamPiece, frame: int, of: Callable[[int], Seconds]) -> Seconds:
        """Return the same on the clock of a piece's recording, which goes on through gaps."""
        other = self.at(frame)
        if not self._is_stream:
            return of(frame)  # exactly as the clock of the recording has it
        if other is piece or piece.time is None or other.time is None:
            return piece.offset + self._into(piece, frame, of)
        return piece.offset + (other.time - piece.time) + self._into(other, frame, of)

    def center_from(self, first: int) -> Callable[[int], Seconds]:
        """Return what gives the time of a frame's center on the clock of the piece of frame `first`."""
        piece = self.at(first)
        return lambda frame: self.seconds(piece, frame, self._clock.center)
