"""`GaussianMixture`: scikit-learn's class, name for name, on this package's EM."""

from __future__ import annotations

import warnings
from numbers import Integral, Real
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, DensityMixin, _fit_context
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from audiogmm.estimator import checks, passes
from audiogmm.estimator.em import FitResult, Reporter, run_em
from audiogmm.estimator.fitted import FittedAttributes
from audiogmm.estimator.passes import Rows
from audiogmm.estimator.sampling import draw_samples
from audiogmm.types import CovarianceType, FloatArray, IntArray

NOT_CONVERGED = (
    "Best performing initialization did not converge. Try different init parameters, or increase max_iter, "
    "tol, or check for degenerate data."
)
"""scikit-learn's words."""


class GaussianMixture(FittedAttributes, DensityMixin, BaseEstimator):  # type: ignore[misc]
    """A Gaussian mixture with the face of `sklearn.mixture.GaussianMixture`, and more behind it.

    The same parameters, attributes, methods, warnings and errors, and from the same `random_state` the same
    model. Beside that: `partial_fit` for all covariance types, `sample_weight`, and memory that does not
    grow with n_samples * n_components. Arithmetic that decides a model is float64, whatever X is. The E-step
    leaves out posteriors that it has proved to be below 1e-7, or below 1e-12 where X is float64, but none of
    a component that would end empty. The number of threads changes no result.

    It differs from scikit-learn's in this: initial weights sum to one for every `init_params`; `max_iter=0`
    gives covariances that fit `precisions_init`; with `reg_covar=0`, falls of the likelihood are warned of.

    Parameters
    ----------
    n_components : int, default=1
        Components.
    covariance_type : {"full", "tied", "diag", "spherical"}, default="full"
        A matrix for each component, one for all, variances for each component, one variance for each.
    tol : float, default=1e-3
        EM stops when the mean log-likelihood changes by less, nats.
    reg_covar : float, default=1e-6
        Added to every variance.
    max_iter : int, default=100
        EM iterations at most.
    n_init : int, default=1
        Starts, of which the best is kept.
    init_params : {"kmeans", "k-means++", "random", "random_from_data"}, default="kmeans"
        How responsibilities are made to start from.
    weights_init : array-like of shape (n_components,), optional
        Weights to start from.
    means_init : array-like of shape (n_components, n_features), optional
        Means to start from.
    precisions_init : array-like, optional
        Inverse covariances to start from, in the shape of `precisions_`.
    random_state : int, RandomState or None
        Of starts and samples.
    warm_start : bool, default=False
        Whether `fit` goes on from the last one's solution; then there is one start.
    verbose : int, default=0
        1 prints iterations, 2 their times and gains too.
    verbose_interval : int, default=10
        Iterations between two lines.
    alpha : float in (0.5, 1], default=0.6
        `partial_fit` gives its t-th step the weight ``(t + 2) ** -alpha``: the lower, the sooner the past
        is forgotten.

    Attributes
    ----------
    weights_ : ndarray of shape (n_components,)
        All attributes have the dtype of X.
    means_ : ndarray of shape (n_components, n_features)
    covariances_, precisions_, precisions_cholesky_ : ndarray
        Spherical (n_components,), diag (n_components, n_features), tied (n_features, n_features),
        full (n_components, n_features, n_features). With P the Cholesky factor, the precision is P P^T.
    converged_ : bool
        Whether the best start's EM stopped for `tol`.
    n_iter_ : int
        Its iterations; after `partial_fit`, those and the calls.
    lower_bound_ : float32 or float64
        Its last mean log-likelihood, nats; after `partial_fit`, that of the last
        batch, or part of one, before it was learned from.
    lower_bounds_ : list of float32 or float64
        Those of all iterations; after `partial_fit`, the last alone.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features,)
        If X had names that are strings.

    References
    ----------
    Bishop 2006, section 9.2.2 (EM). Cappe and Moulines 2009; Liang and Klein 2009 (stepwise EM).

    Examples
    --------
    >>> X = np.array([[1, 2], [1, 4], [1, 0], [10, 2], [10, 4], [10, 0]])
    >>> gmm = GaussianMixture(n_components=2, random_state=0).fit(X)
    >>> gmm.means_
    array([[10.,  2.],
           [ 1.,  2.]])
    >>> gmm.predict([[0, 0], [12, 3]])
    array([1, 0])
    >>> gmm.partial_fit([[0, 2], [11, 2]] * 100).means_[:, 0].round(1)
    array([10.5,  0.5])
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "n_components": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0.0, None, closed="left")],
        "reg_covar": [Interval(Real, 0.0, None, closed="left")],
        "max_iter": [Interval(Integral, 0, None, closed="left")],
        "n_init": [Interval(Integral, 1, None, closed="left")],
        "init_params": [StrOptions({"kmeans", "random", "random_from_data", "k-means++"})],
        "random_state": ["random_state"],
        "warm_start": ["boolean"],
        "verbose": ["verbose"],
        "verbose_interval": [Interval(Integral, 1, None, closed="left")],
        "covariance_type": [StrOptions({"full", "tied", "diag", "spherical"})],
        "weights_init": ["array-like", None],
        "means_init": ["array-like", None],
        "precisions_init": ["array-like", None],
        "alpha": [Interval(Real, 0.5, 1.0, closed="right")],
    }

    def __init__(
        self,
        n_components: int = 1,
        *,
        covariance_type: CovarianceType = "full",
        tol: float = 1e-3,
        reg_covar: float = 1e-6,
        max_iter: int = 100,
        n_init: int = 1,
        init_params: str = "kmeans",
        weights_init: ArrayLike | None = None,
        means_init: ArrayLike | None = None,
        precisions_init: ArrayLike | None = None,
        random_state: int | np.random.RandomState | None = None,
        warm_start: bool = False,
        verbose: int = 0,
        verbose_interval: int = 10,
        alpha: float = 0.6,
    ) -> None:
        self.n_components = n_components
        self.covariance_type = covariance_type
        self.tol = tol
        self.reg_covar = reg_covar
        self.max_iter = max_iter
        self.n_init = n_init
        self.init_params = init_params
        self.weights_init = weights_init
        self.means_init = means_init
        self.precisions_init = precisions_init
        self.random_state = random_state
        self.warm_start = warm_start
        self.verbose = verbose
        self.verbose_interval = verbose_interval
        self.alpha = alpha

    @_fit_context(prefer_skip_nested_validation=True)  # type: ignore[untyped-decorator]
    def fit(self, X: ArrayLike, y: object = None, sample_weight: ArrayLike | None = None) -> Self:
        """Estimate the parameters by EM, from `n_init` starts, or with `warm_start` from the last solution.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            float32 stays as it is; all else becomes float64.
        y : ignored
        sample_weight : array-like of shape (n_samples,), optional
            A sample of weight 2 counts as two; one of weight 0 as none. Random starts ("random") do not
            depend on weights.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If X, weights or starting parameters cannot be used, or a covariance collapses.
        """
        self._fit(X, sample_weight)
        return self

    @_fit_context(prefer_skip_nested_validation=True)  # type: ignore[untyped-decorator]
    def fit_predict(self, X: ArrayLike, y: object = None, sample_weight: ArrayLike | None = None) -> IntArray:
        """`fit`, then `predict` of the same X, shape (n_samples,), int64."""
        rows = self._fit(X, sample_weight)
        return passes.labels(passes.evaluator_of(self._mixture(), rows.dtype), rows)

    @_fit_context(prefer_skip_nested_validation=True)  # type: ignore[untyped-decorator]
    def partial_fit(self, X: ArrayLike, y: object = None, sample_weight: ArrayLike | None = None) -> Self:
        """Learn from some samples without keeping them: stepwise EM, for streams.

        Samples are taken 256 at a time (or 8 a component, if that is more), however they come. The
        statistics per sample become ``(1 - rho) * old + rho * batch`` with ``rho = (t + 2) ** -alpha``
        (`alpha`) at the t-th step, at most 1 in 50 samples a component (Liang and Klein 2009; see
        `audiogmm.training.online.OnlineEM`), and the parameters follow from them. What does not fill a batch
        yet counts in the parameters at once, as a part of one. The first four batches make a start, as in
        `fit`; until they have come, the parameters are of a start on what has. From then on they are the same
        to the last bit however the samples were cut into calls. A model that `fit` has made counts for as
        many steps as batches of its samples would have taken.

        Samples are forgotten with the step size: of a stream sorted by cluster, the last are learned.
        Shuffle it, or keep more of the past by a larger `alpha`.

        While there are fewer samples than components, or than two, they are kept, and the estimator is not
        fitted yet.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            At least one sample.
        y : ignored
        sample_weight : array-like of shape (n_samples,), optional

        Returns
        -------
        self

        Raises
        ------
        ValueError
            As of `fit`.
        """
        fitted = self.__sklearn_is_fitted__()
        waits = getattr(self, "_learner", None) is not None
        rows = checks.checked_rows(self, X, reset=not (fitted or waits))
        weights = checks.checked_weights(sample_weight, rows)
        if weights is not None:
            rows, weights = rows[weights > 0], weights[weights > 0]
        learner = self._learner_for(rows)
        learner.push(rows, weights)
        self._learner = learner
        if learner.mixture is not None:
            n_iter = getattr(self, "n_iter_", 0) if fitted else 0
            self._adopt(
                FitResult(learner.mixture, learner.present, [learner.log_likelihood]), rows.dtype, learner
            )
            self.n_iter_ = n_iter + 1
        return self

    def predict(self, X: ArrayLike) -> IntArray:
        """The likeliest component of each sample, shape (n_samples,), int64."""
        rows = self._fitted_rows(X)
        return passes.labels(passes.evaluator_of(self._mixture(), rows.dtype), rows)

    def predict_proba(self, X: ArrayLike) -> NDArray[Any]:
        """P(component | sample), shape (n_samples, n_components), in the dtype of X."""
        rows = self._fitted_rows(X)
        return passes.posteriors(passes.evaluator_of(self._mixture(), rows.dtype), rows, rows.dtype)

    def score_samples(self, X: ArrayLike) -> NDArray[Any]:
        """Log-likelihood of each sample, shape (n_samples,), nats, in the dtype of X."""
        rows = self._fitted_rows(X)
        scores: NDArray[Any] = passes.log_likelihoods(
            passes.evaluator_of(self._mixture(), rows.dtype), rows
        ).astype(rows.dtype)
        return scores

    def score(self, X: ArrayLike, y: object = None, sample_weight: ArrayLike | None = None) -> float:
        """Mean log-likelihood of the samples, nats; weighted if there are weights (n_samples,).

        The mean of what `score_samples` gives, so for float32 X it has 7 digits; `bic` and `aic` have all.
        """
        scores = self.score_samples(X)
        weights = checks.checked_weights(sample_weight, scores)
        return float(scores.mean() if weights is None else np.average(scores, weights=weights))

    def bic(self, X: ArrayLike, sample_weight: ArrayLike | None = None) -> float:
        """Bayesian information criterion (Schwarz 1978): the lower, the better."""
        mean, n_samples = self._mean_and_total(X, sample_weight)
        return float(-2 * mean * n_samples + self._n_parameters() * np.log(n_samples))

    def aic(self, X: ArrayLike, sample_weight: ArrayLike | None = None) -> float:
        """Akaike information criterion: the lower, the better."""
        mean, n_samples = self._mean_and_total(X, sample_weight)
        return float(-2 * mean * n_samples + 2 * self._n_parameters())

    def sample(self, n_samples: int = 1) -> tuple[FloatArray, IntArray]:
        """Draw samples, by `random_state`, ordered by component.

        Returns
        -------
        X : ndarray of shape (n_samples, n_features), float64
        y : ndarray of shape (n_samples,), int64
            Components.

        Raises
        ------
        ValueError
            If `n_samples` is below 1.
        """
        check_is_fitted(self)
        if n_samples < 1:
            raise ValueError(
                f"Invalid value for 'n_samples': {n_samples} . The sampling requires at least one sample."
            )
        return draw_samples(self._mixture(), n_samples, check_random_state(self.random_state))

    def _fit(self, X: ArrayLike, sample_weight: ArrayLike | None) -> Rows:
        """Fit, and give the rows as they were checked."""
        rows = checks.checked_rows(self, X, reset=True, least=2)
        weights = checks.checked_weights(sample_weight, rows)
        checks.check_enough_rows(rows, weights, self.n_components)
        given = self._given(rows)
        go_on = self.warm_start and hasattr(self, "converged_")
        em = self._em(given, check_random_state(self.random_state))
        reporter = Reporter(self.verbose, self.verbose_interval)
        best: FitResult | None = None
        for number in range(1 if go_on else self.n_init):
            reporter.begin_initialization(number)
            start = self._former(rows) if go_on else em.start(rows, weights)
            trial = run_em(
                start,
                rows,
                weights,
                reg_covar=self.reg_covar,
                tol=self.tol,
                max_iter=self.max_iter,
                lower_bound=self.lower_bound_ if go_on else -np.inf,
                reporter=reporter,
            )
            if best is None or trial.lower_bound > best.lower_bound:
                best = trial
        assert best is not None, "n_init is at least 1"
        if not best.converged and self.max_iter > 0:
            warnings.warn(NOT_CONVERGED, ConvergenceWarning, stacklevel=4)
        self._adopt(best, rows.dtype)
        return rows

    def _fitted_rows(self, X: ArrayLike) -> Rows:
        check_is_fitted(self)
        return checks.checked_rows(self, X, reset=False)

    def _mean_and_total(self, X: ArrayLike, sample_weight: ArrayLike | None) -> tuple[float, float]:
        """Mean log-likelihood, and the sum of the weights."""
        rows = self._fitted_rows(X)
        weights = checks.checked_weights(sample_weight, rows)
        scores = passes.log_likelihoods(passes.evaluator_of(self._mixture(), rows.dtype), rows)
        total = float(len(rows) if weights is None else weights.sum())
        return float(np.average(scores, weights=weights)), total
