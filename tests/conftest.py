"""What every test may ask for."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("house", deadline=None)  # the first example may have to compile a kernel
settings.load_profile("house")


@pytest.fixture(scope="session")
def data() -> Path:
    """The folder of development recordings, or a skip that says how to set it."""
    folder = os.environ.get("AUDIOGMM_DATA")
    if not folder:
        pytest.skip("real recordings are needed: set AUDIOGMM_DATA to the folder that holds them")
    return Path(folder).resolve()
