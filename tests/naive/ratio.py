"""Likelihood ratios of adapted models from the formula, one obvious loop after another."""

from __future__ import annotations

import numpy as np

from tests.naive.mixture import covariance_matrix, log_joint, log_likelihood, posteriors


def joint_of(frames, mixture):
    """See `tests.naive.mixture.log_joint`."""
    return log_joint(frames, mixture.weights, mixture.means, mixture.covariances, mixture.covariance_type)


def exact(frames, background, model):
    """Mean of log p(x | model) - log p(x | background)."""
    theirs, ours = (log_likelihood(joint_of(frames, m)) for m in (model, background))
    return np.mean(theirs - ours)


def top(frames, background, model, most):
    """The same over the components of highest posterior under the background, at least 1e-7 each."""
    ours, theirs = joint_of(frames, background), joint_of(frames, model)
    total = 0.0
    for n in range(len(frames)):
        best = np.argsort(-ours[n], kind="stable")[:most]
        best = [k for k in best if ours[n, k] > ours[n].max() + np.log(1e-7)]
        total += log_likelihood(theirs[n : n + 1, best])[0] - log_likelihood(ours[n : n + 1, best])[0]
    return total / len(frames)


def linear(frames, background, model):
    """Glembek et al. 2009, equation 8, divided by the number of frames."""
    gamma = posteriors(joint_of(frames, background))
    total = 0.0
    for k in range(background.n_components):
        D = background.n_features
        covariance = covariance_matrix(background.covariances, background.covariance_type, k, D)
        first = gamma[:, k] @ (np.asarray(frames, np.float64) - background.means[k])
        total += (model.means[k] - background.means[k]) @ np.linalg.solve(covariance, first)
    return total / len(frames)
