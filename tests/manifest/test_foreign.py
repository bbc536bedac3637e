"""Kaldi's and Lhotse's own ways."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from audiogmm.errors import ManifestError
from audiogmm.manifest import Entry, ManifestWarning, read_manifest, write_manifest
from audiogmm.manifest.lookup import Lookup


def kaldi(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        (folder / name.replace("_scp", ".scp")).write_text(text)
    return folder


def test_a_kaldi_command_is_refused_and_not_run(tmp_path: Path) -> None:
    folder = kaldi(tmp_path, wav_scp=f"a touch {tmp_path}/ran; cat a.wav |\nb b.wav\nc x.ark:17\nd fix a |\n")
    problems: list[ManifestError] = []
    assert [entry.id for entry in read_manifest(folder, on_error=problems.append)] == ["b", "c"]
    assert ["wav.scp:1" in str(problems[0]), "wav.scp:4" in str(problems[1])] == [True, True]
    assert "is a command: 'touch" in str(problems[0])
    assert "never run" in str(problems[0])
    assert "the program 'fix' is not known" in str(problems[1])
    assert not (tmp_path / "ran").exists()


def test_kaldi_segments_in_any_order(tmp_path: Path) -> None:
    folder = kaldi(
        tmp_path,
        wav_scp="r1 /x/one two.wav\nr2 /x/r2.wav\n",
        segments="u3 r2 0.5 2\nu1 r1 0 1.25\nu2 r1 1.25 -1\n",
        utt2spk="u1 ann\nu2 u2\nu3 cy\n",
        reco2file_and_channel="r2 r2 B\n",
    )
    found = [(e.id, e.path, e.offset, e.duration, e.channel, e.speaker) for e in read_manifest(folder)]
    assert found == [
        ("u3", "/x/r2.wav", 0.5, 1.5, 1, "cy"),
        ("u1", "/x/one two.wav", 0.0, 1.25, None, "ann"),
        ("u2", "/x/one two.wav", 1.25, None, None, None),
    ]
    assert all(f"{folder}/segments:" in entry.source for entry in read_manifest(folder))


@pytest.mark.parametrize(
    ("segments", "message"),
    [
        ("u r1 2 1\n", r"segments:1 is 'u r1 2 1'.*its? ?start|end"),
        ("u r1 x 1\n", r"segments:1 is 'u r1 x 1'"),
        ("u r1\n", r"segments:1 is 'u r1'"),
        ("u gone 0 1\n", r"segments:1: the recording gone is not in wav\.scp"),
    ],
)
def test_bad_kaldi_segments(tmp_path: Path, segments: str, message: str) -> None:
    with pytest.raises(ManifestError, match=message):
        list(read_manifest(kaldi(tmp_path, wav_scp="r1 a.wav\n", segments=segments)))


def test_a_bad_line_of_wav_scp(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match=r"wav\.scp:2 is 'lonely'; needed: an id and a file"):
        list(read_manifest(kaldi(tmp_path, wav_scp="a a.wav\nlonely\n")))


def test_kaldi_paths_count_from_the_working_folder_if_they_are_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "wav").mkdir()
    (tmp_path / "wav" / "a.wav").touch()
    folder = kaldi(tmp_path / "data", wav_scp="a wav/a.wav\n")
    monkeypatch.chdir(tmp_path)
    assert next(iter(read_manifest(folder))).path == f"{tmp_path}/wav/a.wav"
    (folder / "wav").mkdir()
    (folder / "wav" / "a.wav").touch()
    assert next(iter(read_manifest(folder))).path == f"{folder}/wav/a.wav"


def test_features_in_kaldi_arks(tmp_path: Path) -> None:
    folder = kaldi(tmp_path, feats_scp="u1 /x/raw.1.ark:12\nu2 /x/raw.1.ark:9999\n", utt2spk="u1 s\nu2 s\n")
    entries = list(read_manifest(folder))
    assert [(e.features_filepath, e.audio_filepath, e.speaker) for e in entries] == [
        ("/x/raw.1.ark:12", None, "s"),
        ("/x/raw.1.ark:9999", None, "s"),
    ]
    assert list(read_manifest(folder / "feats.scp")) == entries
    write_manifest(entries, tmp_path / "again", "kaldi")
    assert (tmp_path / "again" / "feats.scp").read_bytes() == (folder / "feats.scp").read_bytes()
    with pytest.raises(ManifestError, match=r"/x/b\.npy does not fit into this Kaldi data directory"):
        write_manifest([Entry(None, "/x/b.npy", id="b")], tmp_path / "npy", "kaldi")


def test_kaldi_files_are_sorted_and_stale_ones_go(tmp_path: Path) -> None:
    piece = Entry("/x/z.wav", id="b", offset=1.0)
    write_manifest([piece, Entry("/x/z.wav", id="a-1"), Entry("/x/y.wav", id="a")], tmp_path / "d", "kaldi")
    assert (tmp_path / "d" / "segments").read_text().split()[0::4] == ["a", "a-1", "b"]
    write_manifest([Entry("/x/z.wav", id="a")], tmp_path / "d", "kaldi", force=True)
    assert sorted(file.name for file in (tmp_path / "d").iterdir()) == ["spk2utt", "utt2spk", "wav.scp"]


def test_one_kaldi_recording_cannot_be_two_files(tmp_path: Path) -> None:
    entries = [Entry(f"/x/{i}.wav", id=str(i), offset=1.0, extra={"recording_id": "r"}) for i in range(2)]
    with pytest.raises(ManifestError, match=r"wav\.scp would name r twice"):
        write_manifest(entries, tmp_path / "d", "kaldi")


def test_what_kaldi_cannot_hold_is_said(tmp_path: Path) -> None:
    entry = Entry("/x/a.wav", id="a", label="pump", extra={"fold": 1, "text": "x"})
    with pytest.warns(ManifestWarning, match="cannot hold fold, label: left out"):
        write_manifest([entry], tmp_path / "d", "kaldi")


def test_a_lookup_in_order_holds_one_line() -> None:
    lookup = Lookup(lambda: iter((str(i), i) for i in range(1000)))
    for i in range(1000):
        assert lookup.get(str(i)) == lookup.get(str(i)) == i
        assert lookup.held == 1
    assert lookup.get("3") == 3
    assert lookup.held == 1000


RECORDING = {
    "id": "r1",
    "sources": [{"type": "file", "channels": [0, 1], "source": "/x/r1.wav"}],
    "sampling_rate": 8000,
    "num_samples": 80000,
    "duration": 10.0,
}
CUT = {"id": "c1", "start": 1.0, "duration": 2.0, "channel": 1, "recording": RECORDING, "type": "MonoCut"}


def lhotse(folder: Path, **files: list[dict]) -> None:  # type: ignore[type-arg]
    for name, records in files.items():
        lines = "".join(json.dumps(record) + "\n" for record in records)
        (folder / f"{name}.jsonl").write_text(lines)


def test_lhotse_recordings_alone_and_with_supervisions(tmp_path: Path) -> None:
    two = {**RECORDING, "id": "r2", "sources": [{"type": "url", "channels": [0], "source": "s3://b/r2.wav"}]}
    lhotse(tmp_path, recordings=[RECORDING, two])
    first, second = read_manifest(tmp_path)
    assert (first.id, first.channel, first.duration, first.extra["channels"]) == ("r1", None, 10.0, 2)
    assert second.path == "s3://b/r2.wav"
    spans = [
        {"id": "s2", "recording_id": "r2", "start": 4, "duration": 1.5, "channel": 0, "custom": {"snr": 7}},
        {"id": "s1", "recording_id": "r1", "start": 0, "duration": 1, "channel": [1], "speaker": "ann"},
    ]
    lhotse(tmp_path, supervisions=spans)
    for path in (tmp_path, tmp_path / "recordings.jsonl", tmp_path / "supervisions.jsonl"):
        a, b = read_manifest(path)
        assert (a.id, a.offset, a.duration, a.channel, a.extra["snr"]) == ("s2", 4.0, 1.5, None, 7)
        assert (b.id, b.path, b.channel, b.speaker) == ("s1", "/x/r1.wav", 1, "ann")
    (tmp_path / "recordings.jsonl").unlink()
    with pytest.raises(ManifestError, match=r"supervisions, and no recordings lie beside"):
        list(read_manifest(tmp_path / "supervisions.jsonl"))


def test_a_channel_in_a_file_of_its_own(tmp_path: Path) -> None:
    sources = [{"type": "file", "channels": [c], "source": f"/x/{c}.wav"} for c in (0, 1)]
    array = {**RECORDING, "sources": sources}
    lhotse(tmp_path, cuts=[{**CUT, "recording": array}])
    (entry,) = read_manifest(tmp_path / "cuts.jsonl")
    assert (entry.path, entry.channel) == ("/x/1.wav", None)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ({**CUT, "type": "MixedCut"}, r"cuts\.jsonl:2 lacks 'tracks'"),
        ({**CUT, "recording": {**RECORDING, "sources": RECORDING["sources"] * 2}}, r"'r1' lies in 2 files"),
        (
            {
                **CUT,
                "recording": {
                    **RECORDING,
                    "sources": [{"type": "command", "channels": [0], "source": "sox a |"}],
                },
            },
            r"cuts\.jsonl:2 is a command: 'sox a \|'.*never run",
        ),
        ({**CUT, "duration": -1}, r"cuts\.jsonl:2: duration is -1"),
        ({"id": "x", "type": "MonoCut", "start": 0, "duration": 1}, r"cuts\.jsonl:2 has no recording"),
        ({key: value for key, value in CUT.items() if key != "start"}, r"cuts\.jsonl:2 lacks 'start'"),
        ({**CUT, "recording": 7}, r"cuts\.jsonl:2 is not as Lhotse writes it"),
    ],
    ids=lambda value: value[:30] if isinstance(value, str) else "",
)
def test_lhotse_lines_that_cannot_be_used(tmp_path: Path, line: dict, message: str) -> None:  # type: ignore[type-arg]
    lhotse(tmp_path, cuts=[{**CUT, "id": "good"}, line])
    problems: list[ManifestError] = []
    good = list(read_manifest(tmp_path / "cuts.jsonl", on_error=problems.append))
    assert [entry.id for entry in good] == ["good"]
    with pytest.raises(ManifestError, match=message):
        raise problems[0]


def test_lhotse_needs_lengths(tmp_path: Path) -> None:
    entry = Entry("/x/a.wav", id="a", offset=1.0, duration=1.0, sample_rate=8000)
    with pytest.raises(ManifestError, match=r"a: /x/a\.wav has no duration of the whole recording"):
        write_manifest([entry], tmp_path / "cuts.jsonl", "lhotse")
    with pytest.raises(ManifestError, match=r"/x/b\.wav has no sample_rate"):
        write_manifest([Entry("/x/b.wav", id="b")], tmp_path / "cuts.jsonl", "lhotse")
