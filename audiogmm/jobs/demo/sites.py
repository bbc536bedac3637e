"""The demo at sites: foreign sounds in synthesized recordings, found by the verbs, beside the truth."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from audiogmm.anomaly.formats import read_events
from audiogmm.audio.decode import open_audio
from audiogmm.audio.frontend.frontend import FrontEnd
from audiogmm.evaluation.detection.frame_metrics import (
    EventCounts,
    LabeledTrack,
    SiteAreas,
    compare_events,
    evaluate_frames,
    score_loudness,
)
from audiogmm.files import refuse_overwrite
from audiogmm.jobs.cluster import cluster_to_folder
from audiogmm.jobs.demo.speakers import SpeakerDemo, run_speaker_demo
from audiogmm.jobs.detect import detect_to_file
from audiogmm.jobs.report import report
from audiogmm.jobs.score import score_to_folder
from audiogmm.jobs.trained_files import train_to_file
from audiogmm.manifest import Entry, read_manifest, write_manifest
from audiogmm.reporting.figure import can_draw
from audiogmm.reprs import lines_repr
from audiogmm.runs.progress import Progress, progress_of
from audiogmm.scoring.track_file import read_track
from audiogmm.synth import make_scenes, write_corpus
from audiogmm.system import activation
from audiogmm.timeline import Segment
from audiogmm.types import Json
from audiogmm.words import amount


@dataclass(frozen=True)
class DemoSite:
    """The results at one site."""

    name: str
    ours: SiteAreas  # AUC of the model's scores, and of loudness alone
    loudness: SiteAreas
    events: EventCounts


@dataclass
class DemoResult:
    """The results of the demo, and the files that it wrote."""

    folder: Path
    sites: list[DemoSite] = field(default_factory=list)
    picture: Path | None = None
    speakers: SpeakerDemo | None = None
    pages: list[Path] = field(default_factory=list)

    __repr__ = lines_repr

    @property
    def events(self) -> EventCounts:
        """Event counts of all sites."""
        return sum((site.events for site in self.sites), EventCounts())

    def mean(self, which: str) -> float:
        """Frame AUC, averaged over the sites; `which` is "ours" or "loudness"."""
        return float(sum(getattr(site, which).auc for site in self.sites) / len(self.sites))

    def summary(self) -> Json:
        """Return what `--json` prints."""
        events = self.events
        return {
            "output": str(self.folder),
            "auc": self.mean("ours"),
            "auc_loudness": self.mean("loudness"),
            "events_true": events.n_true,
            "events_caught": events.n_caught,
            "events_found": events.n_found,
            "events_right": events.n_right,
            "sites": {
                site.name: {"auc": site.ours.auc, "pauc": site.ours.pauc, "auc_loudness": site.loudness.auc}
                for site in self.sites
            },
            "picture": None if self.picture is None else str(self.picture),
            "pages": [str(page) for page in self.pages],
            "speakers": None if self.speakers is None else self.speakers.summary(),
        }

    def lines(self) -> Iterator[str]:
        """Yield the closing lines."""
        events = self.events
        yield "site        frame AUC   by loudness   foreign sounds found    events found (true)"
        for site in self.sites:
            e = site.events
            yield (
                f"{site.name:<10}  {site.ours.auc:9.3f}   {site.loudness.auc:11.3f}   "
                f"{e.n_caught:>7} of {e.n_true:<11}   {e.n_found} ({e.n_right})"
            )
        yield f"{'mean':<10}  {self.mean('ours'):9.3f}   {self.mean('loudness'):11.3f}"
        yield (
            f"found {events.n_caught} of {amount(events.n_true, 'foreign sound')}, none of them known to a "
            f"model, and {amount(events.n_found - events.n_right, 'false event')}"
        )
        if self.speakers is not None:
            yield from self.speakers.lines()
        yield f"recordings, models, tracks, components, events and scores: {self.folder}"
        pictures = [self.picture, None if self.speakers is None else self.speakers.picture]
        yield from (f"look at: {picture}" for picture in pictures if picture is not None)
        yield from (f"look at, and listen to: {page}" for page in self.pages)
        yield from next_steps()


@dataclass(frozen=True)
class EarlierDemo:
    """A demo that is there already: its pages."""

    folder: Path
    pages: list[Path]

    def summary(self) -> Json:
        """Return what `--json` prints."""
        return {"output": str(self.folder), "pages": [str(page) for page in self.pages], "earlier": True}

    def lines(self) -> Iterator[str]:
        """Yield the closing lines."""
        yield f"the demo has been run: {self.folder} (--force runs it again)"
        yield from (f"look at, and listen to: {page}" for page in self.pages)
        yield from next_steps()


def next_steps() -> Iterator[str]:
    """Yield what to do next: the command for recordings of the reader's own, and how to have it at hand."""
    yield "next, with two folders of your own recordings:"
    if (command := activation()) is not None:
        yield f"  {command}"
    yield "  audiogmm inspect NORMAL NEW -o inspected"


def find_earlier_demo(out: Path) -> EarlierDemo | None:
    """Return the demo that was run into a folder, if it was run to its end."""
    pages = sorted(out.glob("*/report.html"))
    return EarlierDemo(out, pages) if pages and (out / "speakers" / "who.jsonl").exists() else None


def demo(
    out: str | os.PathLike[str] = "demo",
    *,
    seed: int = 0,
    force: bool = False,
    threads: int | None = None,
    progress: Progress | bool | None = None,
) -> DemoResult:
    """Synthesize a corpus, train a model for each site, score and detect in its test recordings.

    Then synthesize voices, enroll, verify and identify them. The foreign sounds are as loud as their
    background, so that loudness alone, which is evaluated for comparison, does not find them. The models are
    trained on normal recordings only.

    Parameters
    ----------
    out : path-like
        The folder to write to.
    seed : int
        Of the corpus and of the models.
    force : bool
        Overwrite what is there.
    threads : int, optional
        All cores by default.
    progress : Progress, optional
        Receives stages and notes.

    Raises
    ------
    OutputError
        If the folder holds something already (and not `force`), or cannot be written.

    Examples
    --------
    >>> import audiogmm as ag
    >>> ag.demo("demo")  # doctest: +SKIP
    """
    progress, out = progress_of(progress), Path(out)
    refuse_overwrite(out, force)
    progress.begin("synthesizing recordings", None, "")
    write_corpus(out / "corpus", make_scenes(seed), seed=seed, force=force)
    progress.end()
    result = DemoResult(out)
    train, test = (by_site(out / "corpus" / f"{split}.jsonl") for split in ("train", "test"))
    frontend = FrontEnd.preset("ambient")
    lowest = 0.0
    for site, recordings in test.items():
        folder = out / site
        lists = {"train": folder / "train.jsonl", "test": folder / "test.jsonl"}
        write_manifest(train[site], lists["train"], force=force)
        write_manifest(recordings, lists["test"], force=force)
        model = folder / "model.agmm"
        train_to_file(
            str(lists["train"]), model, frontend, seed=seed, threads=threads, force=force, progress=progress
        )
        shared = {"force": force, "threads": threads, "progress": progress}
        score_to_folder(model, str(lists["test"]), folder / "scores", **shared)
        cluster_to_folder(model, str(lists["test"]), folder / "clusters", examples=1, **shared)
        found = detect_to_file(
            model,
            str(lists["test"]),
            folder / "events.jsonl",
            plot=folder / "severest.png" if can_draw() else None,
            **shared,
        )
        result.sites.append(evaluate_site(site, recordings, folder))
        if can_draw():
            page = report(folder / "events.jsonl", folder / "report.html", **shared)
            result.pages.append(page.output)
        margin = (found.severest[0].peak or 0.0) - found.detector.threshold if found.severest else 0.0
        if found.pictures and margin <= lowest:
            lowest, result.picture = margin, found.pictures[0]
    result.speakers = run_speaker_demo(
        out / "speakers", seed=seed, force=force, plot=can_draw(), threads=threads, progress=progress
    )
    return result


def by_site(manifest: Path) -> dict[str, list[Entry]]:
    """Return the entries of each site of a manifest."""
    sites: dict[str, list[Entry]] = defaultdict(list)
    for entry in read_manifest(manifest):
        sites[entry.extra["site"]].append(entry)
    return sites


def evaluate_site(site: str, recordings: list[Entry], folder: Path) -> DemoSite:
    """Compare scores, loudness and events with the truth."""
    events: dict[str, list[Segment]] = defaultdict(list)
    for event in read_events(folder / "events.jsonl"):
        events[event.id].append(event.segment)
    ours, plain, counts = [], [], EventCounts()
    for entry in recordings:
        track = read_track(folder / "scores" / f"{entry.id}.npz")
        with open_audio(entry) as stream:
            samples = np.concatenate(list(stream))
        ours.append(LabeledTrack(track, entry.events, site))
        plain.append(LabeledTrack(score_loudness(samples, track.clock, entry.id), entry.events, site))
        counts = counts + compare_events(events[entry.id], entry.events)
    return DemoSite(site, evaluate_frames(ours)[0], evaluate_frames(plain)[0], counts)
