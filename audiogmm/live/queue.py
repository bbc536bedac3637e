"""Samples between the thread of a device, which must not wait, and the thread of its session."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audiogmm.types import Seconds

FULL = "it was not taken in time"
"""Why samples are missing where the queue was full."""


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """Samples of shape (n, n_channels), the index of the first one, and why any before it are missing."""

    place: int
    samples: NDArray[Any]
    hole: str


class AudioQueue:
    """Hold a bounded number of interleaved samples; blocks that do not fit are dropped, and leave a hole.

    Samples are counted whether they are kept or not, so a block's place says how many are missing before it.

    Parameters
    ----------
    most : int
        Samples of each channel that may wait; a block is kept whole or not at all.

    Examples
    --------
    >>> queue = AudioQueue(most=5)
    >>> for _ in range(3):
    ...     queue.put(np.zeros((2, 1), np.float32))
    >>> queue.depth, queue.dropped, queue.get(0).place, queue.get(0).place
    (4, 2, 0, 2)
    >>> queue.put(np.zeros((2, 1), np.float32))
    >>> block = queue.get(0)
    >>> block.place, block.hole
    (6, 'it was not taken in time')
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self.dropped = 0
        self.end = 0
        """Index after the last sample that arrived or is missing."""
        self.depth = 0
        self._blocks: deque[Block] = deque()
        self._hole = ""
        self._changed = threading.Condition()
        self._closed = ""

    def put(self, block: NDArray[Any]) -> None:
        """Add a block of shape (n, n_channels), which is not copied, without waiting."""
        with self._changed:
            if self.depth + len(block) > self.most:
                self.dropped += len(block)
                self._hole = FULL
            else:
                self._blocks.append(Block(self.end, block, self._hole))
                self._hole = ""
                self.depth += len(block)
            self.end += len(block)
            self._changed.notify()

    def miss(self, n_samples: int, why: str) -> None:
        """Leave a hole for samples that never arrived."""
        with self._changed:
            self.end += n_samples
            self.dropped += n_samples
            self._hole = why

    def close(self, reason: str) -> None:
        """End the queue; the first reason is kept."""
        with self._changed:
            self._closed = self._closed or reason
            self._changed.notify()

    def get(self, timeout: Seconds | None) -> Block | None:
        """Return the next block; None after `timeout` seconds, or at the end."""
        with self._changed:
            if not self._blocks and not self._closed:
                self._changed.wait(timeout)
            if not self._blocks:
                return None
            block = self._blocks.popleft()
            self.depth -= len(block.samples)
            return block

    @property
    def closed(self) -> str:
        """Why the queue has ended, once all of it was taken; empty before."""
        with self._changed:
            return "" if self._blocks else self._closed


def frames_of(block: NDArray[Any]) -> NDArray[np.float32]:
    """Copy the buffer of a device to shape (n, n_channels), C-contiguous float32.

    Examples
    --------
    >>> frames_of(np.zeros((2, 1)))
    array([[0.],
           [0.]], dtype=float32)
    """
    return np.array(block, np.float32, order="C", ndmin=2)
