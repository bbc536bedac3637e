#!/usr/bin/env python
"""Embeddings in a Kaldi ark: what kinds of utterance are there?

    python scripts/example_embeddings.py [OUT]

Makes 24-dimensional embeddings of 40 utterances (50 to 150 vectors each) of four kinds, writes them as Kaldi
would (ark and scp), and calls train, cluster and score on the scp: the components are the kinds.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import kaldiio
import numpy as np

KINDS, DIMENSION = 4, 24


def main(out: Path) -> None:
    """Make the ark, run the commands, and print how utterances and components match."""
    out.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(KINDS, DIMENSION)) * 2
    utterances = {
        f"kind{kind}_{index:02d}": (
            centres[kind] + rng.normal(size=(rng.integers(50, 150), DIMENSION))
        ).astype(np.float32)
        for index in range(10)
        for kind in range(KINDS)
    }
    kaldiio.save_ark(str(out / "embeddings.ark"), utterances, scp=str(out / "embeddings.scp"))

    def run(*arguments: object) -> None:
        command = ["audiogmm", *map(str, arguments), "--force"]
        print("$", " ".join(command))
        subprocess.run(command, check=True)

    scp = out / "embeddings.scp"
    run("train", scp, "-k", KINDS, "--covariance", "spherical", "--restarts", 4, "-o", out / "kinds.agmm")
    run("cluster", out / "kinds.agmm", scp, "-o", out / "clusters")
    run("score", out / "kinds.agmm", scp, "-o", out / "scores")

    for kind in range(KINDS):
        parts = [np.load(path)["component"] for path in sorted((out / "clusters").glob(f"kind{kind}_*.npz"))]
        components, counts = np.unique(np.concatenate(parts), return_counts=True)
        print(f"kind {kind}: {counts.max() / counts.sum():.1%} in component {components[counts.argmax()]}")
    rows = [json.loads(line) for line in (out / "scores" / "summary.jsonl").read_text().splitlines()]
    print(f"{len(rows)} utterances scored, {sum(row['frames'] for row in rows)} vectors")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "example-embeddings"))
