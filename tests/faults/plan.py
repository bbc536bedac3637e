"""Which faults a command meets: each call in turn, with an error that is drawn by a seed."""

from __future__ import annotations

import errno
import random
from collections.abc import Iterator

from tests.faults.commands import Case
from tests.faults.layer import POSSIBLE, WRITING, Fault

FAULTS = {
    "fail": "a call that writes fails once",
    "full": "the disk is full from a call on",
    "kill": "SIGKILL before a call",
}
"""Kinds of faults, in words."""


def faults_of(case: Case, kind: str, seed: int = 0) -> Iterator[Fault]:
    """Yield a fault of a kind for each call of the command's undisturbed run that it can hit."""
    for call in case.whole.calls:
        if call.kind != "change":
            continue
        rng = random.Random(f"{seed} {case.name} {kind} {call.n}")
        if kind == "kill":
            yield Fault("change", call.n, "kill")
        elif kind == "full" and call.name in ("open", "write", "pwrite", "mkdir"):
            yield Fault("change", call.n, "full", errno.ENOSPC)
        elif kind == "fail":
            if call.name in ("write", "pwrite") and rng.random() < 0.25:
                yield Fault("change", call.n, "short")
            else:
                yield Fault.failing(call.n, rng.choice(POSSIBLE.get(call.name, WRITING)))
