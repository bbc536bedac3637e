"""Kernels of the E-step: bounds that rule components out, scores of those that are left, and sums.

A tile of frames is screened panel by panel with float32 or 16-bit bounds; only pairs of component and frame
that no bound rules out are scored, in float64, and added to the statistics. Sums over components run in the
components' order, so that a frame's numbers do not depend on the other frames. Beside the exact E-step stand
truncated ones, k-means, the likelihood ratios of models adapted from one background, and the best sequence
of components.
"""
