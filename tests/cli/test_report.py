"""`report`: a page of a run as it was, without events, with ten thousand, and of sound that has moved."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from audiogmm.checksum import sealed
from audiogmm.cli.main import main
from tests.cli.calls import RATE, Audiogmm
from tests.reporting.page.reader import Reader


@pytest.fixture(scope="session")
def run(recordings: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The recordings, a model of the normal ones, and what it found in the others."""
    folder = tmp_path_factory.mktemp("run") / "site"
    shutil.copytree(recordings, folder)
    for arguments in (
        ["train", "train.jsonl", "--preset", "ambient", "-k", "4", "-o", "room.agmm"],
        ["detect", "room.agmm", "test.jsonl", "-o", "events.jsonl"],
    ):
        with pytest.MonkeyPatch.context() as patch, pytest.raises(SystemExit) as stopped:
            patch.chdir(folder)
            main(arguments)
        assert stopped.value.code == 0
    return folder


@pytest.fixture
def site(run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it, in the working folder, whose record and events name the copy."""
    folder = tmp_path / "site"
    shutil.copytree(run, folder)
    record = folder / "events.jsonl.run.json"
    row = json.loads(record.read_text())
    record.write_text(
        json.dumps(sealed(row | {f"{name}_path": str(folder / row[name]) for name in ("model", "source")}))
    )
    monkeypatch.chdir(folder)
    found = [
        row | {"audio_filepath": str(folder / "test" / Path(row["audio_filepath"]).name)} for row in rows()
    ]
    put("events.jsonl", found)
    return folder


def rows(path: str = "events.jsonl") -> list[dict[str, Any]]:
    return [json.loads(line) for line in Path(path).read_text().splitlines()]


def put(path: str, content: list[dict[str, Any]]) -> None:
    Path(path).write_text("".join(json.dumps(row) + "\n" for row in content))


def read(path: str = "report.html") -> Reader:
    return Reader(Path(path).read_text(encoding="utf-8"))


def counts(page: Reader, name: str, **attributes: str) -> int:
    return sum(tag == name and attributes.items() <= a.items() for tag, a in page.tags)


def test_detect_says_what_it_did(site: Path) -> None:
    record = json.loads(Path("events.jsonl.run.json").read_text())
    found = rows()
    assert (record["model"], record["source"]) == ("room.agmm", "test.jsonl")
    assert (record["events"], record["recordings"], record["set_aside"]) == (len(found), 2, 0)
    assert record["heard"] == len({row["id"] for row in found})
    assert record["seconds"] == pytest.approx(12, abs=0.1)
    assert record["detector"]["threshold"] == found[0]["threshold"]


def test_a_run_becomes_one_page(site: Path, audiogmm: Audiogmm) -> None:
    before = {path.name for path in site.iterdir()}
    done = audiogmm("report", "events.jsonl", "-o", "report.html", "--json")
    assert done.status == 0, done.err
    assert {path.name for path in site.iterdir()} - before == {"report.html", "report.html.run.json"}
    found, page = rows(), read()
    assert done.json["events"] == len(found) > 0
    assert done.json["bytes"] == Path("report.html").stat().st_size < 3_000_000
    assert counts(page, "img") == done.json["recordings_shown"] == 2
    assert counts(page, "g", **{"class": "shade"}) == len(found)
    sounds = [a for name, a in page.tags if name == "script" and a.get("type") == "text/plain"]
    assert len(sounds) >= done.json["sounds"] >= len(found)  # clusters are heard as well
    for words in (
        "Normal scores",
        "Training",
        "Components",
        "events an hour",
    ):
        assert words in page.text, words
    assert "could not be read again" not in page.text
    assert "changed since" not in page.text
    first = min(found, key=lambda row: row["peak"])
    assert page.text.index(f"{first['threshold'] - first['peak']:.1f} nats below the threshold") > 0

    again = audiogmm("report", "events.jsonl", "-o", "report.html")
    assert again.status == 1
    assert "report.html exists already" in again.err
    old = Path("report.html").read_bytes()
    for threads in (1, 3):
        audiogmm("report", ".", "-o", "report.html", "--force", "--threads", threads)
        assert Path("report.html").read_bytes() == old


def test_a_page_hears_by_the_scores_of_the_detector(site: Path, audiogmm: Audiogmm) -> None:
    """A page that scored otherwise would say that the recording had changed."""
    taught = audiogmm("calibrate", "room.agmm", "train.jsonl", "--scores", "quantile,bands", "-o", "b.agmm")
    assert taught.status == 0, taught.err
    assert audiogmm("detect", "b.agmm", "test.jsonl", "-o", "b.jsonl", "--quantile", 0.95).status == 0
    assert rows("b.jsonl")
    assert audiogmm("report", "b.jsonl", "-o", "report.html").status == 0
    assert "changed since" not in read().text


def test_the_sound_on_the_page_is_that_of_the_event(site: Path, audiogmm: Audiogmm) -> None:
    """A recording that beeps during its one event, and only there."""
    (first, *_) = rows()
    samples, rate = soundfile.read(first["audio_filepath"], dtype="float32")
    samples[:] = 0.001 * np.random.default_rng(0).normal(size=len(samples))
    start, end = round(2.0 * rate), round(3.0 * rate)
    samples[start:end] += 0.5 * np.sin(2 * np.pi * 3000 * np.arange(end - start) / rate)
    soundfile.write("beep.wav", samples, rate)
    put(
        "beep.jsonl",
        [{"id": "beep", "audio_filepath": str(site / "beep.wav"), "start": 2.0, "end": 3.0, "peak": -90.0}],
    )
    assert audiogmm("report", "beep.jsonl", "--model", "room.agmm", "-o", "beep.html").status == 0
    page = Path("beep.html").read_text()
    sound = re.search(r'<script type="text/plain" id="r0s0" data-start="([\d.]+)"[^>]*>([^<]+)<', page)
    assert sound is not None
    import base64
    import io

    heard, new_rate = soundfile.read(io.BytesIO(base64.b64decode(sound[2])))
    assert float(sound[1]) == 1.0
    assert len(heard) / new_rate == pytest.approx(3.0, abs=0.15)
    power = [
        float(np.square(heard[int(t * new_rate) : int((t + 0.5) * new_rate)]).mean()) for t in (0.2, 1.3, 2.3)
    ]
    assert power[1] > 1000 * max(power[0], power[2])


def test_a_run_without_events_shows_what_was_listened_to(site: Path, audiogmm: Audiogmm) -> None:
    done = audiogmm("detect", "room.agmm", "train.jsonl", "-o", "quiet.jsonl", "--quantile", "0.99999")
    assert done.status == 0
    put("quiet.jsonl", [])
    done = audiogmm("report", "quiet.jsonl", "-o", "report.html", "--json")
    assert done.status == 0, done.err
    assert (done.json["events"], done.json["recordings_shown"]) == (0, 6)
    page = read()
    assert "No score is at or below the threshold" in page.text
    assert page.text.count("Least normal moment") == 6
    above = [
        float(n)
        for n in re.findall(r"lowest score ([−\d.]+) nats above the threshold", page.text.replace("−", "-"))
    ]
    assert above == sorted(above)
    assert len(above) == 6


def test_ten_thousand_events_are_summarised_the_worst_first(site: Path, audiogmm: Audiogmm) -> None:
    more = ("severity", "alarms_per_hour", "reasons", "explanation")
    first = {key: value for key, value in rows()[0].items() if key not in more}
    rng = np.random.default_rng(0)
    many = [
        first
        | {
            "id": f"hall-{i // 10:04d}",
            "start": at,
            "end": at + 0.4,
            "peak": -60.0 - p,
            "peak_time": at + 0.2,
        }
        for i, p in enumerate(rng.exponential(10, 10_000))
        for at in [float(i % 10) / 2]
    ]
    put("events.jsonl", many)
    put(
        "test.jsonl",
        [{"id": f"hall-{i:04d}", "audio_filepath": first["audio_filepath"]} for i in range(1000)],
    )
    done = audiogmm("report", "events.jsonl", "-o", "report.html", "--most", "5", "--json")
    assert done.status == 0, done.err
    assert (done.json["events"], done.json["recordings_shown"], done.json["recordings_named"]) == (
        10_000,
        5,
        995,
    )
    page = read()
    assert Path("report.html").stat().st_size < 25_000_000
    deepest = [row["id"] for row in sorted(many, key=lambda row: row["peak"])]
    shown = list(dict.fromkeys(deepest))[:5]
    heads = [a["title"] for name, a in page.tags if name == "h3" and a.get("title")]
    assert heads == shown
    assert "Not listed: 9,700 less severe events" in page.text
    listed = [
        float(n)
        for n in re.findall(r"([\d.]+) nats below the threshold", page.text.split("Recordings", 2)[-2])
    ]
    assert listed[:300] == sorted(listed[:300], reverse=True)


def test_a_page_never_exceeds_25_mb(site: Path, audiogmm: Audiogmm, monkeypatch: pytest.MonkeyPatch) -> None:
    from audiogmm.reporting.run import layout as report_layout
    from audiogmm.reporting.run import page as run_page

    monkeypatch.setattr(report_layout, "ROOM", 200_000)
    (first, *_) = rows()
    put("events.jsonl", [first | {"id": f"r{i}", "peak": -100.0 - i} for i in range(8)])
    put("test.jsonl", [{"id": f"r{i}", "audio_filepath": first["audio_filepath"]} for i in range(8)])
    done = audiogmm("report", "events.jsonl", "-o", "report.html", "--json")
    shown = done.json["recordings_shown"]
    assert isinstance(shown, int)
    assert 1 <= shown < 8
    assert done.json["recordings_named"] == 8 - shown
    assert [a["title"] for name, a in read().tags if name == "h3" and a.get("title")] == [
        f"r{7 - i}" for i in range(shown)
    ]
    most = Path("report.html").stat().st_size - 10_000
    monkeypatch.setattr(run_page, "MOST_BYTES", most)
    done = audiogmm("report", "events.jsonl", "-o", "report.html", "--force", "--json")
    assert Path("report.html").stat().st_size <= most
    assert done.json["recordings_shown"] == shown - 1


def test_sound_that_has_moved_is_set_aside_and_the_rest_is_shown(site: Path, audiogmm: Audiogmm) -> None:
    found = rows()
    gone = Path(found[0]["audio_filepath"])
    moved = site / "elsewhere"
    moved.mkdir()
    manifest = rows("test.jsonl")
    (row,) = (row for row in manifest if (site / row["audio_filepath"]).name == gone.name)
    shutil.move(site / row["audio_filepath"], moved / gone.name)
    done = audiogmm("report", "events.jsonl", "-o", "report.html", "--json")
    assert done.status == 3
    assert done.json["set_aside"] == 1
    page = read()
    assert counts(page, "img") == 1
    assert "This recording could not be read again" in page.text
    assert gone.name in page.text
    assert "Set aside" in page.text
    assert counts(page, "li", **{"class": "event"}) >= 2 * len(found)  # all of them are still listed
    strict = audiogmm("report", "events.jsonl", "-o", "strict.html", "--strict")
    assert strict.status == 1
    assert not Path("strict.html").exists()

    row |= {"id": found[0]["id"], "audio_filepath": f"elsewhere/{gone.name}"}
    put("now.jsonl", manifest)
    done = audiogmm("report", "events.jsonl", "-o", "report.html", "--force", "--manifest", "now.jsonl")
    assert done.status == 0, done.err
    assert counts(read(), "img") == 2


def test_when_all_sound_has_gone_the_page_says_so(site: Path, audiogmm: Audiogmm) -> None:
    shutil.rmtree("test")
    done = audiogmm("report", "events.jsonl", "-o", "report.html")
    assert done.status == 3
    page = read()
    assert "None of the recordings could be read" in page.text
    assert counts(page, "img") == 0
    Path("test.jsonl").unlink()
    done = audiogmm("report", "events.jsonl", "-o", "report.html", "--force")
    assert done.status == 3
    assert "The manifest test.jsonl does not exist any more" in done.out


def test_a_folder_that_was_moved_as_a_whole_still_makes_a_page(
    site: Path, audiogmm: Audiogmm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.move(site, tmp_path / "moved")
    monkeypatch.chdir(tmp_path)
    done = audiogmm("report", "moved/events.jsonl.run.json", "-o", "report.html")
    assert done.status == 0, done.err
    assert counts(read(), "img") == 2


def test_a_recording_that_has_changed_is_told(site: Path, audiogmm: Audiogmm) -> None:
    (first, *_) = rows()
    path = Path(next(site / row["audio_filepath"] for row in rows("test.jsonl")
                     if Path(row["audio_filepath"]).name == Path(first["audio_filepath"]).name))  # fmt: skip
    put("test.jsonl", [{k: v for k, v in row.items() if k != "duration"} for row in rows("test.jsonl")])
    samples, rate = soundfile.read(path, dtype="int16")
    soundfile.write(path, samples[::-1], rate, subtype="PCM_16")
    done = audiogmm("report", "events.jsonl", "-o", "report.html")
    assert done.status == 0
    assert "This recording has changed since the run: at" in read().text
    put("events.jsonl", [first | {"start": 3.0, "end": 3.5, "peak_time": 3.2}])
    soundfile.write(path, samples[: rate // 2], rate, subtype="PCM_16")
    done = audiogmm("report", "events.jsonl", "-o", "report.html", "--force")
    assert done.status == 0, done.err
    assert re.search(r"an event lies beyond its end at 0\.(49|50) s", read().text)


def test_long_recordings_show_the_stretches_around_their_worst_events(site: Path, audiogmm: Audiogmm) -> None:
    pieces = [soundfile.read(site / row["audio_filepath"], dtype="float32")[0] for row in rows("train.jsonl")]
    calm = np.concatenate(pieces * 4)
    rng = np.random.default_rng(0)
    for at, loud in ((30.0, 0.3), (100.0, 0.5)):
        first = round(at * RATE)
        calm[first : first + RATE] += loud * rng.normal(size=RATE).astype(np.float32)
    soundfile.write("long.wav", calm, RATE)
    put("long.jsonl", [{"audio_filepath": "long.wav"}])
    audiogmm("detect", "room.agmm", "long.jsonl", "-o", "long_events.jsonl")
    done = audiogmm("report", "long_events.jsonl", "-o", "report.html")
    assert done.status == 0, done.err
    page = read()
    plots = [
        (float(a["data-start"] or 0), float(a["data-end"] or 0))
        for _, a in page.tags
        if a.get("class") == "plot"
    ]
    assert counts(page, "svg", **{"class": "strip"}) == 1
    assert all(end - start < 21 for start, end in plots)
    assert any(start < 30.5 < end for start, end in plots)
    assert any(start < 100.5 < end for start, end in plots)

    put("long_events.jsonl", [])
    audiogmm("report", "long_events.jsonl", "-o", "report.html", "--force")
    (least,) = [
        (float(a["data-start"] or 0), float(a["data-end"] or 0))
        for _, a in read().tags
        if a.get("class") == "plot"
    ]
    assert least[0] < 100.5 < least[1]


def test_what_select_and_cluster_wrote_is_drawn(site: Path, audiogmm: Audiogmm) -> None:
    audiogmm(
        "select", "train.jsonl", "--preset", "ambient", "-k", "2,4", "--covariance", "diag", "-o", "table.csv"
    )
    audiogmm("cluster", "room.agmm", "test.jsonl", "-o", "clusters")
    drawn = ("--table", "table.csv", "--clusters", "clusters", "--title", "Hall <7>")
    done = audiogmm("report", "events.jsonl", "-o", "report.html", *drawn)
    assert done.status == 0, done.err
    page = read()
    assert "BIC" in page.text
    assert "Recommended: diag" in page.text
    assert "Hall <7>" in page.text
    assert "All 4, the most distinct first" in page.text

    Path("table.csv").write_text("a,b\n1,2\n")
    refused = audiogmm("report", "events.jsonl", "-o", "other.html", "--table", "table.csv")
    assert (refused.status, "table.csv has the columns a, b" in refused.err) == (1, True)
    refused = audiogmm("report", "events.jsonl", "-o", "other.html", "--clusters", "train")
    assert (refused.status, "components.jsonl does not exist" in refused.err) == (1, True)
    Path("clusters/components.jsonl").write_text('{"component": 1}\n')
    refused = audiogmm("report", "events.jsonl", "-o", "other.html", "--clusters", "clusters")
    assert (refused.status, "KeyError: 'weight'" in refused.err) == (1, True)
    assert not Path("other.html").exists()


def test_severity_and_reasons_are_shown_where_events_have_them(site: Path, audiogmm: Audiogmm) -> None:
    found = [rows()[0] | {"start": float(i), "end": i + 0.5, "peak": -100.0 + i} for i in range(3)]
    for i, row in enumerate(found):
        row |= {"severity": float(i), "reasons": [f"reason {i} <b>", "and another"], "band": "2 kHz"}
    put("events.jsonl", found)
    audiogmm("report", "events.jsonl", "-o", "report.html")
    page = read()
    events = page.text.split("The most severe first.")[1].split("event (click")[0]
    assert [int(n) for n in re.findall(r"reason (\d+) <b>", events)] == [2, 1, 0]
    assert "band 2 kHz" in page.text


def test_frames_of_ones_own_have_a_page_without_sound(tmp_path: Path, audiogmm: Audiogmm,
                                                      monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    odd = rng.normal(size=(3000, 3)).astype(np.float32)
    odd[1500:1540] += 8
    np.save("normal.npy", rng.normal(size=(4000, 3)).astype(np.float32))
    np.save("odd.npy", odd)
    assert audiogmm("train", "normal.npy", "-k", "2", "-o", "m.agmm").status == 0
    assert audiogmm("detect", "m.agmm", "odd.npy", "-o", "events.jsonl").status == 0
    done = audiogmm("report", "events.jsonl", "-o", "report.html")
    assert done.status == 0, done.err
    page = read()
    assert counts(page, "img") == 0
    assert counts(page, "g", **{"class": "shade"}) >= 1
    assert "rows" in page.text


def test_what_cannot_become_a_page_is_refused(site: Path, audiogmm: Audiogmm) -> None:
    def refused(*arguments: object, status: int = 1) -> str:
        done = audiogmm("report", *arguments, "-o", "other.html")
        assert done.status == status, done.err
        assert not Path("other.html").exists()
        return done.err

    assert "gone.jsonl does not exist" in refused("gone.jsonl")
    assert "train holds 0 records of runs" in refused("train")
    assert "gone.jsonl does not exist" in refused("events.jsonl", "--manifest", "gone.jsonl")
    assert "gone.agmm" in refused("events.jsonl", "--model", "gone.agmm")
    audiogmm("train", "test.jsonl", "--preset", "ambient", "-k", "2", "-o", "other.agmm")
    assert "needed: the model of the run" in refused("events.jsonl", "--model", "other.agmm")
    audiogmm("train", "test.jsonl", "--preset", "ambient", "-k", "2", "--hold-out", "0", "-o", "bare.agmm")
    shutil.copy("events.jsonl", "alone.jsonl")
    assert "alone.jsonl has no record of its run" in refused("alone.jsonl", status=2)
    assert "no scores of normal audio" in refused("alone.jsonl", "--model", "bare.agmm")
    assert (
        "events.jsonl is the input" in audiogmm("report", "events.jsonl", "-o", "events.jsonl", "--force").err
    )
    Path("events.jsonl").write_text(Path("events.jsonl").read_text() + '{"id": 1}\n')
    assert "is not an event" in refused("events.jsonl")
    Path("events.jsonl").unlink()
    assert "does not exist" in refused("events.jsonl.run.json")
    Path("room.agmm").unlink()
    put("events.jsonl", [])
    assert "does not exist any more" in refused("events.jsonl")
    Path("events.jsonl.run.json").write_text("{}")
    assert "not 'audiogmm run 2'" in refused("events.jsonl")


def test_a_run_without_its_record_is_shown_with_the_model_named(site: Path, audiogmm: Audiogmm) -> None:
    shutil.copy("events.jsonl", "alone.jsonl")
    done = audiogmm(
        "report", "alone.jsonl", "--model", "room.agmm", "--manifest", "test.jsonl", "-o", "report.html"
    )
    assert done.status == 0, done.err
    assert counts(read(), "img") == 2


def test_standard_input_cannot_be_heard_again(site: Path, audiogmm: Audiogmm) -> None:
    record = Path("events.jsonl.run.json")
    record.write_text(
        json.dumps(sealed(json.loads(record.read_text()) | {"source": "-", "source_path": None}))
    )
    put("events.jsonl", [row | {"audio_filepath": "-", "id": "stdin"} for row in rows()])
    done = audiogmm("report", "events.jsonl", "-o", "report.html")
    assert done.status == 3
    assert "standard input, which cannot be read again" in read().text
