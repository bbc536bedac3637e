"""What a stream is listened to for: the front end, what judges frames, and what is told."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from audiogmm.anomaly.learning.from_model import make_pipeline, make_scorer, read_detector
from audiogmm.anomaly.pipeline import DetectionPipeline
from audiogmm.anomaly.scorer import FrameScorer
from audiogmm.blocks import FrameBlock
from audiogmm.errors import ChoiceError, MismatchError
from audiogmm.live.stream.settings import StreamSettings
from audiogmm.mixture.evaluator import Evaluator
from audiogmm.mixture.store import Model
from audiogmm.runs.aside import Aside
from audiogmm.runs.frontends import front_end_of
from audiogmm.runs.progress import Progress
from audiogmm.timeline import FrameClock
from audiogmm.types import FloatArray, Seconds
from audiogmm.verification.gallery import Gallery
from audiogmm.verification.recordings.identifier import UNCALIBRATED, Identifier

if TYPE_CHECKING:
    from audiogmm.audio.frontend.frontend import FrontEnd


@dataclass(frozen=True)
class SpeakerPlan:
    """Who is listened for.

    Attributes
    ----------
    identifier : Identifier
        Weighs the speakers of a gallery.
    frontend : FrontEnd
        Of its background model.
    """

    identifier: Identifier
    frontend: FrontEnd


@dataclass(frozen=True)
class StreamPlan:
    """What every input of a stream is listened to for; nothing in it changes.

    Attributes
    ----------
    frontend : FrontEnd
        The model's.
    sample_rate : int
        The rate at which it works, hertz.
    settings : StreamSettings
        What the user asked for.
    scorer : FrameScorer or None
        Scores frames, where scores are wanted.
    listener : DetectionPipeline or None
        Finds events, where these are wanted.
    evaluator : Evaluator
        Of the model: whose components are told.
    speakers : SpeakerPlan or None
        Who is listened for, where speakers are wanted.
    """

    frontend: FrontEnd
    sample_rate: int
    settings: StreamSettings
    scorer: FrameScorer | None
    listener: DetectionPipeline | None
    evaluator: Evaluator
    speakers: SpeakerPlan | None

    @classmethod
    def of(
        cls, model: Model, settings: StreamSettings, gallery: Path | None, progress: Progress
    ) -> StreamPlan:
        """Make ready what was asked for.

        Raises
        ------
        MismatchError
            If the model has no front end, or no detector and events are wanted.
        ChoiceError
            If speakers are wanted and no gallery is named, or the other way round; or nobody is enrolled.
        ModelFileError
            If the folder is no gallery.
        """
        frontend = front_end_of(model)
        if frontend is None:
            raise MismatchError(
                "the model was trained on frames of your own, so there is no front end for a stream of sound",
                needed="a model that was trained on audio",
                remedy="audiogmm train RECORDINGS -o MODEL",
            )
        listener = None
        if "events" in settings.emit:
            listener = make_pipeline(model, settings.applied(read_detector(model)), reasons=settings.reasons)
            if listener.detector.note:
                progress.say(f"note: {listener.detector.note}")
            _try_out(listener, frontend.clock(model.metadata.required_sample_rate), model.means)
        scorer = listener.scorer if listener is not None else None
        if scorer is None and "scores" in settings.emit:
            scorer = make_scorer(model)
        return cls(
            frontend,
            model.metadata.required_sample_rate,
            settings,
            scorer,
            listener,
            Evaluator(model.mixture),
            _speakers(settings, gallery, progress),
        )

    @property
    def latency(self) -> Seconds:
        """Longest time from a sound to what is told of it, by the stages' own count, seconds."""
        rate = self.frontend.clock(self.sample_rate).frame_rate
        frames = self.frontend.latency.steady
        if self.listener is not None:
            frames += self.listener.latency
        elif self.scorer is not None:
            frames += self.scorer.latency
        return frames / rate


def _try_out(listener: DetectionPipeline, clock: FrameClock, means: FloatArray) -> None:
    """Refuse a detector of another front end before anything is heard; and do what is done once, once.

    The first explanation takes longer than later ones, and would be late.
    """
    listening = listener.open(clock)
    frames = np.ascontiguousarray(np.resize(means, (clock.count(1.0), means.shape[1])), np.float32)
    block = FrameBlock(frames, np.ones(len(frames), np.bool_), 0, clock)
    listening.push(block)
    if listener.explainer is not None:
        explaining = listener.explainer.open(clock)
        explaining.push(block)
        explaining.explain(0, len(frames) - 1)


def _speakers(settings: StreamSettings, gallery: Path | None, progress: Progress) -> SpeakerPlan | None:
    if "speakers" not in settings.emit:
        if gallery is not None:
            raise ChoiceError(
                f"--gallery {gallery} and no speakers to be told",
                needed="--emit with speakers in it",
                remedy="--emit events,speakers",
            )
        return None
    if gallery is None:
        raise ChoiceError(
            "--emit speakers and nobody who may be heard",
            needed="the speakers enrolled",
            remedy="--gallery DIR, which `audiogmm enroll` fills",
        )
    known = Gallery(gallery)
    frontend = front_end_of(known.background)
    if frontend is None:
        raise MismatchError(
            f"the speakers of {gallery} were enrolled on frames of your own",
            needed="a background model that was trained on audio",
        )
    identifier = Identifier.of(known, Aside(strict=True), settings.known, settings.top, "exact")
    if identifier.calibration is None:
        progress.say(UNCALIBRATED)
    return SpeakerPlan(identifier, frontend)
