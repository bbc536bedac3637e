"""The settings of a training, checked in one place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from audiogmm.errors import ChoiceError
from audiogmm.keywords import check_numbers
from audiogmm.mixture.floor import RELATIVE_FLOOR, VarianceFloor, variance_floor
from audiogmm.mixture.forms import form_of
from audiogmm.mixture.gaussian import Mixture
from audiogmm.mixture.statistics import SufficientStats
from audiogmm.training.schedule.approximation import Approximation
from audiogmm.training.schedule.batch import EM, KMeans
from audiogmm.training.schedule.convergence import Convergence
from audiogmm.training.schedule.steps import Stepwise
from audiogmm.training.seeding import Init
from audiogmm.types import CovarianceType, FloatArray, Json

Algorithm = Literal["em", "stepwise", "kmeans"]
"""Batch EM; stepwise EM, then batch EM; or k-means for comparison."""

METHODS: dict[Algorithm, type[EM] | type[KMeans]] = {"em": EM, "stepwise": EM, "kmeans": KMeans}

SAMPLED_EACH = 64
"""Frames sampled to start from, a component; between `SAMPLED_LEAST` and `SAMPLED_MOST` in all."""

SAMPLED_LEAST, SAMPLED_MOST = 1 << 15, 1 << 18


@dataclass(frozen=True)
class MixtureSettings:
    """The settings of `train_mixture`.

    Parameters
    ----------
    n_components : int
        Components, K.
    covariance_type : CovarianceType or None
        Form of the covariances; None for ``"diag"``, or for k-means ``"spherical"``, the only form it has.
    algorithm : {"em", "stepwise", "kmeans"}
        Batch EM (Dempster, Laird and Rubin 1977); stepwise EM (Cappe and Moulines 2009), an update after
        each batch of frames, and batch EM from where that leads; or Lloyd's k-means as a mixture with one
        shared spherical variance.
    seed : int
        Of the sample and the start, at least 0.
    init : {"k-means++", "random", "split"} or Mixture
        How the start is found on a uniform sample of the frames: k-means++ and a few passes of k-means;
        random frames; one Gaussian, split and trained until there are K. Or a mixture to start from.
    passes : int
        Passes over all frames at most; reaching it is no error. 0 gives the start itself.
    tol : float
        Stops when the mean log-likelihood per frame rises by less, nats; 0 turns both rules off.
    movement_tol : float
        Stops when the parameters move by less, standard deviations; see `convergence.movement`.
    restarts : int
        Starts to try: each makes a short run over the sample, and the best is kept.
    floor : float or ndarray of shape (n_features,), float64
        Variance floor: a share of each feature's variance over all frames, or variances. Both count as at
        least `audiogmm.mixture.floor.LEAST_FLOOR` of it, what float64 needs, and more where a feature is
        constant (`audiogmm.mixture.floor.variance_floor`); so 0 is the least floor.
    max_spool_bytes : int
        Size above which frames are not kept (by default at 100 hours of 60 features); 0 to keep none.
    stepwise : Stepwise or None
        How the stepwise passes step; None for two passes with steps that suit most data.
    accelerate : bool
        Extrapolate every second pass of batch EM (SQUAREM, Varadhan and Roland 2008), falling back where
        that does not help, so that the likelihood never falls.
    approximation : Approximation or None
        Posteriors on a few components of each frame, chosen by top-C or by truncated variational EM; the
        result says what was given up (`TrainingResult.loss`). None for exact ones.

    Raises
    ------
    ChoiceError
        If one is outside its choices or its range.

    Examples
    --------
    >>> MixtureSettings(n_components=4, algorithm="kmeans").form
    'spherical'
    >>> MixtureSettings(n_components=0)
    Traceback (most recent call last):
    ...
    audiogmm.errors.ChoiceError: n_components=0; needed: at least 1
    """

    n_components: int
    covariance_type: CovarianceType | None = None
    algorithm: Algorithm = "em"
    seed: int = 0
    init: Init | Mixture = "k-means++"
    passes: int = 50
    tol: float = 1e-3
    movement_tol: float = 1e-4
    restarts: int = 1
    floor: float | FloatArray = RELATIVE_FLOOR
    max_spool_bytes: int = 8 << 30
    stepwise: Stepwise | None = None
    accelerate: bool = False
    approximation: Approximation | None = None

    def __post_init__(self) -> None:
        check_numbers(MixtureSettings, vars(self))
        for name, least in (
            ("n_components", 1),
            ("seed", 0),
            ("passes", 0),
            ("restarts", 1),
            ("max_spool_bytes", 0),
        ):
            if getattr(self, name) < least:
                raise ChoiceError(f"{name}={getattr(self, name)}", needed=f"at least {least}")
        if self.algorithm not in METHODS:
            raise ChoiceError(f"algorithm={self.algorithm!r}", needed="one of " + ", ".join(METHODS))
        form_of(self.form)
        if self.algorithm == "kmeans" and self.form != "spherical":
            raise ChoiceError(
                f"k-means with covariance type {self.form!r}",
                needed="spherical: its clusters share one variance",
                remedy="leave the covariance type out, or train by EM",
            )
        if not isinstance(self.init, Mixture) and self.init not in get_args(Init):
            raise ChoiceError(
                f"init={self.init!r}", needed="one of " + ", ".join(get_args(Init)) + ", or a mixture"
            )
        if self.restarts > 1 and (isinstance(self.init, Mixture) or self.init == "split"):
            raise ChoiceError(
                f"restarts={self.restarts} from {'a mixture' if isinstance(self.init, Mixture) else 'split'}",
                needed="1, since every start would be the same",
                remedy="init='k-means++' or 'random'",
            )
        if self.stepwise is not None and self.algorithm != "stepwise":
            raise ChoiceError(
                f"settings of stepwise EM for algorithm {self.algorithm!r}: {self.stepwise.changed}",
                needed="algorithm 'stepwise'",
                remedy="--algorithm stepwise, or leave them out",
            )
        if self.algorithm == "stepwise":
            self._check_passes(self.stepwise or Stepwise())
        if self.accelerate and self.algorithm != "em":
            raise ChoiceError(
                f"acceleration of algorithm {self.algorithm!r}", needed="algorithm 'em'", remedy="drop one"
            )
        if self.approximation is not None and (self.algorithm != "em" or self.accelerate):
            raise ChoiceError(
                f"approximation {self.approximation} for "
                + ("accelerated EM" if self.accelerate else f"algorithm {self.algorithm!r}"),
                needed="algorithm 'em', not accelerated",
                remedy="drop one",
            )
        _ = self.convergence

    def _check_passes(self, stepwise: Stepwise) -> None:
        """Refuse to stop within what stepwise EM has begun; no pass at all is the start itself."""
        if 0 < self.passes < stepwise.passes:
            raise ChoiceError(
                f"passes={self.passes} with stepwise passes={stepwise.passes}",
                needed=f"at least {stepwise.passes} passes in all, lest training stop before the last of its "
                "steps",
                remedy=f"--passes {stepwise.passes}, or --stepwise-passes of at most {self.passes}",
            )

    @property
    def form(self) -> CovarianceType:
        """The covariance type, the default of the algorithm where none was given."""
        return self.covariance_type or ("spherical" if self.algorithm == "kmeans" else "diag")

    @property
    def convergence(self) -> Convergence:
        """When to stop."""
        return Convergence(self.tol, self.movement_tol)

    @property
    def sample_size(self) -> int:
        """Frames to sample for the start."""
        most = max(SAMPLED_MOST, self.n_components)
        return min(max(SAMPLED_EACH * self.n_components, SAMPLED_LEAST), most)

    def variance_floor(self, moments: SufficientStats) -> VarianceFloor:
        """Least variance of each feature: `floor` itself if it is an array, else a share of all frames'.

        Parameters
        ----------
        moments : SufficientStats
            Of all frames.

        Raises
        ------
        ChoiceError
            If `floor` is negative, not finite, or of another shape.

        Examples
        --------
        >>> frames = np.array([[-1.0, 7.0], [1.0, 7.0]])
        >>> moments = SufficientStats.measure(frames, origin=np.zeros(2), covariance_type="diag")
        >>> MixtureSettings(n_components=1, floor=0.01).variance_floor(moments).variances
        array([1.e-02, 1.e-06])
        """
        if np.ndim(self.floor) == 0:
            return variance_floor(moments, relative=float(self.floor))
        variances = np.array(self.floor, dtype=np.float64)
        if variances.shape != moments.origin.shape or not (np.isfinite(variances) & (variances >= 0)).all():
            raise ChoiceError(
                f"floor={self.floor}",
                needed=f"a share of at least 0, or {moments.n_features} finite variances of at least 0",
            )
        least = variance_floor(moments, relative=0.0)
        return VarianceFloor(np.maximum(variances, least.variances), least.constant)

    def to_json(self) -> Json:
        """What decides the course of the passes; when they stop does not belong to it."""
        return (
            {
                "algorithm": self.algorithm,
                "accelerate": self.accelerate,
                "n_components": self.n_components,
                "covariance_type": self.form,
                "init": self.init.fingerprint if isinstance(self.init, Mixture) else self.init,
                "seed": self.seed,
                "restarts": self.restarts,
                "floor": np.asarray(self.floor).tolist(),
            }
            | ({"stepwise": (self.stepwise or Stepwise()).to_json()} if self.algorithm == "stepwise" else {})
            | ({"approximation": self.approximation.to_json()} if self.approximation else {})
        )
