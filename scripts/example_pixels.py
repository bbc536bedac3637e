#!/usr/bin/env python
"""Pixels in a .npy matrix: segment a picture by color.

    python scripts/example_pixels.py [OUT]

Paints sky, grass and a red roof with noise, makes one row (red, green, blue) a pixel, and calls train and
cluster: the hard assignment, put back into the picture's shape, is the segmentation.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np

HEIGHT, WIDTH = 120, 160


def paint(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """The picture, shape (HEIGHT, WIDTH, 3), and which region each pixel is of."""
    region = np.zeros((HEIGHT, WIDTH), dtype=int)
    region[70:] = 1
    for row in range(40, 70):
        region[row, 80 - (row - 40) : 80 + (row - 40)] = 2
    colors = np.array([[0.45, 0.65, 0.95], [0.25, 0.55, 0.2], [0.7, 0.2, 0.15]])
    return colors[region] + rng.normal(scale=0.06, size=(HEIGHT, WIDTH, 3)), region


def main(out: Path) -> None:
    """Make the matrix, run the commands, and print how the regions were found."""
    out.mkdir(parents=True, exist_ok=True)
    picture, region = paint(np.random.default_rng(0))
    matrix = out / "pixels.npy"
    np.save(matrix, picture.reshape(-1, 3).astype(np.float32))

    def run(*arguments: object) -> None:
        command = ["audiogmm", *map(str, arguments), "--force"]
        print("$", " ".join(command))
        subprocess.run(command, check=True)

    run("train", matrix, "-k", 3, "--hold-out", 0, "-o", out / "pixels.agmm")
    run("cluster", out / "pixels.agmm", matrix, "-o", out / "segments")

    found = np.load(out / "segments" / "pixels.npz")["component"].reshape(HEIGHT, WIDTH)
    for name, index in (("sky", 0), ("grass", 1), ("roof", 2)):
        components, counts = np.unique(found[region == index], return_counts=True)
        print(f"{name}: {counts.max() / counts.sum():.1%} in component {components[counts.argmax()]}")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "example-pixels"))
