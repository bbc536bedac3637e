"""Several outputs of one run in two folders, written with a fault at each call in turn: what is left of them.

Run with the layer, as `python -m tests.faults.outputs FOLDER ACTION ERROR`: a line of JSON for each call.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path

from audiogmm.errors import OutputError
from audiogmm.files import replacing, together
from audiogmm.moves import finish_moves
from audiogmm.temporaries import sweep
from tests.faults.layer import Fault, arm

OUTPUTS = ("one/events.jsonl", "one/events.jsonl.run.json", "two/model.agmm", "two/ledger")


def write(root: Path, text: str) -> None:
    """Write all outputs; the last is a folder of three files."""
    with together():
        for name in OUTPUTS:
            with replacing(root / name, force=True) as temporary:
                if name.endswith("ledger"):
                    temporary.mkdir(parents=True)
                    for file in "abc":
                        (temporary / file).write_text(text)
                else:
                    temporary.write_text(text)


def contents(root: Path) -> set[str]:
    """What the outputs hold: one word, if they are of one run."""
    return {path.read_text() for path in root.rglob("*") if path.is_file() and not path.name.startswith(".")}


def hidden(root: Path) -> list[str]:
    """What else lies there."""
    return sorted(str(path.relative_to(root)) for path in root.rglob(".*"))


def main() -> None:
    """Print what is left after a fault at the first call, the second, and so on until there is none."""
    root, action, error = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    os.sync = lambda: None  # type: ignore[assignment]  # which waits for all disks of the machine
    n = 0
    while True:
        n += 1
        shutil.rmtree(root, ignore_errors=True)
        write(root, "old")
        log = root.with_name(f"log{n}")
        child = os.fork()
        if not child:
            try:
                sweep.cache_clear()
                arm(Fault("change", n, action, error), str(root), str(log))
                write(root, "new")
            except OutputError as failed:
                log.with_suffix(".said").write_text(str(failed))
                os._exit(1)
            os._exit(0)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        if sum(line.startswith("0 ") for line in log.read_text().splitlines()) < n:
            break
        said = log.with_suffix(".said")
        row = {"n": n, "status": status, "said": said.read_text() if said.exists() else ""}
        sweep.cache_clear()
        for folder in ("two", "one"):
            finish_moves(root / folder)
            sweep(root / folder)
        row |= {"contents": sorted(contents(root)), "hidden": hidden(root)}
        sys.stdout.write(json.dumps(row) + "\n")


if __name__ == "__main__":
    main()
