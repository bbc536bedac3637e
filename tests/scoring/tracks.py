"""Tracks in files, for tests."""

from __future__ import annotations

import os

import numpy as np

from audiogmm.blocks import FrameBlock
from audiogmm.scoring.summary import TrackSummary
from audiogmm.scoring.track import ScoreTrack
from audiogmm.scoring.track_file import TrackWriter


def write_track(track: ScoreTrack, path: str | os.PathLike[str], *, force: bool = False) -> TrackSummary:
    """Write a track that is in memory; the same bytes as a `TrackWriter` gives."""
    with TrackWriter(path, track.id, force=force) as writer:
        frames = np.empty((len(track), 0), dtype=np.float32)
        writer.write(FrameBlock(frames, track.voiced, 0, track.clock), track.scores)
    return writer.summary
