"""A file that only grows, row by row, while a run goes on."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from audiogmm.files import unwritable


class GrowingFile:
    """A file to whose end rows go at once; whatever the disk refuses, on closing too, names the file.

    It has no buffer, whose rest a full disk would refuse again on closing.

    Parameters
    ----------
    path : Path
        Made where there is none; what is there stays until `cut`.

    Raises
    ------
    OutputError
        If it cannot be opened, written or closed.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "rows"
    >>> for row in (b"one", b"two"):
    ...     with GrowingFile(path) as file:
    ...         file.cut(path.stat().st_size)
    ...         file.append(row)
    ...         print(file.end)
    3
    6
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.end = 0
        self._file: IO[bytes] | None = None

    def __enter__(self) -> Self:
        try:
            self._file = self.path.open("a+b", buffering=0)
        except OSError as error:
            raise unwritable(self.path, error) from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()
        else:
            with suppress(OSError):
                self.close()

    def cut(self, end: int) -> None:
        """Keep the first `end` bytes alone."""
        assert self._file is not None, "inside the `with` block only"
        try:
            self._file.truncate(end)
        except OSError as error:
            raise unwritable(self.path, error) from error
        self.end = end

    def append(self, content: bytes) -> None:
        """Put bytes to the end."""
        assert self._file is not None, "inside the `with` block only"
        left = memoryview(content)
        self.end += len(left)
        try:
            while left:
                left = left[self._file.write(left) :]
        except OSError as error:
            raise unwritable(self.path, error) from error

    def close(self) -> None:
        """Close it, before the end of the block, too."""
        file, self._file = self._file, None
        if file is not None:
            try:
                file.close()
            except OSError as error:
                raise unwritable(self.path, error) from error
