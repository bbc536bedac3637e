"""What a person is told while a model trains."""

from __future__ import annotations

import re

import pytest

from audiogmm.runs.watch import Watch
from audiogmm.training.schedule.monitor import PassReport


class Screen:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.told: list[object] = []

    def begin(self, what: str, total: float | None, unit: str) -> None:
        self.told.append((what, total, unit))

    def advance(self, amount: float, note: str = "") -> None:
        self.told.append((amount, note))

    def end(self) -> None:
        self.told.append("end")

    def say(self, message: str) -> None:
        self.told.append(message)


def test_one_bar_for_reading_and_one_for_all_passes() -> None:
    screen = Screen()
    with Watch(screen, "training", passes=10, hours=2.0) as watch:
        watch.on_stage("read", 0, None)
        watch.on_frames(1000, 1800.0)
        watch.on_stage("seed", 0, None)
        for number in (3, 4):  # gone on from a checkpoint after two
            watch.on_stage("pass", number, 500)
            watch.on_frames(500, 5.0)
            watch.on_pass(
                PassReport(number, 500, -60.0 + number, None, 0.1, rescued=(7,) if number == 4 else ())
            )
    assert screen.told == [
        ("training: reading", 2.0, "h of audio"),
        (0.5, ""),
        ("training: finding a start", None, ""),
        ("training", 8 * 500, "frames"),
        (500, "pass 3"),
        (500, "pass 4: -57.0000 nats a frame"),
        "pass 4: component 7 had no frame and started again",
        "end",
    ]


@pytest.mark.parametrize(
    ("inertia", "why"),
    [
        (None, "a component is too narrow .*; train again with a higher variance floor"),
        (9.0, "it also counts the shares of the clusters, .*, so nothing is wrong$"),
    ],
)
def test_a_fall_is_told_with_what_to_do_about_it(inertia: float | None, why: str) -> None:
    """A floor mends narrow components; of k-means, whose inertia never rises, nothing is to be mended."""
    screen = Screen()
    Watch(screen, "training", passes=10).on_pass(PassReport(2, 500, -60.0, -0.5, 0.1, inertia=inertia))
    (told,) = screen.told
    assert re.match(f"pass 2: the log-likelihood fell by 0.5 nats a frame, to -60: {why}", str(told))
