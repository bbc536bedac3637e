"""Score files of synthetic trials."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

Rows = list[dict[str, object]]


def trials(
    n_speakers: int = 24, seed: int = 0, system: int = 0, stretch: float = 1.0, noise: float = 1.0
) -> Rows:
    """Every model against a recording of everyone; the speakers are the seed's, the noise the system's."""
    llr = np.random.default_rng(seed).normal(size=(n_speakers, n_speakers)) * 1.2
    llr += noise * np.random.default_rng([seed, system]).normal(size=llr.shape)
    llr += np.where(np.eye(n_speakers, dtype=bool), 2.2, -2.2)
    return [
        {
            "model": f"m{i:02}",
            "audio_filepath": f"{j:02}.wav",
            "offset": "1.0",
            "duration": 0.5 + 7 * j % 40 / 10,
            "sex": "f" if i % 2 else "m",
            "target": int(i == j),
            "score": stretch * llr[i, j],
        }
        for i in range(n_speakers)
        for j in range(n_speakers)
    ]


def write(path: str, rows: Rows) -> None:
    with Path(path).open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def read(path: str) -> list[dict[str, str]]:
    with Path(path).open(newline="") as file:
        return list(csv.DictReader(file))


def kinds(rows: Rows) -> tuple[list[float], list[float]]:
    return tuple([float(str(r["score"])) for r in rows if r["target"] == kind] for kind in (1, 0))  # type: ignore[return-value]
