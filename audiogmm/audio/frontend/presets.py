"""The presets: front ends that have a name."""

from __future__ import annotations

from typing import Any

PRESETS: dict[str, dict[str, Any]] = {
    # The defaults: 20 cepstra (c1 to c20) with their deltas, not normalized, since their means hold much of a
    # voice; the back end for speakers compensates channels.
    "speech": {},
    # For sounds of rooms and machines, where a change of level matters: c0 stays, and normalization is by the
    # corpus: one scale for all samples, and global means and deviations. The floor lies 25 to 35 dB under a
    # typical band, so that what is too faint does not decide.
    "ambient": {
        "sample_scale": 0.0,
        "log_floor": 5e-4,
        "n_mels": 40,
        "n_mfcc": 13,
        "deltas": 2,
        "delta_window": 1,
        "fmin": 20.0,
        "fmax": 0.0,
        "include_c0": True,
        "cmvn": "global",
        "vad": "none",
    },
    # librosa.feature.mfcc(center=False), its power_to_db with top_db=None: sizes in samples at any rate.
    "librosa": {
        "length_unit": "samples",
        "frame_length": 2048.0,
        "hop_length": 512.0,
        "window": "hann",
        "window_periodic": True,
        "remove_dc": False,
        "preemphasis": 0.0,
        "n_mels": 128,
        "mel_scale": "slaney",
        "mel_norm": "slaney",
        "mel_triangles": "hertz",
        "fmin": 0.0,
        "fmax": 0.0,
        "log_scale": "db",
        "log_floor": 1e-10,
        "include_c0": True,
        "deltas": 0,
        "cmvn": "none",
        "vad": "none",
    },
    # compute-mfcc-feats --dither=0: samples scaled to 16 bit, log energy in place of c0.
    "kaldi": {
        "window": "povey",
        "sample_scale": 32768.0,
        "n_mels": 23,
        "mel_triangles": "mel",
        "fmin": 20.0,
        "fmax": 0.0,
        "log_floor": 1.1920928955078125e-07,
        "n_mfcc": 13,
        "include_c0": True,
        "lifter": 22.0,
        "energy": "raw",
        "deltas": 0,
        "cmvn": "none",
        "vad": "none",
    },
}
"""For each preset, how its settings differ from the defaults of `FrontEnd` (which are those of `speech`)."""
