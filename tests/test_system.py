"""What the package does on Windows and macOS, as far as Linux can show it: by the one seam, `system.name`."""

from __future__ import annotations

import os
import select
import sys
import types
from pathlib import Path

import pytest

from audiogmm import system
from audiogmm.errors import OutputError
from audiogmm.files import exclusive, replacing
from audiogmm.live.descriptor import Descriptor
from audiogmm.live.source import WaitPolicy
from audiogmm.live.stop import Stop
from audiogmm.manifest.entry import is_url
from audiogmm.manifest.folder import ManifestFolder


@pytest.fixture
def windows(monkeypatch: pytest.MonkeyPatch) -> None:
    """This is Windows from here on, with its locks."""
    monkeypatch.setattr(system, "name", lambda: "nt")
    held: dict[int, int] = {}

    def locking(descriptor: int, mode: int, _: int) -> None:
        node = os.fstat(descriptor).st_ino
        if held.get(node, descriptor) != descriptor and _is_open(held[node]):
            raise PermissionError(13, "Permission denied")
        held[node] = descriptor

    monkeypatch.setitem(sys.modules, "msvcrt", types.SimpleNamespace(locking=locking, LK_LOCK=1, LK_NBLCK=2))


def _is_open(descriptor: int) -> bool:
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True


@pytest.mark.usefixtures("windows")
def test_paths_of_windows_are_paths_and_no_urls() -> None:
    folder = ManifestFolder("C:/data/lists")
    assert folder.resolve("a.wav") == "C:/data/lists/a.wav"
    assert folder.resolve(r"sub\c.wav") == "C:/data/lists/sub/c.wav"
    assert folder.resolve(r"D:\x\b.wav") == "D:/x/b.wav"
    assert folder.resolve(r"\\server\share\b.wav") == "//server/share/b.wav"
    assert folder.resolve("s3://c/d.wav") == "s3://c/d.wav"
    assert folder.relative("C:/data/lists/x/a.wav") == "x/a.wav"
    assert folder.relative(r"C:\data\lists\x\a.wav") == "x/a.wav"
    assert not is_url("C:/a.wav")
    assert not is_url("C:\\a.wav")


def test_a_backslash_is_a_letter_elsewhere() -> None:
    assert ManifestFolder("/data").resolve(r"a\b.wav") == r"/data/a\b.wav"
    assert not system.is_absolute("C:/a.wav")


@pytest.mark.usefixtures("windows")
def test_files_are_locked_and_replaced(tmp_path: Path) -> None:
    output = tmp_path / "room.agmm"
    with exclusive(output), pytest.raises(OutputError, match="another run is writing"), exclusive(output):
        pass
    with exclusive(output):  # free again
        pass
    (tmp_path / "out").mkdir()
    with replacing(tmp_path / "out") as temporary:
        temporary.mkdir()
        (temporary / "a").touch()
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["a"]
    assert not list(tmp_path.glob(".*"))


@pytest.mark.usefixtures("windows")
def test_names_go_to_libraries_as_text() -> None:
    assert system.native_name("ä.wav") == "ä.wav"


def test_names_go_to_libraries_as_bytes_elsewhere() -> None:
    assert system.native_name("ä\udcff.wav") == "ä".encode() + b"\xff.wav"


def test_a_pipe_is_read_where_nothing_can_poll(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(select, "poll")
    read, write = os.pipe()
    os.write(write, b"abc")
    os.close(write)
    stop = Stop()
    with os.fdopen(read, "rb", buffering=0) as file:
        stream = Descriptor(file, WaitPolicy(stop, print, None))
        assert (stream.read(2), stream.read(9), stream.read(9)) == (b"ab", b"c", b"")
    stop.close()


def test_macos_has_no_affinity(monkeypatch: pytest.MonkeyPatch) -> None:
    from audiogmm.threads import default_threads

    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    assert 1 <= default_threads() <= (os.cpu_count() or 1)
