"""One way from whatever a parser raises to the named error of a file."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from audiogmm.errors import (
    AudioFileError,
    ChoiceError,
    ManifestError,
    MismatchError,
    MixtureError,
    ModelFileError,
)
from audiogmm.reading import parsing, reading


@pytest.mark.parametrize(
    ("raised", "said"),
    [
        (OSError(errno.EIO, "Input/output error"), "a.json cannot be read: Input/output error"),
        (OSError(errno.ESTALE, "Stale file handle"), "a.json cannot be read: Stale file handle"),
        (FileNotFoundError(2, "No such file"), "a.json does not exist"),
        (KeyError("means"), "a.json is no list: KeyError: 'means'"),
        (ValueError("3 rows"), "a.json is no list: 3 rows"),
        (OverflowError("int too large"), "a.json is no list: OverflowError: int too large"),
        (RecursionError("deep"), "a.json is no list: values nested too deep"),
        (MemoryError(), "a.json cannot be read: it asks for more memory than there is"),
        (UnicodeDecodeError("utf-8", b"\xff", 0, 1, "bad"), "a.json is not UTF-8 text"),
        (NotImplementedError(), "a.json is no list: NotImplementedError"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_whatever_is_raised_names_the_file(raised: Exception, said: str) -> None:
    with (
        pytest.raises(ManifestError) as caught,
        reading(Path("a.json"), ManifestError, needed="a list", remedy="write it again", what="is no list"),
    ):
        raise raised
    assert caught.value.what.startswith(said)
    assert caught.value.needed and caught.value.remedy
    assert caught.value.__cause__ is raised


def test_an_error_that_names_its_file_passes() -> None:
    for error in (ManifestError("b.json"), MismatchError("b.json"), UserWarning("b.json")):
        with pytest.raises(type(error)) as caught, reading("a.json", AudioFileError):
            raise error
        assert caught.value is error


def test_a_setting_in_a_file_is_a_fault_of_the_file() -> None:
    for error in (ChoiceError("tau=-1", needed="a positive number"), MixtureError("weights of nan")):
        with (
            pytest.raises(ModelFileError, match=f"a.json cannot be read: {error.what}; needed: a gallery"),
            parsing("a.json", needed="a gallery", remedy="enroll again"),
        ):
            raise error
        with pytest.raises(type(error)), reading("a.json"):
            raise error
