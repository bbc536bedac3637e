"""Outputs are whole or absent."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import numpy as np
import pytest

from audiogmm.errors import AudioFileError, OutputError
from audiogmm.files import refuse_overwrite, replacing, settle


def names(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir())


def test_a_file_appears_only_when_whole(tmp_path: Path) -> None:
    with replacing(tmp_path / "a.npy") as temporary:
        assert temporary.parent == tmp_path
        np.save(temporary, np.arange(3))
        assert temporary.exists(), "the suffix is kept, so np.save appends none"
        assert not (tmp_path / "a.npy").exists()
    assert names(tmp_path) == ["a.npy"]


@pytest.mark.parametrize("stop", [KeyboardInterrupt, ValueError, SystemExit])
def test_whatever_stops_it_leaves_the_old_file_and_no_other(
    tmp_path: Path, stop: type[BaseException]
) -> None:
    (tmp_path / "a.txt").write_text("old")
    with pytest.raises(stop), replacing(tmp_path / "a.txt", force=True) as temporary:
        temporary.write_text("half")
        raise stop
    assert names(tmp_path) == ["a.txt"]
    assert (tmp_path / "a.txt").read_text() == "old"


def test_a_half_written_folder_is_removed(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), replacing(tmp_path / "out") as temporary:
        temporary.mkdir()
        (temporary / "one").write_text("1")
        raise KeyboardInterrupt
    assert names(tmp_path) == []


def test_existing_file_is_refused_by_name_and_force_replaces_it(tmp_path: Path) -> None:
    final = tmp_path / "a.txt"
    final.write_text("old")
    with pytest.raises(OutputError, match=r"a\.txt exists already.*--force"), replacing(final):
        pytest.fail("the block must not run")
    with replacing(final, force=True) as temporary:
        temporary.write_text("new")
    assert final.read_text() == "new"


def test_folders_fill_an_empty_one_and_refuse_a_full_one(tmp_path: Path) -> None:
    final = tmp_path / "out"
    final.mkdir()
    with replacing(final) as temporary:
        temporary.mkdir()
        (temporary / "a").write_text("1")
    with pytest.raises(OutputError, match=r"out is a folder that is not empty"), replacing(final):
        pytest.fail("the block must not run")
    (final / "mine").write_text("precious")
    with replacing(final, force=True) as temporary:
        temporary.mkdir()
        (temporary / "a").write_text("2")
        (temporary / "sub").mkdir()
        (temporary / "sub" / "b").write_text("3")
    assert names(final) == ["a", "mine", "sub"]
    assert (final / "a").read_text() == "2"
    assert (final / "mine").read_text() == "precious"
    assert names(tmp_path) == ["out"]


def test_parents_are_made(tmp_path: Path) -> None:
    with replacing(tmp_path / "x" / "y" / "a.txt") as temporary:
        temporary.write_text("")
    assert (tmp_path / "x" / "y" / "a.txt").exists()


def test_a_full_disk_names_the_output(tmp_path: Path) -> None:
    """``/dev/full`` is the disk that is always full."""
    final = tmp_path / "a.txt"
    with pytest.raises(OutputError, match=r"a\.txt cannot be written: No space left.*free some space"):  # noqa: SIM117
        with replacing(final) as temporary:
            temporary.write_text("half")
            with open("/dev/full", "w") as full:  # noqa: PTH123
                full.write("x" * 100_000)
    assert names(tmp_path) == []


def test_numpy_on_a_full_disk(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"a\.raw cannot be written: .*written"):  # noqa: SIM117
        with replacing(tmp_path / "a.raw"), open("/dev/full", "wb") as full:  # noqa: PTH123
            np.zeros(100_000).tofile(full)


def test_other_errors_pass_as_they_are(tmp_path: Path) -> None:
    with pytest.raises(AudioFileError, match="gone"), replacing(tmp_path / "a"):
        raise AudioFileError("gone.wav is missing")
    with pytest.raises(FileNotFoundError, match="unrelated"), replacing(tmp_path / "a"):
        raise FileNotFoundError(errno.ENOENT, "no such file", "unrelated.wav")


def test_a_file_where_a_folder_should_be(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match=r"file is a file"):
        refuse_overwrite(tmp_path / "file" / "a.txt", force=True)


def test_a_folder_without_permission_is_named_before_the_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)  # the tests may run as root, who may do everything
    with pytest.raises(OutputError, match=rf"no permission to write in the folder {tmp_path}"):
        refuse_overwrite(tmp_path / "new" / "a.txt", force=False)


def test_devices_are_written_to_directly_and_links_are_followed(tmp_path: Path) -> None:
    with replacing("/dev/null") as temporary:
        assert temporary == Path("/dev/null")
    assert not Path("/dev/null").is_file()
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "a").write_text("old")
    (tmp_path / "link").symlink_to(tmp_path / "real" / "a")
    with replacing(tmp_path / "link", force=True) as temporary:
        temporary.write_text("new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real" / "a").read_text() == "new"


def test_the_longest_name_still_has_a_temporary(tmp_path: Path) -> None:
    name = "ü" * 125 + ".npz"
    with replacing(tmp_path / name) as temporary:
        temporary.write_text("")
        assert temporary.suffix == ".npz"
    assert names(tmp_path) == [name]


@pytest.mark.parametrize("content", ["a file", "a folder"])
def test_what_is_renamed_is_on_the_disk_and_so_is_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str
) -> None:
    """The order in which a power failure cannot lose the old file and the new one (Pillai et al. 2014)."""
    done: list[str] = []
    sync, rename = os.fsync, Path.replace

    def name_of(descriptor: int) -> str:
        path = Path(f"/proc/self/fd/{descriptor}").readlink()
        return "parent" if path == tmp_path else path.name.partition(".part")[0][:9]

    def synced(descriptor: int) -> None:
        done.append(f"sync {name_of(descriptor)}")
        sync(descriptor)

    def renamed(path: Path, target: Path) -> Path:
        done.append("rename")
        return rename(path, target)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(Path, "replace", renamed)
    with replacing(tmp_path / "out") as temporary:
        if content == "a file":
            temporary.write_text("whole")
        else:
            temporary.mkdir()
            (temporary / "inner").write_text("whole")
    inner = ["sync inner"] if content == "a folder" else []
    assert [step if "sync .out" not in step else "sync content" for step in done] == [
        *inner,
        "sync content",
        "rename",
        "sync parent",
    ]


def test_what_others_left_in_a_folder_is_not_synced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[str] = []
    names = Path("/proc/self/fd")
    monkeypatch.setattr(os, "fsync", lambda file: synced.append((names / str(file)).readlink().name))
    (tmp_path / ".#notes").symlink_to("user@host.123")  # as Emacs locks a file
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "ours").write_text("whole")
    settle(tmp_path)
    assert synced == ["ours", tmp_path.name]
