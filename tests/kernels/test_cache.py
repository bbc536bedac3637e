"""Compiled kernels that are kept: shared by processes and CPUs, and never a reason to fail."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from audiogmm.kernels import cache as cache_module
from audiogmm.kernels import compile_lock, compiled
from audiogmm.kernels.cache import SafeCacheFile, sources_digest
from audiogmm.kernels.front_end.noise import add_noise
from audiogmm.kernels.policy import kernel
from audiogmm.runs.inputs import announce_compiling

NOISE = """
import hashlib, sys
import numpy as np
from audiogmm.kernels.front_end.noise import add_noise
from audiogmm.kernels.estep.vectors import WIDE
sys.stdin.readline()
out = np.zeros(20_001, np.float32)
for part, position in ((out[:10_001], 0), (out[10_001::2], 7)):  # two signatures: whole, and with gaps
    add_noise(part.copy() if position == 0 else part, position, 3, 0.5, part)
hits = sum(add_noise.stats.cache_hits.values())
print(hashlib.sha256(out.tobytes()).hexdigest(), float(out.std()).hex(), hits, WIDE)
"""
"""Waits for a line, so that several of it are at the same place at the same time."""


def started(folder: Path, script: str = NOISE, **environment: str) -> subprocess.Popen[str]:
    """A process that will run a script once it is released, its kernels kept in this folder."""
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-c", script],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "NUMBA_CACHE_DIR": str(folder), **environment},
    )


def released(*processes: subprocess.Popen[str]) -> list[tuple[str, str]]:
    """Let them go, and return what each prints on standard output and standard error."""
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    said = [process.communicate() for process in processes]
    assert [process.returncode for process in processes] == [0] * len(processes), said
    return said


def results(*processes: subprocess.Popen[str]) -> list[list[str]]:
    """Let them go, and read what they print: digest, standard deviation, kernels that were found compiled,
    and whether vectors are of 512 bits."""
    said = released(*processes)
    assert all(not errors or errors.startswith("compiling") for _, errors in said), said
    return [out.split() for out, _ in said]


def machine_code(folder: Path) -> set[Path]:
    return set(folder.rglob("*.nbc"))


def test_processes_and_cpus_share_a_folder(tmp_path: Path) -> None:
    at_once = results(*(started(tmp_path) for _ in range(3)))
    assert len({digest for digest, *_ in at_once}) == 1
    plainest = results(started(tmp_path, NUMBA_CPU_NAME="generic"))[0]
    assert float.fromhex(plainest[1]) == pytest.approx(float.fromhex(at_once[0][1]), rel=1e-6)
    assert plainest[2:] == ["0", "False"]  # what was compiled for this CPU is not for that one
    before = machine_code(tmp_path)
    again = results(started(tmp_path))[0]
    assert again[0] == at_once[0][0]
    assert machine_code(tmp_path) >= before


def test_a_folder_that_cannot_be_written_stops_nobody(tmp_path: Path) -> None:
    nowhere = Path(os.devnull, "kernels")  # not even for root
    digest = results(started(nowhere))[0][0]  # kept beside the source, or nowhere
    assert digest == results(started(tmp_path))[0][0]


def test_every_kernel_is_kept_this_way() -> None:
    kept: Any = add_noise
    assert isinstance(kept._cache._cache_file, SafeCacheFile)


@pytest.fixture
def open_cache(tmp_path: Path) -> Callable[..., SafeCacheFile]:
    """Another process' view of one kernel's files."""

    def view(stamp: str = "source") -> SafeCacheFile:
        return SafeCacheFile(str(tmp_path), "kernel-1.py311", stamp)

    return view


@pytest.mark.parametrize("meanwhile", ["before the data", "after the data"])
def test_a_race_never_gives_one_variant_for_another(
    open_cache: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, meanwhile: str
) -> None:
    one, other = open_cache(), open_cache()
    for cache in (one, other):  # both have read an index that is still empty
        monkeypatch.setattr(cache, "_load_index", dict)
    write = one._save_data

    def saved(name: str, data: object) -> None:
        if meanwhile == "after the data":
            write(name, data)
        other.save("float64", "code for float64")
        if meanwhile == "before the data":
            write(name, data)

    monkeypatch.setattr(one, "_save_data", saved)
    one.save("float32", "code for float32")
    found = {key: open_cache().load(key) for key in ("float32", "float64")}
    assert all(code in (None, f"code for {key}") for key, code in found.items())
    assert any(found.values())
    for key in found:  # and what was lost is compiled and kept again
        open_cache().save(key, f"code for {key}")
    assert {key: open_cache().load(key) for key in found} == {key: f"code for {key}" for key in found}


def test_a_file_of_another_variant_is_not_used(open_cache: Callable[..., Any]) -> None:
    one = open_cache()
    one.save("float32", "code for float32")
    one._save_index({"float64": one._name_of("float32")})
    assert one.load("float64") is None


@pytest.mark.parametrize("suffix", ["nbi", "nbc"])
@pytest.mark.parametrize("content", [b"", b"\0" * 100, b"\x80\x05"], ids=["empty", "zeros", "cut"])
def test_files_that_were_cut_short_are_made_again(
    open_cache: Callable[..., Any], tmp_path: Path, suffix: str, content: bytes
) -> None:
    open_cache().save("float32", "code")
    (path,) = tmp_path.glob(f"*.{suffix}")
    path.write_bytes(content)
    assert open_cache().load("float32") is None
    open_cache().save("float32", "code")
    assert open_cache().load("float32") == "code"


def test_a_full_disk_costs_the_cache_alone(
    open_cache: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    full = open_cache()

    def no_space(path: str) -> None:
        raise OSError(28, "No space left on device", path)

    monkeypatch.setattr(full, "_open_for_write", no_space)
    full.save("float32", "code")
    assert full.load("float32") is None


def test_other_sources_take_the_place_of_older_ones(open_cache: Callable[..., Any], tmp_path: Path) -> None:
    open_cache("old").save("float32", "old code")
    new = open_cache("new")
    assert new.load("float32") is None
    new.save("float32", "new code")
    new.save("float64", "new code")
    assert new.load("float32") == "new code"
    assert len(machine_code(tmp_path)) == 2
    assert open_cache("old").load("float32") is None


def test_a_change_of_any_source_below_makes_the_cache_out_of_date(tmp_path: Path) -> None:
    source = tmp_path / "estep" / "vectors.py"
    source.parent.mkdir()
    source.write_text("WIDE = True")
    before = sources_digest(tmp_path)
    sources_digest.cache_clear()
    source.write_text("WIDE = False")
    assert sources_digest(tmp_path) != before
    kept: Any = add_noise
    assert sources_digest(Path(cache_module.__file__).parent) in kept._cache._cache_file._source_stamp


@pytest.mark.parametrize(
    ("folder", "said"),
    [(None, r"at every start.*try NUMBA_CACHE_DIR"), ("empty", "the first time"), ("warm", None)],
)
def test_it_is_said_why_nothing_seems_to_happen(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    folder: str | None,
    said: str | None,
) -> None:
    if folder == "warm":
        (tmp_path / "kernel.1.nbc").touch()
    monkeypatch.setattr(compiled, "_folders", lambda *_: [tmp_path] if folder else [])
    monkeypatch.setattr(compile_lock, "_ANNOUNCED", set())
    announce_compiling()
    announce_compiling()
    assert len(caplog.messages) == (said is not None)
    assert said is None or re.search(said, caplog.messages[0])


COUNTED = """
import sys
import numpy as np
from audiogmm.kernels.front_end.noise import add_noise
sys.stdin.readline()
add_noise(np.zeros(100, np.float32), 0, 3, 0.5, np.zeros(100, np.float32))
misses = sum(add_noise.stats.cache_misses.values())
print(misses, sum(add_noise.stats.cache_hits.values()))
"""


def test_a_pool_of_processes_compiles_once(tmp_path: Path) -> None:
    """Each kernel that is compiled leaves one file; those who waited find it."""
    processes = [started(tmp_path, COUNTED) for _ in range(4)]
    said = released(*processes)
    assert sorted(out.split() for out, _ in said) == [["0", "1"]] * 3 + [["1", "0"]]
    assert sum("compiling, the first time" in errors for _, errors in said) == 1


def test_a_constant_makes_no_variant_of_a_kernel() -> None:
    @kernel
    def shifted(values: Any, by: int) -> Any:
        return values[0] + by

    @kernel
    def caller(values: Any, by: int) -> Any:
        return shifted(values, 1) + shifted(values, 2) + shifted(values, by)

    assert caller(np.ones(1), 3) == 9
    dispatcher: Any = shifted
    assert len(dispatcher.signatures) == 1
