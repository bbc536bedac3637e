"""What judges a candidate, from the formulas, frame by frame."""

from __future__ import annotations

import math

import numpy as np

from tests.naive.em import log_gaussian, matrix


def posteriors(frames, weights, means, covariances, form):
    """P(component | frame), and the log-likelihood of every frame."""
    frames = frames.astype(np.float64)
    N, (K, D) = len(frames), means.shape
    shares, totals = np.zeros((N, K)), np.zeros(N)
    for n, x in enumerate(frames):
        joint = [
            math.log(weights[k]) + log_gaussian(x, means[k], matrix(covariances, form, k, D))
            for k in range(K)
        ]
        top = max(joint)
        totals[n] = top + math.log(sum(math.exp(value - top) for value in joint))
        shares[n] = [math.exp(value - totals[n]) for value in joint]
    return shares, totals


def entropy(shares):
    """Of posteriors, summed over frames."""
    return -sum(t * math.log(t) for row in shares for t in row if t > 0)


def dependence(frames, batches, shares, means):
    """Variance of batch sums of the scores of the means, over that of independent frames; averaged."""
    K, D = means.shape
    ratios = []
    for k in range(K):
        for d in range(D):
            score = [shares[n, k] * (float(frames[n, d]) - means[k, d]) for n in range(len(frames))]
            sums = [sum(score[n] for n in batch) for batch in batches]
            mean, B = sum(sums) / len(sums), len(sums)
            among = sum((s - mean) ** 2 for s in sums) * B / (B - 1)
            ratios.append(among / sum(s * s for s in score))
    return max(1.0, sum(ratios) / len(ratios))


def ratio_error(totals, counts):
    """Standard error of sum(totals) / sum(counts) over recordings (Cochran 1977, equation 6.13)."""
    n, mean = len(totals), sum(totals) / sum(counts)
    squares = sum((t - mean * c) ** 2 for t, c in zip(totals, counts, strict=True)) / (n - 1)
    return math.sqrt(squares / n) / (sum(counts) / n)
