#!/usr/bin/env python
"""Make a page of 200 recordings; print its size, and how long a browser takes to open it.

    python scripts/bench_report.py                       # 200 synthesized recordings of 10 s
    python scripts/bench_report.py --recordings 50 --page page.html
    python scripts/bench_report.py --open report.html    # only open a page that exists

The recordings are those of the demo's sites, normal ones and ones with anomalies, with one model for all. The
time is from the request for the page, a local file, to its `load` event in headless Chromium without a
network: the median of several runs, each with a new browser. Without Chromium only the size is printed.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from pathlib import Path

from browser import Tab, browse, chromium

from audiogmm.audio.frontend.frontend import FrontEnd
from audiogmm.jobs.detect import detect_to_file
from audiogmm.jobs.report import report
from audiogmm.jobs.trained_files import train_to_file
from audiogmm.synth import make_scenes, write_corpus

SEEN = """new Promise((done) => requestAnimationFrame(() => setTimeout(
  () => done(performance.getEntriesByName("first-contentful-paint").map((one) => one.startTime)[0]), 0)))"""


def make_page(folder: Path, path: Path, n: int) -> None:
    """Synthesize, train, detect and report."""
    per_site = n // 3 + 1  # three sites
    write_corpus(folder / "corpus", make_scenes(seed=0, train=8, test=per_site, duration=10.0), seed=0)
    for split in ("train", "test"):
        rows = [json.loads(line) for line in (folder / "corpus" / f"{split}.jsonl").read_text().splitlines()]
        (folder / "corpus" / f"{split}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows[:n]))
    model, events = folder / "model.agmm", folder / "events.jsonl"
    train_to_file(str(folder / "corpus" / "train.jsonl"), model, FrontEnd.preset("ambient"), n_components=16)
    found = detect_to_file(model, str(folder / "corpus" / "test.jsonl"), events)
    started = time.perf_counter()
    made = report(events, path, most=n, force=True)
    seconds = time.perf_counter() - started
    print(f"{found.events} events in {found.recordings} recordings, {found.seconds / 60:.0f} minutes")
    shown, size = len(made.page.cards), made.size / 1e6
    print(f"page: {shown} recordings, {made.n_sounds} sounds, {size:.1f} MB, in {seconds:.0f} s")


def open_page(path: Path, repeats: int, phone: bool) -> None:
    """Open the page several times, and print how long that took."""
    loaded, seen = [], []

    async def visit(tab: Tab) -> None:
        size = {"width": 390, "height": 844, "phone": True} if phone else {}
        await tab.send("Network.enable")
        await tab.send(
            "Network.emulateNetworkConditions",
            offline=True,
            latency=0,
            downloadThroughput=0,
            uploadThroughput=0,
        )
        await tab.open(path.resolve().as_uri(), **size)
        loaded.append(tab.loaded)
        first = await tab.run(SEEN)
        seen.append((first or 0) / 1000)
        if tab.complaints:
            print(f"console: {tab.complaints}")

    for _ in range(repeats):
        browse(visit)
    kind = "telephone" if phone else "desktop"
    middle = statistics.median(loaded)
    print(
        f"opened ({kind}): {middle:.2f} s to load ({min(loaded):.2f} to {max(loaded):.2f}), "
        f"{statistics.median(seen):.2f} s to the first paint"
    )


def main() -> None:
    """Parse, make, open."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--recordings", type=int, default=200)
    parser.add_argument("--page", type=Path, help="keep the page here")
    parser.add_argument("--open", type=Path, help="open this page instead of making one")
    parser.add_argument("--repeats", type=int, default=5)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="audiogmm-bench-") as folder:
        path = chosen.open or chosen.page or Path(folder) / "report.html"
        if chosen.open is None:
            make_page(Path(folder), path, chosen.recordings)
        if chromium() is None:
            print("no Chromium here: not opened")
            return
        for phone in (False, True):
            open_page(path, chosen.repeats, phone)


if __name__ == "__main__":
    main()
