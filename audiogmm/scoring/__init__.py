"""Scores: how likely every frame of a recording is under a model, and which component explains it.

Everything here takes a model by what it can do (`log_likelihood`, `posteriors`) and a `Shard` of frames, and
reads it once, block by block, in bounded memory. A track has a finite score for every frame, voiced or not,
on the recording's clock; a frame's score does not depend on the block that it came in. Files appear whole or
not at all, and equal tracks give equal bytes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from audiogmm.lazy import exports

if TYPE_CHECKING:
    from audiogmm.scoring.assignment import Assignment as Assignment
    from audiogmm.scoring.assignment import ComponentTally as ComponentTally
    from audiogmm.scoring.assignment import assign as assign
    from audiogmm.scoring.assignment_file import AssignmentWriter as AssignmentWriter
    from audiogmm.scoring.classes import Classes as Classes
    from audiogmm.scoring.clustering import Clusterer as Clusterer
    from audiogmm.scoring.component_segments import ComponentSegment as ComponentSegment
    from audiogmm.scoring.component_segments import ExampleSegments as ExampleSegments
    from audiogmm.scoring.component_segments import find_segments as find_segments
    from audiogmm.scoring.distinctness import measure_distinctness as measure_distinctness
    from audiogmm.scoring.dominant_component import DominantComponent as DominantComponent
    from audiogmm.scoring.likelihood import Density as Density
    from audiogmm.scoring.likelihood import score_blocks as score_blocks
    from audiogmm.scoring.likelihood import score_shard as score_shard
    from audiogmm.scoring.segmentation import segment_labels as segment_labels
    from audiogmm.scoring.summary import TrackSummary as TrackSummary
    from audiogmm.scoring.track import ScoreTrack as ScoreTrack
    from audiogmm.scoring.track_file import TrackWriter as TrackWriter
    from audiogmm.scoring.track_file import read_track as read_track

__getattr__, __dir__ = exports(__name__)
