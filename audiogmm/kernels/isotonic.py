"""Pooling of adjacent violators: the isotonic odds of sorted trials, and with them the ROC convex hull."""

from __future__ import annotations

from audiogmm.kernels.policy import kernel
from audiogmm.types import BoolArray, FloatArray, IntArray


@kernel
def pool_adjacent(
    target: BoolArray,
    begins: BoolArray,
    speakers: IntArray,
    multiplicity: FloatArray,
    losses: FloatArray,
    blocks: FloatArray,
    sums: FloatArray,
) -> int:
    """Pool trials in the order of their scores into blocks of rising odds, and sum losses on the way.

    A trial weighs the product of the multiplicities of the distinct speakers in it. Trials of equal score
    are in one block. The blocks are the segments of the ROC convex hull (Fawcett and Niculescu-Mizil
    2007, section 3); the odds are compared as products, which for whole weights is exact.

    Parameters
    ----------
    target : ndarray of shape (n,), bool
        IN. Whether it is a target trial; trials sorted by score.
    begins : ndarray of shape (n,), bool
        IN. Whether the score differs from the one before.
    speakers : ndarray of shape (n, 2), int64
        IN. Speaker of the model and of the test.
    multiplicity : ndarray of shape (n_speakers,), float64
        IN. How many times each speaker was drawn.
    losses : ndarray of shape (n, m), float64
        IN. What each trial costs by each of m measures.
    blocks : ndarray of shape (n, 3), float64
        OUT. Weight of targets, weight of nontargets, and the last trial of each block.
    sums : ndarray of shape (2, m), float64
        OUT. Weighted sums of the losses of nontargets and targets.

    Returns
    -------
    int
        Number of blocks.
    """
    n_blocks = 0
    sums[:] = 0.0
    i = 0
    while i < len(target):
        targets = nontargets = 0.0
        while True:
            left, right = speakers[i, 0], speakers[i, 1]
            weight = multiplicity[left]
            if left != right:
                weight *= multiplicity[right]
            kind = 0
            if target[i]:
                targets += weight
                kind = 1
            else:
                nontargets += weight
            if weight > 0.0:  # zero times an infinite loss is no loss
                for m in range(losses.shape[1]):
                    sums[kind, m] += weight * losses[i, m]
            i += 1
            if i == len(target) or begins[i]:
                break
        if targets + nontargets == 0.0:
            continue
        while n_blocks > 0 and blocks[n_blocks - 1, 0] * nontargets >= targets * blocks[n_blocks - 1, 1]:
            n_blocks -= 1
            targets += blocks[n_blocks, 0]
            nontargets += blocks[n_blocks, 1]
        blocks[n_blocks, 0] = targets
        blocks[n_blocks, 1] = nontargets
        blocks[n_blocks, 2] = i - 1
        n_blocks += 1
    return n_blocks
