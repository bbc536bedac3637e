#!/usr/bin/env python3
"""Train on seeded random small problems that are hard on the numbers, and say what went wrong.

    python scripts/check_numbers.py --problems 10000
    python scripts/check_numbers.py --first 1234 --problems 1     # one problem again

Every problem has a form, a schedule, a floor, a scale of 1e-12 to 1e12 and float32 or float64 frames; some
have constant or dependent columns, duplicated rows, hardly more rows than components, or row weights.
A training must end with a model or a named error. A model has finite parameters and variances above 0, its
statistics and likelihood are those of the float64 twin in `tests/naive`, and no pass of batch EM lowered the
likelihood by more than 1e-6 of it, unless the pass rescued a component or a warning says so. Prints a table
in Markdown and the first faults; exit status 1 if there are any. Needs the extra `dev`.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import warnings
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent))
from audiogmm.errors import AudioGMMError
from audiogmm.estimator import GaussianMixture, passes
from audiogmm.estimator.passes import THRESHOLDS
from audiogmm.mixture.evaluator import Evaluator
from audiogmm.mixture.forms import FORMS, form_of
from audiogmm.mixture.gaussian import Mixture
from audiogmm.reduce import LocalReducer
from audiogmm.runs.progress import Silent
from audiogmm.runs.watch import Watch
from audiogmm.training import train_mixture
from audiogmm.training.frames.source import ArraySlice
from audiogmm.training.incremental import add_recordings, reweight_recordings
from audiogmm.training.ledger import Ledger
from audiogmm.training.schedule.approximation import Approximation
from audiogmm.types import CovarianceType
from tests.naive import mixture as naive

TRAININGS: dict[str, dict[str, Any]] = {
    "em": {},
    "accelerated": {"accelerate": True},
    "stepwise": {"algorithm": "stepwise"},
    "kmeans": {"algorithm": "kmeans"},
    "truncated": {"approximation": Approximation("truncated", 2)},
    "top": {"approximation": Approximation("top", 2)},
    "incremental": {},
}
SCHEDULES = (*TRAININGS, "fit", "partial_fit")
KINDS = (
    "plain",
    "constant column",
    "dependent columns",
    "duplicated rows",
    "all rows the same",
    "one outlier",
)
FLOORS = (0.0, 0.0, 1e-12, 1e-8, 1e-4, 1e-2)
FALL = 1e-6
"""Largest fall of the likelihood that the certified error of an E-step explains, as a share of it."""


@dataclass(frozen=True, eq=False)
class Problem:
    """Frames, and how a mixture is trained on them."""

    seed: int
    schedule: str
    form: CovarianceType
    kind: str
    floor: float
    n_components: int
    frames: np.ndarray
    weights: np.ndarray | None

    def __str__(self) -> str:
        n, D = self.frames.shape
        return (
            f"{self.seed}: {self.schedule}, {self.form}, {self.kind}, floor {self.floor:g}, "
            f"K={self.n_components}, {n} x {D} {self.frames.dtype}, size {np.abs(self.frames).max():.1e}"
            + ("" if self.weights is None else f", weights to {self.weights.max():.1e}")
        )


def draw(seed: int) -> Problem:
    """Draw a problem."""
    random = np.random.default_rng([0xBAD, seed])
    schedule, kind = str(random.choice(SCHEDULES)), str(random.choice(KINDS))
    form: CovarianceType = "spherical" if schedule == "kmeans" else random.choice(list(FORMS)).item()
    K, D = int(random.integers(1, 6)), int(random.integers(1, 5))
    n = (
        max(2, K) + int(random.integers(0, 3))
        if random.random() < 0.2
        else int(random.integers(max(K, 12), 70))
    )
    centers = random.choice([0.0, 2.0, 20.0]) * random.normal(size=(K, D))
    frames = centers[random.integers(K, size=n)] + random.normal(size=(n, D))
    if kind == "constant column":
        frames[:, random.integers(D)] = random.choice([0.0, 0.1, -7.0])
    elif kind == "dependent columns":
        frames = np.column_stack([frames, frames @ random.normal(size=D)])
    elif kind == "duplicated rows":
        frames = frames[random.integers(max(n // 4, 1), size=n)]
    elif kind == "all rows the same":
        frames[:] = frames[0]
    elif kind == "one outlier":
        frames[0] += 1e4
    frames = frames + random.choice([0.0, 0.0, 30.0, 1e4])
    frames *= 10.0 ** random.uniform(-2, 2, frames.shape[1])
    frames *= 10.0 ** random.uniform(-12, 12) / max(np.abs(frames).max(), 1e-12)
    dtype = np.float64 if schedule in ("fit", "partial_fit") and random.random() < 0.5 else np.float32
    weights = None
    if schedule in ("fit", "partial_fit") and random.random() < 0.5:
        weights = random.uniform(0.2, 1, n) * 10.0 ** random.choice([-12, -6, 0, 6, 12])
    return Problem(seed, schedule, form, kind, float(random.choice(FLOORS)), K, frames.astype(dtype), weights)


def check(problem: Problem) -> tuple[str, list[str]]:
    """Return how the training ended ("model", "warned", "refused"), and its faults."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            mixture, gains = (train if problem.schedule in TRAININGS else fit)(problem)
        except (AudioGMMError, ValueError) as error:
            named = isinstance(error, AudioGMMError) or "ill-defined" in str(error)
            return "refused", [] if named else [f"unnamed {type(error).__name__}: {error}"]
        except Exception as error:  # noqa: BLE001 - whatever it is, it is a fault
            return "refused", [f"{type(error).__name__}: {error}"]
    said = [str(each.message) for each in caught]
    faults = [text for text in said if "encountered" in text]  # by NumPy
    warned = any("likelihood fell" in text for text in said)
    fall = max((-gain / max(1.0, abs(level)) for gain, level in gains), default=0.0)
    if (fall > FALL) != warned:
        faults.append(f"the likelihood fell by {fall:.3g} of it, which was {'not ' * (not warned)}said")
    return "warned" if warned else "model", faults + twin_faults(mixture, problem)


class Said(Silent):
    """Turns notes to the user into warnings."""

    def say(self, message: str) -> None:
        """Warn."""
        warnings.warn(message, stacklevel=2)


Gains = list[tuple[float, float]]
"""Rise of the mean log-likelihood in each pass that promises one, and what it came to, nats."""


def train(problem: Problem) -> tuple[Mixture, Gains]:
    """Train on two recordings, or on one with the other added after it and weighted by a half."""
    frames, K = problem.frames, problem.n_components
    half = max(K, len(frames) // 2)
    shards = [
        ArraySlice(name, part) for name, part in (("a", frames[:half]), ("b", frames[half:])) if len(part)
    ]
    added = shards[1:] if problem.schedule == "incremental" else []
    reducer = LocalReducer(1)
    result = train_mixture(
        shards[:1] if added else shards,
        n_components=K,
        covariance_type=problem.form,
        floor=problem.floor,
        passes=9,
        tol=0.0,
        reducer=reducer,
        monitor=Watch(Said(), problem.schedule, 9),
        **TRAININGS[problem.schedule],
    )
    gains = [(report.gain, report.log_likelihood) for report in result.history if report.gain is not None]
    mixture, total = result.mixture, result.statistics
    if added and total is not None:
        with tempfile.TemporaryDirectory() as folder:
            kept: Any = {"floor": result.floor, "ledger": Ledger(Path(folder) / "ledger")}
            change = add_recordings(mixture, total, added, reducer=reducer, **kept)
            mixture = reweight_recordings(change.mixture, change.statistics, {"b": 0.5}, **kept).mixture
    return mixture, gains


def fit(problem: Problem) -> tuple[Mixture, Gains]:
    """Fit an estimator; the floor, as a share of the mean variance, is its `reg_covar`."""
    frames = problem.frames
    reg_covar = problem.floor * float(frames.astype(np.float64).var(axis=0).mean())
    estimator = GaussianMixture(
        problem.n_components,
        covariance_type=problem.form,
        reg_covar=reg_covar,
        random_state=0,
        max_iter=9,
        tol=0.0,
    )
    small, passes.is_small = passes.is_small, lambda *_: problem.seed % 2 == 0  # the others by the kernels
    try:
        getattr(estimator, problem.schedule)(frames, sample_weight=problem.weights)
    finally:
        passes.is_small = small
    bounds = np.array(estimator.lower_bounds_, dtype=np.float64)
    promised = not reg_covar and problem.schedule == "fit"
    return estimator._mixture(), list(zip(np.diff(bounds), bounds[1:], strict=True)) if promised else []


def twin_faults(mixture: Mixture, problem: Problem) -> list[str]:
    """Compare an E-step and an M-step under the mixture with the twin's."""
    frames, form = problem.frames, form_of(mixture.covariance_type)
    K, D = mixture.means.shape
    if not (form.variances(mixture.covariances, K, D) > 0).all():
        return ["a variance is not above 0"]
    weights = np.ones(len(frames)) if problem.weights is None else problem.weights
    stats = Evaluator(mixture, THRESHOLDS[frames.dtype]).accumulate(frames, weights)
    joint = naive.log_joint(frames, mixture.weights, mixture.means, mixture.covariances, form.name)
    level = float(weights @ naive.log_likelihood(joint) / weights.sum())
    found = stats.log_likelihood / stats.n_frames
    faults = []
    if not abs(found - level) <= FALL * max(1.0, abs(level)):
        faults.append(f"log-likelihood: {abs(found - level) / max(1, abs(level)):.1e} of {level:.4g} off")
    gamma = naive.posteriors(joint)
    counts, first, second, first_size, second_size = naive.statistics(
        frames, gamma, weights, stats.origin, form.name
    )
    x = np.abs(frames - stats.origin)
    lost, deviation = 1e-7 * weights.sum(), np.sqrt(form.variances(mixture.covariances, K, D).max())
    for name, ours, theirs, size, slack in (
        ("counts", stats.counts, counts, counts, lost),
        ("first", stats.first, first, first_size, lost * (x.max() + deviation)),
        ("second", stats.second, second, second_size, lost * ((x**2).sum(axis=1).max() + deviation**2)),
    ):
        off = np.abs(ours - theirs) - 1e-5 * size - slack
        if not (off <= 0).all():
            faults.append(f"{name}: {(off / slack).max():.1e} of what may be left out")
    return faults


def main(arguments: Sequence[str] | None = None) -> int:
    """Check problems, and print what was found."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--problems", type=int, default=1000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--show", type=int, default=30, help="Faults to print.")
    options = parser.parse_args(arguments)
    ends: Counter[tuple[str, str]] = Counter()
    faults: list[str] = []
    for seed in range(options.first, options.first + options.problems):
        problem = draw(seed)
        ended, found = check(problem)
        ends[problem.schedule, ended] += 1
        ends[problem.schedule, "faults"] += bool(found)
        faults += [f"{problem}: {fault}" for fault in found]
    columns = ("model", "warned", "refused", "faults")
    print("| schedule | problems | " + " | ".join(columns) + " |\n|---|" + "---|" * (1 + len(columns)))
    for schedule in SCHEDULES:
        numbers = [ends[schedule, column] for column in columns]
        print(f"| {schedule} | " + " | ".join(map(str, [sum(numbers[:3]), *numbers])) + " |")
    print("\n".join(faults[: options.show]))
    return int(bool(faults))


if __name__ == "__main__":
    raise SystemExit(main())
