"""Which component has the highest posterior: the `cluster` lines of a stream."""

from __future__ import annotations

from collections.abc import Iterator

from audiogmm.anomaly.scorer import FrameScores
from audiogmm.blocks import FrameBlock
from audiogmm.live.line import Line
from audiogmm.live.stream.plan import StreamPlan
from audiogmm.scoring.dominant_component import DominantComponent
from audiogmm.timeline import FrameClock


class ClusterStage:
    """Report every change of the leading component, see `StreamStage` and `DominantComponent`."""

    def __init__(self, plan: StreamPlan, clock: FrameClock) -> None:
        self._leader = DominantComponent(plan.evaluator, clock, plan.settings.cluster_window)

    def push(self, block: FrameBlock, scored: FrameScores) -> Iterator[Line]:
        """Report the changes that these frames decide."""
        for lead in self._leader.push(block):
            body = {
                "since": lead.since,
                "component": lead.component,
                "posterior": lead.posterior,
                "before": lead.before,
            }
            yield Line("cluster", lead.at, body)

    def flush(self, scored: FrameScores) -> Iterator[Line]:
        """Report nothing: a window that is cut short decides nothing."""
        return iter(())
