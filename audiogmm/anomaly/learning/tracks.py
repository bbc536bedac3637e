"""Score tracks of normal recordings, made where the recordings are read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from audiogmm.anomaly.scorer import FrameScorer
from audiogmm.anomaly.scorers.track import score_recording
from audiogmm.blocks import Shard
from audiogmm.errors import AudioGMMError
from audiogmm.scoring.track import ScoreTrack

if TYPE_CHECKING:
    pass


@dataclass(frozen=True)
class TrackTask:
    """Scores a recording into memory; runs in a thread or a worker process."""

    scorer: FrameScorer

    def __call__(self, shard: Shard) -> ScoreTrack:
        return score_recording(self.scorer, shard)


def ignore_repeated(_: str, __: AudioGMMError) -> None:
    """A recording that cannot be used is set aside once, in another pass than this one."""
