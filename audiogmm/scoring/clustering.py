"""Recordings by cluster: each component, or each class of them, with its frames, segments and examples."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from audiogmm.blocks import Shard
from audiogmm.scoring.assignment import Assignment, ComponentTally, PosteriorModel, assign
from audiogmm.scoring.classes import Classes
from audiogmm.scoring.component_segments import ComponentSegment, ExampleSegments, find_segments
from audiogmm.scoring.segmentation import segment_labels
from audiogmm.types import Json, Seconds


@dataclass
class ClusterSummary:
    """What recordings gave to each cluster; sums of them add.

    Attributes
    ----------
    tally : ComponentTally
        Of the frames.
    whole : ExampleSegments
        Of the segments.
    moments : ExampleSegments
        Of consecutive frames of one label, for clusters that no segment is labeled with.
    seconds : Seconds
    n_frames, n_segments : int
    """

    tally: ComponentTally
    whole: ExampleSegments
    moments: ExampleSegments
    seconds: Seconds = 0.0
    n_frames: int = 0
    n_segments: int = 0

    @classmethod
    def zero(cls, n_clusters: int, top: int) -> ClusterSummary:
        """Return the sums of no recording, for up to `top` examples of each cluster."""
        whole, moments = ExampleSegments(n_clusters, top), ExampleSegments(n_clusters, top)
        return cls(ComponentTally.zero(n_clusters), whole, moments)

    def add(self, other: ClusterSummary) -> None:
        """Add other recordings."""
        self.tally = self.tally + other.tally
        self.whole.merge(other.whole)
        self.moments.merge(other.moments)
        self.seconds += other.seconds
        self.n_frames += other.n_frames
        self.n_segments += other.n_segments

    def to_json(self) -> Json:
        """Return it as JSON, from which the sums of one recording come back to the bit."""
        tally = {name: value.tolist() for name, value in vars(self.tally).items() if name != "n_frames"}
        return {
            "frames": self.n_frames,
            "seconds": self.seconds,
            "segments": self.n_segments,
            "voiced": self.tally.n_frames,
            "tally": tally,
            "whole": [each.to_json() for each in self.whole],
            "moments": [each.to_json() for each in self.moments],
        }

    def restored(self, id: str, document: Json) -> ClusterSummary:
        """Return the sums of the recording `id` that `to_json` made this of; `self` is those of no recording.

        Raises
        ------
        ValueError, KeyError, TypeError
            If the document is none of as many clusters.
        """
        tally = {name: np.array(values) for name, values in document["tally"].items()}
        n_clusters = self.whole.n_components
        if any(values.shape != (n_clusters,) for values in tally.values()):
            raise ValueError(f"sums of {n_clusters} clusters are needed")
        found = ClusterSummary.zero(n_clusters, self.whole.top)
        found.tally = ComponentTally(int(document["voiced"]), **tally)
        for kept, name in ((found.whole, "whole"), (found.moments, "moments")):
            for values in document[name]:
                kept.add(ComponentSegment.from_json(id, values))
        found.seconds, found.n_frames = float(document["seconds"]), int(document["frames"])
        found.n_segments = int(document["segments"])
        return found

    def examples(self, cluster: int) -> list[ComponentSegment]:
        """Return the most typical and the longest segments of a cluster; its moments where it has none."""
        return self.whole.of(cluster) or self.moments.of(cluster)


@dataclass(frozen=True)
class Clusterer:
    """Assigns the frames of recordings to clusters, and finds their segments, in bounded memory.

    Attributes
    ----------
    evaluator : Evaluator
        Of the mixture.
    clusters : Classes
        Its components, or its classes.
    shortest : Seconds
        Of what interrupts a segment, see `segment_labels`.
    top : int
        Examples of each cluster.
    longest : Seconds, optional
        How much of a recording is read, from its start.
    """

    evaluator: PosteriorModel
    clusters: Classes
    shortest: Seconds
    top: int
    longest: Seconds = float("inf")

    def zero(self) -> ClusterSummary:
        """Return the sums of no recording."""
        return ClusterSummary.zero(len(self.clusters.names), self.top)

    def segments(
        self, shard: Shard, sums: ClusterSummary, write: Callable[[Assignment], None] | None = None
    ) -> Iterator[ComponentSegment]:
        """Yield the segments of a recording, and add them and its frames to sums as they come.

        Parameters
        ----------
        shard : Shard
            The recording.
        sums : ClusterSummary
            These grow.
        write : callable, optional
            Given the assignment to components.
        """

        def each() -> Iterator[Assignment]:
            for assigned in assign(self.evaluator, shard):
                if write is not None:
                    write(assigned)
                found = self.clusters.assigned(assigned)
                last = found.start + len(found.labels) - 1
                sums.seconds = found.clock.end(last) - found.clock.start(0)
                sums.n_frames += len(found.labels)
                sums.tally = sums.tally + ComponentTally.of(found)
                for moment in find_segments(shard.id, [found]):
                    sums.moments.add(moment)
                yield found
                if sums.seconds > self.longest:
                    return

        for segment in find_segments(shard.id, segment_labels(each(), self.shortest)):
            sums.whole.add(segment)
            sums.n_segments += 1
            yield segment
