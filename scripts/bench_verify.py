#!/usr/bin/env python
"""Time the scoring of trials: what a model more costs, beside the plain evaluation of each model by itself.

    python scripts/bench_verify.py                            # 1,000 tests of 3 s against 100 models, K=512
    python scripts/bench_verify.py --tests 100 --models 20

Speech is `librispeech_bg` of the folder that AUDIOGMM_DATA names, through the preset `speech` with two
deltas; without it, frames are drawn from a mixture. Models are adapted by MAP, each from a recording of its
own. One thread; each way takes its turn in every round, and the best round counts. `first` is the
background and one model, and `further` what each model after it adds; frames a second count each frame once
for every model. The plain evaluation and exact scoring are timed on a part of the tests, since they grow
with them.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from audiogmm.audio.frontend.frontend import FrontEnd
from audiogmm.audio.recording import Recording
from audiogmm.manifest import read_manifest
from audiogmm.mixture.evaluator import Evaluator
from audiogmm.mixture.gaussian import Mixture
from audiogmm.mixture.maximization import maximize
from audiogmm.types import Frames
from audiogmm.verification.adaptation import Adaptation
from audiogmm.verification.ratio import RatioScorer

SECONDS = 3.0
FRAME_RATE = 100


def speech() -> list[Frames]:
    """The voiced frames of each recording."""
    folder = os.environ.get("AUDIOGMM_DATA")
    if not folder:
        random = np.random.default_rng(0)
        centers = random.normal(size=(600, 60))
        return [
            (centers[random.integers(600, size=1000)] + random.normal(size=(1000, 60))).astype("f4")
            for _ in range(250)
        ]
    entries = read_manifest(Path(folder) / "librispeech_bg.jsonl")
    found = []
    frontend = FrontEnd.preset("speech", deltas=2, cmvn="sliding")
    for entry in entries:
        recording = Recording(entry, frontend, sample_rate=16000, warn=lambda _: None)
        found.append(np.concatenate([block.frames[block.voiced] for block in recording]))
    return found


def background(frames: Frames, n_components: int, passes: int) -> Mixture:
    """A background model after some passes of EM."""
    random = np.random.default_rng(1)
    means = frames[random.choice(len(frames), n_components, replace=False)].astype(np.float64)
    variances = np.tile(frames.astype(np.float64).var(axis=0), (n_components, 1))
    mixture = Mixture(np.full(n_components, 1 / n_components), means, variances, "diag")
    for _ in range(passes):
        mixture = maximize(Evaluator(mixture).accumulate(frames), previous=mixture, floor=1e-3)[0]
    return mixture


def best(ways: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Seconds of each way, the best of the rounds, in which they take turns."""
    found = dict.fromkeys(ways, np.inf)
    for _ in range(rounds):
        for name, run in ways.items():
            start = time.perf_counter()
            run()
            found[name] = min(found[name], time.perf_counter() - start)
    return found


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tests", type=int, default=1000)
    parser.add_argument("--models", type=int, default=100)
    parser.add_argument("--components", type=int, default=512)
    parser.add_argument("--tau", type=float, default=Adaptation().tau)
    parser.add_argument("--passes", type=int, default=6)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()

    shards = speech()
    ubm = background(np.concatenate(shards)[::2].copy(), options.components, options.passes)
    evaluator, adaptation = Evaluator(ubm), Adaptation(tau=options.tau)
    start = time.perf_counter()
    models = [adaptation(ubm, evaluator.accumulate(frames)) for frames in shards[: options.models]]
    enrolled = sum(map(len, shards[: options.models]))
    enrolling = time.perf_counter() - start
    n = round(SECONDS * FRAME_RATE)
    cuts = [frames[i : i + n] for frames in shards for i in range(0, len(frames) - n + 1, n)]
    tests = [cuts[i % len(cuts)] for i in range(options.tests)]

    ways: dict[str, Callable[[], object]] = {}
    scorers = {name: RatioScorer(ubm, models, name) for name in ("exact", "top", "linear")}  # type: ignore[arg-type]
    few, some = tests[: max(1, len(tests) // 25)], [Evaluator(model) for model in models[:10]]
    timed = {name: few if name == "exact" else tests for name in scorers}
    for name, scorer in scorers.items():
        for which, places in (("1", [0]), ("all", range(len(models)))):
            ways[f"{name} {which}"] = lambda scorer=scorer, cuts=timed[name], places=places: [  # type: ignore[misc]
                scorer.scores(cut, places) for cut in cuts
            ]

    def plain() -> list[np.ndarray]:
        return [
            np.array([np.mean(e.log_likelihood(test) - under) for e in some])
            for test in few
            for under in [evaluator.log_likelihood(test)]
        ]

    ways["plain"] = plain
    plain()  # compiles
    for scorer in scorers.values():
        scorer.scores(tests[0])
    found = best(ways, options.rounds)

    M = len(models)
    each = found["plain"] / (len(few) * n * (len(some) + 1))
    print(
        f"{len(tests)} tests of {n} frames, {M} models of {options.components} components, "
        f"{ubm.n_features} dimensions, one thread"
    )
    print(f"enrolling: {enrolled / enrolling / 1e6:.2f} million frames a second")
    print("          Mframes/s  first, ns  further, ns  further/first  error, nats")
    print(f"{'plain':8}  {1e-6 / each:9.2f}  {2e9 * each:9.0f}  {1e9 * each:11.1f}  {0.5:13.2%}")
    reference = np.array(plain())
    for name, scorer in scorers.items():
        frames = len(timed[name]) * n
        one, every = found[f"{name} 1"] / frames, found[f"{name} all"] / frames
        further = (every - one) / (M - 1)
        errors = np.abs(np.array([scorer.scores(test, range(len(some))) for test in few]) - reference)
        print(
            f"{name:8}  {M * 1e-6 / every:9.2f}  {1e9 * one:9.0f}  {1e9 * further:11.1f}  "
            f"{further / one:13.2%}  {errors.max():11.2g}"
        )


if __name__ == "__main__":
    main()
