#!/usr/bin/env python
"""Let each call by which a command writes fail once, and print what became of it.

    python scripts/check_faults.py                     # every call of every command, once each
    python scripts/check_faults.py --most 20 train detect

For each call, a run with that fault and the same command again. A run has to end with status 0, 1 or 3 and a
message that names the file and what to do; what was there stays, byte for byte, or is replaced as a whole; no
temporary file is left; and the repeated command ends with the bytes of a run without a fault. Errors are
drawn from a fixed seed. The status is 1 if anything was otherwise.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))
from tests.faults.commands import COMMANDS, Case, bench
from tests.faults.plan import FAULTS, faults_of


def main() -> int:
    """Print the table; 1 if something was lost, torn, left or not said."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("commands", nargs="*", help=f"some of {', '.join(COMMANDS)}")
    parser.add_argument("--most", type=int, default=1_000_000, help="calls of a command and a kind of fault")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--faults", nargs="*", default=list(FAULTS), choices=list(FAULTS))
    options = parser.parse_args()
    names = options.commands or list(COMMANDS)
    times: Counter[str] = Counter()
    ended: dict[str, Counter[str]] = defaultdict(Counter)
    bad = 0
    with bench() as place:
        for name in names:
            for replaces in (False, True):
                case = Case.make(name, place, replaces=replaces)
                if case.before is not None and not replaces:
                    continue  # which always changes what is there
                number = 0
                for kind in options.faults:
                    for fault in _some(list(faults_of(case, kind, options.seed)), options):
                        verdict = case.judge(fault)
                        number += 1
                        times[kind] += 1
                        status = verdict.outcome.status
                        said = {0: "done", 3: "done", 1: "refused"}.get(status, "killed")  # type: ignore[arg-type]
                        ended[kind][said] += 1
                        ended[kind]["lost"] += verdict.lost
                        ended[kind]["identical"] += verdict.identical
                        if verdict.wrong:
                            bad += 1
                            print(f"  {name}: {fault}, {verdict.call}: {'; '.join(verdict.wrong)[:700]}")
                print(f"{name}{' over an earlier output' * replaces}: {number} faults", flush=True)
    columns = ("done", "refused", "killed", "lost", "identical")
    print(f"\n{'fault':34}{'times':>8}" + "".join(f"{column:>11}" for column in columns))
    for kind, about in FAULTS.items():
        if times[kind]:
            figures = "".join(f"{ended[kind][column]:11,}" for column in columns)
            print(f"{about:34}{times[kind]:8,}{figures}")
    print(f"{sum(times.values()):,} runs with a fault, {bad} not as they should be")
    return 1 if bad else 0


def _some(faults: list, options: argparse.Namespace) -> Iterator:  # type: ignore[type-arg]
    """Yield as many as are wanted, spread by the seed."""
    if len(faults) > options.most:
        faults = random.Random(options.seed).sample(faults, options.most)
    yield from faults


if __name__ == "__main__":
    sys.exit(main())
