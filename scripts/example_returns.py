#!/usr/bin/env python
"""Daily returns in a Parquet table: calm and nervous markets, and crashes.

    python scripts/example_returns.py [OUT]

Makes 2,000 days of four assets that switch between a calm and a nervous regime, with three crashes of a week
in the last year, then trains on the first six years and lets detect find the crashes (a row is a day; times
are row numbers).
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

DAYS, ASSETS, TRAINED = 2000, 4, 1500
CRASHES = (1600, 1750, 1900)


def main(out: Path) -> None:
    """Make the tables, run the commands, and print which crashes were found."""
    out.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    nervous = np.cumsum(rng.random(DAYS) < 0.02) % 2 == 1
    market = rng.normal(size=(DAYS, 1)) * np.where(nervous, 1.6, 0.6)[:, None]
    returns = 0.05 + market * np.linspace(0.6, 1.2, ASSETS) + 0.4 * rng.normal(size=(DAYS, ASSETS))
    for day in CRASHES:
        returns[day : day + 5] -= rng.uniform(6, 9, size=(5, ASSETS))
    for name, rows in (("past", returns[:TRAINED]), ("new", returns[TRAINED:])):
        columns = {f"asset_{i}": rows[:, i] for i in range(ASSETS)}
        pq.write_table(pa.table(columns), out / f"{name}.parquet")

    def run(*arguments: object) -> None:
        command = ["audiogmm", *map(str, arguments), "--force"]
        print("$", " ".join(command))
        subprocess.run(command, check=True)

    run("train", out / "past.parquet", "-k", 2, "--covariance", "full", "-o", out / "market.agmm")
    run(
        "detect",
        out / "market.agmm",
        out / "new.parquet",
        "--window",
        3,
        "--min-duration",
        2,
        "-o",
        out / "crashes.jsonl",
    )

    events = [json.loads(line) for line in (out / "crashes.jsonl").read_text().splitlines()]
    for day in CRASHES:
        hit = any(e["start"] < day + 5 - TRAINED and e["end"] > day - TRAINED for e in events)
        print(f"crash on day {day - TRAINED}: {'found' if hit else 'missed'}")
    print(f"{len(events)} events in all")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "example-returns"))
