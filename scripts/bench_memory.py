#!/usr/bin/env python
"""Print the peak memory of each decoder on a short and a long recording: it does not grow with the length.

    python scripts/bench_memory.py                # 1 hour and 12; needs ffmpeg, and 2 GB of disk
    python scripts/bench_memory.py --hours 1 3

Recordings of a tone at 8 kHz, of ten minutes that are repeated. Each is decoded in a process of its own; of
ffmpeg, which is one more process, the peak stands beside.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

RATE = 8000
DECODERS = {
    "wav (audiogmm)": ("wav", "-c:a pcm_s16le"),
    "wav, piped (audiogmm)": ("wav", "-c:a pcm_s16le"),
    "FLAC (libsndfile)": ("flac", "-c:a flac"),
    "Ogg Vorbis (libsndfile)": ("ogg", "-c:a libvorbis"),
    "MP3 (libsndfile)": ("mp3", "-c:a libmp3lame -b:a 16k"),
    "MP3 without its length (ffmpeg)": ("mp3", "-c:a libmp3lame -b:a 16k -write_xing 0"),
    "m4a AAC (ffmpeg)": ("m4a", "-c:a aac -b:a 24k"),
    "AAC in ADTS (ffmpeg)": ("aac", "-c:a aac -b:a 24k"),
    "mka FLAC (ffmpeg)": ("mka", "-c:a flac"),
    "AMR (ffmpeg)": ("amr", ""),
}


def make(folder: Path, name: str, hours: float) -> Path:
    """Make a recording of ten minutes, and copy its packets until it is so long."""
    suffix, options = DECODERS[name]
    ten, whole = folder / f"ten.{suffix}", folder / f"whole.{suffix}"
    tone = f"sine=frequency=300:sample_rate={RATE}:duration=600"
    quiet = ["ffmpeg", "-v", "error", "-y"]
    if suffix == "flac":  # its header states the length
        tone = tone.replace("=600", f"={hours * 3600}")
        subprocess.run([*quiet, "-f", "lavfi", "-i", tone, str(whole)], check=True)
        return whole
    if suffix == "amr":
        subprocess.run([*quiet, "-f", "lavfi", "-i", tone, str(folder / "ten.wav")], check=True)
        subprocess.run(["sox", "-V1", str(folder / "ten.wav"), "-t", "amr-nb", str(ten)], check=True)
    else:
        subprocess.run([*quiet, "-f", "lavfi", "-i", tone, *options.split(), str(ten)], check=True)
    loop = ["-stream_loop", str(round(hours * 6) - 1), "-i", str(ten), "-c", "copy"]
    own = ["-write_xing", "0"] if "write_xing" in options else []
    subprocess.run([*quiet, *loop, *own, str(whole)], check=True)
    ten.unlink()
    return whole


def decode(path: str) -> None:
    """Decode a recording, and print its samples, and the peak KiB of this process and of ffmpeg's."""
    from audiogmm.audio.decode import open_audio
    from audiogmm.manifest import Entry

    with open_audio(Entry(path, id="a"), warn=lambda _: None) as audio:
        process = getattr(audio._decoder, "_process", None)
        n_samples = child = 0
        for i, samples in enumerate(audio):
            n_samples += len(samples)
            if process is not None and i % 16 == 0 and process.poll() is None:
                status = Path(f"/proc/{process.pid}/status").read_text()
                child = int(status.partition("VmHWM:")[2].split()[0])
    print(n_samples, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, child)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--hours", type=float, nargs="+", default=[1, 12], help="lengths")
    parser.add_argument("--only", default="", help="decoders with this in their name")
    parser.add_argument("--decode", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.decode:
        decode(options.decode)
        return
    print("| decoder | hours read | peak, MiB | ffmpeg's peak, MiB | seconds |\n|---|---|---|---|---|")
    for name in DECODERS:
        for hours in options.hours if options.only.lower() in name.lower() else ():
            with tempfile.TemporaryDirectory() as folder:
                path = make(Path(folder), name, hours)
                piped = "piped" in name
                began = time.monotonic()
                with path.open("rb") as file:
                    done = subprocess.run(
                        [sys.executable, __file__, "--decode", "-" if piped else str(path)],
                        stdin=file if piped else subprocess.DEVNULL,
                        capture_output=True,
                        text=True,
                        check=True,
                    )
                n_samples, own, child = map(int, done.stdout.split()[-3:])
            seconds = time.monotonic() - began
            own_and_child = (
                f"{own / 1024:.0f} | {child / 1024:.0f}" if "ffmpeg" in name else f"{own / 1024:.0f} |"
            )
            print(f"| {name} | {n_samples / RATE / 3600:.2f} | {own_and_child} | {seconds:.0f} |", flush=True)


if __name__ == "__main__":
    main()
