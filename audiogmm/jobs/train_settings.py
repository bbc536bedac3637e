"""What decides a training, from the command line to the schedule: one object, checked in one place."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from audiogmm.anomaly.cells import CellOptions
from audiogmm.anomaly.scorers.table import check_scores
from audiogmm.errors import ChoiceError
from audiogmm.mixture.store import AnyModel, Model
from audiogmm.runs.defaults import choose_defaults
from audiogmm.runs.settings import RunSettings, StreamOptions
from audiogmm.training.pruning import check_keep
from audiogmm.training.schedule.approximation import Approximation
from audiogmm.training.schedule.steps import Stepwise
from audiogmm.training.seeding import Init
from audiogmm.training.settings import Algorithm, MixtureSettings
from audiogmm.types import CovarianceType
from audiogmm.verification.compensation import Kind
from audiogmm.verification.recordings.backend_training import SPEAKER_COMPONENTS, BackEndChoice

if TYPE_CHECKING:
    from audiogmm.audio.frontend.frontend import FrontEnd

CLASS_COMPONENTS = 16
"""Components of a class, at most, where nothing else is said; then their covariances are diagonal."""


@dataclass(frozen=True, kw_only=True)
class TrainSettings(RunSettings, StreamOptions, CellOptions):
    """How a model is trained.

    Attributes
    ----------
    frontend : FrontEnd, optional
        The preset `speech` by default; not used for frames of the user's own.
    sample_rate : int, optional
        Hertz; the first good recording's by default.
    n_components : int, optional
        Gaussian components, K; see `choose_defaults`, and `SPEAKER_COMPONENTS` where a back end is learned.
    covariance_type : {"diag", "full", "tied", "spherical"}, optional
        See `choose_defaults`.
    algorithm : {"em", "stepwise", "kmeans"}
        Batch EM; two passes of stepwise EM, for data that is slow to read, and batch EM from there;
        or k-means for comparison.
    batch : int, optional
        Frames between two updates of stepwise EM; by the size of the model by default.
    stepwise : Stepwise, optional
        How stepwise EM steps: passes, exponent, averaging, variance reduction; what measured best by default.
    accelerate : bool
        Extrapolate every second pass of batch EM (SQUAREM); the likelihood never falls.
    approximate : str, optional
        Posteriors on a few components of each frame, for large K: ``"truncated:5"`` or ``"top:30"``, see
        `audiogmm.training.schedule.approximation`. The model says what was given up.
    seed : int
        Of all randomness.
    init : {"k-means++", "random", "split"}
        Where EM starts.
    label : str, optional
        Train a mixture for each class, see `audiogmm.training.classes`: the key of the manifest with the
        label of each recording, or a folder of label files, see `audiogmm.runs.labels.read_labels`.
        `n_components` is then the most that a class gets, `CLASS_COMPONENTS` by default.
    start : Model or path-like, optional
        Start from the parameters of this model instead, through its front end.
    passes : int
        Passes over the data at most.
    tol : float
        Stop when a pass gains less, nats a frame; 0: never.
    floor : float, optional
        Least variance, as a share of each feature's variance over all frames; see `choose_defaults`.
    restarts : int
        Starts tried; the best is kept.
    hold_out : float
        Share of the recordings, in [0, 0.5], that is held out at a time, at least, and scored by a model of
        the others, to learn how normal audio scores. All of them are in turns: in five below ten minutes of
        audio, three below an hour, two above, and of a single recording in stretches. Only where one turn
        gives the five hours that a detector keeps is there no other. 0: none.
    scores : str or iterable of str, optional
        What the detector scores by: names, ``"fusion"`` or ``"auto"``, see `calibrated_scores`; the plain
        mean log-likelihood by default. They learn in every turn from the recordings that are not held out,
        are put on a scale by those that are, and learn again from all for the final model.
    ledger : Path or bool
        Folder to be filled with what each recording gave to the model, so that `update` can remove it: one
        more pass over the recordings, an exact one, from which the model is then estimated and whose
        likelihood is reported. True: beside the model file.
    ledger_keep : float
        Share of a recording's frames that a component must have for the ledger to keep its statistics. The
        model is estimated from what is kept; what that loses is in the metadata, as `ledger_loss`.
    speakers : {"auto", "yes", "no"}
        Whether to learn, in one more pass, what distinguishes the speakers of the manifest: a back end that
        `verify` compares voices by, with a cohort and a calibration. By default where at least 20 are named.
    compensation : {"nap", "isv"}, optional
        Take out of the back end's statistics what differs between recordings of one speaker; needs at least
        ten speakers with two or more.
    checkpoint : Path, optional
        Folder for what a training to a file keeps to go on from, beside the model by default.
    dask : str, optional
        Address of a Dask scheduler, whose workers then read the recordings by the same absolute paths.

    Raises
    ------
    ChoiceError
        If a setting is outside its choices or its range, or two contradict each other.

    Examples
    --------
    >>> TrainSettings(n_components=4, algorithm="kmeans").of_mixture().form
    'spherical'
    """

    frontend: FrontEnd | None = None
    sample_rate: int | None = None
    n_components: int | None = None
    covariance_type: CovarianceType | None = None
    algorithm: Algorithm = "em"
    batch: int | None = None
    stepwise: Stepwise | None = None
    accelerate: bool = False
    approximate: str | None = None
    seed: int = 0
    init: Init = "k-means++"
    label: str | None = None
    start: AnyModel | None = None
    passes: int = 100
    tol: float = 1e-3
    floor: float | None = None
    restarts: int = 1
    hold_out: float = 0.1
    scores: str | Iterable[str] | None = None
    ledger: Path | bool = False
    ledger_keep: float = 0.0
    speakers: BackEndChoice = "auto"
    compensation: Kind | None = None
    checkpoint: Path | None = None
    dask: str | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.hold_out <= 0.5:
            raise ChoiceError(f"hold_out={self.hold_out}", needed="at least 0 (none) and at most 0.5")
        check_keep(self.ledger_keep)
        if self.scores is not None and not isinstance(self.scores, str):
            object.__setattr__(self, "scores", tuple(self.scores))
        check_scores(self.scores)
        if self.scores is not None and self.hold_out == 0:
            raise ChoiceError(
                f"scores {self.scores!r} and nothing held out",
                needed="normal audio that the model was not trained on, to put scores on a scale",
                remedy="--hold-out 0.1, or audiogmm calibrate --scores with other normal audio",
            )
        if self.ledger_keep and not self.ledger:
            raise ChoiceError(f"--ledger-keep {self.ledger_keep:g} without a ledger", needed="--ledger")
        if self.label is not None:
            object.__setattr__(self, "label", str(self.label))
            without = {"start": self.start, "ledger": self.ledger, "approximate": self.approximate}
            if given := [name for name, value in without.items() if value]:
                raise ChoiceError(
                    f"label={self.label!r} and {given[0]}",
                    needed="one of them: each class is trained by itself, from scratch",
                )
        if self.dask is not None and self.workers:
            raise ChoiceError(
                f"--dask {self.dask} and --workers {self.workers}",
                needed="one of them: the cluster has its own workers",
            )
        self.of_mixture()  # which checks the others

    def of_mixture(
        self, frontend: FrontEnd | None = None, start: Model | None = None, *, for_speakers: bool = False
    ) -> MixtureSettings:
        """Return the settings of the mixture behind a settled front end.

        Parameters
        ----------
        frontend : FrontEnd or None
            On which the defaults depend.
        start : Model or None
            The model to start from.
        for_speakers : bool
            Whether a back end for speakers will be learned.

        Raises
        ------
        ChoiceError
            If a setting is outside its choices or its range, or two contradict each other.
        """
        usual = choose_defaults(frontend, self.algorithm)
        if self.label is not None:
            usual = replace(
                usual,
                n_components=CLASS_COMPONENTS,
                covariance_type=usual.covariance_type if self.algorithm == "kmeans" else "diag",
            )
        elif for_speakers:
            usual = replace(usual, n_components=SPEAKER_COMPONENTS)
        if start is not None:
            mixture = start.mixture
            usual = replace(usual, n_components=mixture.n_components, covariance_type=mixture.covariance_type)
        stepwise = self.stepwise
        if self.batch is not None:
            stepwise = replace(stepwise or Stepwise(), batch=self.batch)
        return MixtureSettings(
            n_components=usual.n_components if self.n_components is None else self.n_components,
            covariance_type=self.covariance_type or usual.covariance_type,
            floor=usual.floor if self.floor is None else self.floor,
            algorithm=self.algorithm,
            seed=self.seed,
            init=self.init if start is None else start.mixture,
            passes=self.passes,
            tol=self.tol,
            restarts=self.restarts,
            accelerate=self.accelerate,
            approximation=None if self.approximate is None else Approximation.parse(self.approximate),
            stepwise=stepwise,
        )
