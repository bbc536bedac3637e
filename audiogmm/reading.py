"""Faults of a file that is read, whatever reads it: each becomes a named error with its path."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from audiogmm.errors import (
    AudioFileError,
    AudioGMMError,
    ChoiceError,
    FrontEndError,
    KindError,
    MixtureError,
    ModelFileError,
)

AGAIN = "copy or write it again, or take it out of the manifest"

CHECK_DISK = "check the disk or the network, or copy the file here"
"""What helps where the system cannot read a file."""


@contextmanager
def reading(
    name: object,
    kind: type[AudioGMMError] = AudioFileError,
    *,
    needed: str = "a whole file",
    remedy: str = AGAIN,
    what: str = "cannot be read",
) -> Iterator[None]:
    """Turn whatever a reader raises into an error of `kind` with the file and the reason.

    A run sets such an error aside and goes on, or ends with it in one line; what goes wrong elsewhere, such
    as in writing, stays as it is. What is read is not trusted: a parser may raise anything on it.

    Parameters
    ----------
    name : path-like or str
        The file, as messages name it.
    kind : type
        Of the error.
    needed, remedy : str
        What should have come, and what to try, as in `AudioGMMError`.
    what : str
        What is wrong with the file, before the reason.

    Raises
    ------
    AudioGMMError
        Of `kind`; an error that is one already, and a warning that is raised, pass.

    Examples
    --------
    >>> with reading("a.wav"):
    ...     raise OSError(5, "Input/output error")
    Traceback (most recent call last):
    ...
    audiogmm.errors.AudioFileError: a.wav cannot be read: Input/output error; needed: ...
    >>> with reading("a.json", needed="a calibration", what="is damaged"):
    ...     {}["weights"]
    Traceback (most recent call last):
    ...
    audiogmm.errors.AudioFileError: a.json is damaged: KeyError: 'weights'; needed: a calibration; ...
    """
    try:
        yield
    except (AudioGMMError, Warning):
        raise
    except FileNotFoundError as error:
        raise kind(f"{name} does not exist", needed=needed, remedy="check the path") from error
    except OSError as error:
        raise kind(
            f"{name} cannot be read: {error.strerror or error}",
            needed="a file on a disk that can be read",
            remedy=CHECK_DISK,
        ) from error
    except MemoryError as error:
        raise kind(
            f"{name} cannot be read: it asks for more memory than there is", needed=needed, remedy=remedy
        ) from error
    except RecursionError as error:
        raise kind(f"{name} {what}: values nested too deep", needed=needed, remedy=remedy) from error
    except UnicodeDecodeError as error:
        raise kind(f"{name} is not UTF-8 text: {error}", needed=needed, remedy=remedy) from error
    except Exception as error:
        kept = isinstance(error, KeyError) or type(error) is not ValueError or not str(error)
        reason = f"{type(error).__name__}: {error}".removesuffix(": ") if kept else str(error)
        raise kind(f"{name} {what}: {reason}", needed=needed, remedy=remedy) from error


@contextmanager
def parsing(
    name: object,
    kind: type[AudioGMMError] = ModelFileError,
    *,
    needed: str,
    remedy: str,
    what: str = "cannot be read",
) -> Iterator[None]:
    """Read a file that audiogmm wrote, or should have written: as `reading`, and values are checked.

    A setting or an array in it that is refused (`ChoiceError`, `MixtureError` and the like, which would speak
    of an option) is a fault of the file.

    Examples
    --------
    >>> with parsing("gallery.json", needed="a gallery", remedy="enroll again"):
    ...     raise ChoiceError("tau=-1.0", needed="a positive number")
    Traceback (most recent call last):
    ...
    audiogmm.errors.ModelFileError: gallery.json cannot be read: tau=-1.0; needed: a gallery; ...
    """
    with reading(name, kind, needed=needed, remedy=remedy, what=what):
        try:
            yield
        except (ChoiceError, KindError, MixtureError, FrontEndError) as error:
            raise ValueError(error.what) from error
