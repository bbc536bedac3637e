"""Aliases that say what a number or an array is."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Seconds = float
"""A time or a duration in seconds."""

CovarianceType = Literal["spherical", "diag", "tied", "full"]
"""The four covariance forms, by scikit-learn's names."""

Samples = NDArray[np.float32]
"""Mono audio, shape (n_samples,), full scale is 1.0."""

Frames = NDArray[np.float32]
"""Feature vectors, shape (n_frames, n_features), C-contiguous."""

FloatArray = NDArray[np.float64]
"""Statistics, parameters, scores."""

IntArray = NDArray[np.int64]
"""Indices and numbers of things."""

BoolArray = NDArray[np.bool_]
"""Marks, such as which frames are voiced."""

Json = dict[str, Any]
"""A JSON object."""
