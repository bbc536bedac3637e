"""MAP adaptation of a diagonal mixture, word for word from Reynolds, Quatieri and Dunn 2000, section 3.3."""

from __future__ import annotations

import numpy as np


def adapt(weights, means, variances, frames, posteriors, tau):
    """All three parameters adapted; equations 11 to 14, one component and feature after another."""
    n_frames, (n_components, n_features) = len(frames), means.shape
    new_weights = np.zeros(n_components)
    new_means = np.zeros((n_components, n_features))
    new_variances = np.zeros((n_components, n_features))
    for i in range(n_components):
        n = sum(posteriors[t, i] for t in range(n_frames))  # equation 8
        alpha = n / (n + tau)  # equation 14
        new_weights[i] = alpha * n / n_frames + (1 - alpha) * weights[i]  # equation 11, before gamma
        for d in range(n_features):
            first = sum(posteriors[t, i] * frames[t, d] for t in range(n_frames)) / n  # equation 9
            second = sum(posteriors[t, i] * frames[t, d] ** 2 for t in range(n_frames)) / n  # equation 10
            new_means[i, d] = alpha * first + (1 - alpha) * means[i, d]  # equation 12
            new_variances[i, d] = (
                alpha * second + (1 - alpha) * (variances[i, d] + means[i, d] ** 2) - new_means[i, d] ** 2
            )  # equation 13: the SQUARE of the new mean
    return new_weights / sum(new_weights), new_means, new_variances
