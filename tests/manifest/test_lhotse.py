"""What Lhotse writes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from audiogmm.audio.decode import open_audio
from audiogmm.errors import AudioFileError, ManifestError
from audiogmm.manifest import Entry, read_manifest, write_manifest


@pytest.mark.parametrize("ending", ["jsonl", "csv"])
def test_the_mean_of_some_channels(tmp_path: Path, ending: str) -> None:
    noise = np.random.default_rng(0).integers(-9000, 9000, (4000, 4)).astype(np.int16)
    sf.write(tmp_path / "q4.wav", noise, 8000)
    recording = {
        "id": "q4",
        "sources": [{"type": "file", "channels": [0, 1, 2, 3], "source": str(tmp_path / "q4.wav")}],
        "sampling_rate": 8000,
        "num_samples": 4000,
        "duration": 0.5,
        "channel_ids": [0, 1, 2, 3],
    }
    cut = {"id": "c", "start": 0, "duration": 0.5, "channel": [0, 2], "supervisions": [], "type": "MultiCut"}
    (tmp_path / "cuts.jsonl").write_text(json.dumps({**cut, "recording": recording}))
    (entry,) = read_manifest(tmp_path / "cuts.jsonl")
    assert entry.channel == (0, 2)
    with open_audio(entry) as stream:
        found = np.concatenate(list(stream))
    np.testing.assert_array_equal(found, (noise[:, [0, 2]] / np.float32(32768)).mean(1, dtype=np.float32))
    write_manifest([entry], tmp_path / f"all.{ending}")
    assert list(read_manifest(tmp_path / f"all.{ending}")) == [entry]
    write_manifest([entry], tmp_path / "again.jsonl", "lhotse")
    assert json.loads((tmp_path / "again.jsonl").read_text())["type"] == "MultiCut"
    assert next(iter(read_manifest(tmp_path / "again.jsonl"))).channel == (0, 2)
    with pytest.raises(AudioFileError, match="no channel 4"):
        open_audio(Entry(str(tmp_path / "q4.wav"), id="x", channel=(0, 4)))
    with pytest.raises(ManifestError, match="mean of the channels"):
        write_manifest([entry], tmp_path / "kaldi", "kaldi")


@pytest.mark.parametrize("channel", ["[0, 0]", "[]", "[-1]", '"0"'])
def test_channels_that_are_none(tmp_path: Path, channel: str) -> None:
    (tmp_path / "a.jsonl").write_text(f'{{"audio_filepath": "a.wav", "channel": {channel}}}')
    with pytest.raises(ManifestError, match="channel"):
        list(read_manifest(tmp_path / "a.jsonl"))


def test_what_lhotse_itself_writes(tmp_path: Path) -> None:
    lhotse = pytest.importorskip("lhotse", reason="pip install lhotse")
    from lhotse.supervision import SupervisionSegment as Span

    sf.write(tmp_path / "a.wav", np.zeros(16000), 8000)
    sf.write(tmp_path / "b.wav", np.zeros(16000), 8000)
    files = [lhotse.Recording.from_file(tmp_path / f"{name}.wav") for name in "ab"]
    recordings = lhotse.RecordingSet.from_recordings(files)
    spans = [("s1", "a", 0.0, 0.5, "ann"), ("s2", "a", 1.0, 0.5, "bob"), ("s3", "b", 0.0, 1.0, "cy")]
    supervisions = lhotse.SupervisionSet.from_segments(
        Span(id, of, start, duration, speaker=who) for id, of, start, duration, who in spans
    )
    cuts = lhotse.CutSet.from_manifests(recordings=recordings, supervisions=supervisions)
    wanted = [("a.wav", 0.0, 0.5, "ann"), ("a.wav", 1.0, 0.5, "bob"), ("b.wav", 0.0, 1.0, "cy")]

    def said(path: Path) -> list[tuple[object, ...]]:
        return [(Path(e.path).name, e.offset, e.duration, e.speaker) for e in read_manifest(path)]

    for ending in ("jsonl", "jsonl.gz", "json", "yaml"):
        recordings.to_file(tmp_path / f"x_recordings_train.{ending}")
        supervisions.to_file(tmp_path / f"x_supervisions_train.{ending}")
        assert said(tmp_path / f"x_recordings_train.{ending}") == wanted
        assert said(tmp_path / f"x_supervisions_train.{ending}") == wanted
    for name, some in {
        "plain": cuts,
        "padded": cuts.pad(duration=3.0),
        "resampled": cuts.resample(16000),
    }.items():
        some.to_file(tmp_path / f"{name}.jsonl")
        # cuts.pad sorts nothing, but names what it pads by numbers of its own
        expected = [(n, o, 2.0 if w == "cy" else d, w) for n, o, d, w in wanted]
        assert sorted(said(tmp_path / f"{name}.jsonl"), key=str) == sorted(expected, key=str), name
