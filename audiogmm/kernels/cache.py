"""The cache of compiled kernels for later processes: safe for several at once, and for disks that fail.

Numba numbers the files of a kernel's variants by the index that it has read. Two processes that compile
different variants at the same time then give both the same number, and one of them later runs the other's
machine code. Here a file is named after what is in it, so that the worst of a race is to compile twice.
"""

# numba's caching is not annotated:
# mypy: disable-error-code="no-untyped-call, misc"

from __future__ import annotations

import contextlib
import hashlib
from functools import cache
from pathlib import Path
from typing import Any

from numba.core import caching

from audiogmm.kernels.compile_lock import COMPILE_LOCK, announce

_Base: Any = caching.IndexDataCacheFile


class SafeCacheFile(_Base):
    """A kernel's variants in a folder that other processes and other CPUs use, too."""

    def save(self, key: Any, data: Any) -> None:
        """Store one variant, unless the disk does not take it: the next process then compiles again."""
        with contextlib.suppress(OSError):
            known = self._load_index()
            if not known and Path(self._index_path).exists():
                self._forget_older()
            name = self._name_of(key)
            self._save_data(name, (key, data))
            self._save_index({**known, key: name})

    def load(self, key: Any) -> Any:
        """Return a variant that was kept, else None: this process then compiles it, once it has the lock."""
        found = self._read(key)
        if found is None and COMPILE_LOCK.acquire(
            self._cache_path
        ):  # another process may have compiled it meanwhile
            found = self._read(key)
        if found is None:
            announce()
        return found

    def _read(self, key: Any) -> Any:
        """Return a variant that was kept; None if there is none, or none that can be read."""
        try:
            kept, data = self._load_data(self._load_index()[key])
        except Exception:  # noqa: BLE001 - absent, cut short by a full disk, or zeros after a power cut
            return None
        return data if kept == key else None

    def _load_index(self) -> dict[Any, str]:
        try:
            index: dict[Any, str] = super()._load_index()
        except Exception:  # noqa: BLE001 - as above
            return {}
        return index

    def _name_of(self, key: Any) -> str:
        digest = hashlib.sha256(repr((self._version, self._source_stamp, key)).encode())
        name: str = self._data_name(int(digest.hexdigest()[:16], 16))
        return name

    def _forget_older(self) -> None:
        """Remove what older sources left, which no process looks for any more."""
        pattern = self._data_name_pattern.replace("{number:d}", "*")
        for path in Path(self._cache_path).glob(pattern):
            path.unlink(missing_ok=True)


def make_safe(dispatcher: Any) -> None:
    """Make the cache of a kernel safe, and out of date with any change of the kernels' sources.

    Numba looks at the time and size of the kernel's own file, but kernels call others and are built from
    microkernels; and installers may give every file the same time. Where numba keeps its stamp may change:
    its own rule then remains.
    """
    kept: Any = getattr(dispatcher, "_cache", None)
    file: Any = getattr(kept, "_cache_file", None)
    if isinstance(file, caching.IndexDataCacheFile) and hasattr(file, "_source_stamp"):
        stamp = (file._source_stamp, sources_digest(Path(__file__).parent))
        kept._cache_file = SafeCacheFile(kept.cache_path, kept._impl.filename_base, stamp)


@cache
def sources_digest(folder: Path) -> str:
    """Return the SHA-256 of all sources in a folder and those below it, hexadecimal."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*.py")):
        digest.update(path.relative_to(folder).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()
