"""Kernels of the front end: samples to cepstra, deltas, normalization and activity, eight frames at once.

A lane is a frame, and each lane does the same operations in the same order, so that a frame's bytes depend
neither on its neighbors nor on how the recording was cut. Windows run from frame to frame in one fixed
order.
"""
