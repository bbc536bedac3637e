"""scikit-learn's interface to the mixture: `GaussianMixture`, name for name, with `partial_fit` and weights.

It takes X in float32 or float64, computes float64 input in float64, and gives attributes in the dtype of X.
Random numbers follow `random_state`, starts are those of scikit-learn, and errors use its words with a remedy
behind them. It passes `check_estimator`. Responsibilities are never held for all rows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from audiogmm.lazy import exports

if TYPE_CHECKING:
    from audiogmm.estimator.gaussian_mixture import GaussianMixture as GaussianMixture

__getattr__, __dir__ = exports(__name__)
