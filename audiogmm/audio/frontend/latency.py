"""How many frames a front end waits before it returns one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from audiogmm.audio.frontend.settings import FrontEndSettings
from audiogmm.audio.frontend.warping import warping_window
from audiogmm.timeline import FrameClock


@dataclass(frozen=True, slots=True)
class StageLatency:
    """Frames that a stage must have ahead of the one that it returns.

    Attributes
    ----------
    steady : int
        In the middle of a recording.
    worst : int
        At its start, where a window must fill first.
    """

    steady: int
    worst: int

    def __add__(self, other: StageLatency) -> StageLatency:
        return StageLatency(self.steady + other.steady, self.worst + other.worst)


@dataclass(frozen=True, slots=True)
class Latency:
    """Latencies of a front end's stages, in frames.

    A frame is complete as soon as its last sample has arrived; the stages count from there. Deltas and
    normalization follow each other, the activity detector works beside them. A stream that resamples also
    waits for the resampler.

    Attributes
    ----------
    stages : mapping of str to StageLatency
        `framing`, `deltas`, `cmvn`, `vad`; those that are switched off are 0.
    """

    stages: Mapping[str, StageLatency]

    @property
    def steady(self) -> int:
        """Frames ahead, in the middle of a recording."""
        features, marks = self._paths()
        return max(features.steady, marks.steady)

    @property
    def worst(self) -> int:
        """Frames ahead at the start of a recording."""
        features, marks = self._paths()
        return max(features.worst, marks.worst)

    def _paths(self) -> tuple[StageLatency, StageLatency]:
        stages = self.stages
        return stages["framing"] + stages["deltas"] + stages["cmvn"], stages["framing"] + stages["vad"]


def latency_of(frontend: FrontEndSettings, clock: FrameClock) -> Latency:
    """Compute the latencies of a front end whose frames lie as the clock says."""
    none = StageLatency(0, 0)
    ahead = frontend.deltas * frontend.delta_window
    stages = {"framing": none, "deltas": StageLatency(ahead, ahead), "cmvn": none, "vad": none}
    if frontend.cmvn == "sliding":
        window = clock.count(frontend.cmvn_window)
        stages["cmvn"] = StageLatency(window - window // 2 - 1, window - 1)
    if frontend.cmvn == "warping":
        window = warping_window(clock.count(frontend.cmvn_window))
        stages["cmvn"] = StageLatency(window // 2, window - 1)
        # the first window warps half of its frames at once, which the deltas behind it have then seen ahead
        stages["deltas"] = StageLatency(ahead, max(ahead - window // 2, 0))
    if frontend.vad == "energy":
        window = clock.count(frontend.vad_window)
        before = round(frontend.vad_before * clock.frame_rate)
        at_once = max(before - window // 2, 0)  # the first window decides half of its frames
        stages["vad"] = StageLatency(window - window // 2 - 1 + before, window - 1 + at_once)
    return Latency(stages)
