"""Time from `pip install` to the first result, in an empty environment, with no kernel compiled.

    python scripts/bench_cold_start.py [CHECKOUT]... [--only NAME,NAME] [--installed PYTHON]

For each checkout (default: this one; name an older clone beside it to compare): makes an environment,
installs the checkout with the extra `plot`, then times each task in a process of its own with an empty cache
of machine code, and once more with what that left. `--installed` times the checkouts by an interpreter that
has the dependencies already, without pip. Prints a table of wall and processor seconds; on a shared machine
trust the latter.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from pathlib import Path

from environment import ROOT, find_python, interpreter_of

FIT = """
import numpy as np, audiogmm as ag
X = np.random.default_rng(0).normal(size=(1000, 5))
ag.GaussianMixture(n_components=3, random_state=0).fit(X).predict(X)
"""

TRAIN_AND_SCORE = """
import numpy as np, soundfile, audiogmm as ag
rng = np.random.default_rng(0)
soundfile.write("sound.wav", rng.normal(size=160_000) * 0.1, 16_000)
entry = next(iter(ag.read_manifest("sound.wav")))
model = ag.train([entry], ag.FrontEnd.preset("ambient"), n_components=4)
print(ag.score(model, entry).scores.mean())
"""

TASKS = {
    "estimator: fit, predict of 1,000 x 5": ["-c", FIT],
    "train and score, 10 s of audio": ["-c", TRAIN_AND_SCORE],
    "demo": ["-m", "audiogmm", "demo", "--force"],
}


def timed(command: list[str], folder: Path, cache: Path, path: Path | None) -> tuple[float, float]:
    """Run a command; return its wall and processor seconds."""
    environment = os.environ | {"NUMBA_CACHE_DIR": str(cache)}
    environment["PYTHONPATH"] = "" if path is None else str(path)
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(command, cwd=folder, check=True, env=environment, stdout=subprocess.DEVNULL)
    wall, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    """Time every task of every checkout."""
    parser = ArgumentParser(description=__doc__, formatter_class=RawDescriptionHelpFormatter)
    parser.add_argument("checkouts", nargs="*", type=Path, default=[ROOT], metavar="CHECKOUT")
    parser.add_argument("--only", default="", metavar="NAME,NAME", help="tasks whose names begin so")
    parser.add_argument("--installed", default=None, metavar="PYTHON", help="has the dependencies already")
    asked = parser.parse_args()
    wanted = tuple(asked.only.split(","))
    print(f"{'':<40}{'cold: wall':>12}{'processor':>12}{'warm: wall':>12}{'processor':>12}")
    for checkout in asked.checkouts:
        print(checkout)
        with tempfile.TemporaryDirectory(prefix="audiogmm-cold-") as name:
            folder = Path(name)
            python, path = asked.installed, checkout.resolve()
            if python is None:
                subprocess.run([find_python(), "-m", "venv", str(folder / "venv")], check=True)
                python, path = str(interpreter_of(folder / "venv")), None
                pip = [python, "-m", "pip", "install", "-q", "--disable-pip-version-check"]
                wall, cpu = timed([*pip, f"{checkout.resolve()}[plot]"], folder, folder, None)
                print(f"  {'pip install':<38}{wall:12.1f}{cpu:12.1f}", flush=True)
            for task, arguments in TASKS.items():
                if not task.startswith(wanted):
                    continue
                cache = folder / f"cache-{task[:4]}"
                cold = timed([python, *arguments], folder, cache, path)
                warm = timed([python, *arguments], folder, cache, path)
                print(f"  {task:<38}" + "".join(f"{seconds:12.1f}" for seconds in (*cold, *warm)), flush=True)


if __name__ == "__main__":
    sys.exit(main())
