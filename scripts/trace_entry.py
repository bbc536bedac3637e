"""Print which files an entry of a manifest passes through, in `train`, `enroll` and `calibrate`.

    python scripts/trace_entry.py [--files]

The commands run in this process, on recordings that are synthesized here. A function is on the way where
an entry, a recording (any shard), a block of frames, or some of these, is an argument of it, or what it
returns or yields; a property is not. The way is the list of these functions in the order in which each is
first entered: that of a reader who follows an entry through the code. Printed are the files of this list,
and the returns: the steps into a file that was left before. `PYTHONPATH=FOLDER python
scripts/trace_entry.py` traces the package in FOLDER.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import sys
import tempfile
import threading
import wave
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import numpy as np

import audiogmm

PACKAGE = f"{Path(audiogmm.__file__).parent}{os.sep}"

RATE = 16_000

CARGO = {"Entry", "Recording", "FrameBlock"}
"""Classes that are followed, with all that have an `id` and yield blocks, and all that hold such."""


def carries(value: object) -> bool:
    """Whether a value is an entry, a recording or other shard, a block of frames, or some of these."""
    if isinstance(value, (list, tuple)):
        return bool(value) and carries(value[0])
    kind = type(value)
    if not kind.__module__.startswith("audiogmm."):
        return False
    fields = getattr(kind, "__dataclass_fields__", {})
    is_shard = hasattr(kind, "__iter__") and (hasattr(kind, "id") or "id" in fields)
    return (
        kind.__name__ in CARGO or is_shard or not fields.keys().isdisjoint(("entries", "shard", "recording"))
    )


def is_property(owner: object, code: CodeType) -> bool:
    """Whether a function is a property of its first argument: looked at, and not called."""
    found = getattr(type(owner), code.co_name, None)
    return isinstance(found, property) and getattr(found.fget, "__code__", None) is code


class Trip:
    """The functions of the package that an entry passes, in the order of their first call.

    It ends where a function returns an object of the class `end`.
    """

    def __init__(self, end: str) -> None:
        self.end = end
        self.has_ended = False
        self.functions: dict[CodeType, None] = {}

    def see(self, frame: FrameType, event: str, value: Any) -> None:
        """Note a call or a return; a profile function."""
        code = frame.f_code
        if event not in ("call", "return") or self.has_ended or not code.co_filename.startswith(PACKAGE):
            return
        if event == "return" and type(value).__name__ == self.end:
            self.has_ended = True
        if code in self.functions:
            return
        if event == "call":
            n = code.co_argcount + code.co_kwonlyargcount + bool(code.co_flags & 4) + bool(code.co_flags & 8)
            local = frame.f_locals
            values = [local[name] for name in code.co_varnames[:n] if name in local]
            if values and (code.co_name == "__len__" or is_property(values[0], code)):
                return
        else:
            values = [value]
        if any(carries(each) for each in values):
            self.functions[code] = None

    def steps(self) -> list[str]:
        """The files, one for each time that the trip enters one."""
        found: list[str] = []
        for code in self.functions:
            name = code.co_filename.removeprefix(PACKAGE)
            if not found or found[-1] != name:
                found.append(name)
        return found


def record(path: Path, seconds: float, pitch: float, seed: int) -> None:
    """Write a wav of noise and a tone with harmonics that comes and goes."""
    time = np.arange(int(RATE * seconds)) / RATE
    tone = sum(np.sin(2 * np.pi * pitch * k * time) / k for k in range(1, 9)) * (np.sin(4 * time) > 0)
    noise = np.random.default_rng(seed).normal(size=time.size)
    samples = (6000 * tone + 30 * noise).clip(-32768, 32767).astype("<i2")
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(samples.tobytes())


def synthesize(folder: Path) -> Path:
    """Write four recordings of each of two speakers, and their manifest."""
    lines = []
    for speaker, pitch in (("ann", 210.0), ("bob", 120.0)):
        for i in range(4):
            path = folder / f"{speaker}-{i}.wav"
            record(path, 6.0, pitch * (1 + i / 50), len(lines))
            lines.append(json.dumps({"audio_filepath": path.name, "speaker": speaker}))
    manifest = folder / "all.jsonl"
    manifest.write_text("\n".join(lines) + "\n")
    return manifest


def trace(end: str, *arguments: object) -> Trip:
    """Run a command, and follow its entries to an object of the class `end`."""
    from audiogmm.cli.main import cli

    trip = Trip(end)
    threading.setprofile(trip.see)
    sys.setprofile(trip.see)
    try:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):
            cli.main([str(a) for a in arguments], prog_name="audiogmm", standalone_mode=False)
    finally:
        sys.setprofile(None)
        threading.setprofile(None)
    return trip


def main() -> None:
    """Trace the three commands and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--files", action="store_true", help="list every step as well")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        manifest = synthesize(Path(folder))
        model, calibrated = Path(folder, "model.agmm"), Path(folder, "calibrated.agmm")
        trips = {
            "train": trace("TrainingResult", "train", manifest, "-o", model, "-k", 4, "--threads", 1),
            "enroll": trace(
                "EnrollResult", "enroll", model, manifest, "-o", Path(folder, "gallery"), "--threads", 1
            ),
            "calibrate": trace("Detector", "calibrate", model, manifest, "-o", calibrated, "--threads", 1),
        }
        assert calibrated.exists() and Path(folder, "gallery").exists()
    print(f"{'command':12}{'files':>7}{'returns':>9}{'functions':>11}")
    for name, trip in trips.items():
        steps = trip.steps()
        files = set(steps)
        print(f"{name:12}{len(files):7}{len(steps) - len(files):9}{len(trip.functions):11}")
        if options.files:
            for step in steps:
                print(f"    {step}")


if __name__ == "__main__":
    main()
