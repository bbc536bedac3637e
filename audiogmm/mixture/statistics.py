"""Sufficient statistics of frames under a mixture, as a vector space."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from audiogmm.errors import MixtureError
from audiogmm.mixture.forms import form_of
from audiogmm.types import CovarianceType, FloatArray

ARRAYS = ("origin", "counts", "first", "second")
SCALARS = ("n_frames", "log_likelihood", "skipped")


@dataclass(frozen=True, eq=False)
class SufficientStats:
    """Posterior-weighted moments of frames about an origin.

    With the posterior r_nk of component k for frame x_n, the weight w_n of the frame, and the origin o:
    ``counts[k] = sum_n w_n r_nk``, ``first[k] = sum_n w_n r_nk (x_n - o)`` (Bishop 2006, section 9.2.2).

    They are a vector space: ``+``, ``-``, multiplication by a number, and `zero`. Sums may be grouped in
    any way and give the same model to rounding. The right operand is shifted to the left one's origin,
    exactly. The arrays are read-only; those given are taken over, not copied.

    Parameters
    ----------
    covariance_type : CovarianceType
        The form of covariances that can be estimated from these.
    origin : ndarray of shape (n_features,), float64
        What moments are about. The nearer to the frames' mean, the fewer digits an estimate loses:
        `Mixture.center`.
    counts : ndarray of shape (n_components,), float64
        Frames of each component.
    first : ndarray of shape (n_components, n_features), float64
        Sums of x - o.
    second : ndarray, float64
        Spherical (n_components,): sums of ``|x - o|^2``. Diag (n_components, n_features): of ``(x - o)^2``.
        Full (n_components, n_features, n_features): of ``(x - o)(x - o)^T``.
        Tied (n_features, n_features): the same over all components.
    n_frames : float
        Sum of the frames' weights.
    log_likelihood : float
        Weighted sum of the frames' log-likelihoods, nats, under the model that gave the posteriors.
    skipped : float
        Pairs of component and frame that the E-step proved too small to count.

    Raises
    ------
    MixtureError
        If shapes do not fit.
    ChoiceError
        If there is no such covariance type.

    Examples
    --------
    >>> frames = np.array([[0.0], [2.0], [4.0]])
    >>> a = SufficientStats.measure(frames[:1], origin=np.zeros(1), covariance_type="diag")
    >>> b = SufficientStats.measure(frames[1:], origin=np.ones(1), covariance_type="diag")
    >>> total = a + b
    >>> total.counts, total.first, total.second
    (array([3.]), array([[6.]]), array([[20.]]))
    >>> (total - b).second, (0.5 * total).n_frames
    (array([[0.]]), 1.5)
    """

    covariance_type: CovarianceType
    origin: FloatArray
    counts: FloatArray
    first: FloatArray
    second: FloatArray
    n_frames: float
    log_likelihood: float = 0.0
    skipped: float = 0.0

    def __post_init__(self) -> None:
        form = form_of(self.covariance_type)
        for name in ARRAYS:
            array = np.ascontiguousarray(getattr(self, name), dtype=np.float64).view()
            array.flags.writeable = False
            object.__setattr__(self, name, array)
        for name in SCALARS:
            object.__setattr__(self, name, float(getattr(self, name)))
        if self.first.ndim != 2:
            raise MixtureError(
                f"first moments of shape {self.first.shape}", needed="shape (n_components, n_features)"
            )
        K, D = self.first.shape
        wanted = {"origin": (D,), "counts": (K,), "second": form.second_shape(K, D)}
        for name, shape in wanted.items():
            if getattr(self, name).shape != shape:
                raise MixtureError(
                    f"{self.covariance_type} statistics with {name} of shape {getattr(self, name).shape}",
                    needed=f"shape {shape} beside first moments of shape {(K, D)}",
                )

    @classmethod
    def zero(
        cls,
        n_components: int,
        n_features: int,
        covariance_type: CovarianceType,
        origin: FloatArray | None = None,
    ) -> SufficientStats:
        """Return statistics of no frames, about `origin` (n_features,), zeros by default.

        Examples
        --------
        >>> SufficientStats.zero(2, 3, "full").second.shape
        (2, 3, 3)
        """
        K, D = n_components, n_features
        return cls(
            covariance_type,
            origin=np.zeros(D) if origin is None else origin,
            counts=np.zeros(K),
            first=np.zeros((K, D)),
            second=np.zeros(form_of(covariance_type).second_shape(K, D)),
            n_frames=0.0,
        )

    @classmethod
    def measure(
        cls,
        frames: FloatArray,
        posteriors: FloatArray | None = None,
        *,
        origin: FloatArray,
        covariance_type: CovarianceType,
        weights: FloatArray | None = None,
    ) -> SufficientStats:
        """Return statistics of frames with known posteriors: hard assignments, or all as one component.

        The E-step proper, which finds the posteriors and never holds them all, is `Evaluator.accumulate`.

        Parameters
        ----------
        frames : ndarray of shape (n, n_features), float32 or float64
            Feature vectors.
        posteriors : ndarray of shape (n, n_components), float64, optional
            Share of each component in each frame; one component has all of every frame by default.
        origin : ndarray of shape (n_features,), float64
            What moments are taken about.
        covariance_type : CovarianceType
            Form of the second moments.
        weights : ndarray of shape (n,), float64, optional
            Weights of the frames, 1 by default.

        Returns
        -------
        SufficientStats
            With a `log_likelihood` of 0: it is not known here.
        """
        deviations = np.asarray(frames, dtype=np.float64) - origin
        shares = np.ones((len(deviations), 1)) if posteriors is None else np.asarray(posteriors, np.float64)
        if weights is not None:
            shares = shares * np.asarray(weights, dtype=np.float64)[:, None]
        return cls(
            covariance_type,
            origin=np.array(origin, dtype=np.float64),
            counts=shares.sum(axis=0),
            first=shares.T @ deviations,
            second=form_of(covariance_type).moment(deviations, shares),
            n_frames=float(len(deviations) if weights is None else np.sum(weights)),
        )

    @property
    def n_components(self) -> int:
        """Components, K."""
        return len(self.counts)

    @property
    def n_features(self) -> int:
        """Features, D."""
        return len(self.origin)

    def shifted(self, origin: FloatArray) -> SufficientStats:
        """Return the same statistics about another origin (n_features,).

        With ``d = origin - self.origin`` and m the first moments: ``first - counts d``, and the second
        moments become, diagonal, ``second - 2 d m + counts d^2``; the other forms likewise. This is exact
        but for rounding.

        Examples
        --------
        >>> frames = np.array([[1.0], [3.0]])
        >>> stats = SufficientStats.measure(frames, origin=np.zeros(1), covariance_type="full")
        >>> stats.shifted(np.array([2.0])).first, stats.shifted(np.array([2.0])).second
        (array([[0.]]), array([[[2.]]]))
        """
        origin = np.asarray(origin, dtype=np.float64)
        if np.array_equal(origin, self.origin):
            return self
        if origin.shape != self.origin.shape:
            raise MixtureError(
                f"an origin of shape {origin.shape}", needed=f"shape {self.origin.shape}, one a feature"
            )
        delta = origin - self.origin
        return self._with(
            origin=origin.copy(),
            first=self.first - self.counts[:, None] * delta,
            second=form_of(self.covariance_type).shift(self.second, self.first, self.counts, delta),
        )

    def __add__(self, other: SufficientStats) -> SufficientStats:
        return self._combined(other, 1.0)

    def __sub__(self, other: SufficientStats) -> SufficientStats:
        return self._combined(other, -1.0)

    def __mul__(self, factor: float) -> SufficientStats:
        return self._with(**{name: getattr(self, name) * factor for name in _LINEAR})

    __rmul__ = __mul__

    def __neg__(self) -> SufficientStats:
        return self * -1.0

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, SufficientStats):
            return NotImplemented
        return self.covariance_type == other.covariance_type and all(
            np.array_equal(getattr(self, name), getattr(other, name)) for name in (*ARRAYS, *SCALARS)
        )

    __hash__ = None  # type: ignore[assignment]

    def __reduce__(self) -> tuple[object, ...]:  # arrays come out of a pickle writeable
        return SufficientStats, (self.covariance_type, *(getattr(self, name) for name in (*ARRAYS, *SCALARS)))

    def __repr__(self) -> str:
        return (
            f"SufficientStats({self.n_frames:g} frames, {self.n_components} components, "
            f"{self.n_features} features, {self.covariance_type!r})"
        )

    def _combined(self, other: SufficientStats, sign: float) -> SufficientStats:
        if not isinstance(other, SufficientStats):
            return NotImplemented
        self._check_alike(other)
        shifted = other.shifted(self.origin)
        return self._with(**{name: getattr(self, name) + sign * getattr(shifted, name) for name in _LINEAR})

    def _check_alike(self, other: SufficientStats) -> None:
        ours = (self.covariance_type, self.first.shape)
        theirs = (other.covariance_type, other.first.shape)
        if ours != theirs:
            raise MixtureError(
                f"statistics of {theirs[0]} covariances and shape {theirs[1]} added to "
                f"{ours[0]} covariances and shape {ours[1]}",
                needed="the same covariance type and (n_components, n_features)",
            )

    def _with(self, **changes: object) -> SufficientStats:
        fields = {name: getattr(self, name) for name in ("covariance_type", *ARRAYS, *SCALARS)}
        return SufficientStats(**(fields | changes))


_LINEAR = ("counts", "first", "second", *SCALARS)
"""All but the origin and the type."""


def merge(parts: Iterable[SufficientStats]) -> SufficientStats:
    """Sum statistics, in the order given, into one buffer: `sum` without an array for each step.

    Gives the same bytes as ``parts[0] + parts[1] + ...``, from the left. `parts` may be a generator; one
    part at a time is alive.

    Raises
    ------
    MixtureError
        If there are none, or they are not alike.

    Examples
    --------
    >>> parts = [SufficientStats.measure(np.full((n, 2), n), origin=np.zeros(2), covariance_type="diag")
    ...          for n in (1, 2)]
    >>> merge(parts) == parts[0] + parts[1]
    True
    """
    parts = iter(parts)
    first = next(parts, None)
    if first is None:
        raise MixtureError("no statistics to merge", needed="at least one", remedy="SufficientStats.zero")
    total = {name: np.array(getattr(first, name), dtype=np.float64) for name in _LINEAR}
    for part in parts:
        first._check_alike(part)
        shifted = part.shifted(first.origin)
        for name, buffer in total.items():
            buffer += getattr(shifted, name)
    return first._with(**total)
