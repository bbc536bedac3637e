#!/usr/bin/env python
"""Are the reasons right?

    python scripts/bench_reasons.py [--seeds 100:110] [--data DATA] [--compare] [--show]

For each site of the synthesizer (and, with DATA, of the clips of scenes_train.jsonl) a model is trained by
`audiogmm train --preset ambient` on normal sound, with nothing else chosen. Then known changes are made to
other normal recordings of that site, at known times:

    tone            a steady sine of a known frequency
    noise           noise in a known band, a third of an octave to an octave wide
    louder, quieter a gain
    faster, slower  strokes of the pump at another pace, 1.5 to 2.5 times, or its inverse (pump only)
    stopped         no strokes (pump only)
    dropouts        gaps of 60 to 150 ms, two to five a second

Tones, noise and gains start faint (3 dB over the third octave around them; 3 dB), and grow by 3 dB until
`detect` finds them: what is judged is the faintest that is found. Each is explained twice: where `detect`
says that it is, and where it truly is. A change of rhythm that `detect` does not find (by frames alone it
finds none of the pump's) is explained where it truly is; what else it does not find at 30 dB, or
before it would clip, is left out, and counted.

Right is a reason that names the kind: level for gains, rhythm for faster, slower, stopped and dropouts,
colour for tones and noise. For these the band named first must be right, too: it must hold the frequency (of
noise: the middle of its band), give or take one mel band or a third of an octave, and be louder; for a tone
it may not be wider than an octave. In brackets: the 95 % interval (Wilson).

Four ways to name the band are compared: by the largest difference of the mean levels from those of normal
sound; by the largest such difference in units of its deviation over normal moments; by what has to be undone
for the sound to be likely again, as a change that is the same in every frame; and, what the package does, in
every frame by itself.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import soundfile

import audiogmm as ag
from audiogmm.anomaly.explainer import EventExplainer
from audiogmm.anomaly.learning.assembly import make_explainer, make_pipeline
from audiogmm.audio.decode import open_audio
from audiogmm.audio.frontend.frontend import FrontEnd
from audiogmm.blocks import FrameBlock
from audiogmm.manifest import Entry, read_manifest, write_manifest
from audiogmm.synth.noise import SAMPLE_RATE, rms
from audiogmm.synth.sites import SITES, make_background

KINDS = {
    "tone": "colour",
    "noise": "colour",
    "louder": "level",
    "quieter": "level",
    "faster": "rhythm",
    "slower": "rhythm",
    "stopped": "rhythm",
    "dropouts": "rhythm",
}
"""What is done, and what it is to be called."""

PACES = ("faster", "slower", "stopped")
STEP, MOST = 3.0, 30.0  # decibels
NORMAL, SECONDS = 24, 20.0  # recordings trained on, and the length of each
FADE = 0.03  # seconds


@dataclass(frozen=True)
class Change:
    """What was done to a recording, and where."""

    kind: str
    start: float
    end: float
    low: float = 0.0
    high: float = 0.0


@dataclass
class Tally:
    """How often something was right."""

    right: int = 0
    n: int = 0

    def add(self, right: bool) -> None:
        """Count one."""
        self.right += right
        self.n += 1

    def __str__(self) -> str:
        if not self.n:
            return f"{'-':>22}"
        low, high = wilson(self.right, self.n)
        return f"{self.right:3d}/{self.n:<3d} {self.right / self.n:4.0%} ({low:3.0%} to {high:4.0%})".rjust(
            27
        )


def wilson(right: int, n: int, z: float = 1.96) -> tuple[float, float]:
    """The interval of a share (Wilson 1927)."""
    share, square = right / n, z * z / n
    middle = (share + square / 2) / (1 + square)
    half = z * np.sqrt(share * (1 - share) / n + square / (4 * n)) / (1 + square)
    return max(0.0, middle - half), min(1.0, middle + half)


@dataclass
class Judge:
    """Counts, by change and by where it was explained."""

    kinds: dict[tuple[str, str, str], Tally] = field(default_factory=lambda: defaultdict(Tally))
    bands: dict[tuple[str, str, str], Tally] = field(default_factory=lambda: defaultdict(Tally))
    by_frequency: dict[int, Tally] = field(default_factory=lambda: defaultdict(Tally))
    methods: dict[tuple[str, str], Tally] = field(default_factory=lambda: defaultdict(Tally))
    errors: list[float] = field(default_factory=list)
    confused: dict[tuple[str, str], int] = field(default_factory=lambda: defaultdict(int))

    def add(self, site: str, place: str, change: Change, found: dict, explainer: EventExplainer) -> None:
        """Judge one explanation."""
        kind = found.get("kind", "none")
        right = kind == KINDS[change.kind]
        self.confused[(change.kind, kind)] += 1
        if KINDS[change.kind] == "colour":
            named = found["bands"][0]
            held = holds(named["low_hz"], named["high_hz"], change, explainer) and named["db"] > 0
            self.bands[(site, place, change.kind)].add(held)
            self.bands[("all", place, change.kind)].add(held)
            octave = int(np.floor(np.log2(np.sqrt(change.low * change.high) / 125)))
            self.by_frequency[octave].add(held)
            if held and change.kind == "tone" and place == "true":
                self.errors.append(abs(np.log2(np.sqrt(named["low_hz"] * named["high_hz"]) / change.low)))
            right = right and held
        self.kinds[(site, place, change.kind)].add(right)
        self.kinds[("all", place, change.kind)].add(right)


def holds(low: float, high: float, change: Change, explainer: EventExplainer) -> bool:
    """Whether the band named is right for a tone or for noise."""
    frequency = float(np.sqrt(change.low * change.high))
    hertz = explainer.ranges.bands.hertz
    band = int(np.argmin(np.abs(hertz[:, 1] - frequency)))
    slack = (hertz[band, 2] - hertz[band, 0]) / 2
    reach = min(low - slack, low * 2 ** (-1 / 3)), max(high + slack, high * 2 ** (1 / 3))
    widest = max(2.0 * low, low + 3 * (hertz[band, 2] - hertz[band, 0]))
    return reach[0] <= frequency <= reach[1] and (change.kind == "noise" or high <= widest)


def changed(
    samples: np.ndarray, rate: int, kind: str, rng: np.random.Generator, strength: float
) -> tuple[np.ndarray, Change]:
    """A recording with a change in it, of a strength in decibels."""
    seconds = len(samples) / rate
    length = rng.uniform(1.5, min(4.0, 0.4 * seconds))
    start = rng.uniform(0.25 * seconds, 0.9 * seconds - length)
    first, n = round(start * rate), round(length * rate)
    piece = samples[first : first + n]
    ramp = np.clip(np.minimum(np.arange(n), np.arange(n)[::-1]) / (FADE * rate), 0, 1)
    place = (first / rate, (first + n) / rate)
    result = samples.copy()
    if kind in ("louder", "quieter"):
        gain = strength if kind == "louder" else -strength
        result[first : first + n] = piece * 10 ** (gain * ramp / 20)
        return result, Change(kind, *place)
    if kind == "dropouts":
        gate, at = np.ones(n), rng.uniform(0.05, 0.2)
        pace = rng.uniform(2, 5)
        while at < length:
            gate[round(at * rate) : round((at + rng.uniform(0.06, 0.15)) * rate)] = 0.0
            at += rng.uniform(0.8, 1.2) / pace
        result[first : first + n] = piece * gate
        return result, Change(kind, *place)
    top = 0.42 * rate
    frequency = float(np.exp(rng.uniform(np.log(200.0), np.log(top))))
    if kind == "tone":
        low = high = frequency
        sound = np.sqrt(2) * np.sin(2 * np.pi * frequency * np.arange(n) / rate)
    else:
        width = rng.uniform(1 / 3, 1.0)
        low, high = frequency * 2 ** (-width / 2), min(frequency * 2 ** (width / 2), 0.475 * rate)
        sound = in_band(rng.standard_normal(n), rate, low, high)
        sound /= rms(sound)
    around = (min(low, frequency * 2 ** (-1 / 6)), max(high, frequency * 2 ** (1 / 6)))
    power = max(rms(in_band(piece, rate, *around)), 1e-5)
    result[first : first + n] += ramp * sound * power * 10 ** (strength / 20)
    return result, Change(kind, *place, low, high)


def in_band(samples: np.ndarray, rate: int, low: float, high: float) -> np.ndarray:
    """The part of a sound that lies in a band."""
    spectrum = np.fft.rfft(samples)
    hertz = np.fft.rfftfreq(len(samples), 1 / rate)
    return np.fft.irfft(np.where((hertz >= low) & (hertz <= high), spectrum, 0), len(samples))


def paced(kind: str, seed: list[int]) -> tuple[np.ndarray, Change]:
    """A pump that strokes at another pace for a while, all else as it is."""
    rng = np.random.default_rng(seed)
    start = rng.uniform(6.0, 9.0)
    end = start + rng.uniform(3.0, 6.0)
    factor = {"faster": rng.uniform(1.5, 2.5), "slower": 1 / rng.uniform(1.5, 2.5), "stopped": 0.0}[kind]
    samples = make_background(
        "pump", round(SECONDS * SAMPLE_RATE), rng, lambda time: factor if start <= time < end else 1.0
    )
    return samples, Change(kind, start, end)


@dataclass(frozen=True)
class Site:
    """Where changes are made: normal recordings to train on, and others to change."""

    name: str
    rate: int
    normal: list[Entry]
    others: list[np.ndarray]


def synthesized(name: str, seeds: range, folder: Path) -> Site:
    """A site of the synthesizer; training and test never share a seed."""
    place = SITES.index(name)
    normal = []
    for i in range(NORMAL):
        path = folder / f"{name}_{i}.wav"
        samples = make_background(name, round(SECONDS * SAMPLE_RATE), np.random.default_rng([7, place, i]))
        soundfile.write(path, samples.astype(np.float32), SAMPLE_RATE, subtype="PCM_16")
        normal.append(Entry(audio_filepath=str(path), id=path.stem, duration=SECONDS))
    others = [
        make_background(name, round(SECONDS * SAMPLE_RATE), np.random.default_rng([8, place, seed]))
        for seed in seeds
    ]
    return Site(name, SAMPLE_RATE, normal, others)


def recorded(data: Path, n: int) -> Iterator[Site]:
    """The sites of scenes_train: the last clips of each are held back and changed."""
    by_site: dict[str, list[Entry]] = defaultdict(list)
    for entry in read_manifest(data / "scenes_train.jsonl"):
        by_site[entry.extra["site"]].append(entry)
    for name, entries in by_site.items():
        kept = max(len(entries) - n, len(entries) * 3 // 4)
        others = []
        for entry in entries[kept:]:
            with open_audio(entry) as stream:
                others.append(np.concatenate(list(stream)).astype(np.float64))
        yield Site(name, 8000, entries[:kept], others)


class Listened:
    """A trained model, and what it makes of a recording."""

    def __init__(self, site: Site, folder: Path) -> None:
        manifest, path = folder / f"{site.name}.jsonl", folder / f"{site.name}.agmm"
        write_manifest(site.normal, manifest)
        call = [
            sys.executable,
            "-m",
            "audiogmm",
            "train",
            str(manifest),
            "--preset",
            "ambient",
            "-o",
            str(path),
        ]
        subprocess.run(call, check=True, capture_output=True)
        model = ag.load(path)
        self.frontend = FrontEnd.from_dict(model.metadata.frontend)
        self.rate = site.rate
        self.explainer = make_explainer(model)
        self.pipeline = make_pipeline(model)
        self.plain = make_pipeline(model, reasons=False)

    def blocks(self, samples: np.ndarray) -> list[FrameBlock]:
        """Its frames."""
        stream = self.frontend.stream(self.rate)
        sound = np.clip(samples, -1, 1).astype(np.float32)
        return [*stream.push(sound), *stream.flush()]

    def found(self, blocks: list[FrameBlock], change: Change, *, plain: bool) -> dict | None:
        """The event that is the change, as `detect` tells it: of those that share half of the shorter one's
        time with it, the one that shares most."""
        stream = (self.plain if plain else self.pipeline).open(blocks[0].clock, "x", None)
        notices = [notice for block in blocks for notice in stream.push(block)] + stream.flush()
        most, found = 0.0, None
        for event in (notice.event for notice in notices if notice.kind == "closed"):
            shared = min(event.end, change.end) - max(event.start, change.start)
            if shared > most and shared >= 0.5 * min(event.end - event.start, change.end - change.start):
                most, found = shared, event.to_dict()
        return found

    def truly(self, blocks: list[FrameBlock], change: Change) -> tuple[dict, np.ndarray]:
        """The explanation of the true time, and the frames there."""
        clock = blocks[0].clock
        first, last = (
            round((change.start + FADE) * clock.frame_rate),
            round((change.end - FADE) * clock.frame_rate) - 3,
        )
        explaining = self.explainer.open(clock)
        for block in blocks:
            explaining.push(block)
        frames = np.concatenate([block.frames for block in blocks])[first : last + 1]
        return explaining.explain(first, last)[1], frames


def named_otherwise(explainer: EventExplainer, frames: np.ndarray) -> dict[str, tuple[float, float]]:
    """The band that other methods name."""
    bands, moments = explainer.ranges.bands, explainer.moments
    frames = frames[np.linspace(0, len(frames) - 1, min(len(frames), 64)).astype(int)]
    padded = np.zeros((len(moments), explainer.mixture.n_features))
    padded[:, explainer.plan.static] = moments.mean
    usual = bands.levels(padded)
    away = bands.levels(frames).mean(axis=0) - usual.mean(axis=0)
    names = {}
    for name, values in (("level", away), ("deviation", away / usual.std(axis=0))):
        band = int(np.argmax(np.abs(values)))
        names[name] = float(bands.hertz[band, :2].mean()), float(bands.hertz[band, 1:].mean())
    names["steady change"] = explainer.ranges.hertz(steady(explainer, frames))
    return names


def steady(explainer: EventExplainer, frames: np.ndarray) -> int:
    """The range that, undone by the same amount in every frame, wins most."""
    directions, evaluator = explainer.ranges.directions, explainer.evaluator
    best, found = -np.inf, 0
    for i, direction in enumerate(directions):
        for amount in (-18.0, -12.0, -6.0, 6.0, 12.0, 18.0):
            value = evaluator.log_likelihood(frames - amount * direction).sum()
            if value > best:
                best, found = value, i
    return found


def main() -> None:
    """Train, change, detect, explain, and count."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--seeds", default="100:110", help="recordings changed: first and one behind the last"
    )
    parser.add_argument("--data", type=Path, help="a folder with scenes_train.jsonl")
    parser.add_argument("--compare", action="store_true", help="name bands by other methods, too (slow)")
    parser.add_argument("--show", action="store_true", help="print every wrong reason")
    options = parser.parse_args()
    seeds = range(*map(int, options.seeds.split(":")))
    judge = Judge()
    missed: dict[str, Tally] = defaultdict(Tally)
    with tempfile.TemporaryDirectory() as folder:
        sites: Iterator[Site] = (synthesized(name, seeds, Path(folder)) for name in SITES)
        if options.data:
            sites = recorded(options.data, len(seeds))
        for site in sites:
            listened = Listened(site, Path(folder))
            for seed, samples in zip(seeds, site.others, strict=False):
                for k, kind in enumerate(KINDS):
                    if kind in PACES and site.name != "pump":
                        continue
                    look(
                        listened, site, samples, kind, [seed, k, *site.name.encode()], judge, missed, options
                    )
    report(judge, missed)


def look(
    listened: Listened,
    site: Site,
    samples: np.ndarray,
    kind: str,
    seed: list[int],
    judge: Judge,
    missed: dict[str, Tally],
    options: argparse.Namespace,
) -> None:
    """Make one change as strong as has to be, and judge what is said of it."""
    strength, grows = STEP, KINDS[kind] != "rhythm"
    while True:
        if kind in PACES:
            sound, change = paced(kind, [9, *seed])
        else:
            sound, change = changed(samples, site.rate, kind, np.random.default_rng(seed), strength)
        if grows and np.abs(sound).max() > 1:  # clipping would be another change
            missed[kind].add(False)
            return
        blocks = listened.blocks(sound)
        if not grows or listened.found(blocks, change, plain=True) or strength >= MOST:
            break
        strength += STEP
    event = listened.found(blocks, change, plain=False)

    missed[kind].add(event is not None)
    if event is None and grows:
        return
    truth, frames = listened.truly(blocks, change)
    for place, found in (("true", truth), ("detected", event and event["explanation"])):
        if not found:
            continue
        before = judge.kinds[(site.name, place, kind)].right
        judge.add(site.name, place, change, found, listened.explainer)
        if options.show and judge.kinds[(site.name, place, kind)].right == before:
            print(site.name, seed, place, f"{strength:g} dB", change, found, "\n")
    if options.compare and KINDS[kind] == "colour":
        names = named_otherwise(listened.explainer, frames)
        own = truth["bands"][0]
        for name, (low, high) in (names | {"undone": (own["low_hz"], own["high_hz"])}).items():
            judge.methods[(kind, name)].add(holds(low, high, change, listened.explainer))


def report(judge: Judge, missed: dict[str, Tally]) -> None:
    """Print the counts."""
    sites = sorted({site for site, _, _ in judge.kinds} - {"all"})
    for place in ("true", "detected"):
        print(f"\nright, where the span is {place}")
        print(f"{'':10}" + "".join(f"{site:>27}" for site in [*sites, "all"]))
        for kind in KINDS:
            print(
                f"{kind:10}"
                + "".join(str(judge.kinds[(site, place, kind)]).rjust(27) for site in [*sites, "all"])
            )
        total = Tally()
        for kind in KINDS:
            total.right += judge.kinds[("all", place, kind)].right
            total.n += judge.kinds[("all", place, kind)].n
        print(f"{'all':10}{total}")
    print("\nband alone (tones and noise)")
    for place in ("true", "detected"):
        for kind in ("tone", "noise"):
            print(f"{place:10}{kind:8}{judge.bands[('all', place, kind)]}")
    print("\nband alone, by frequency")
    for octave, tally in sorted(judge.by_frequency.items()):
        print(f"{125 * 2**octave:6g} to {250 * 2**octave:5g} Hz {tally}")
    if judge.errors:
        print(f"a tone's frequency, median error: {np.median(judge.errors):.3f} octaves")
    if judge.methods:
        print("\nband named by other methods (true span)")
        for (kind, name), tally in sorted(judge.methods.items()):
            print(f"{kind:8}{name:16}{tally}")
    print("\nfound by detect")
    for kind, tally in missed.items():
        print(f"{kind:10}{tally}")
    print("\ncalled")
    for (kind, said), n in sorted(judge.confused.items()):
        print(f"{kind:10}{said:8}{n:5d}")


if __name__ == "__main__":
    main()
