"""One id a run: the same in its log, its metrics, beside its outputs, and in its worker processes."""

from __future__ import annotations

import os
import re
import secrets
from functools import cache

VARIABLE = "AUDIOGMM_RUN_ID"
"""The environment variable with the id, which processes that are started from here find."""

_WELL_FORMED = re.compile(r"[0-9a-f]{12}")


@cache
def run_id() -> str:
    """Return the id of this run: 12 hexadecimal digits, made once a process.

    A process whose environment has one in ``AUDIOGMM_RUN_ID`` takes it, if it is 12 such digits.
    The id is never part of an output that is compared byte for byte.

    Examples
    --------
    >>> len(run_id()), run_id() == run_id()
    (12, True)
    """
    given = os.environ.get(VARIABLE, "")
    if not _WELL_FORMED.fullmatch(given):
        given = os.environ[VARIABLE] = secrets.token_hex(6)
    return given
