"""Gaussian mixtures: parameters, sufficient statistics, E-step, M-step, MAP adaptation, and the model file.

A `Mixture` is frozen and valid: weights sum to one, and covariances, of any form in the table `FORMS`, are
positive definite. An `Evaluator` gives likelihoods and posteriors of frames, and accumulates
`SufficientStats`; it skips a component for a frame only where a bound proves its posterior to be
negligible, and evaluates the others in float64. Statistics add, subtract and scale, in any grouping.
`maximize` and `adapt_mixture` estimate a new mixture from them and report what was floored or emptied. A
`Model` keeps a mixture with its statistics, its metadata and further tensors in one file. Nothing here knows
audio, recordings or threads.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from audiogmm.lazy import exports

if TYPE_CHECKING:
    from audiogmm.mixture.adaptation import adapt_mixture as adapt_mixture
    from audiogmm.mixture.evaluator import Evaluator as Evaluator
    from audiogmm.mixture.floor import VarianceFloor as VarianceFloor
    from audiogmm.mixture.floor import variance_floor as variance_floor
    from audiogmm.mixture.form import CovarianceForm as CovarianceForm
    from audiogmm.mixture.forms import FORMS as FORMS
    from audiogmm.mixture.forms import form_of as form_of
    from audiogmm.mixture.gaussian import Mixture as Mixture
    from audiogmm.mixture.maximization import Update as Update
    from audiogmm.mixture.maximization import maximize as maximize
    from audiogmm.mixture.metadata import ModelMetadata as ModelMetadata
    from audiogmm.mixture.statistics import SufficientStats as SufficientStats
    from audiogmm.mixture.store import Model as Model
    from audiogmm.mixture.store import load as load
    from audiogmm.mixture.truncated import TruncatedEvaluator as TruncatedEvaluator

__getattr__, __dir__ = exports(__name__)
