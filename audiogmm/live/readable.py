"""The lines of `audiogmm stream` as a person reads them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from audiogmm.escapes import printable


def readable(line: dict[str, Any]) -> str:
    """Return a line of a stream as text.

    Examples
    --------
    >>> event = {"start": 5.0, "end": 5.8, "severity": 2.25, "reasons": ["1700 Hz: 12 dB above normal"]}
    >>> readable({"type": "closed", "input": "a.wav", "time": 6.2, "number": 0, "event": event})
    '6.2 s  a.wav  event 0 closed: 5.00 to 5.80 s, severity 2.2; 1700 Hz: 12 dB above normal'
    >>> readable({"type": "gap", "input": "-", "wall": "2026-05-01T10:00:00.250Z", "seconds": 2.5})
    '2026-05-01T10:00:00.250Z  -  gap: seconds 2.5'
    """
    head = str(line["wall"]) if "wall" in line else f"{line['time']:.1f} s" if "time" in line else ""
    event = line.get("event")
    if isinstance(event, dict):
        what = f"event {line['number']} {line['type']}"
        about = [f"{event['start']:.2f} to {event['end']:.2f} s"]
        if event.get("severity") is not None:
            about[0] += f", severity {event['severity']:.1f}"
        if line["type"] == "closed":
            about += map(str, event.get("reasons", ()))
        about += [str(line["clip"])] if "clip" in line else []
        text = f"{what}: {'; '.join(about)}"
    else:
        rest = {key: line[key] for key in line if key not in ("type", "input", "time", "wall")}
        text = f"{line['type']}: {', '.join(f'{key} {_short(value)}' for key, value in rest.items())}"
    return printable("  ".join(part for part in (head, str(line.get("input", "")), text) if part))


def as_text(write: Callable[[str], object]) -> Callable[[str], object]:
    """Return what takes lines of JSON, and writes them as text.

    Examples
    --------
    >>> as_text(print)('{"type": "score", "input": "-", "time": 1.0, "score": -41.5}\\n')
    1.0 s  -  score: score -41.5
    <BLANKLINE>
    """
    return lambda text: write("".join(readable(json.loads(line)) + "\n" for line in text.splitlines()))


def _short(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.6g}"
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else str(value)
