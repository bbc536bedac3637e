"""Read mutated files with every reader, and print what came of it: results, refusals, and faults.

    python scripts/check_fuzz.py --executions 100000 [--first 0] [--reader NAME ...] [--minutes 10]

A fault is an exception that is no `AudioGMMError`, a value that is not finite where a finite one is promised,
20 s for a small file, or more than `--gigabytes` of address space. Each has the seed that repeats it.
"""

from __future__ import annotations

import argparse
import logging
import resource
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from tests.fuzz.execute import Tally, fuzz
from tests.fuzz.readers import READERS

PIECE = 200


def main() -> int:
    """Run the fuzz; 1 if there was a fault."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--executions", type=int, default=10_000, help="of each reader, at most")
    parser.add_argument("--minutes", type=float, default=10.0, help="for all readers, shared equally")
    parser.add_argument("--first", type=int, default=0, help="first seed")
    parser.add_argument("--reader", nargs="*", default=list(READERS), choices=list(READERS))
    parser.add_argument("--gigabytes", type=float, default=6.0)
    options = parser.parse_args()
    limit = int(options.gigabytes * 2**30)
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    logging.disable()
    print(f"{'reader':28}{'executions':>12}{'read':>10}{'refused':>10}{'faults':>8}{'ms each':>9}")
    total = Tally()
    seconds = 60 * options.minutes / len(options.reader)
    for name in options.reader:
        start, found = time.monotonic(), Tally()
        while found.n < options.executions and time.monotonic() - start < seconds:
            first = options.first + found.n
            piece = fuzz(READERS[name], range(first, first + min(PIECE, options.executions - found.n)))
            _add(found, piece)
        _add(total, found)
        _print(name, found, 1e3 * (time.monotonic() - start) / found.n)
        for fault, n in found.faults.most_common():
            print(f"    {n:6} {fault}, seed {found.seeds[fault]}")
    _print("all", total, 60e3 * options.minutes / total.n)
    return 1 if total.faults else 0


def _add(total: Tally, part: Tally) -> None:
    total.n, total.accepted = total.n + part.n, total.accepted + part.accepted
    total.refused += part.refused
    total.faults += part.faults
    total.seeds = part.seeds | total.seeds


def _print(name: str, tally: Tally, each: float) -> None:
    counts = f"{tally.n:12,}{tally.accepted:10,}{tally.refused:10,}{sum(tally.faults.values()):8,}"
    print(f"{name:28}{counts}{each:9.1f}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
