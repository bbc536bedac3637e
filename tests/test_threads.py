"""How many threads are the default: the cores, or what a container grants of them; and those of BLAS."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from pathlib import Path

import pytest

from audiogmm import threads


@pytest.mark.parametrize(
    ("files", "cores"),
    [
        ({}, math.inf),
        ({"cpu.max": "max 100000"}, math.inf),
        ({"cpu.max": "150000 100000"}, 1.5),
        ({"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"}, math.inf),
        ({"cpu/cpu.cfs_quota_us": "300000", "cpu/cpu.cfs_period_us": "100000"}, 3.0),
        ({"cpu.max": "nonsense"}, math.inf),
    ],
)
def test_a_containers_quota_is_read(tmp_path: Path, files: dict[str, str], cores: float) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text + "\n")
    assert threads._quota(tmp_path) == cores


@pytest.mark.parametrize(
    ("affinity", "quota", "expected"), [(8, math.inf, 8), (8, 1.5, 2), (8, 0.2, 1), (2, 3.0, 2)]
)
def test_the_default_is_the_smaller(
    monkeypatch: pytest.MonkeyPatch, affinity: int, quota: float, expected: int
) -> None:
    monkeypatch.setattr(threads, "_affinity", lambda: affinity)
    monkeypatch.setattr(threads, "_quota", lambda cgroup: quota)
    assert threads.default_threads() == expected


def blas_threads(code: str) -> str:
    """What a process with two BLAS threads prints."""
    begin = "import os; os.environ.update(dict.fromkeys(('OPENBLAS_NUM_THREADS', 'OMP_NUM_THREADS'), '2'))\n"
    begin += "import numpy, threadpoolctl\nfrom audiogmm import threads\n"
    begin += "def n(): return [lib['num_threads'] for lib in threadpoolctl.threadpool_info()]\n"
    done = subprocess.run([sys.executable, "-c", begin + code], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_blas_is_limited_inside_a_block_and_no_longer() -> None:
    assert blas_threads("with threads.one_blas_thread(): print(n())\nprint(n())") == "[1]\n[2]"


def test_a_worker_process_keeps_blas_at_one_thread() -> None:
    assert blas_threads("threads.keep_one_blas_thread(); print(n())") == "[1]"


def test_the_environment_of_the_user_goes_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "3")
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.delenv("MKL_NUM_THREADS", raising=False)
    threads.default_to_one_blas_thread()
    assert [os.environ[f"{name}_NUM_THREADS"] for name in ("OPENBLAS", "OMP", "MKL")] == ["3", "1", "1"]
