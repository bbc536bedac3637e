#!/usr/bin/env python
"""Customers in a CSV table: which groups are there, and who fits none?

    python scripts/example_customers.py [OUT]

Makes 3,000 customers (visits a year, basket in euros, share bought online) of three kinds and 15 odd ones,
then calls the commands that audio is processed with: train, cluster, score.
"""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path

import numpy as np

KINDS = {"regulars": (40, 35, 0.1), "bulk buyers": (8, 180, 0.3), "online": (20, 60, 0.9)}
SPREAD = (4, 12, 0.05)


def main(out: Path) -> None:
    """Make the table, run the commands, and print what they found."""
    out.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    kinds = list(KINDS)
    kind = rng.integers(len(kinds), size=3000)
    rows = np.array([KINDS[kinds[k]] for k in kind]) + rng.normal(size=(3000, 3)) * SPREAD
    odd = rng.choice(3000, 15, replace=False)
    rows[odd] = rng.uniform((60, 200, 0.4), (90, 300, 0.6), (15, 3))
    table = out / "customers.csv"
    with table.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["visits", "basket", "online_share"])
        writer.writerows(np.round(rows, 4).tolist())

    def run(*arguments: object) -> None:
        command = ["audiogmm", *map(str, arguments), "--force"]
        print("$", " ".join(command))
        subprocess.run(command, check=True)

    run("train", table, "-k", 3, "--covariance", "full", "-o", out / "customers.agmm")
    run("cluster", out / "customers.agmm", table, "-o", out / "clusters")
    run("score", out / "customers.agmm", table, "-o", out / "scores")

    for line in (out / "clusters" / "components.jsonl").read_text().splitlines():
        component = json.loads(line)
        mean = ", ".join(f"{value:.2f}" for value in component["mean"])
        print(f"component {component['component']}: {component['weight']:.1%} of the customers, at {mean}")
    scores = np.load(out / "scores" / "customers.npz")["scores"]
    found = len(set(np.argsort(scores)[:15].tolist()) & set(odd.tolist()))
    print(f"of the 15 least likely customers, {found} are the odd ones that were put in")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "example-customers"))
