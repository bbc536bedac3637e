"""Disks that fail: a file system of a few pages, so that the n-th page that a command writes is refused."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

PAGE = 4096
"""Bytes."""


@contextmanager
def small_disk(folder: Path, pages: int) -> Iterator[Callable[[int], None]]:
    """Mount a file system of so many pages, and give a function that makes it larger; skip where refused."""
    folder.mkdir(exist_ok=True)

    def mount(pages: int, *options: str) -> None:
        size = ",".join([*options, f"size={PAGE * pages}"])
        command = ["mount", "-t", "tmpfs", "-o", size, "tmpfs", str(folder)]
        done = subprocess.run(command, capture_output=True, check=False)
        if done.returncode:
            pytest.skip(f"a small file system cannot be mounted: {done.stderr.decode().strip()}")

    mount(pages)
    try:
        yield lambda pages: mount(pages, "remount")
    finally:
        subprocess.run(["umount", str(folder)], check=True)
