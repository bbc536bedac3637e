"""The best sequence of components: the same bytes as the plain loops over NumPy rows."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from audiogmm.kernels.estep import sequences
from tests.naive import scores as naive

VALUES = st.one_of(st.sampled_from([0.0, 0.5, 1.0]), st.floats(0, 1))  # ties are frequent
WINDOWS = st.tuples(st.integers(1, 12), st.integers(1, 5)).flatmap(
    lambda shape: arrays.arrays(np.float64, (shape[0] + 1, shape[1]), elements=VALUES)
)


@settings(max_examples=200, deadline=None)
@given(window=WINDOWS, cost=st.sampled_from([0.0, 0.25, 0.5, 1.0, 10.0]))
def test_sequences_have_the_bytes_of_the_naive_twin(window: np.ndarray, cost: float) -> None:
    best, evidence = -window[0], np.ascontiguousarray(window[1:])
    expected_best, expected_from = naive.extend_sequences(best, evidence, cost)
    came_from = np.empty(evidence.shape, np.int32)
    sequences.extend_sequences(evidence, cost, best, came_from)
    assert came_from.tobytes() == expected_from.tobytes()
    assert np.array_equal(best, expected_best)
    labels, last = np.empty(len(evidence), np.int32), int(best.argmax())
    first = sequences.trace_sequence(came_from, last, labels)
    expected_labels, expected_first = naive.trace_sequence(expected_from, last)
    assert labels.tobytes() == expected_labels.tobytes() and first == expected_first
