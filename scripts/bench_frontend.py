#!/usr/bin/env python
"""Time the front end beside librosa and kaldi-native-fbank, in one run on the same recordings.

    python scripts/bench_frontend.py                 # samples in memory: decoding not counted
    python scripts/bench_frontend.py --wav           # from 16 kHz wav files, through the decoder

The recordings are those of `librispeech_bg` in the folder that AUDIOGMM_DATA names, decoded once; without it,
noise in the rhythm of speech. Everybody is warmed up on a few recordings first (librosa's first call takes
seconds). In each round everybody has a turn, and the best of the rounds counts. Ours are 60-dimensional
frames: 20 cepstra, two deltas, sliding normalization, activity marks. `x real time` is hours of audio in an
hour.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import soundfile

from audiogmm.audio.frontend.frontend import FrontEnd
from audiogmm.threads import default_threads
from audiogmm.types import Samples

RATE = 16000

Work = Callable[[Samples | Path], object]


def recordings(limit: float) -> Iterator[Samples]:
    """Mono recordings at 16 kHz, `limit` seconds of them in all."""
    folder = os.environ.get("AUDIOGMM_DATA")
    seconds = 0.0
    paths = sorted(Path(folder, "librispeech_bg").rglob("*.flac")) if folder else [None] * 10_000
    for seed, path in enumerate(paths):
        samples = speech_like(seed) if path is None else soundfile.read(path, dtype="float32")[0]
        yield samples
        seconds += len(samples) / RATE
        if seconds >= limit:
            return


def speech_like(seed: int) -> Samples:
    """Twelve seconds of noise, a few syllables a second."""
    rng = np.random.default_rng(seed)
    t = np.arange(12 * RATE) / RATE
    loudness = 0.002 + 0.1 * np.maximum(np.sin(2 * np.pi * 3 * t), 0) ** 2
    return (loudness * rng.standard_normal(len(t))).astype(np.float32)


def contestants(threads: int) -> dict[str, tuple[Work, int]]:
    """Everybody's work on one recording, and with how many threads."""
    import kaldi_native_fbank as knf
    import librosa

    from audiogmm.audio.recording import Recording
    from audiogmm.manifest.entry import Entry

    frontend = FrontEnd.preset("speech", deltas=2, cmvn="sliding")

    def read(source: Samples | Path) -> Samples:
        return soundfile.read(source, dtype="float32")[0] if isinstance(source, Path) else source

    def ours(source: Samples | Path) -> object:
        if isinstance(source, Path):
            return [len(block) for block in Recording(Entry(str(source), id="x"), frontend)]
        stream = frontend.stream(RATE)
        return stream.push(source) + stream.flush()

    def librosa_mfcc(source: Samples | Path) -> Samples:
        sizes = {"n_fft": 512, "win_length": 400, "hop_length": 160}
        mfcc: Samples = librosa.feature.mfcc(y=read(source), sr=RATE, **sizes)
        return mfcc

    def librosa_deltas(source: Samples | Path) -> object:
        mfcc = librosa_mfcc(source)
        return np.concatenate([mfcc, librosa.feature.delta(mfcc), librosa.feature.delta(mfcc, order=2)])

    options = knf.MfccOptions()
    options.num_ceps = 20
    options.mel_opts.num_bins = 30
    options.frame_opts.dither = 0

    def kaldi(source: Samples | Path) -> object:
        extractor = knf.OnlineMfcc(options)
        extractor.accept_waveform(RATE, read(source) * 32768)
        extractor.input_finished()
        return np.stack([extractor.get_frame(i) for i in range(extractor.num_frames_ready)])

    return {
        "audiogmm, 60 dimensions": (ours, threads),
        "audiogmm, 60 dimensions, one thread": (ours, 1),
        "librosa, MFCC": (librosa_mfcc, 1),
        "librosa, MFCC + two deltas": (librosa_deltas, 1),
        "librosa, MFCC + two deltas, threads": (librosa_deltas, threads),
        "kaldi-native-fbank, MFCC": (kaldi, 1),
    }


def timed(work: Work, sources: list[Samples | Path], threads: int) -> float:
    """Seconds for all of them."""
    start = time.perf_counter()
    if threads == 1:
        for source in sources:
            work(source)
    else:
        with ThreadPoolExecutor(threads) as pool:
            for _ in pool.map(work, sources):
                pass
    return time.perf_counter() - start


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--wav", action="store_true", help="from 16 kHz wav files")
    parser.add_argument("--minutes", type=float, default=52.0, help="of audio (default: 52)")
    parser.add_argument("--rounds", type=int, default=5, help="of which the best counts (default: 5)")
    parser.add_argument("--threads", type=int, default=default_threads(), help="default: all cores")
    arguments = parser.parse_args()

    samples = list(recordings(60 * arguments.minutes))
    seconds = sum(map(len, samples)) / RATE
    with tempfile.TemporaryDirectory() as folder:
        sources: list[Samples | Path] = list(samples)
        if arguments.wav:
            sources = [Path(folder, f"{i}.wav") for i in range(len(samples))]
            for path, x in zip(sources, samples, strict=True):
                soundfile.write(path, x, RATE, subtype="PCM_16")
        field = contestants(arguments.threads)
        for work, threads in field.values():
            timed(work, sources[:8], threads)
        best = dict.fromkeys(field, float("inf"))
        for _ in range(arguments.rounds):
            for name, (work, threads) in field.items():
                best[name] = min(best[name], timed(work, sources, threads))

    source = "librispeech_bg" if os.environ.get("AUDIOGMM_DATA") else "synthesized"
    origin = "from 16 kHz wav files" if arguments.wav else "decoding not counted"
    print(f"{len(samples)} recordings ({source}), {seconds / 60:.1f} minutes, {origin}")
    print(f"{'':40}{'threads':>8}{'x real time':>13}{'times our time':>16}")
    ours = best["audiogmm, 60 dimensions"]
    for name, (_, threads) in field.items():
        print(f"{name:40}{threads:8}{seconds / best[name]:13,.0f}{best[name] / ours:16.1f}")


if __name__ == "__main__":
    main()
