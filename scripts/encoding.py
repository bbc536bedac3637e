"""Containers and codecs, and how real encoders make a file of each; for `check_formats.py`."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from numpy.typing import NDArray

SECONDS = 1.5


@dataclass(frozen=True)
class Format:
    """A row: how its file is made, and how near our samples must be to the peer's."""

    name: str
    made_by: str  # program and options; `>`: it writes to a pipe, and cannot come back to the header
    suffix: str
    rate: int = 16000
    channels: int = 1
    lossless: bool = False
    peer: str = "ffmpeg"
    tolerance: float = 0.0
    of: str = "source"  # or the name of a row, whose file is the encoder's input
    no_length: bool = False  # it states no length: a cut between two packets cannot be recognized
    padded: bool = False  # the peer leaves in what the container says is padding of the last packet
    pipe: bool = True  # recognized by its content


EXACT: dict[str, Any] = {"lossless": True}
HIGH: dict[str, Any] = {"rate": 48000, "channels": 2}
PHONE: dict[str, Any] = {"rate": 8000}
AROUND: dict[str, Any] = {"rate": 48000, "channels": 6}
SF: dict[str, Any] = {"peer": "soundfile"}
NEAR: dict[str, Any] = {"tolerance": 2e-6}
NO_LENGTH: dict[str, Any] = {"no_length": True}
EDITED: dict[str, Any] = {**HIGH, "padded": True}

FORMATS = [
    Format("wav PCM 8 bit", "ffmpeg -c:a pcm_u8", "wav"),
    Format("wav PCM 16 bit", "ffmpeg", "wav", **EXACT),
    Format("wav PCM 24 bit", "ffmpeg -c:a pcm_s24le", "wav", **EXACT),
    Format("wav PCM 32 bit", "ffmpeg -c:a pcm_s32le", "wav", **EXACT),
    Format("wav float", "ffmpeg -c:a pcm_f32le", "wav", **EXACT),
    Format("wav double", "ffmpeg -c:a pcm_f64le", "wav", **EXACT),
    Format("wav mu-law", "ffmpeg -c:a pcm_mulaw", "wav", **PHONE),
    Format("wav A-law", "sox -e a-law", "wav", **PHONE),
    Format("wav IMA ADPCM", "ffmpeg -c:a adpcm_ima_wav", "wav", **SF),
    Format("wav MS ADPCM", "sox -e ms-adpcm", "wav", peer="sox"),
    Format("wav GSM 6.10", "ffmpeg -c:a libgsm_ms", "wav", **PHONE),
    Format("wav GSM 6.10 of sox", "sox -e gsm-full-rate", "wav", peer="sox", **PHONE),
    Format("wav MP3", "ffmpeg -c:a libmp3lame -f wav", "wav", tolerance=5e-5),
    Format("wav AC-3", "ffmpeg -c:a ac3 -f wav", "wav", **HIGH),
    Format("wav 5.1", "ffmpeg", "wav", lossless=True, **AROUND),
    Format("wav of a pipe, ffmpeg", "ffmpeg> -f wav", "wav", **EXACT, **NO_LENGTH),
    Format("wav of a pipe, sox", "sox> -t wav", "wav", **EXACT, **NO_LENGTH),
    Format("wav of a pipe, RF64", "ffmpeg> -f wav -rf64 always", "wav", **EXACT, **NO_LENGTH, peer="none"),
    Format("RF64", "ffmpeg -rf64 always", "wav", **EXACT),
    Format("W64", "ffmpeg", "w64", **EXACT),
    Format("W64 float", "soundfile W64 FLOAT", "w64", **EXACT),
    Format("AIFF", "ffmpeg", "aiff", **EXACT),
    Format("AIFF of a pipe, ffmpeg", "ffmpeg> -f aiff", "aiff", **EXACT, **NO_LENGTH, peer="none"),
    Format("AIFF of a pipe, sox", "sox> -t aiff", "aiff", **EXACT, **NO_LENGTH, peer="none"),
    Format("W64 of a pipe, ffmpeg", "ffmpeg> -f w64", "w64", **EXACT, **NO_LENGTH, peer="none"),
    Format("AIFF-C float", "soundfile AIFF FLOAT", "aifc", lossless=True, **SF),
    Format("AIFF-C sowt", "ffmpeg -c:a pcm_s16le", "aif", **EXACT),
    Format("AU", "ffmpeg", "au", **EXACT),
    Format("AU of a pipe, sox", "sox> -t au", "au", **EXACT, **NO_LENGTH),
    Format("CAF", "ffmpeg", "caf", **EXACT),
    Format("CAF of a pipe, ffmpeg", "ffmpeg> -f caf", "caf", **EXACT, **NO_LENGTH),
    Format("CAF ALAC", "ffmpeg -c:a alac", "caf", **EXACT),
    Format("CAF ALAC 5.1", "ffmpeg -c:a alac", "caf", lossless=True, **AROUND),
    Format("FLAC 16 bit", "flac", "flac", **EXACT),
    Format("FLAC 24 bit 5.1", "ffmpeg -sample_fmt s32", "flac", lossless=True, **AROUND),
    Format("FLAC of a pipe, ffmpeg", "ffmpeg> -f flac", "flac", **EXACT),
    Format("FLAC in Ogg", "flac --ogg", "oga", **EXACT),
    Format("Ogg Vorbis", "ffmpeg -c:a libvorbis", "ogg", **HIGH, **NEAR),
    Format("Ogg Vorbis 5.1", "ffmpeg -c:a libvorbis", "ogg", **AROUND, **NEAR),
    Format("Ogg Opus", "ffmpeg -c:a libopus", "opus", **HIGH, tolerance=2e-3),
    Format("Ogg Opus 5.1", "ffmpeg -c:a libopus -b:a 400k", "opus", **AROUND, tolerance=2e-3),
    Format("Ogg Speex", "ffmpeg -c:a libspeex", "spx"),
    Format("MP3 constant rate", "ffmpeg -b:a 96k", "mp3", tolerance=5e-5),
    Format("MP3 variable rate", "ffmpeg -q:a 4", "mp3", **HIGH, tolerance=5e-5),
    Format("MP3 without its length", "ffmpeg -q:a 4 -write_xing 0", "mp3", **NEAR, **NO_LENGTH),
    Format("MP2", "ffmpeg", "mp2", **HIGH, **NEAR, **NO_LENGTH),
    Format("m4a AAC", "ffmpeg -c:a aac", "m4a", **EDITED),
    Format("m4a AAC, index first", "ffmpeg -c:a aac -movflags +faststart", "m4a", **EDITED),
    Format("m4a AAC in fragments", "ffmpeg -c:a aac -movflags frag_keyframe+empty_moov", "m4a", **EDITED),
    Format("m4a AAC 5.1", "ffmpeg -c:a aac -b:a 400k", "m4a", **AROUND, padded=True),
    Format("m4a ALAC", "ffmpeg -c:a alac", "m4a", **EXACT),
    Format("m4a ALAC 5.1", "ffmpeg -c:a alac", "m4a", lossless=True, **AROUND),
    Format("mp4 video with AAC", "ffmpeg-video -c:a aac", "mp4", **EDITED),
    Format("mov PCM", "ffmpeg -c:a pcm_s16le", "mov", **EXACT),
    Format("AAC (ADTS)", "ffmpeg", "aac", **HIGH, **NO_LENGTH),
    Format("MPEG-TS AAC", "ffmpeg -c:a aac -f mpegts", "ts", **HIGH, **NO_LENGTH),
    Format("mka FLAC", "ffmpeg -c:a flac", "mka", **EXACT),
    Format("mka PCM", "ffmpeg -c:a pcm_s16le", "mka", **EXACT),
    Format("mkv AAC", "ffmpeg-video -c:a aac", "mkv", **HIGH),
    Format("WebM Opus", "ffmpeg -c:a libopus", "webm", **HIGH),
    Format("WebM Opus of a pipe", "ffmpeg> -c:a libopus -f webm", "webm", **HIGH),
    Format("WebM Opus 5.1", "ffmpeg -c:a libopus -b:a 400k", "webm", **AROUND),
    Format("WebM Vorbis", "ffmpeg -c:a libvorbis", "webm", **HIGH),
    Format("avi MP3", "ffmpeg-video -c:a libmp3lame", "avi", **HIGH),
    Format("AMR narrow band", "sox -t amr-nb", "amr", **PHONE, **NO_LENGTH),
    Format("AMR wide band", "sox -t amr-wb", "awb", **NO_LENGTH),
    Format("3gp AMR", "ffmpeg -c:a copy", "3gp", **PHONE, of="AMR narrow band"),
    Format("3gp AAC", "ffmpeg -c:a aac", "3gp", **EDITED),
    Format("WMA 1", "ffmpeg -c:a wmav1", "wma", **HIGH),
    Format("WMA 2", "ffmpeg -c:a wmav2", "wma", **HIGH),
    Format("AC-3", "ffmpeg", "ac3", **HIGH, **NO_LENGTH),
    Format("AC-3 5.1", "ffmpeg -b:a 448k", "ac3", **AROUND, **NO_LENGTH),
    Format("E-AC-3", "ffmpeg", "eac3", **HIGH, **NO_LENGTH),
    Format("DTS 5.1", "ffmpeg -c:a dca -strict -2", "dts", **AROUND, **NO_LENGTH),
    Format("True Audio", "ffmpeg", "tta", **EXACT),
    Format("WavPack", "ffmpeg", "wv", **EXACT),
    Format("WavPack 5.1", "ffmpeg", "wv", lossless=True, **AROUND),
    Format("GSM 6.10", "sox", "gsm", **PHONE, **NO_LENGTH, peer="sox", pipe=False),
    Format("VOC", "sox", "voc", **EXACT, **NO_LENGTH, peer="none"),
    Format("NIST SPHERE", "sox", "sph", lossless=True, peer="sox"),
    Format("NIST SPHERE mu-law", "sox -e mu-law", "sph", peer="sox", **PHONE),
    Format("IRCAM", "ffmpeg -f ircam", "sf", **EXACT, **NO_LENGTH),
    Format("8SVX", "soundfile SVX PCM_16", "svx", lossless=True, **SF),
    Format("HTK", "soundfile HTK PCM_16", "htk", lossless=True, **SF),
    Format("AVR", "soundfile AVR PCM_16", "avr", lossless=True, **SF),
    Format("PAF", "soundfile PAF PCM_16", "paf", lossless=True, **SF, **NO_LENGTH),
    Format("PVF", "soundfile PVF PCM_16", "pvf", lossless=True, **SF, **NO_LENGTH),
    Format("MATLAB 4", "soundfile MAT4 PCM_16", "mat", lossless=True, **SF),
    Format("MATLAB 5", "soundfile MAT5 PCM_16", "mat", lossless=True, **SF),
    Format("MPC 2000", "soundfile MPC2K PCM_16", "snd", lossless=True, **SF),
    Format("FLV AAC", "ffmpeg -c:a aac", "flv", **HIGH),
    Format("MPEG-TS MP2", "ffmpeg -c:a mp2 -f mpegts", "ts", **HIGH, **NO_LENGTH),
    Format("MPEG-PS MP2", "ffmpeg-video -c:a mp2", "mpg", **HIGH, **NO_LENGTH),
    Format("RealAudio AC-3", "ffmpeg -c:a ac3", "rm", **HIGH),
]


def source(rate: int, channels: int) -> NDArray[np.float64]:
    """Noise of its own in every channel, in the band of speech; below 100 Hz in the fourth of 5.1."""
    n = round(SECONDS * rate)
    frequencies = np.fft.rfftfreq(n, 1 / rate)
    columns = []
    for channel in range(channels):
        low, high = (30, 100) if channels == 6 and channel == 3 else (200, 2500)
        spectrum = np.fft.rfft(np.random.default_rng(channel).normal(size=n))
        spectrum[(frequencies < low) | (frequencies > high)] = 0
        column = np.fft.irfft(spectrum, n) * (1.2 + np.sin(np.arange(n) * 20 / rate))
        columns.append(0.5 * column / np.abs(column).max())
    return np.round(np.stack(columns, axis=1) * 32767) / 32768


def make(form: Format, folder: Path) -> Path:
    """Make the file of a row."""
    program, *options = form.made_by.split()
    path = folder / f"{form.name.replace(' ', '-').replace(',', '')}.{form.suffix}"
    original = folder / f"source-{form.rate}-{form.channels}.wav"
    if program == "soundfile":
        samples = source(form.rate, form.channels)
        soundfile.write(path, samples, form.rate, format=options[0], subtype=options[1])
        return path
    if form.of != "source":
        original = make(next(row for row in FORMATS if row.name == form.of), folder)
    video = ["-f", "lavfi", "-i", "testsrc=size=64x64:rate=10", "-c:v", "mpeg4", "-shortest"]
    to_pipe = program.endswith(">")
    target = ["-"] if to_pipe else [str(path)]
    command = {
        "ffmpeg": ["ffmpeg", "-v", "error", "-y", "-i", str(original), *options, *target],
        "ffmpeg-video": ["ffmpeg", "-v", "error", "-y", "-i", str(original), *video, *options, *target],
        "sox": ["sox", "-V1", "-D", *["--ignore-length"] * to_pipe, str(original), *options, *target],
        "flac": ["flac", "-s", "-f", *options, str(original), "-o", *target],
    }[program.rstrip(">")]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True)
    if done.returncode:
        raise RuntimeError(done.stderr.decode(errors="replace").strip().splitlines()[-1])
    if to_pipe:
        path.write_bytes(done.stdout)
    return path
