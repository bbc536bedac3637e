"""A peak that belongs to another full scale is said, once, and changes nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from audiogmm.runs.scale import scale_note
from audiogmm.runs.sources import entries_from


@pytest.mark.parametrize(
    ("peak", "dtype", "expected"),
    [
        (-12000.0, "f4", r"peak of the samples is 12000, and full scale is 1; .* 16 bits: samples / 32768"),
        (8.0e6, "f8", r"24 bits: samples / 8388608"),
        (2.0e9, "f8", r"32 bits: samples / 2147483648"),
        (1e20, "f8", r"try: samples / 1e\+20"),
        (-32768, "i4", r"is 32768, and full scale is 2147483648; .* 16 bits: samples / 32768"),
        (12000, "i2", None),
        (1 << 20, "i4", None),
        (0, "i4", None),
        (4.0, "f4", None),
        (np.inf, "f4", None),
        (np.nan, "f4", None),
    ],
)
def test_the_note_names_the_peak_and_what_to_divide_by(peak: Any, dtype: str, expected: str | None) -> None:
    samples = np.array([0, peak, 0]).astype(dtype)
    said: list[str] = []
    entries = list(entries_from([(samples, 8000), (samples, 8000)], say=said.append))
    assert len(entries) == 2 and len(said) == (expected is not None)
    if expected is not None:
        with pytest.raises(ValueError, match=expected):
            raise ValueError(said[0])
        factor = float(said[0].rpartition("/ ")[2])
        assert scale_note(samples / factor) is None
