"""A recording in blocks of any length."""

from __future__ import annotations

import numpy as np

from audiogmm.blocks import FrameBlock
from audiogmm.timeline import FrameClock

CLOCK = FrameClock(8000, 80, 200)


class Blocks:
    """A recording cut into blocks of some length."""

    id = "a"

    def __init__(self, length: int) -> None:
        rng = np.random.default_rng(2)
        self.frames = rng.normal(size=(300, 2)).astype(np.float32)
        self.voiced = rng.random(300) < 0.5
        self.levels = rng.normal(-30, 5, 300).astype(np.float32)
        self.length = length

    def __iter__(self):
        for start in range(0, 300, self.length):
            cut = slice(start, start + self.length)
            yield FrameBlock(self.frames[cut], self.voiced[cut], start, CLOCK, self.levels[cut])
