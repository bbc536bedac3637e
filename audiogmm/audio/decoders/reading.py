"""Faults of one recording, whatever reads it: each becomes an error that names the recording."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from audiogmm.errors import AudioFileError, AudioGMMError
from audiogmm.manifest.entry import display_name


@contextmanager
def reading(path: str, kind: type[AudioGMMError] = AudioFileError) -> Iterator[None]:
    """Turn whatever a reader raises into an error of `kind` with the path and the reason.

    A run sets such an error aside and goes on; what goes wrong elsewhere, such as in writing, stays as it is.

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
    """
    try:
        yield
    except (AudioGMMError, Warning):
        raise
    except OSError as error:
        raise kind(
            f"{display_name(path)} cannot be read: {error.strerror or error}",
            needed="a file on a disk that can be read",
            remedy="check the disk or the network, or copy the file here",
        ) from error
    except MemoryError as error:
        raise kind(
            f"{display_name(path)} cannot be read: it asks for more memory than there is",
            needed="a whole file",
            remedy="copy or write it again, or take it out of the manifest",
        ) from error
    except Exception as error:
        reason = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        raise kind(
            f"{display_name(path)} cannot be read: {reason}",
            needed="a whole file",
            remedy="copy or write it again, or take it out of the manifest",
        ) from error
