"""Whatever is wrong with people, recordings and lists: each is named, and the rest comes to its end."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

import audiogmm as ag
from tests.cli.calls import Audiogmm
from tests.jobs.test_verify import (  # noqa: F401
    noise,
    read_scores,
    reasons,
    voices,
    workshop,
    write_trials,
)

GOOD = [
    (f"speaker_{k}", f"test/speaker_{j}_test_{n}.wav", int(j == k), "")
    for k in (0, 1)
    for j in (0, 1)
    for n in (0, 1)
]


@pytest.fixture
def known(workshop: Path, audiogmm: Audiogmm) -> Path:  # noqa: F811
    """A gallery to which bad recordings were offered, and a speaker of another background smuggled in."""
    noise("silent.wav", 1.0, level=0.0)
    Path("broken.wav").write_bytes(b"RIFF not a wav at all")
    people = [
        *Path("train.jsonl").read_text().splitlines(),
        json.dumps({"audio_filepath": "silent.wav", "speaker": "ghost"}),
        json.dumps({"audio_filepath": "broken.wav", "speaker": "speaker_0"}),
        json.dumps({"audio_filepath": "gone.wav", "speaker": "carl"}),
        "no JSON",
    ]
    Path("people.jsonl").write_text("\n".join(people) + "\n")
    done = audiogmm("enroll", "ubm.agmm", "people.jsonl", "-o", "known", "--json")
    assert done.status == 3
    assert done.json["enrolled"] == 3
    why = reasons("known.errors.jsonl")
    assert "none of its" in why["silent"] and "broken.wav" in why["broken"] and "gone.wav" in why["gone"]
    assert "'ghost'" in why["ghost"] and "'carl'" in why["carl"]
    assert "people.jsonl:10" in why[""]

    entries = [entry for entry in ag.read_manifest("train.jsonl") if entry.speaker == "speaker_2"]
    frontend = ag.FrontEnd.preset("speech", cmvn="none")
    ag.train(entries, frontend, n_components=2, passes=2).save("other.agmm")
    strangers = ag.enroll(ag.load("other.agmm"), entries, "strangers")
    shutil.copy(strangers.folder / "speakers" / "speaker_2.speaker", workshop / "known" / "speakers")
    return workshop / "known"


def test_bad_trials_are_named_and_the_rest_is_evaluated(known: Path, audiogmm: Audiogmm) -> None:
    noise("tiny.wav", 0.05)
    noise("tinier.wav", 0.02)
    clip = GOOD[0][1]
    bad = [
        ("nobody", clip, 0, "a model that is not there"),
        ("speaker_0", "gone.wav", 0, "a recording that is not there"),
        ("speaker_2", clip, 0, "of another background"),
        ("speaker_0", "silent.wav", 0, "no voiced frame"),
        ("speaker_0", "broken.wav", 0, "no audio"),
        ("speaker_1", "tinier.wav", 0, "under one frame"),
        (*GOOD[0][:3], "a duplicate"),
    ]
    short = ("speaker_1", "tiny.wav", 0, "few frames")
    write_trials("trials.csv", [*GOOD[:3], *bad, short, *GOOD[3:]])
    done = audiogmm("verify", "known", "trials.csv", "-o", "scores.csv", "--json")
    assert done.status == 3, done.err
    assert (done.json["trials"], done.json["short"], done.json["set_aside"]) == (9, 1, len(bad))
    found = read_scores("scores.csv")
    expected = [row[:2] for row in [*GOOD[:3], short, *GOOD[3:]]]
    assert [(row["model"], row["audio_filepath"]) for row in found] == expected
    assert [row["flag"] for row in found] == ["", "", "", "short", *[""] * 5]
    why = [reasons("scores.csv.errors.jsonl")[f"trials.csv:{line}"] for line in range(5, 5 + len(bad))]
    fingerprints = [ag.load(name).fingerprint[:12] for name in ("other.agmm", "ubm.agmm")]
    told = ["'nobody'", "gone.wav", fingerprints[0], "silen", "broken.wav", "shorter than a frame", "line 2"]
    for reason, words in zip(why, told, strict=True):
        assert words in reason
    assert fingerprints[1] in why[2]

    judged = audiogmm("evaluate", "verify", "scores.csv", "--json")
    assert judged.status == 0, judged.err
    assert (judged.json["n_trials"], judged.json["n_targets"], judged.json["indicative"]) == (9, 4, True)
    assert judged.json["eer"]["value"] < 0.2  # type: ignore[index]


@pytest.mark.parametrize(
    ("rows", "header", "told"),
    [
        ([row[:2] for row in GOOD], "model,audio_filepath", "no column target"),
        ([row for row in GOOD if row[2]], "model,audio_filepath,target,note", "4 target and 0 nontarget"),
        ([row for row in GOOD if not row[2]], "model,audio_filepath,target,note", "0 target and 4 nontarget"),
    ],
    ids=["no targets named", "targets alone", "impostors alone"],
)
def test_a_list_that_is_scored_may_be_none_to_evaluate(
    known: Path,
    audiogmm: Audiogmm,
    rows: list[tuple[object, ...]],
    header: str,
    told: str,
) -> None:
    write_trials("trials.csv", rows, header)
    assert audiogmm("verify", "known", "trials.csv", "-o", "scores.csv").status == 0
    refused = audiogmm("evaluate", "verify", "scores.csv", "-o", "result.json")
    assert refused.status == 1
    assert told in refused.err and "scores.csv" in refused.err
    assert not Path("result.json").exists()


def test_bad_recordings_are_not_identified(known: Path, audiogmm: Audiogmm) -> None:
    noise("tiny.wav", 0.05)
    noise("tinier.wav", 0.02)
    names = ("tiny", "tinier", "silent", "broken", "gone")
    rows = [json.dumps({"audio_filepath": f"{name}.wav"}) for name in names]
    Path("who.jsonl").write_text("\n".join([*Path("test.jsonl").read_text().splitlines(), *rows]) + "\n")
    done = audiogmm("identify", "known", "who.jsonl", "-o", "found.jsonl", "--closed", "--json")
    assert done.status == 3, done.err
    assert (done.json["speakers"], done.json["recordings"], done.json["short"]) == (2, 7, 1)
    assert (done.json["accuracy"], done.json["of_enrolled"], done.json["of_strangers"]) == (1.0, 4, 2)
    why = reasons("found.jsonl.errors.jsonl")
    assert set(why) == {"speaker_2", *names[1:]}
    assert ag.load("other.agmm").fingerprint[:12] in why["speaker_2"]
