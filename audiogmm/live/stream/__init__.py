"""What happens to the sound of a stream, from its inputs to its lines.

`StreamInputs` opens the sources that the user names. `run_sessions` runs a `StreamSession` for each, in a
thread: it hands the samples to a pipeline, and writes the pipeline's lines and its own (start, gap, lost,
back, end) to the outlet. There are two pipelines.

`AnalysisPipeline` does what a `StreamPlan` asks for: samples become frames, the `EventStage` scores them and
finds events, and further stages take frames and scores: `ScoreStage`, `ClusterStage`, `SpeakerStage`. A
`Heartbeat` reports on all. Times are counted in frames, so that any chunking gives the same lines; a gap ends
one stretch, and the next has new stages.

`TrainingPipeline` trains a model: a `ColdStart` completes the front end, a `Learner` takes steps of EM, and
the model is written every so often.

To add a kind of line: write its `StreamStage` in a file of its own, list it in `STAGES` (pipeline.py) under
its word for ``--emit``, add the word to `Emit` (settings.py), and the type to `LINE_TYPES` (live/line.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from audiogmm.lazy import exports

if TYPE_CHECKING:
    from audiogmm.live.stream.clusters import ClusterStage as ClusterStage
    from audiogmm.live.stream.cold_start import ColdStart as ColdStart
    from audiogmm.live.stream.events import EventStage as EventStage
    from audiogmm.live.stream.frames import FrameStage as FrameStage
    from audiogmm.live.stream.heartbeat import Heartbeat as Heartbeat
    from audiogmm.live.stream.learn_settings import LearnSettings as LearnSettings
    from audiogmm.live.stream.learner import Learner as Learner
    from audiogmm.live.stream.pipeline import STAGES as STAGES
    from audiogmm.live.stream.pipeline import AnalysisPipeline as AnalysisPipeline
    from audiogmm.live.stream.pipeline import StreamStage as StreamStage
    from audiogmm.live.stream.plan import StreamPlan as StreamPlan
    from audiogmm.live.stream.scores import ScoreStage as ScoreStage
    from audiogmm.live.stream.session import Pipeline as Pipeline
    from audiogmm.live.stream.session import StreamResult as StreamResult
    from audiogmm.live.stream.session import StreamSession as StreamSession
    from audiogmm.live.stream.session import run_sessions as run_sessions
    from audiogmm.live.stream.settings import StreamSettings as StreamSettings
    from audiogmm.live.stream.sources import InputIdentity as InputIdentity
    from audiogmm.live.stream.sources import StreamInputs as StreamInputs
    from audiogmm.live.stream.speakers import SpeakerStage as SpeakerStage
    from audiogmm.live.stream.training import TrainingPipeline as TrainingPipeline
    from audiogmm.live.stream.training import TrainingPlan as TrainingPlan

__getattr__, __dir__ = exports(__name__)
