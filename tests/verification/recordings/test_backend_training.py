"""A back end from recordings: what its calibration makes of noise."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

import audiogmm as ag
from audiogmm.evaluation.verification.metrics import cllr
from audiogmm.jobs.verify import verify_to_file
from audiogmm.verification.backend import read_backend
from tests.cli.calls import Audiogmm


def test_a_score_is_worth_less_in_noise(noisy_town: Path, tmp_path: Path, audiogmm: Audiogmm) -> None:
    model = ag.load(noisy_town / "ubm.agmm")
    backend = read_backend(model)
    assert backend is not None and backend.about["n_noisy_trials"] > 100
    learned = backend.calibrations.get("none")
    assert learned is not None
    assert learned.names[4:] == ("noise", "noise*raw", "noise*space")
    deaf = replace(learned, names=learned.names[:4], weights=learned.weights[:4])
    entries = [e for e in ag.read_manifest(noisy_town / "people" / "train.jsonl") if e.id.endswith("_0")]
    gallery = ag.enroll(model, entries, tmp_path / "known")
    lost = {}
    for name, calibration in (("deaf", deaf), ("hears", learned)):
        gallery.calibrate(calibration)
        verify_to_file(gallery.folder, str(noisy_town / "noisy.csv"), tmp_path / f"{name}.csv")
        rows = [line.split(",") for line in (tmp_path / f"{name}.csv").read_text().splitlines()]
        header, table = rows[0], rows[1:]
        scores = np.array([float(row[header.index("score")]) for row in table])
        target = np.array([row[header.index("target")] == "1" for row in table])
        lost[name] = cllr(scores[target], scores[~target])
    assert lost["hears"] < 0.9 * lost["deaf"]
    ratios = np.array([float(row[header.index("snr")]) for row in table])[::10]  # one a recording
    assert ratios[0::3].mean() > ratios[1::3].mean() + 5 > ratios[2::3].mean() + 7
    done = audiogmm(
        "fuse",
        str(tmp_path / "deaf.csv"),
        "--train",
        str(tmp_path / "deaf.csv"),
        "--quality",
        "snr",
        "-o",
        str(tmp_path / "fused.csv"),
        "--json",
    )
    assert done.status == 0, done.err
    assert done.json["calibration"]["names"] == ["score", "snr"]
