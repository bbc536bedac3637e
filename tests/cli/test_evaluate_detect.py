"""`evaluate detect`: what it says, what it writes, and what it refuses."""

from __future__ import annotations

import json
import wave
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import hmean
from sklearn.metrics import roc_auc_score

import audiogmm as ag
from audiogmm.anomaly.event import Event
from audiogmm.anomaly.formats import write_events
from audiogmm.errors import ChoiceError, FeatureError, ManifestError
from audiogmm.evaluation.detection.criteria import DetectionCriteria
from audiogmm.evaluation.detection.frame_metrics import LabeledTrack, evaluate_frames
from audiogmm.evaluation.detection.matching import Collars
from audiogmm.evaluation.detection.wording import evaluation_lines
from audiogmm.manifest import Entry
from audiogmm.scoring.track import ScoreTrack
from audiogmm.timeline import FrameClock, Segment
from tests.cli.calls import Audiogmm
from tests.naive import detection as naive
from tests.scoring.tracks import write_track

CLOCK = FrameClock(8000, 80, 200)
SECONDS = 10.0
SITES = ("attic", "cellar")


class World:
    """Recordings with their truth, their tracks, and what a detector of moderate skill found."""

    def __init__(self, per_site: int = 12, seed: int = 0, sites: tuple[str, ...] = SITES) -> None:
        rng = np.random.default_rng(seed)
        self.rows: list[dict[str, Any]] = []
        self.tracks: dict[str, ScoreTrack] = {}
        self.events: list[Event] = []
        self.truth: dict[str, list[Segment]] = {}
        for s, site in enumerate(sites):
            for i in range(per_site):
                id = f"{site}-{i:02}"
                start = round(float(rng.uniform(1, 6)), 2)
                truth = [Segment(start, start + 1.5)] if i % 2 else []
                self.add(rng, id, truth, level=-40.0 * (s + 1), site=site)

    def add(
        self, rng: np.random.Generator, id: str, truth: list[Segment], level: float, **keys: object
    ) -> None:
        """One recording more."""
        n = CLOCK.n_frames(round(SECONDS * CLOCK.sample_rate))
        scores = level + rng.normal(size=n) * 3
        times = CLOCK.center(np.arange(n))
        for event in truth:
            scores[(event.start <= times) & (times < event.end)] -= 4
            shift = rng.normal(scale=0.3)
            self.events.append(Event(f"{id}.wav", id, event.start + shift, event.end + shift, -60.0, -70.0))
        if rng.random() < 0.4:
            self.events.append(Event(f"{id}.wav", id, 8.5, 9.0, -55.0, -56.0))
        self.tracks[id] = ScoreTrack(id, scores, np.ones(n, bool), CLOCK)
        self.truth[id] = truth
        spans = [{"start": event.start, "end": event.end} for event in truth]
        row = {"audio_filepath": f"{id}.wav", "id": id, "duration": SECONDS, "events": spans}
        self.rows.append(row | keys)

    def write(self) -> None:
        """`all.jsonl`, `events.jsonl` and `scores/`, in the working folder."""
        self.write_rows()
        write_events(self.events, "events.jsonl", force=True)
        Path("scores").mkdir(exist_ok=True)
        for id, track in self.tracks.items():
            write_track(track, Path("scores") / f"{id}.npz", force=True)

    def write_rows(self) -> None:
        """The manifest alone."""
        Path("all.jsonl").write_text("".join(json.dumps(row) + "\n" for row in self.rows))

    def found_events(self, id: str) -> list[Event]:
        """What was found in one recording."""
        return [event for event in self.events if event.id == id]

    def found(self, id: str) -> list[Segment]:
        """Where it lies."""
        return [event.segment for event in self.found_events(id)]


@pytest.fixture(autouse=True)
def in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def world() -> World:
    made = World()
    made.write()
    return made


FEW = ("--replicates", 100)
CALL = ("evaluate", "detect", "events.jsonl", "all.jsonl", "--scores", "scores", *FEW)


def test_the_result_is_that_of_the_definitions_in_one_json_and_one_picture(
    audiogmm: Audiogmm, world: World
) -> None:
    done = audiogmm(*CALL, "--by", "site", "--plot", "roc.png", "-o", "r.json", "--json")
    assert done.status == 0, done.err
    found: Any = json.loads(Path("r.json").read_text())
    assert {key: done.json[key] for key in found} == found
    assert (found["n_recordings"], found["n_anomalous"]) == (24, 12)
    assert found["hours"] == pytest.approx(240 / 3600)
    assert Path("roc.png").stat().st_size > 10_000

    sites = evaluate_frames(
        LabeledTrack(world.tracks[row["id"]], tuple(world.truth[row["id"]]), row["site"])
        for row in world.rows
    )
    for site, theirs in zip(found["sites"], sites, strict=True):
        assert site["site"] == theirs.site
        assert site["areas"]["frame"]["auc"]["value"] == theirs.auc
        assert site["areas"]["frame"]["pauc"]["value"] == theirs.pauc
        assert (site["areas"]["frame"]["n"], site["areas"]["frame"]["n_anomalous"]) == (
            theirs.n_frames,
            theirs.n_anomalous,
        )
    frames = found["areas"]["frame"]
    assert frames["auc"]["value"] == pytest.approx(np.mean([site.auc for site in sites]))
    both = [area for site in sites for area in (site.auc, site.pauc)]
    assert frames["harmonic_mean"]["value"] == pytest.approx(hmean(both))

    for level, judged in (("segment", segments_of(world)), ("clip", clips_of(world))):
        areas = [
            [roc_auc_score(truth, -scores), roc_auc_score(truth, -scores, max_fpr=0.1)]
            for truth, scores in judged
        ]
        assert found["areas"][level]["auc"]["value"] == pytest.approx(np.mean([a for a, _ in areas]))
        assert found["areas"][level]["pauc"]["value"] == pytest.approx(np.mean([p for _, p in areas]))

    detected = found["detected"]
    pairs = [(world.found(id), truth) for id, truth in world.truth.items()]
    right = sum(naive.most_pairs(f, t, 0.5, 0.5) for f, t in pairs)
    onsets = sum(naive.most_pairs(f, t, 0.5, 0.5, offsets=False) for f, t in pairs)
    n_found, n_true = len(world.events), 12
    assert (detected["event"]["n_right"], detected["onset"]["n_right"]) == (right, onsets)
    assert detected["event"]["f1"]["value"] == pytest.approx(2 * right / (n_found + n_true))
    parts = [(naive.active(f, 10, 1.0), naive.active(t, 10, 1.0)) for f, t in pairs]
    assert detected["segment"]["n_right"] == sum(a and b for f, t in parts for a, b in zip(f, t, strict=True))
    assert detected["recording"]["n_right"] == sum(bool(f and t) for f, t in pairs)
    times = np.concatenate([naive.delays(f, t) for f, t in pairs])
    caught = times[~np.isnan(times)]
    assert detected["delay"]["n_missed"] == len(times) - len(caught)
    assert detected["delay"]["median_seconds"]["value"] == np.quantile(caught, 0.5, method="inverted_cdf")
    assert detected["delay"]["p90_seconds"]["value"] == np.quantile(caught, 0.9, method="inverted_cdf")
    alarms = sum(naive.untouched(f, t) for f, t in pairs)
    hours = (24 * SECONDS - 12 * 1.5) / 3600
    assert alarms > 0
    assert detected["false_alarms"]["n"] == alarms
    assert detected["false_alarms"]["per_hour"]["value"] == pytest.approx(alarms / hours)
    for figure in (frames["auc"], detected["event"]["f1"], detected["false_alarms"]["per_hour"]):
        assert figure["low"] < figure["value"] < figure["high"]


def segments_of(world: World) -> list[tuple[np.ndarray, np.ndarray]]:
    """Truth and scores of the seconds of each site."""
    parts = []
    for site in SITES:
        truth, scores = [], []
        for row in world.rows:
            if row["site"] == site:
                track = world.tracks[row["id"]]
                for k in range(10):
                    inside = (k <= track.times) & (track.times < k + 1)
                    scores.append(track.scores[inside].mean())
                    truth.append(naive.covered(world.truth[row["id"]], k, k + 1) > 0.5)
        parts.append((np.array(truth), np.array(scores)))
    return parts


def clips_of(world: World) -> list[tuple[np.ndarray, np.ndarray]]:
    """Truth and mean score of the recordings of each site."""
    return [
        (
            np.array([bool(world.truth[row["id"]]) for row in world.rows if row["site"] == site]),
            np.array([world.tracks[row["id"]].scores.mean() for row in world.rows if row["site"] == site]),
        )
        for site in SITES
    ]


def test_the_tables_say_the_same(audiogmm: Audiogmm, world: World) -> None:
    done = audiogmm(*CALL, "--by", "site")
    result = ag.evaluate_detect("events.jsonl", "all.jsonl", "scores", by=["site"])
    assert done.status == 0
    for words in (
        "all.jsonl: 24 recordings of 2 sites, 12 of them anomalous",
        f"{result.means['frame'].auc.value:.3f}",
        "mean of 2 of 2 sites",
        f"{result.detected.false_alarms.n} in ",
        "95% intervals from 100 draws of the recordings of each site",
        "attic",
        "indicative",
    ):
        assert words in done.out, words
    assert (
        result.to_dict()["detected"]
        == ag.evaluate_detect(
            world.events, [Entry(**entry_of(row)) for row in world.rows], world.tracks, by=["site"]
        ).to_dict()["detected"]
    )


def entry_of(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "audio_filepath": "/" + row["audio_filepath"],
        "id": row["id"],
        "duration": row["duration"],
        "events": tuple(Segment(event["start"], event["end"]) for event in row["events"]),
        "extra": {"site": row["site"], "events": row["events"]},
    }


def test_the_same_call_gives_the_same_bytes_and_the_seed_other_intervals(
    audiogmm: Audiogmm, world: World
) -> None:
    for name in ("a.json", "b.json"):
        assert audiogmm(*CALL, "-o", name).status == 0
    assert Path("a.json").read_bytes() == Path("b.json").read_bytes()
    audiogmm(*CALL, "-o", "c.json", "--seed", 1)
    first, other = (
        json.loads(Path(name).read_text())["detected"]["event"]["f1"] for name in ("a.json", "c.json")
    )
    assert first["value"] == other["value"]
    assert first["low"] != other["low"] or first["high"] != other["high"]
    refused = audiogmm(*CALL, "-o", "a.json")
    assert refused.status == 1
    assert "a.json exists" in refused.err


def test_scores_of_different_sites_are_not_compared(audiogmm: Audiogmm, world: World) -> None:
    """The sites differ in level by far more than anomalies do: pooled, they hide them."""
    apart = ag.evaluate_detect("events.jsonl", "all.jsonl", "scores", by=["site"])
    pooled = audiogmm(*CALL, "--json")
    assert apart.means["frame"].auc.value > pooled.json["areas"]["frame"]["auc"]["value"] + 0.1  # type: ignore[index]
    assert "with --by site, scores are compared within" in pooled.json["notes"][0]  # type: ignore[index]


def test_intervals_are_wider_of_fewer_recordings_and_absent_of_one(world: World) -> None:
    def width(evaluation: Any) -> float:
        f1 = evaluation.detected.event.f1
        return float(f1.high - f1.low)

    many, few = World(per_site=60), World(per_site=8)
    wide, narrow = (
        ag.evaluate_detect(w.events, [Entry(**entry_of(row)) for row in w.rows], w.tracks)
        for w in (few, many)
    )
    assert width(wide) > 1.5 * width(narrow)
    assert (wide.indicative, narrow.indicative) == (True, False)
    alone = [Entry(**entry_of(world.rows[1]))]
    one = ag.evaluate_detect(world.found_events(alone[0].id), alone, world.tracks)
    assert one.detected.event is not None
    assert not one.detected.event.f1.known
    assert not one.means["frame"].auc.known
    assert one.detected.false_alarms.per_hour.known  # exact limits need no second recording
    assert any("they need at least two recordings" in line for line in evaluation_lines(one))


def test_false_alarms_that_were_not_seen_may_still_be() -> None:
    entries = [Entry(f"/{i}.wav", id=f"{i}", duration=36.0, label="normal") for i in range(100)]
    found = ag.evaluate_detect([], entries).detected.false_alarms
    assert (found.per_hour.value, found.n, found.hours) == (0.0, 0, pytest.approx(1.0))
    assert found.per_hour.high == pytest.approx(3.689, abs=1e-3)  # Garwood 1936


def test_events_of_every_format_are_read(audiogmm: Audiogmm, world: World) -> None:
    whole = audiogmm(*CALL, "--json").json["detected"]
    for name in ("events.csv", "events.rttm", "events.txt"):
        write_events(world.events, name)
        done = audiogmm("evaluate", "detect", name, "all.jsonl", "--scores", "scores", *FEW, "--json")
        assert done.status == 0
        assert done.json["detected"]["event"] == whole["event"]  # type: ignore[index]


def test_events_and_tracks_may_lie_in_several_places(audiogmm: Audiogmm, world: World) -> None:
    whole = audiogmm(*CALL, "--json").json
    for site in SITES:
        write_events([event for event in world.events if event.id.startswith(site)], f"{site}.jsonl")
        Path(site).mkdir()
        for path in Path("scores").glob(f"{site}*"):
            path.rename(Path(site) / path.name)
    folders = [word for site in SITES for word in ("--scores", site)]
    parts = audiogmm(
        "evaluate", "detect", "attic.jsonl", "cellar.jsonl", "all.jsonl", *folders, *FEW, "--json"
    ).json
    assert parts["areas"] == whole["areas"]
    assert parts["detected"] == whole["detected"]
    assert parts["events"] == ["attic.jsonl", "cellar.jsonl"]


def test_without_scores_only_events_are_judged_and_lengths_come_from_the_recordings(
    audiogmm: Audiogmm, world: World
) -> None:
    whole = audiogmm(*CALL, "--json").json["detected"]
    for row in world.rows:
        del row["duration"]
        with wave.open(row["audio_filepath"], "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(8000)
            file.writeframes(bytes(2 * round(8000 * SECONDS)))
    world.write_rows()
    done = audiogmm("evaluate", "detect", "events.jsonl", "all.jsonl", *FEW, "--json")
    assert done.status == 0, done.err
    assert done.json["areas"] == {}
    assert done.json["detected"] == whole
    assert "without --scores there is no AUC" in done.json["notes"][0]  # type: ignore[index]
    assert audiogmm("evaluate", "detect", "events.jsonl", "all.jsonl", "--plot", "a.png").status == 0


def test_a_label_says_so_of_the_whole(audiogmm: Audiogmm, world: World) -> None:
    whole = audiogmm(*CALL, "--json").json
    for row in world.rows:
        row["label"] = "anomaly" if row.pop("events") else "Normal"
    world.write_rows()
    done = audiogmm(*CALL, "--json")
    assert done.status == 0, done.err
    assert set(done.json["areas"]) == {"clip"}  # type: ignore[call-overload]
    assert done.json["areas"]["clip"] == whole["areas"]["clip"]  # type: ignore[index]
    found: Any = done.json["detected"]
    assert (found["event"], found["segment"], found["delay"]) == (None, None, None)
    assert found["recording"] == whole["detected"]["recording"]  # type: ignore[index]
    assert found["false_alarms"]["normal_hours"] == pytest.approx(120 / 3600)  # of the normal ones alone
    assert "12 recordings labeled anomalous, without the times of events" in " ".join(done.json["notes"])  # type: ignore[arg-type]
    plain = audiogmm(*CALL, "--plot", "a.png")
    assert plain.status == 0
    assert "events, onset" not in plain.out


def test_the_lowest_window_can_be_the_score_of_a_recording(world: World) -> None:
    """Recordings that differ in level by more than an event adds to their mean."""
    entries = [Entry(**entry_of(row)) for row in world.rows]
    tracks = {
        id: ScoreTrack(id, track.scores + np.sin(i), track.voiced, CLOCK)
        for i, (id, track) in enumerate(world.tracks.items())
    }
    means, lows = (
        ag.evaluate_detect(
            world.events, entries, tracks, by=["site"], judging=DetectionCriteria(clip=clip)
        ).means
        for clip in ("mean", "lowest")
    )
    for site in SITES:
        chosen = [row["id"] for row in world.rows if row["site"] == site]
        lowest = [np.convolve(tracks[id].scores, np.ones(51) / 51, "valid").min() for id in chosen]
        assert roc_auc_score([bool(world.truth[id]) for id in chosen], -np.array(lowest)) > 0.9
    assert lows["clip"].auc.value > means["clip"].auc.value + 0.1
    assert lows["frame"].auc.value == means["frame"].auc.value


def test_what_a_piece_of_a_recording_is_is_judged_on_the_recordings_clock(world: World) -> None:
    """The same recording, once by itself and once as a piece of a longer one."""
    row, moved = world.rows[1], 100.0
    track = world.tracks[row["id"]]
    later = ScoreTrack("b", track.scores, track.voiced, FrameClock(8000, 80, 200, offset=moved))
    (event,) = world.truth[row["id"]]
    piece = Entry(
        "/b.wav",
        id="b",
        offset=moved,
        duration=SECONDS,
        events=(Segment(event.start + moved, event.end + moved),),
    )
    there = [Event(None, "b", e.start + moved, e.end + moved) for e in world.found(row["id"])]
    here = ag.evaluate_detect(world.found_events(row["id"]), [Entry(**entry_of(row))], world.tracks)
    also = ag.evaluate_detect(there, [piece], {"b": later})
    assert also.means["segment"].auc.value == here.means["segment"].auc.value
    assert also.means["frame"].auc.value == here.means["frame"].auc.value
    assert also.detected.segment == here.detected.segment


BAD: list[tuple[str, Callable[[World], None], str]] = []


def bad(words: str) -> Callable[[Callable[[World], None]], Callable[[World], None]]:
    def register(make: Callable[[World], None]) -> Callable[[World], None]:
        BAD.append((make.__name__, make, words))
        return make

    return register


@bad("2 events of stranger, which is not in all.jsonl")
def events_of_nobody(world: World) -> None:
    write_events(
        [*world.events, *(Event(None, "stranger", t, t + 1) for t in (1.0, 3.0))], "events.jsonl", force=True
    )


@bad("attic-03: there is no track of attic-03 in scores")
def a_track_is_missing(world: World) -> None:
    Path("scores/attic-03.npz").unlink()


@bad("its track has 50 frames a second; needed: 100, as that of attic-00")
def a_track_of_another_frame_rate(world: World) -> None:
    slow = ScoreTrack("attic-03", np.zeros(490), np.ones(490, bool), FrameClock(8000, 160, 200))
    write_track(slow, "scores/attic-03.npz", force=True)


@bad("its track reaches from 0.000 to 3.005 s, and its entry from 2.000 s")
def a_track_of_another_piece(world: World) -> None:
    world.rows[3] |= {"offset": 2.0}
    world.write_rows()
    short = ScoreTrack("attic-03", np.zeros(299), np.ones(299, bool), CLOCK)
    write_track(short, "scores/attic-03.npz", force=True)


@bad("its track has no frame")
def an_empty_track(world: World) -> None:
    write_track(
        ScoreTrack("attic-03", np.empty(0), np.empty(0, bool), CLOCK), "scores/attic-03.npz", force=True
    )


@bad("attic-03.npz is not a track, or not a whole one")
def half_a_track(world: World) -> None:
    Path("scores/attic-03.npz").write_bytes(Path("scores/attic-03.npz").read_bytes()[:1000])


@bad("all.jsonl:4: it is not known whether attic-03 is anomalous (label 'attic')")
def no_truth(world: World) -> None:
    del world.rows[3]["events"]
    world.rows[3]["label"] = "attic"
    world.write_rows()


@bad("attic-03 has the label 'normal' and 1 events")
def two_truths(world: World) -> None:
    world.rows[3]["label"] = "normal"
    world.write_rows()


@bad("its truth has an event from 9 to 10.5 s, and it reaches from 0 to 10.000 s")
def truth_past_the_end(world: World) -> None:
    world.rows[3]["events"] = [{"start": 9.0, "end": 10.5}]
    world.write_rows()


@bad("an event was found from 12 to 13 s, and it reaches from 0 to 10.000 s")
def events_past_the_end(world: World) -> None:
    write_events([*world.events, Event(None, "attic-03", 12.0, 13.0)], "events.jsonl", force=True)


@bad("a segment from 3.0 s to 2.0 s")
def an_event_that_ends_before_it_starts(world: World) -> None:
    write_events([*world.events, Event(None, "attic-03", 3.0, 2.0)], "events.jsonl", force=True)


@bad("attic-03")
def an_id_twice(world: World) -> None:
    world.rows.append(world.rows[3])
    world.write_rows()


@pytest.mark.parametrize(
    ("make", "words"), [(make, words) for _, make, words in BAD], ids=[b[0] for b in BAD]
)
def test_one_bad_recording_is_named_and_the_rest_is_judged(
    make: Callable[[World], None], words: str, audiogmm: Audiogmm, world: World
) -> None:
    make(world)
    done = audiogmm(*CALL, "--by", "site", "-o", "r.json")
    assert done.status == 3, done.out + done.err
    rows = [json.loads(line) for line in Path("r.json.errors.jsonl").read_text().splitlines()]
    (row,) = rows
    assert words in f"{row['id']}: {row['reason']}"
    found = json.loads(Path("r.json").read_text())
    assert 23 <= found["n_recordings"] <= 24
    assert set(found["areas"]) == {"frame", "segment", "clip"}
    strict = audiogmm(*CALL, "--by", "site", "--strict")
    assert strict.status == 1
    assert words.removeprefix("attic-03: ") in strict.err


def test_a_site_of_one_kind_is_named_and_left_out_of_the_mean(audiogmm: Audiogmm, world: World) -> None:
    before = audiogmm(*CALL, "--by", "site", "--json").json
    rng = np.random.default_rng(5)
    for i in range(4):
        world.add(rng, f"yard-{i:02}", [], level=-90.0, site="yard")
    world.write()
    done = audiogmm(*CALL, "--by", "site", "--json", "-o", "r.json")
    assert done.status == 3
    (row,) = [json.loads(line) for line in Path("r.json.errors.jsonl").read_text().splitlines()]
    assert row["id"] == "yard"
    assert "0 anomalous frames among 3,992" in row["reason"]
    after: Any = done.json
    assert after["areas"]["frame"]["n_sites"] == 2
    for level in ("frame", "segment", "clip"):
        assert after["areas"][level]["auc"]["value"] == before["areas"][level]["auc"]["value"]  # type: ignore[index]
    assert after["sites"][2]["left_out"]["clip"] == "0 anomalous recordings among 4"
    assert (
        after["detected"]["false_alarms"]["normal_hours"] > before["detected"]["false_alarms"]["normal_hours"]
    )  # type: ignore[index]
    told = audiogmm(*CALL, "--by", "site")
    assert "mean of 2 of 3 sites" in told.out


def test_normal_recordings_alone_have_no_auc_but_false_alarms(audiogmm: Audiogmm, world: World) -> None:
    for row in world.rows:
        row["events"] = []
    world.write_rows()
    done = audiogmm(*CALL, "--json")
    assert done.status == 3
    assert "all recordings: 0 anomalous frames among" in done.json["reasons"][0]  # type: ignore[index]
    assert done.json["detected"]["false_alarms"]["n"] == len(world.events)  # type: ignore[index]
    assert done.json["detected"]["event"] is None  # type: ignore[index]


def test_repeated_events_count_once(audiogmm: Audiogmm, world: World) -> None:
    whole = audiogmm(*CALL, "--json").json
    write_events([*world.events, *world.events[:3]], "events.jsonl", force=True)
    done = audiogmm(*CALL, "--json")
    assert done.status == 0
    assert done.json["detected"] == whole["detected"]
    assert "3 events repeat earlier ones" in " ".join(done.json["notes"])  # type: ignore[arg-type]


def test_no_truth_at_all_is_refused(audiogmm: Audiogmm, world: World) -> None:
    for row in world.rows:
        del row["events"]
    world.write_rows()
    done = audiogmm(*CALL)
    assert done.status == 1
    assert "no recording of all.jsonl can be evaluated" in done.err
    assert "it is not known whether attic-00 is anomalous" in done.err


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (("evaluate", "detect", "gone.jsonl", "all.jsonl"), 1, "gone.jsonl does not exist"),
        (("evaluate", "detect", "all.jsonl", "all.jsonl"), 1, "all.jsonl:1:"),
        (
            ("evaluate", "detect", "events.xml", "all.jsonl"),
            2,
            "a name that ends in .jsonl, .csv, .rttm, .txt",
        ),
        (("evaluate", "detect", "events.jsonl", "gone.jsonl"), 1, "gone.jsonl"),
        ((*CALL[:4], "--scores", "gone"), 1, "gone is not a folder"),
        ((*CALL, "--by", "sight"), 2, "by sight; needed: a key of the manifest: site"),
        ((*CALL, "--dcase", "2022", "--by", "site"), 2, "the DCASE score by site"),
        ((*CALL[:4], "--dcase", "2022"), 2, "the DCASE score without scores"),
        ((*CALL, "--plot", "roc.txt"), 2, "roc.txt"),
        ((*CALL, "-o", "all.jsonl", "--force"), 1, "all.jsonl is the input"),
        ((*CALL, "--clip", "median"), 2, "median"),
        (("evaluate", "detect", "events.jsonl"), 2, "Missing argument"),
    ],
)
def test_what_cannot_be_evaluated_is_refused(
    arguments: tuple[object, ...], status: int, words: str, audiogmm: Audiogmm, world: World
) -> None:
    done = audiogmm(*arguments)
    assert done.status == status
    assert words in done.err


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: DetectionCriteria(window=0.0), "a window of 0.0 s"),
        (lambda: DetectionCriteria(segment=float("inf")), "a segment of inf s"),
        (lambda: DetectionCriteria(clip="median"), "a clip score of 'median'"),  # type: ignore[arg-type]
        (lambda: DetectionCriteria(max_fpr=1.5), "max_fpr=1.5"),
        (lambda: DetectionCriteria(collars=Collars(-1.0)), "a collar of -1.0 s"),
    ],
)
def test_settings_out_of_range_are_refused(make: Callable[[], DetectionCriteria], words: str) -> None:
    with pytest.raises(ChoiceError, match=words):
        make()


def test_python_raises_for_the_first_bad_recording(world: World) -> None:
    Path("scores/attic-03.npz").unlink()
    with pytest.raises(FeatureError, match="no track of attic-03 in scores"):
        ag.evaluate_detect("events.jsonl", "all.jsonl", "scores")
    with pytest.raises(ManifestError, match="1 event of b, which is not in the entries"):
        ag.evaluate_detect(
            [Event(None, "b", 0.0, 1.0)], [Entry("/a.wav", id="a", duration=2.0, label="normal")]
        )


class Machines(World):
    """Clips of machines as DCASE has them, with a label and no places."""

    def __init__(self, seed: int = 0) -> None:
        super().__init__(per_site=0)
        rng = np.random.default_rng(seed)
        for machine, section in (("fan", "00"), ("fan", "01"), ("valve", "00")):
            for domain in ("source", "target"):
                for label in ("normal", "anomaly"):
                    for i in range(8):
                        id = f"{machine}-{section}-{domain}-{label}-{i}"
                        level = (
                            -40.0
                            - 0.3 * (label == "anomaly")
                            - 0.2 * (domain == "target")
                            + 0.3 * rng.normal()
                        )
                        self.add(
                            rng, id, [], level, machine=machine, section=section, domain=domain, label=label
                        )
        for row in self.rows:
            del row["events"]


def official_of(world: Machines, year: int) -> float:
    """The evaluator's procedure."""
    figures: list[float] = []
    for machine, section in (("fan", "00"), ("fan", "01"), ("valve", "00")):
        rows = [row for row in world.rows if (row["machine"], row["section"]) == (machine, section)]
        truth = np.array([row["label"] == "anomaly" for row in rows])
        score = np.array([-world.tracks[row["id"]].scores.mean() for row in rows])
        domain = np.array([row["domain"] for row in rows])
        for name in ("source", "target"):
            chosen = (domain == name) | (truth if year >= 2022 else False)
            figures.append(roc_auc_score(truth[chosen], score[chosen]))
            if year == 2021:
                figures.append(roc_auc_score(truth[chosen], score[chosen], max_fpr=0.1))
        if year >= 2022:
            figures.append(roc_auc_score(truth, score, max_fpr=0.1))
    return float(hmean(figures))


@pytest.mark.parametrize("year", [2021, 2024])
def test_the_official_score_is_the_evaluators(year: int, audiogmm: Audiogmm) -> None:
    world = Machines()
    world.write()
    done = audiogmm(*CALL, "--dcase", year, "--json", "--plot", "roc.png")
    assert done.status == 0, done.err
    found: Any = done.json["dcase"]
    score = found["official_score"]
    assert score["value"] == pytest.approx(official_of(world, year))
    assert score["low"] < score["value"] < score["high"]
    assert [(s["machine"], s["section"]) for s in found["sections"]] == [
        ("fan", "00"),
        ("fan", "01"),
        ("valve", "00"),
    ]
    (figures,) = [s["figures"] for s in found["sections"] if s["machine"] == "valve"]
    of_machine = found["machines"]["valve"]
    assert of_machine["AUC (source)"]["value"] == pytest.approx(figures["AUC (source)"]["value"])
    told = audiogmm(*CALL, "--dcase", year)
    assert f"DCASE {year} Task 2, official score: {score['value']:.3f}" in told.out
    assert "AUC (target)" in told.out
    assert "harmonic mean" in told.out


def test_a_section_of_one_kind_is_left_out_of_the_score(audiogmm: Audiogmm) -> None:
    world = Machines()
    for row in world.rows:
        if row["machine"] == "valve":
            row["label"] = "normal"
    world.write()
    done = audiogmm(*CALL, "--dcase", 2022, "--json")
    assert done.status == 3
    found: Any = done.json["dcase"]
    assert "valve 00: AUC (source) has 0 anomalous clips among 16" in done.json["reasons"][0]  # type: ignore[index]
    assert set(found["machines"]) == {"fan"}
    figures = [f["value"] for s in found["sections"][:2] for f in s["figures"].values()]
    assert found["official_score"]["value"] == pytest.approx(hmean(figures))


def test_clips_without_a_section_are_named(audiogmm: Audiogmm) -> None:
    world = Machines()
    del world.rows[0]["domain"]
    world.rows[1]["domain"] = "sauce"
    world.write()
    done = audiogmm(*CALL, "--dcase", 2022, "--json")
    assert done.status == 3
    reasons: Any = done.json["reasons"]
    assert "no domain; needed: the keys machine, section, domain for the score of 2022" in reasons[0]
    assert "the domain 'sauce'; needed: source or target" in reasons[1]
    assert audiogmm(*CALL, "--dcase", 2020).status == 0


def test_only_what_is_heard_is_judged() -> None:
    """Frames without voice score absurdly; a whole second is mute; the last 0.4 s make no segment."""
    n = CLOCK.n_frames(round(3.4 * 8000))
    times = CLOCK.center(np.arange(n))
    scores = np.where(times < 1, -5.0, np.where(times < 2, -100.0, -1.0))
    voiced = (times < 1) | (times >= 2)
    voiced[::7] = False
    scores[::7] = -900.0
    entry = Entry(
        "/a.wav", id="a", duration=3.4, events=(Segment(0.0, 0.6), Segment(1.0, 2.0), Segment(3.0, 3.4))
    )
    quiet = Entry("/b.wav", id="b", duration=3.4, label="normal")
    mute = ScoreTrack("b", np.full(n, -3.0), np.zeros(n, bool), CLOCK)
    found = ag.evaluate_detect([], [entry, quiet], {"a": ScoreTrack("a", scores, voiced, CLOCK), "b": mute})
    (site,) = found.sites
    assert (site.areas["segment"].n, site.areas["segment"].n_anomalous) == (2, 1)
    assert site.areas["segment"].auc.value == 1.0  # -5 is anomalous, -1 is normal, and nothing else is heard
    assert site.areas["frame"].n == int((~np.isnan(window_means(scores, voiced))).sum())
    assert site.areas["clip"].auc.value == (1.0 if scores[voiced].mean() < -3.0 else 0.0)  # of b, all frames


def window_means(scores: np.ndarray, voiced: np.ndarray) -> np.ndarray:
    from tests.naive import scores as windows

    return windows.window_scores(scores, voiced, 25)
