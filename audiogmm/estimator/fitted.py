"""A mixture behind public attributes: the model in float64, and the arrays that the user may change."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass, fields
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from audiogmm.errors import ChoiceError, MismatchError
from audiogmm.estimator import checks
from audiogmm.estimator.em import FitResult
from audiogmm.estimator.parameters import InitialParameters, ParameterArrays, initial_mixture, mixture_of
from audiogmm.estimator.passes import Rows
from audiogmm.estimator.regularized_em import RegularizedEM
from audiogmm.estimator.start import mean_of
from audiogmm.mixture.forms import form_of
from audiogmm.mixture.gaussian import Mixture
from audiogmm.mixture.metadata import ModelMetadata
from audiogmm.mixture.statistics import SufficientStats
from audiogmm.mixture.store import Model
from audiogmm.training.criteria import aic, bic
from audiogmm.training.online import OnlineEM, batch_of, memory_of
from audiogmm.types import CovarianceType, Json
from audiogmm.words import amount


@dataclass(frozen=True, eq=False)
class FittedModel:
    """The model as it was estimated.

    Attributes
    ----------
    mixture : Mixture
        In float64.
    shown : tuple of ndarray
        weights_, means_ and precisions_cholesky_ as they were rounded from it.
    statistics : SufficientStats or None
        What it was estimated from.
    learner : OnlineEM or None
        What learned it and can go on; None where `fit` made it.
    """

    mixture: Mixture
    shown: tuple[NDArray[Any], ...]
    statistics: SufficientStats | None
    learner: OnlineEM | None = None


class FramesOf(Protocol):
    """Says what frames are: a `FrontEnd`."""

    @property
    def sample_rate(self) -> int | None:
        """Hertz."""
        ...

    def n_features(self, sample_rate: int) -> int:
        """Return the features of a frame."""
        ...

    def to_dict(self) -> Json:
        """Return the settings, as JSON."""
        ...


class FittedAttributes:
    """The part of `GaussianMixture` that holds a model and shows it in attributes, and goes on from it."""

    n_components: int
    covariance_type: CovarianceType
    reg_covar: float
    init_params: str
    random_state: int | np.random.RandomState | None
    alpha: float
    converged_: bool
    n_iter_: int
    lower_bound_: Any
    weights_init: Any
    means_init: Any
    precisions_init: Any
    weights_: NDArray[Any]
    means_: NDArray[Any]
    covariances_: NDArray[Any]
    precisions_: NDArray[Any]
    precisions_cholesky_: NDArray[Any]

    def _adopt(self, trial: FitResult, dtype: np.dtype[Any], learner: OnlineEM | None = None) -> None:
        """Show a result in the attributes, rounded to X's dtype, and keep it unrounded beside them."""
        self._show(ParameterArrays.of(trial.mixture, dtype))
        shown = tuple(array.copy() for array in self._read())
        self._kept = FittedModel(trial.mixture, shown, trial.statistics, learner)
        self.converged_ = trial.converged
        self.n_iter_ = len(trial.lower_bounds)
        self.lower_bound_ = dtype.type(trial.lower_bound)
        self.lower_bounds_ = [dtype.type(bound) for bound in trial.lower_bounds]

    def _current(self) -> FittedModel:
        """Return what was kept, or a model of the attributes where the user has changed them."""
        kept: FittedModel | None = getattr(self, "_kept", None)
        now = self._read()
        if (
            kept is not None
            and kept.mixture.covariance_type == self.covariance_type
            and all(np.array_equal(a, b) for a, b in zip(kept.shown, now, strict=True))
        ):
            return kept
        return FittedModel(mixture_of(*now, self.covariance_type), now, None)

    def _mixture(self) -> Mixture:
        """Return the model."""
        return self._current().mixture

    def to_model(self, frontend: FramesOf | None = None, *, sample_rate: int | None = None) -> Model:
        """Return a model of the parameters, which scores recordings and can be saved.

        Parameters
        ----------
        frontend : FrontEnd, optional
            The one that made X; without it the model takes frames alone.
        sample_rate : int, optional
            Of the recordings that it made X of, hertz; that of the front end by default.

        Returns
        -------
        Model
            With the statistics of the last EM iteration, so that `audiogmm.update` can go on from it, and
            without a front end the names of X's columns, if it had any, so that tables are read by them. It
            has no detector: `audiogmm.calibrate` makes one of normal recordings.

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        ChoiceError
            If the front end has no sample rate and none is given.
        MismatchError
            If the front end makes another number of features than X had.

        Examples
        --------
        >>> import audiogmm as ag
        >>> frontend = ag.FrontEnd.preset("kaldi")
        >>> noise = np.random.default_rng(0).standard_normal(16000).astype(np.float32)
        >>> gmm = ag.GaussianMixture(2, covariance_type="diag", random_state=0).fit(frontend(noise, 16000))
        >>> gmm.to_model(frontend, sample_rate=16000)
        Model(Mixture(2 components, 13 features, 'diag'), fingerprint ...)
        """
        check_is_fitted(self)
        kept = self._current()
        mixture, described, rate = kept.mixture, None, None
        if frontend is not None:
            rate = sample_rate or frontend.sample_rate
            if rate is None:
                raise ChoiceError(
                    "a front end without a sample rate", needed="hertz", remedy="sample_rate=16000"
                )
            if (n := frontend.n_features(rate)) != mixture.n_features:
                raise MismatchError(
                    f"a front end of {amount(n, 'feature')} at {rate} Hz",
                    needed=f"{mixture.n_features}, as X had",
                    remedy="the front end that made X",
                )
            described = frontend.to_dict() | {"sample_rate": rate}
        statistics = kept.statistics
        training: Json = {}
        if statistics is not None and statistics.n_frames and np.isfinite(self.lower_bound_):
            n_frames, mean = round(statistics.n_frames), float(self.lower_bound_)
            training = {
                "algorithm": "em" if kept.learner is None else "online",
                "passes": self.n_iter_,
                "converged": "likelihood" if self.converged_ else "",
                "log_likelihood": mean,
                "bic": bic(mean * n_frames, mixture.n_parameters, n_frames),
                "aic": aic(mean * n_frames, mixture.n_parameters),
                "n_frames": n_frames,
                "floor": [self.reg_covar] * mixture.n_features,
            }
        seed = self.random_state if isinstance(self.random_state, int) else None
        names = getattr(self, "feature_names_in_", ()) if frontend is None else ()
        metadata = ModelMetadata(described, rate, seed, training, columns=list(map(str, names)))
        return Model(mixture, statistics, metadata)

    def _read(self) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
        """Return the attributes that scikit-learn's methods evaluate."""
        return self.weights_, self.means_, self.precisions_cholesky_

    def _show(self, attributes: ParameterArrays) -> None:
        for each in fields(attributes):
            setattr(self, each.name, getattr(attributes, each.name))

    def _set_parameters(self, params: tuple[NDArray[Any], ...]) -> None:
        """Show weights, means, covariances and precision factors that belong together."""
        weights, means, covariances, factors = params
        precisions = form_of(self.covariance_type).precision(factors)
        self._show(ParameterArrays(weights, means, covariances, precisions, factors))

    def _initialize(self, X: Rows, resp: NDArray[Any]) -> None:
        """Show the start that responsibilities (n_samples, n_components) make."""
        (K, D), form = (resp.shape[1], X.shape[1]), self.covariance_type
        given = checks.checked_start(self.weights_init, self.means_init, self.precisions_init, form, K, D)
        stats = SufficientStats.measure(X, resp, origin=mean_of(X), covariance_type=form)
        self._show(ParameterArrays.of(initial_mixture(stats, given, form, self.reg_covar), X.dtype))

    def _given(self, rows: Rows) -> InitialParameters:
        return checks.checked_start(
            self.weights_init,
            self.means_init,
            self.precisions_init,
            self.covariance_type,
            self.n_components,
            rows.shape[1],
        )

    def _em(self, given: InitialParameters, random_state: np.random.RandomState) -> RegularizedEM:
        """Return starts and steps by the present parameters."""
        return RegularizedEM(
            self.n_components,
            self.covariance_type,
            self.init_params,
            self.reg_covar,
            random_state,
            given,
        )

    def _former(self, rows: Rows) -> Mixture:
        """Return the last solution, to go on from."""
        mixture = self._mixture()
        theirs = (mixture.n_components, mixture.n_features)
        ours = (self.n_components, rows.shape[1])
        if theirs != ours:
            raise ValueError(
                f"The model to go on from has {theirs[0]} components of {theirs[1]} features, but "
                f"n_components={ours[0]} and X has {ours[1]} features. Try: a clone, which begins again."
            )
        return mixture

    def _learner_for(self, rows: Rows) -> OnlineEM:
        """Return the online learner, as it was or a new one, by the present parameters."""
        K, given = self.n_components, self._given(rows)
        learner: OnlineEM | None = getattr(self, "_learner", None)
        fitted = self.__sklearn_is_fitted__()
        if fitted:
            self._former(rows)
        em = self._em(given, check_random_state(self.random_state))
        if learner is None or (fitted and self._current().learner is not learner):
            memory = memory_of(self.covariance_type, rows.shape[1])
            learner = OnlineEM(em, K, self.alpha, batch=batch_of(K), memory=memory)
            if fitted:
                kept = self._current()
                n_rows = 0.0 if kept.statistics is None else kept.statistics.n_frames
                learner.resume(kept.mixture, kept.statistics, n_rows / learner.batch)
            elif given.complete:
                learner.resume(em.start(rows, None), None, 0.0)
        learner = copy(learner)  # what fails leaves the one that was
        learner.em, learner.alpha = em, self.alpha
        return learner

    def _n_parameters(self) -> int:
        """Count the free parameters of the model."""
        K, D = self.means_.shape
        return int(form_of(self.covariance_type).n_parameters(K, D) + K * D + K - 1)

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "precisions_cholesky_")
