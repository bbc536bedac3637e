#!/usr/bin/env python
"""Print a table of containers and codecs, each read by us and by a peer, whole and cut off.

    python scripts/check_formats.py                  # all; needs ffmpeg, sox and flac
    python scripts/check_formats.py aac opus         # those with one of these words in their name

Every file is made by a real encoder. A row is right if our samples are those of the peer's decoder to the
tolerance; if those of a lossless codec are the source's; if no channel is in the place of another; if a pipe
of the same bytes gives the same samples; and if no cut file is taken for a whole one.
"""

from __future__ import annotations

import argparse
import io
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from encoding import FORMATS, Format, make, source
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parent.parent))
from audiogmm.audio.decode import probe
from audiogmm.audio.decoders.notices import Notices
from audiogmm.audio.decoders.opening import _open_pipe, open_decoder
from audiogmm.errors import AudioGMMError
from audiogmm.manifest import Entry

CUTS = (30, 60, 90, 99)


def ours(path: Path, pipe: bool = False) -> tuple[NDArray[np.float32], int]:
    """All samples of all channels, and the rate."""
    decoder = _open_piped(path) if pipe else open_decoder(str(path))
    with closing(decoder):
        pieces = []
        while len(piece := decoder.read(5000)):
            pieces.append(piece * np.float32(2.0**-15) if piece.dtype == np.int16 else piece.copy())
        return np.concatenate(pieces), decoder.info.sample_rate


def _open_piped(path: Path) -> Any:
    return _open_pipe(io.BytesIO(path.read_bytes()), "standard input", ExitStack())


def theirs(path: Path, peer: str, channels: int) -> NDArray[np.float32]:
    """All samples by a peer's decoder."""
    if peer == "soundfile":
        return soundfile.read(path, dtype="float32", always_2d=True)[0]
    command = {
        "ffmpeg": ["ffmpeg", "-v", "quiet", "-i", str(path), "-map", "0:a:0", "-f", "f32le", "-"],
        "sox": ["sox", "-V1", str(path), "-t", "f32", "-"],
    }[peer]
    data = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True).stdout
    return np.frombuffer(data, "<f4").reshape(-1, channels)


def delay(found: NDArray[Any], original: NDArray[Any]) -> int:
    """Samples by which the first channel lies behind the source's."""
    size = 1 << (len(found) + len(original)).bit_length()
    spectrum = np.fft.rfft(found[:, 0], size) * np.fft.rfft(original[:, 0], size).conj()
    lag = int(np.fft.irfft(spectrum, size).argmax())
    return lag if lag < size // 2 else lag - size


def misplaced(found: NDArray[Any], original: NDArray[Any], lag: int) -> list[int]:
    """Channels that are not most alike to the same channel of the source."""
    shifted = np.roll(found, -lag, axis=0)[: len(original)]
    product = np.abs(shifted.T @ original[: len(shifted)])
    product /= np.linalg.norm(shifted, axis=0)[:, None] + 1e-9
    return [i for i, row in enumerate(product) if row.argmax() != i]


def cut_outcomes(path: Path, whole: int, folder: Path) -> dict[int, str]:
    """What is said of the file, cut at each of `CUTS` percent: refused, warned, whole, or nothing."""
    data = path.read_bytes()
    cut = folder / f"cut-{path.name}"
    outcomes = {}
    for percent in (*CUTS, 100):
        cut.write_bytes(data[: len(data) * percent // 100])
        notices = Notices()
        try:
            n_samples = probe(Entry(str(cut), id="a"), warn=notices).n_samples
            outcomes[percent] = "warned" if notices.messages else "whole" if n_samples == whole else "nothing"
        except AudioGMMError:
            outcomes[percent] = "refused"
    return outcomes


def check(form: Format, folder: Path) -> tuple[str, ...]:
    """A row of the table."""
    begin = form.name, form.made_by, form.peer
    try:
        path = make(form, folder)
    except (RuntimeError, OSError) as error:
        return *begin, "", "", "", "", "", f"not made: {error}"
    faults = []
    try:
        found, rate = ours(path)
    except AudioGMMError as error:
        return *begin, "", "", "", "", "", f"FAULT: {error}"
    original = source(form.rate, form.channels)
    if (rate, found.shape[1]) != (form.rate, form.channels):
        return *begin, str(len(found)), "", "", "", "", f"FAULT: {rate} Hz, {found.shape[1]} channels"
    peers = found if form.peer == "none" else theirs(path, form.peer, form.channels)
    n = min(len(found), len(peers))
    difference = float(np.abs(found[:n] - peers[:n]).max(initial=0.0))
    if difference > form.tolerance:
        faults.append(f"differs from {form.peer}")
    if len(found) != (len(peers) if not form.padded else min(len(peers), max(len(original), len(found)))):
        faults.append(f"{form.peer} has {len(peers)}")
    if form.lossless and not np.array_equal(found, original.astype(np.float32)):
        faults.append("is not the source")
    lag = delay(found, original)
    if wrong := misplaced(found, original, lag):
        faults.append(f"channels {wrong} are in other places")
    if form.pipe and not np.array_equal(found, ours(path, pipe=True)[0]):
        faults.append("another by a pipe")
    outcomes = cut_outcomes(path, len(found), folder)
    if (said := outcomes.pop(100)) != "whole":
        faults.append(f"whole, and {said}")
    silent = [f"{percent} %" for percent, said in outcomes.items() if said == "nothing"]
    said = "yes" if not silent else f"not at {', '.join(silent)}"
    if silent and form.no_length:
        said += " (states no length)"
    elif silent:
        faults.append("cut, and taken for whole")
    verdict = "FAULT: " + "; ".join(faults) if faults else "right"
    return (
        *begin,
        str(len(found)),
        str(len(found) - len(original)),
        str(lag),
        f"{difference:.1e}",
        said,
        verdict,
    )


HEADS = (
    "format",
    "encoder",
    "peer",
    "samples",
    "more than source",
    "delay",
    "difference",
    "cut: said?",
    "verdict",
)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("words", nargs="*", help="only formats with one of these words in their name")
    options = parser.parse_args()
    chosen = [
        f for f in FORMATS if not options.words or any(w.lower() in f.name.lower() for w in options.words)
    ]
    with tempfile.TemporaryDirectory() as name, ThreadPoolExecutor(2) as pool:
        folder = Path(name)
        for rate, channels in {(form.rate, form.channels) for form in FORMATS}:
            original = folder / f"source-{rate}-{channels}.wav"
            soundfile.write(original, source(rate, channels), rate, subtype="PCM_16")
        print("| " + " | ".join(HEADS) + " |")
        print("|" + "---|" * len(HEADS))
        rows = []
        for row in pool.map(lambda form: check(form, folder), chosen):
            rows.append(row)
            print("| " + " | ".join(row) + " |", flush=True)
    wrong = sum("FAULT" in row[-1] for row in rows)
    missing = sum("not made" in row[-1] for row in rows)
    print(f"\n{len(rows) - wrong - missing} right, {wrong} with a fault, {missing} not made")
    return wrong > 0


if __name__ == "__main__":
    sys.exit(main())
