"""What every input of a stream is analyzed with: front end, scorer, detector, speakers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from audiogmm.anomaly.learning.assembly import make_pipeline, make_scorer
from audiogmm.anomaly.learning.event_kinds import EventKinds
from audiogmm.anomaly.learning.model_parts import read_detector
from audiogmm.anomaly.pipeline import DetectionPipeline
from audiogmm.anomaly.scorer import FrameScorer
from audiogmm.blocks import FrameBlock
from audiogmm.errors import MismatchError
from audiogmm.live.stream.settings import Emit, StreamSettings
from audiogmm.mixture.evaluator import Evaluator
from audiogmm.mixture.store import Model
from audiogmm.runs.aside import Aside
from audiogmm.runs.frontends import read_frontend
from audiogmm.runs.progress import Progress
from audiogmm.timeline import FrameClock
from audiogmm.types import FloatArray, Seconds
from audiogmm.verification.calibration import UNCALIBRATED
from audiogmm.verification.gallery import Gallery
from audiogmm.verification.recordings.identifier import Identifier

if TYPE_CHECKING:
    from audiogmm.audio.frontend.frontend import FrontEnd


@dataclass(frozen=True)
class SpeakerPlan:
    """The speakers to identify."""

    identifier: Identifier  # compares frames with the speakers of a gallery
    frontend: FrontEnd  # of its background model


@dataclass(frozen=True)
class StreamPlan:
    """What every input of a stream is analyzed with; nothing in it changes.

    Attributes
    ----------
    frontend : FrontEnd
        The model's.
    sample_rate : int
        The rate at which it works, hertz.
    settings : StreamSettings
        What the user asked for.
    scorer : FrameScorer or None
        Scores frames; None where neither events nor scores are wanted.
    detection : DetectionPipeline or None
        Finds events; None where they are not wanted.
    evaluator : Evaluator
        Gives the posteriors of the model's components.
    speakers : SpeakerPlan or None
        The speakers to identify; None where they are not wanted.
    kinds : EventKinds or None
        Tells the kinds of events; None where they are not wanted.
    """

    frontend: FrontEnd
    sample_rate: int
    settings: StreamSettings
    scorer: FrameScorer | None
    detection: DetectionPipeline | None
    evaluator: Evaluator
    speakers: SpeakerPlan | None
    kinds: EventKinds | None = None

    @classmethod
    def of(cls, model: Model, settings: StreamSettings, progress: Progress) -> StreamPlan:
        """Prepare what the settings ask for.

        Raises
        ------
        MismatchError
            If the model has no front end, or no detector and events are wanted.
        ChoiceError
            If the gallery has no speaker.
        ModelFileError
            If the folder is not a gallery.
        """
        frontend = read_frontend(model)
        if frontend is None:
            raise MismatchError(
                "the model was trained on precomputed features, so it has no front end for a stream of sound",
                needed="a model that was trained on audio",
                remedy="audiogmm train RECORDINGS -o MODEL",
            )
        detection = None
        if "events" in settings.emit:
            detector = settings.applied(read_detector(model))
            if detector.budget is not None:
                progress.say(f"note: {detector.note}")
            detection = make_pipeline(model, detector, reasons=settings.reasons, drift=settings.drift)
            _warm_up(detection, frontend.clock(model.metadata.required_sample_rate), model.means)
        scorer = detection.scorer if detection is not None else None
        if scorer is None and "scores" in settings.emit:
            scorer = make_scorer(model)
        return cls(
            frontend,
            model.metadata.required_sample_rate,
            settings,
            scorer,
            detection,
            Evaluator(model.mixture),
            _speakers(settings, progress),
            None if settings.kinds is None else EventKinds.load(settings.kinds),
        )

    def frontend_of(self, emit: Emit) -> FrontEnd:
        """Return the front end behind a word of ``--emit``: speakers have that of their background model."""
        return self.speakers.frontend if emit == "speakers" and self.speakers else self.frontend

    @property
    def latency(self) -> Seconds:
        """Longest time from a sound to the lines about it, by the stages' own count of frames."""
        rate = self.frontend.clock(self.sample_rate).frame_rate
        frames = self.frontend.latency.steady
        if self.detection is not None:
            frames += self.detection.latency
        elif self.scorer is not None:
            frames += self.scorer.latency
        return frames / rate


def _warm_up(detection: DetectionPipeline, clock: FrameClock, means: FloatArray) -> None:
    """Run the detection once before sound arrives: a detector of another front end is refused here.

    The first explanation takes longer than later ones, and would be late.
    """
    listening = detection.open(clock)
    frames = np.ascontiguousarray(np.resize(means, (clock.count(1.0), means.shape[1])), np.float32)
    block = FrameBlock(frames, np.ones(len(frames), np.bool_), 0, clock)
    listening.push(block)
    if detection.explainer is not None:
        explaining = detection.explainer.open(clock)
        explaining.push(block)
        explaining.explain(0, len(frames) - 1)


def _speakers(settings: StreamSettings, progress: Progress) -> SpeakerPlan | None:
    if settings.gallery is None:
        return None
    known = Gallery(settings.gallery)
    frontend = read_frontend(known.background)
    if frontend is None:
        raise MismatchError(
            f"the speakers of {settings.gallery} were enrolled from precomputed features",
            needed="a background model that was trained on audio",
        )
    identifier = Identifier.of(known, Aside(strict=True), settings.known, settings.top, "exact")
    if identifier.calibration is None:
        progress.say(UNCALIBRATED)
    return SpeakerPlan(identifier, frontend)
