#!/usr/bin/env python
"""Print the peak memory of every command on a corpus once and eight times, on default settings.

    python scripts/bench_command_memory.py CORPUS.jsonl      # recordings of 20 named speakers or more
    python scripts/bench_command_memory.py CORPUS.jsonl --times 1 4 --only train --limit 60

The corpus is made longer by names: each copy of a recording is a link to it with an id of its own, and of
the same speaker. Every command runs in a process of its own, and has run before, so that nothing is compiled.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

COMMANDS: dict[str, list[str]] = {
    "train": ["train", "corpus.jsonl", "-o", "speakers.agmm"],
    "train --speakers no": ["train", "corpus.jsonl", "--speakers", "no", "-o", "plain.agmm"],
    "features": ["features", "corpus.jsonl", "--preset", "speech", "-o", "cache"],
    "score": ["score", "plain.agmm", "corpus.jsonl", "-o", "scores"],
    "detect": ["detect", "plain.agmm", "corpus.jsonl", "-o", "events.jsonl"],
    "cluster": ["cluster", "plain.agmm", "corpus.jsonl", "-o", "clusters"],
    "select": ["select", "corpus.jsonl", "-o", "selected.csv"],
    "calibrate": ["calibrate", "plain.agmm", "corpus.jsonl", "-o", "calibrated.agmm"],
    "update": ["update", "plain.agmm", "corpus.jsonl", "-o", "updated.agmm"],
    "enroll": ["enroll", "speakers.agmm", "corpus.jsonl", "-o", "known"],
    "verify": ["verify", "known", "trials.csv", "-o", "verified.csv"],
    "identify": ["identify", "known", "corpus.jsonl", "-o", "identified.csv"],
    "evaluate verify": ["evaluate", "verify", "verified.csv", "-o", "evaluated.json"],
    "report": ["report", "clusters", "-o", "page.html"],
    "stream": ["stream", "plain.agmm", "corpus.wav"],
    "manifest scan": ["manifest", "scan", "audio", "-o", "scanned.jsonl"],
    "manifest convert": ["manifest", "convert", "corpus.jsonl", "-o", "converted.csv"],
}
"""In an order in which each finds what those before it have written."""


def make(folder: Path, manifest: Path, times: int, limit: int) -> None:
    """Make a corpus of so many copies of each recording, and trials between neighbors."""
    rows = [json.loads(line) for line in manifest.read_text(encoding="utf-8").splitlines()][:limit]
    (folder / "audio").mkdir()
    entries, trials = [], [("model", "audio_filepath", "target")]
    for copy in range(times):
        for row in rows:
            path = (manifest.parent / row["audio_filepath"]).resolve()
            name = Path("audio") / f"{copy}-{path.name}"
            (folder / name).symlink_to(path)
            entries.append({**row, "audio_filepath": str(name)})
            other = rows[(rows.index(row) + 1) % len(rows)]
            trials += [(row["speaker"], str(name), "1"), (other["speaker"], str(name), "0")]
    (folder / "corpus.jsonl").write_text("".join(json.dumps(e) + "\n" for e in entries), encoding="utf-8")
    with (folder / "trials.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows(trials)
    write_stream(folder, [folder / entry["audio_filepath"] for entry in entries])


def write_stream(folder: Path, paths: list[Path]) -> None:
    """Write all recordings as one."""
    import soundfile

    with soundfile.SoundFile(folder / "corpus.wav", "w", soundfile.info(paths[0]).samplerate, 1) as whole:
        for path in paths:
            whole.write(soundfile.read(path, dtype="int16")[0])


def run(folder: Path, arguments: list[str]) -> tuple[float, float, int]:
    """Run a command, and return its peak in MiB, its seconds, and its exit status."""
    began = time.monotonic()
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "audiogmm", *arguments],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=dict(os.environ, PYTHONPATH=str(Path(__file__).resolve().parent.parent)),
        )
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    return usage.ru_maxrss / 1024, time.monotonic() - began, process.returncode


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("manifest", type=Path, help="JSONL, with a speaker in each line")
    parser.add_argument("--times", type=int, nargs=2, default=[1, 8], help="lengths of the corpus")
    parser.add_argument("--limit", type=int, default=60, help="recordings of the list that are taken")
    parser.add_argument("--only", nargs="+", default=list(COMMANDS), help="commands, and what they need")
    options = parser.parse_args()
    once, more = options.times
    print(f"| command | peak x {once}, MiB | x {more}, MiB | ratio | seconds |\n|---|---|---|---|---|")
    with (
        tempfile.TemporaryDirectory() as warm,
        tempfile.TemporaryDirectory() as a,
        tempfile.TemporaryDirectory() as b,
    ):
        folders = [Path(warm), Path(a), Path(b)]
        for folder, times in zip(folders, (once, once, more), strict=True):
            make(folder, options.manifest, times, options.limit)
        for name in options.only:
            _, small, large = (run(folder, COMMANDS[name]) for folder in folders)
            failed = "" if small[2] in (0, 3) and large[2] in (0, 3) else f" (status {small[2]}, {large[2]})"
            peaks = f"{small[0]:.0f} | {large[0]:.0f} | {large[0] / small[0]:.2f}"
            print(f"| {name}{failed} | {peaks} | {small[1]:.0f}, {large[1]:.0f} |", flush=True)
            if failed:
                print((folders[1] / "log").read_text()[-600:], file=sys.stderr)


if __name__ == "__main__":
    main()
