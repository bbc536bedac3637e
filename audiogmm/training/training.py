"""Training from beginning to end: read, start, pass after pass, result."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from audiogmm.blocks import Shard
from audiogmm.errors import TrainingError
from audiogmm.keywords import accepts
from audiogmm.mixture.gaussian import Mixture
from audiogmm.reduce import LocalReducer, OnError, Reducer
from audiogmm.threads import resolve_threads
from audiogmm.training.checkpoint import Checkpoint
from audiogmm.training.first_pass import TrainingData, read_training_data
from audiogmm.training.frames.spool import Spool
from audiogmm.training.result import TrainingResult, interrupted
from audiogmm.training.schedule.approximation import EXACT_PASSES
from audiogmm.training.schedule.batch import EM, Schedule, TrainingState
from audiogmm.training.schedule.monitor import Monitor
from audiogmm.training.schedule.squarem import SquaremSchedule
from audiogmm.training.schedule.steps import Stepwise
from audiogmm.training.schedule.stepwise import StepwiseSchedule
from audiogmm.training.schedule.truncated import TruncatedSchedule
from audiogmm.training.seeding import FrameSample
from audiogmm.training.settings import METHODS, MixtureSettings
from audiogmm.training.starts import Initializer, check_start
from audiogmm.types import Json


@accepts(MixtureSettings)
def train_mixture(
    shards: Iterable[Shard],
    *,
    settings: MixtureSettings,
    reducer: Reducer | None = None,
    monitor: Monitor | None = None,
    checkpoint: Path | None = None,
    on_error: OnError | None = None,
) -> TrainingResult:
    """Train a mixture on the voiced frames of recordings that are never all in memory.

    The first pass reads every recording once, sets bad ones aside as wholes, and keeps the frames in a
    temporary file; further passes read that file in slices, and the recordings themselves only where it
    would have grown above `max_spool_bytes`. The result has the same bytes for any number of threads and
    workers.

    Parameters
    ----------
    shards : iterable of Shard
        One a recording; re-iterable if the frames do not fit the spool.
    settings : MixtureSettings
        What to train, and how; or its fields as keywords.
    reducer : Reducer or None
        Threads and workers; None for every core.
    monitor : Monitor or None
        Called at each stage and pass.
    checkpoint : Path or None
        File that takes what was reached after a pass, as often as this costs about a hundredth of the time,
        and from which the same call continues to the same bytes; see `CheckpointFile`. It is left in place
        at the end; remove it, and what begins with its name, once the model is saved.
    on_error : callable or None
        Called with the id and the error of every recording that is set aside, as it happens. What it raises
        ends the training.

    Returns
    -------
    TrainingResult
        The mixture, its statistics, the history, and what was set aside.

    Raises
    ------
    ChoiceError
        If a setting is outside its choices or its range.
    TrainingError
        If nothing can be trained on, or there are fewer frames than components.
    MismatchError
        If `init` has another shape, or the checkpoint belongs to another training.
    OutputError
        If a temporary file or the checkpoint cannot be written.
    TrainingInterrupted
        On Ctrl-C; it carries the result after the last complete pass.

    Examples
    --------
    >>> import numpy as np
    >>> from audiogmm.training.frames.source import ArraySlice
    >>> frames = np.random.default_rng(0).normal([[0.0, 5.0]], 1.0, (500, 2)).astype(np.float32)
    >>> result = train_mixture([ArraySlice("noise", frames)], n_components=1)
    >>> result.mixture.means.round(), result.converged, result.passes
    (array([[-0.,  5.]]), 'parameters', 1)
    """
    monitor = monitor or Monitor()
    with ExitStack() as resources:
        reducer = reducer or LocalReducer()
        if isinstance(reducer, LocalReducer):
            resources.enter_context(reducer)
        training: Training | None = None
        try:
            found = read_training_data(
                shards,
                reducer=reducer,
                sample_size=settings.sample_size,
                seed=settings.seed,
                max_spool_bytes=settings.max_spool_bytes,
                resources=resources,
                monitor=monitor,
                on_error=on_error,
            )
            training = Training(settings, found, reducer, monitor, checkpoint)
            training.begin()
            training.go_on()
        except KeyboardInterrupt as interrupt:
            if training is None or training.state is None:
                raise interrupted(None, None) from interrupt
            training.keep()
            raise interrupted(
                training.result(), checkpoint if checkpoint and checkpoint.exists() else None
            ) from interrupt
        return training.result()


class Training:
    """A training whose recordings have been read; it can return its result after any pass.

    Parameters
    ----------
    settings : MixtureSettings
        What to train.
    found : TrainingData
        What there is to train on.
    reducer, monitor, checkpoint
        As for `train_mixture`.

    Raises
    ------
    TrainingError
        If there are fewer frames than components.
    """

    def __init__(
        self,
        settings: MixtureSettings,
        found: TrainingData,
        reducer: Reducer,
        monitor: Monitor,
        checkpoint: Path | None = None,
    ) -> None:
        moments = found.moments
        if moments.n < settings.n_components:
            raise TrainingError(
                f"{moments.n} frames for {settings.n_components} components",
                needed="at least one frame a component, and better 50",
                remedy=f"more recordings, or n_components of at most {moments.n}",
            )
        self.settings = settings
        self.found = found
        self.reducer = reducer
        self.monitor = monitor
        self.floor = settings.variance_floor(moments.statistics)
        self.checkpoint = (
            None if checkpoint is None else Checkpoint(checkpoint, self._identity(), monitor.on_note)
        )
        self.method = METHODS[settings.algorithm](self.floor.variances)
        self.schedule = self._schedule()
        self.starts: tuple[float, ...] = ()
        self.state: TrainingState | None = None
        self._kept: TrainingState | None = None

    def begin(self) -> None:
        """Go to where the checkpoint stands, or find a start. Lets the sample go."""
        stood = self.checkpoint.load(self.schedule.check_beside) if self.checkpoint else None
        if stood is not None:
            self.state, self.starts = stood
            self._kept = self.state
        else:
            self.state = TrainingState(self._start())
            self.keep(if_due=True)
        self.found.sample = self.found.sample[:0].copy()

    def go_on(self) -> None:
        """Pass after pass; each is kept first, where it is time to, and then reported."""
        assert self.state is not None, "begin comes first"
        for state in self.schedule.run(self.state):
            self.state = state
            self.keep(if_due=True)
            self.monitor.on_pass(state.history[-1])

    def keep(self, if_due: bool = False) -> None:
        """Save the state, if there is a checkpoint; with `if_due`, only where that is worth its time."""
        checkpoint, state, schedule = self.checkpoint, self.state, self.schedule
        if checkpoint is None or state is None or not schedule.is_settled(state):
            return
        if state is not self._kept and (not if_due or checkpoint.is_due(state, schedule.bytes_beside)):
            checkpoint.save(state, self.starts, schedule.keep_beside)
            self._kept = state

    def result(self) -> TrainingResult:
        """How far it is."""
        assert self.state is not None, "begin comes first"
        found, moments = self.found, self.found.moments
        return TrainingResult(
            mixture=self.state.settled,
            statistics=self.state.statistics,
            history=self.state.history,
            converged=self.schedule.converged(self.state),
            n_frames=self.state.history[-1].n_frames if self.state.history else moments.n,
            n_recordings=found.n_recordings,
            seconds=found.seconds,
            set_aside=tuple(found.set_aside),
            mean=moments.mean,
            variance=moments.variance,
            floor=self.floor.variances,
            constant=self.floor.constant,
            spooled=isinstance(found.source, Spool),
            starts=self.starts,
            loss=self.schedule.loss,
            shared_variance=self.settings.algorithm == "kmeans",
        )

    def _schedule(self) -> Schedule[Any]:
        """The loop of the algorithm."""
        settings, found = self.settings, self.found
        loop = (
            found.source,
            self.reducer,
            settings.convergence,
            settings.passes,
            self.monitor,
            found.seconds / found.moments.n,
        )
        if settings.algorithm == "stepwise":
            return StepwiseSchedule(
                EM(self.floor.variances), *loop, settings.stepwise or Stepwise(), settings.seed
            )
        if settings.accelerate:
            return SquaremSchedule(EM(self.floor.variances), *loop)
        if settings.approximation is not None:
            return TruncatedSchedule(
                EM(self.floor.variances),
                *loop,
                approximation=settings.approximation,
                seed=settings.seed,
                exact_passes=0 if isinstance(settings.init, Mixture) else EXACT_PASSES,
            )
        return Schedule(self.method, *loop)

    def _start(self) -> Mixture:
        """The mixture to begin with."""
        settings, moments = self.settings, self.found.moments
        if isinstance(settings.init, Mixture):
            check_start(settings.init, settings.n_components, len(moments.mean), settings.form)
            return settings.init
        self.monitor.on_stage("seed", 0, None)
        threads = self.reducer.threads if isinstance(self.reducer, LocalReducer) else resolve_threads(None)
        starter = Initializer(settings.init, settings.n_components, settings.form, self.method, threads)
        sample = FrameSample(self.found.sample, moments.mean, moments.variance, self.floor.variances)
        mixture, self.starts = starter.best(sample, settings.seed, settings.restarts)
        return mixture

    def _identity(self) -> Json:
        """What a checkpoint must have in common with this training."""
        return self.settings.to_json() | {
            "n_recordings": self.found.n_recordings,
            "n_frames": self.found.moments.n,
            "frames": self.found.fingerprint,
            "spooled": isinstance(self.found.source, Spool),
        }
