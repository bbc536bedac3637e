"""The start of training: a first mixture from a sample of the frames."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from audiogmm.kernels.estep.kmeans import nearest_centers, shrink_distances
from audiogmm.mixture.forms import form_of
from audiogmm.mixture.gaussian import Mixture
from audiogmm.training.frames.packing import SLICE_ROWS
from audiogmm.types import CovarianceType, FloatArray, Frames

Init = Literal["k-means++", "random", "split"]
"""Ways to find a start."""

LLOYD_PASSES = 5
"""Passes of k-means over the sample, between k-means++ and the first mixture."""

_PAD = 16  # float32 numbers in the widest register


@dataclass(frozen=True, slots=True)
class FrameSample:
    """Frames to start from, and mean, variance and floor of all frames.

    Attributes
    ----------
    frames : ndarray of shape (n, n_features), float32 or float64
        A uniform sample.
    mean, variance : ndarray of shape (n_features,), float64
        Of all frames.
    floor : ndarray of shape (n_features,), float64
        Variance floor.
    """

    frames: Frames
    mean: FloatArray
    variance: FloatArray
    floor: FloatArray

    @property
    def deviation(self) -> FloatArray:
        """Standard deviation of each feature, shape (n_features,); 1 for a constant one."""
        return np.sqrt(np.where(self.variance > 0, self.variance, 1.0))


def cluster_mixture(
    sample: FrameSample,
    n_components: int,
    covariance_type: CovarianceType,
    *,
    scale: FloatArray,
    seed: int | np.random.SeedSequence,
    threads: int,
) -> Mixture:
    """Make a mixture from clusters: k-means++, `LLOYD_PASSES` of k-means, and the moments of each cluster.

    To each cluster are added a few virtual frames (one; D for full covariances) with the cluster's own
    mean and the variances within all clusters, so that the smallest gets a covariance as well.

    Parameters
    ----------
    sample : FrameSample
        At least `n_components` frames.
    n_components : int
        Clusters.
    covariance_type : CovarianceType
        Form of the covariances.
    scale : ndarray of shape (n_features,), float64
        Distances are measured in these units.
    seed : int or SeedSequence
        Of the draws.
    threads : int
        Does not change the result.

    Returns
    -------
    Mixture
        Of the shape asked for, floored.
    """
    scaled = scale_frames(sample.frames, sample.mean, scale)
    with ThreadPoolExecutor(threads) as pool:
        centers = scaled[k_means_plus_plus(scaled, n_components, seed, pool)].astype(np.float64)
        labels = assign_to_centers(scaled, centers, pool)
        for _ in range(LLOYD_PASSES):
            centers = compute_cluster_means(scaled, labels, centers)
            labels = assign_to_centers(scaled, centers, pool)
    del scaled
    return _from_labels(sample, labels, n_components, covariance_type)


def random_mixture(
    sample: FrameSample,
    n_components: int,
    covariance_type: CovarianceType,
    *,
    seed: int | np.random.SeedSequence,
) -> Mixture:
    """Make a mixture of equal weights around random frames, each with the variances of all frames.

    Parameters
    ----------
    sample, n_components, covariance_type, seed
        As for `cluster_mixture`.

    Returns
    -------
    Mixture
        Of the shape asked for.
    """
    rows = np.random.default_rng(seed).choice(len(sample.frames), n_components, replace=False)
    variances = np.maximum(sample.variance, sample.floor)
    return Mixture(
        np.full(n_components, 1 / n_components),
        sample.frames[np.sort(rows)].astype(np.float64),
        form_of(covariance_type).broaden(variances, n_components),
        covariance_type,
    )


def single_gaussian(sample: FrameSample, covariance_type: CovarianceType) -> Mixture:
    """Make one component with the mean and the variances of all frames, from which splitting begins."""
    variances = np.maximum(sample.variance, sample.floor)
    return Mixture(
        np.ones(1), sample.mean[None], form_of(covariance_type).broaden(variances, 1), covariance_type
    )


def k_means_plus_plus(
    frames: Frames, n_clusters: int, seed: int | np.random.SeedSequence, pool: ThreadPoolExecutor
) -> NDArray[np.intp]:
    """Choose rows to start k-means from, far from one another (Arthur and Vassilvitskii 2007).

    Each further center is the best of ``2 + log(n_clusters)`` candidates, drawn with probability
    proportional to the squared distance to the nearest center so far; the best leaves the smallest sum
    of them. So does scikit-learn. When all rows are centers already, further ones are drawn evenly.

    Parameters
    ----------
    frames : ndarray of shape (n, d), float32
        Rows; the units of the features matter.
    n_clusters : int
        Centers, at most n.
    seed : int or SeedSequence
        Of the draws.
    pool : ThreadPoolExecutor
        Does not change the result.

    Returns
    -------
    ndarray of shape (n_clusters,), int
        Rows, in the order of their choice.
    """
    random = np.random.default_rng(seed)
    n = len(frames)
    n_trials = 2 + int(np.log(n_clusters))
    shrunk = np.empty((n_trials, n))
    rows = np.empty(n_clusters, dtype=np.intp)
    closest = np.full(n, np.inf)
    for k in range(n_clusters):
        total = closest.sum() if k else np.inf
        if np.isfinite(total) and total > 0:
            reached = np.cumsum(closest)
            drawn = np.searchsorted(reached, random.random(n_trials) * reached[-1], side="right")
            candidates = np.minimum(drawn, n - 1)
        else:
            candidates = random.integers(n, size=1)
        _shrink(frames, frames[candidates], closest, shrunk, pool)
        best = int(np.argmin(shrunk[: len(candidates)].sum(axis=1)))
        rows[k] = candidates[best]
        closest[:] = shrunk[best]
    return rows


def assign_to_centers(frames: Frames, centers: FloatArray, pool: ThreadPoolExecutor) -> NDArray[np.int32]:
    """Return the index of the nearest center of every frame, shape (n,)."""
    labels, distances = np.empty(len(frames), np.int32), np.empty(len(frames))

    def fill(first: int) -> None:
        rows = slice(first, first + SLICE_ROWS)
        nearest_centers(frames[rows], centers, labels[rows], distances[rows])

    for _ in pool.map(fill, range(0, len(frames), SLICE_ROWS)):
        pass
    return labels


def compute_cluster_means(frames: Frames, labels: NDArray[np.int32], centers: FloatArray) -> FloatArray:
    """Return the means of the clusters, shape (n_clusters, d); an empty one keeps its center."""
    means = centers.copy()
    for k, rows in _members(labels, len(centers)):
        means[k] = frames[rows].mean(axis=0, dtype=np.float64)
    return means


def scale_frames(frames: Frames, mean: FloatArray, scale: FloatArray) -> Frames:
    """Return ``(frames - mean) / scale``, float32, and columns of zeros up to a multiple of 16.

    The zeros change no distance, and fill the registers.
    """
    n, d = frames.shape
    wide = np.zeros((n, -(-d // _PAD) * _PAD), np.float32)
    for first in range(0, n, SLICE_ROWS):
        rows = slice(first, first + SLICE_ROWS)
        wide[rows, :d] = (frames[rows] - mean) / scale
    return wide


def _shrink(
    frames: Frames, candidates: Frames, closest: FloatArray, shrunk: FloatArray, pool: ThreadPoolExecutor
) -> None:
    """`shrink_distances` by slices."""

    def fill(first: int) -> None:
        rows = slice(first, first + SLICE_ROWS)
        shrink_distances(frames[rows], candidates, closest[rows], shrunk[:, rows])

    for _ in pool.map(fill, range(0, len(frames), SLICE_ROWS)):
        pass


def _members(labels: NDArray[np.int32], n_clusters: int) -> list[tuple[int, NDArray[np.intp]]]:
    """Each cluster that has members, and its rows in order."""
    order = np.argsort(labels, kind="stable")
    bounds = np.searchsorted(labels[order], np.arange(n_clusters + 1))
    return [(k, order[bounds[k] : bounds[k + 1]]) for k in range(n_clusters) if bounds[k] < bounds[k + 1]]


def _from_labels(
    sample: FrameSample, labels: NDArray[np.int32], n_components: int, covariance_type: CovarianceType
) -> Mixture:
    """The M-step of hard assignments, with virtual frames as `cluster_mixture` says."""
    form = form_of(covariance_type)
    K, D = n_components, len(sample.mean)
    counts, means = np.zeros(K), np.zeros((K, D))
    scatters = np.zeros(form.shape(K, D))
    within = np.zeros(D)
    for k, rows in _members(labels, K):
        frames = sample.frames[rows] - sample.mean
        counts[k], means[k] = len(rows), frames.mean(axis=0)
        frames -= means[k]
        within += np.einsum("nd,nd->d", frames, frames)
        scatters[... if form.shared else k] += form.scatter(frames)
    prior = form.broaden(np.maximum(within / counts.sum(), sample.floor), K)
    virtual = float(form.frames_needed(D))
    masses = counts + virtual
    of_each = masses.sum() if form.shared else masses.reshape((K,) + (1,) * (scatters.ndim - 1))
    covariances = (scatters + (virtual * K if form.shared else virtual) * prior) / of_each
    return Mixture(
        masses / masses.sum(), means + sample.mean, form.floor(covariances, sample.floor)[0], covariance_type
    )
