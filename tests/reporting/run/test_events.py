"""The events of a run: the worst of them and of its recordings, in bounded memory, as if all were there."""

from __future__ import annotations

import json
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audiogmm.anomaly.event import Event
from audiogmm.anomaly.formats import write_events
from audiogmm.errors import ManifestError
from audiogmm.reporting.run.events import collect_events, iterate_events, summarize_events
from tests.naive import run_events as naive

rows = st.lists(
    st.builds(
        lambda id, start, peak, severity: (
            {"id": id, "start": start, "end": start + 1.0}
            | ({} if peak is None else {"peak": peak})
            | ({} if severity is None else {"severity": severity})
        ),
        st.sampled_from("abcdefgh"),
        st.integers(0, 50).map(float),
        st.none() | st.integers(-90, -50).map(float),
        st.none() | st.integers(0, 9).map(float),
    ),
    max_size=60,
)


def write(path: Path, content: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in content))
    return path


@given(rows, st.integers(0, 5), st.integers(0, 5))
def test_it_is_the_naive_one(
    tmp_path_factory: pytest.TempPathFactory, content: list[dict[str, Any]], most: int, most_recordings: int
) -> None:
    content.sort(key=lambda row: str(row["id"]))  # events of a recording follow each other
    path = write(tmp_path_factory.mktemp("events") / "events.jsonl", content)
    expected = naive.read(path)
    run = summarize_events(path, most, most_recordings)
    assert run.n_events == len(content)
    assert run.n_recordings == len({row["id"] for row in content})
    assert run.seconds == len(content)
    assert [naive.rank(f.event.to_dict() | {"severity": f.severity}) for f in run.severest] == [
        naive.rank(row) for row in expected[:most]
    ]
    worst = naive.recordings(expected)[:most_recordings]
    assert [(one.id, one.n_events) for one in run.worst] == worst
    kept = collect_events(path, {id for id, _ in worst}, most)
    for id, n in worst:
        assert kept[id][0] == n
        own = [naive.rank(row) for row in expected if row["id"] == id][:most]
        assert [naive.rank(f.event.to_dict() | {"severity": f.severity}) for f in kept[id][1]] == own


def test_a_recording_that_comes_again_is_still_among_the_worst(tmp_path: Path) -> None:
    content = [{"id": f"r{i}", "start": 0.0, "end": 1.0, "peak": -60.0 - i} for i in range(300)]
    content.append({"id": "r0", "start": 5.0, "end": 6.0, "peak": -1000.0})
    run = summarize_events(write(tmp_path / "events.jsonl", content), 3, 2)
    assert [one.id for one in run.worst] == ["r0", "r299"]
    assert collect_events(tmp_path / "events.jsonl", {"r0"}, 9)["r0"][0] == 2
    few = summarize_events(write(tmp_path / "few.jsonl", [content[0], content[1], content[-1]]), 3, 2)
    assert [(one.id, one.n_events) for one in few.worst] == [("r0", 2), ("r1", 1)]


def test_memory_does_not_grow_with_the_run(tmp_path: Path) -> None:
    def peak(n: int) -> int:
        path = tmp_path / f"{n}.jsonl"
        with path.open("w") as file:
            for i in range(n):
                file.write(
                    json.dumps({"id": f"r{i // 2}", "start": i, "end": i + 1, "peak": -i % 977}) + "\n"
                )
        tracemalloc.start()
        summarize_events(path, 50, 50)
        collect_events(path, {"r1"}, 10)
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    peak(1000)
    assert peak(40_000) < 1.5 * peak(4000)


def test_what_an_event_says_of_itself_is_kept_as_far_as_it_can_be_shown(tmp_path: Path) -> None:
    row = {
        "id": "a\ud800",
        "start": 1,
        "end": 2,
        "peak": float("nan"),
        "severity": float("inf"),
        "reasons": ["louder at 2 kHz"],
        "band": "2–4 kHz",
        "nearest": 7,
        "vector": [1, 2],
        "long": "x" * 500,
        "certain": True,
    }
    (found,) = iterate_events(write(tmp_path / "events.jsonl", [row]))
    assert found.event.id == "a\ud800"  # as it is: where it is written, it is escaped
    assert (found.event.peak, found.severity, found.event.reasons) == (None, None, ("louder at 2 kHz",))
    assert found.further == {"band": "2–4 kHz", "nearest": 7.0, "long": "x" * 200}


@pytest.mark.parametrize("suffix", [".jsonl", ".csv", ".rttm", ".txt"])
def test_every_format_of_events_is_read(tmp_path: Path, suffix: str) -> None:
    events = [Event(None, "a", 1.0, 2.0, -61.0, -62.0, 1.5, -60.0), Event(None, "a", 4.0, 5.0, -66.0, -70.0)]
    write_events(events, tmp_path / f"events{suffix}")
    run = summarize_events(tmp_path / f"events{suffix}", 5, 5)
    assert [found.event.start for found in run.severest] == [4.0, 1.0]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{", "Expecting property name"),
        ("[1]", "not an object"),
        ('{"id": "a", "start": 1}', "KeyError: 'end'"),
        ('{"id": "a", "start": 2, "end": 1}', "from 2.0 s to 1.0 s"),
        ('{"id": "a", "start": NaN, "end": 1}', "is not an event"),
        ('{"id": "a", "start": 1, "end": 2, "peak": "loud"}', "could not convert"),
        ('{"id": "a", "start": 1, "end": 2, "severity": "very"}', "could not convert"),
    ],
)
def test_a_line_that_is_no_event_is_named(tmp_path: Path, line: str, said: str) -> None:
    path = write(tmp_path / "events.jsonl", [{"id": "a", "start": 1.0, "end": 2.0}])
    path.write_text(path.read_text() + line + "\n")
    with pytest.raises(ManifestError, match=rf"events\.jsonl:2: .*{said}"):
        summarize_events(path, 5, 5)
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(ManifestError, match="not UTF-8"):
        summarize_events(path, 5, 5)
