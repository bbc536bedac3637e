"""The back end in a model file."""

from __future__ import annotations

import numpy as np
import pytest

from audiogmm.errors import ModelFileError
from audiogmm.mixture.evaluator import Evaluator
from audiogmm.mixture.store import Model
from audiogmm.verification.backend import read_backend, with_backend
from audiogmm.verification.backend_learning import learn_backend
from audiogmm.verification.space import SpaceSettings
from tests.verification.voices import mixture, people


def test_a_back_end_is_read_as_it_was_written(tmp_path) -> None:
    from audiogmm.mixture.store import load

    backend = learn_backend(mixture(), people(24, seconds=6.0), settings=SpaceSettings(principal=8))
    model = with_backend(Model(mixture()), backend)
    model.save(tmp_path / "m.agmm")
    again = read_backend(load(tmp_path / "m.agmm"))
    assert again is not None
    heard = Evaluator(mixture()).accumulate(people(1)[0].frames)
    np.testing.assert_array_equal(again.vector(heard), backend.vector(heard))
    assert again.calibrations == dict(backend.calibrations)
    assert again.about == backend.about
    assert read_backend(with_backend(model, None)) is None
    broken = dict(model.tensors)
    broken.pop("speakers.basis")
    with pytest.raises(ModelFileError, match="KeyError"):
        read_backend(Model(model.mixture, metadata=model.metadata, tensors=broken))
