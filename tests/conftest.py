"""What every test may ask for."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

from audiogmm.cli.main import main
from tests.cli.calls import Audiogmm, Ran

settings.register_profile("house", deadline=None)  # the first example may have to compile a kernel
settings.load_profile("house")


@pytest.fixture(scope="session")
def data() -> Path:
    """The folder of development recordings, or a skip that says how to set it."""
    folder = os.environ.get("AUDIOGMM_DATA")
    if not folder:
        pytest.skip("real recordings are needed: set AUDIOGMM_DATA to the folder that holds them")
    return Path(folder).resolve()


@pytest.fixture
def audiogmm(capsys: pytest.CaptureFixture[str]) -> Audiogmm:
    """Call the command line in this process."""

    def call(*arguments: object) -> Ran:
        capsys.readouterr()
        with pytest.raises(SystemExit) as stopped:
            main([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        assert isinstance(stopped.value.code, int)
        assert "Traceback" not in err or "-v" in arguments
        return Ran(stopped.value.code, out, err)

    return call
