"""The scikit-learn face of the mixture: `GaussianMixture`."""

from __future__ import annotations

from audiogmm.estimator.gaussian_mixture import GaussianMixture

__all__ = ["GaussianMixture"]
