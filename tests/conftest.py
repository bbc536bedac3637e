"""What every test may ask for, and what none may leave behind."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from audiogmm.cli.main import main
from tests import leaks
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


@pytest.fixture(scope="session", autouse=True)
def temporary_folder() -> Iterator[None]:
    """A folder of this process alone for temporary files, so that each can be traced to a test."""
    before = tempfile.gettempdir(), os.environ.get("TMPDIR")
    folder = tempfile.mkdtemp(prefix="ag", dir="/tmp" if os.path.isdir("/tmp") else None)  # noqa: PTH112
    tempfile.tempdir = os.environ["TMPDIR"] = folder
    yield
    tempfile.tempdir = before[0]
    if before[1] is None:
        del os.environ["TMPDIR"]
    else:
        os.environ["TMPDIR"] = before[1]
    shutil.rmtree(folder)


@pytest.fixture(autouse=True)
def leaves_nothing(temporary_folder: None) -> Iterator[None]:
    """Fail a test that leaves a thread, a process, an open file or a temporary file behind."""
    before = leaks.state()
    yield
    left = leaks.left_since(before)
    assert not left, f"the test left behind: {', '.join(left)}"


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
