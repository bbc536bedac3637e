"""Which ids a manifest has named already, in sixteen bytes each."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_LINE_BITS = 40
_LINE = np.uint64((1 << _LINE_BITS) - 1)


class SeenIds:
    """Ids and the lines that they stand on, kept as hashes.

    Ids are compared by 88 bits of their hashes: among a thousand million of them, a pair is mistaken
    for a duplicate with a probability of 2e-9. They lie in sorted runs that are merged two by
    two as they grow (O'Neil et al. 1996, the log-structured merge tree), so that a batch is looked up in
    a few array operations.

    Examples
    --------
    >>> seen = SeenIds()
    >>> seen.add(["a", "b", "a"], [1, 2, 3])
    {2: 1}
    >>> seen.add(["c", "b"], [4, 5])
    {1: 2}
    """

    def __init__(self) -> None:
        self._runs: list[tuple[NDArray[np.int64], NDArray[np.uint64]]] = []

    def add(self, ids: list[str], lines: list[int]) -> dict[int, int]:
        """Add a batch of ids.

        Parameters
        ----------
        ids : list of str
            Ids, in the order of the manifest.
        lines : list of int
            Their line numbers, below 2**40.

        Returns
        -------
        dict
            From the position in `ids` of each that was there before to the line that has it first.
        """
        hashes = np.fromiter(map(hash, ids), np.int64, len(ids))
        # 24 more bits, from another text with the same key, above the line number
        tags = np.fromiter((hash(f"{name}\0") & 0xFFFFFF for name in ids), np.uint64, len(ids))
        marks = (tags << np.uint64(_LINE_BITS)) | np.array(lines, np.uint64)
        order = np.argsort(hashes, kind="stable")
        hashes, marks = hashes[order], marks[order]
        found: dict[int, int] = {}
        for known, known_marks in self._runs:
            at = np.minimum(np.searchsorted(known, hashes), len(known) - 1)
            _note(found, order, hashes == known[at], marks, known_marks[at])
        if len(ids) > 1:
            # the first of each group of equal hashes
            first = np.maximum.accumulate(
                np.where(np.r_[True, hashes[1:] != hashes[:-1]], np.arange(len(ids)), 0)
            )
            _note(found, order, first != np.arange(len(ids)), marks, marks[first])
        new = np.ones(len(ids), bool)
        new[np.argsort(order)[list(found)]] = False
        self._merge(hashes[new], marks[new])
        return found

    def _merge(self, hashes: NDArray[np.int64], marks: NDArray[np.uint64]) -> None:
        """Keep a sorted run; merge it with those that are no longer than it."""
        if not len(hashes):
            return
        while self._runs and len(self._runs[-1][0]) <= 2 * len(hashes):
            known, known_marks = self._runs.pop()
            hashes, marks = np.concatenate([known, hashes]), np.concatenate([known_marks, marks])
            order = np.argsort(hashes, kind="stable")
            hashes, marks = hashes[order], marks[order]
        self._runs.append((hashes, marks))


def _note(
    found: dict[int, int],
    order: NDArray[np.intp],
    same: NDArray[np.bool_],
    marks: NDArray[np.uint64],
    earlier: NDArray[np.uint64],
) -> None:
    """Note the positions whose hash and tag are those of an earlier id, with that one's line."""
    same = same & ((marks ^ earlier) <= _LINE)
    for at in np.flatnonzero(same):
        found.setdefault(int(order[at]), int(earlier[at] & _LINE))
