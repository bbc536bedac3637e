#!/usr/bin/env python
"""Print how near our numbers are to the peers': features to librosa and Kaldi, EM to scikit-learn.

    python scripts/check_peers.py                  # needs the extra `dev`

Signals are made; where AUDIOGMM_DATA names a folder with `librispeech_bg`, ten of its recordings join them,
and EM runs on their frames.
"""

from __future__ import annotations

import os
import sys
import warnings
from pathlib import Path

import librosa
import numpy as np
import soundfile
from sklearn.mixture import GaussianMixture

sys.path.insert(0, str(Path(__file__).parent.parent))
from audiogmm.audio.frontend.frontend import FrontEnd
from audiogmm.blocks import FrameBlock
from audiogmm.mixture.gaussian import Mixture
from audiogmm.mixture.maximization import maximize
from audiogmm.mixture.statistics import SufficientStats
from audiogmm.timeline import FrameClock
from audiogmm.training import train_mixture
from audiogmm.types import CovarianceType, Frames, Samples
from tests.audio.frontend.test_peers import RATES, SIGNALS, kaldi, recording
from tests.naive import frontend as naive

FORMS: tuple[CovarianceType, ...] = ("spherical", "diag", "tied", "full")


def real() -> list[Samples]:
    """Ten recordings of 16 kHz speech, or none."""
    folder = os.environ.get("AUDIOGMM_DATA")
    paths = sorted(Path(folder, "librispeech_bg").glob("*.flac"))[:10] if folder else []
    return [soundfile.read(path, dtype="float32")[0] for path in paths]


def check_features(speech: list[Samples]) -> None:
    """The largest difference in any coefficient, over all signals and rates."""
    cases = [(recording(name, rate), rate) for name in SIGNALS for rate in RATES]
    cases += [(samples, 16000) for samples in speech]
    worst = {"librosa, float64 input": 0.0, "librosa, float32 input": 0.0, "librosa float32 to float64": 0.0}
    worst |= {"kaldi-native-fbank, bands clear": 0.0, "kaldi, float64 twin": 0.0}
    for samples, rate in cases:
        found = FrontEnd.preset("librosa")(samples, rate)
        theirs = {}
        for dtype in (np.float64, np.float32):
            mel = librosa.feature.melspectrogram(y=samples.astype(dtype), sr=rate, center=False)
            theirs[dtype] = librosa.feature.mfcc(S=librosa.power_to_db(mel, top_db=None)).T
        difference = {
            "librosa, float64 input": found - theirs[np.float64],
            "librosa, float32 input": found - theirs[np.float32],
            "librosa float32 to float64": theirs[np.float32] - theirs[np.float64],
        }
        frontend = FrontEnd.preset("kaldi")
        found = frontend(samples, rate)
        twin, _, mel = naive.static_features(frontend, samples, rate)
        clear = np.all(mel > 1e-6 * mel.max(axis=1, keepdims=True), axis=1)
        difference["kaldi-native-fbank, bands clear"] = (found - kaldi(samples, rate))[clear]
        difference["kaldi, float64 twin"] = found - twin
        for name, values in difference.items():
            worst[name] = max(worst[name], np.abs(values).max(initial=0.0))
    print(f"MFCC on {len(cases)} recordings: largest difference in any coefficient")
    for name, value in worst.items():
        print(f"  {name:34} {value:.1e}")


def check_em(speech: list[Samples]) -> None:
    """Ten passes from the same start, no floor: log-likelihood per frame beside scikit-learn's in float64."""
    if speech:
        frames: Frames = np.concatenate(
            [FrontEnd.preset("speech", deltas=2, cmvn="sliding")(samples, 16000) for samples in speech]
        )
    else:
        rng = np.random.default_rng(0)
        frames = (rng.normal(size=(9, 60))[rng.integers(9, size=8000)] + rng.normal(size=(8000, 60))).astype(
            np.float32
        )
    print(f"EM on {len(frames)} frames of {frames.shape[1]} features, 16 components, 10 passes")
    labels = np.random.default_rng(0).integers(16, size=len(frames))
    blocks = [FrameBlock(frames, np.ones(len(frames), dtype=bool), 0, FrameClock(16000, 160, 400))]
    shard = type("Frames", (), {"id": "frames", "__iter__": lambda self: iter(blocks)})()
    for form in FORMS:
        shares = 0.3 * np.eye(16)[labels] + 0.7 / 16
        stats = SufficientStats.measure(
            frames.astype(np.float64), shares, origin=frames.mean(0).astype(np.float64), covariance_type=form
        )
        start, _ = maximize(stats)
        ours = train_mixture(
            [shard], n_components=16, covariance_type=form, init=start, passes=10, tol=0, floor=0.0
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            peer = GaussianMixture(
                16,
                covariance_type=form,
                weights_init=start.weights,
                means_init=start.means,
                precisions_init=precisions(start),
                reg_covar=0,
                max_iter=10,
                tol=0,
            ).fit(frames.astype(np.float64))
        found, theirs = ours.history[-1].log_likelihood, peer.lower_bound_
        print(f"  {form:10} {found:.9f}  {theirs:.9f}  relative {abs(found / theirs - 1):.1e}")


def precisions(mixture: Mixture) -> np.ndarray:
    """Inverse covariances."""
    if mixture.covariance_type in ("spherical", "diag"):
        return 1 / mixture.covariances
    return np.linalg.inv(mixture.covariances)


if __name__ == "__main__":
    speech = real()
    check_features(speech)
    check_em(speech)
