"""Objects of Lhotse in place of a manifest, and what Lhotse itself makes of them."""

from __future__ import annotations

import gc
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile as sf

from audiogmm.audio.decode import open_audio
from audiogmm.errors import AudioFileError, ManifestError
from audiogmm.manifest import Entry, entries_of, read_manifest
from audiogmm.manifest.inside import lhotse_address

lhotse = pytest.importorskip("lhotse", reason="pip install lhotse")


@pytest.fixture
def recordings(tmp_path: Path) -> Any:
    for seed, name in enumerate("ab"):
        noise = np.random.default_rng(seed).integers(-9000, 9000, 8000).astype(np.int16)
        sf.write(tmp_path / f"{name}.wav", noise, 8000)
    return lhotse.RecordingSet.from_recordings(
        lhotse.Recording.from_file(tmp_path / f"{name}.wav") for name in "ab"
    )


@pytest.fixture
def cuts(recordings: Any) -> Any:
    from lhotse.supervision import SupervisionSegment as Span

    spans = lhotse.SupervisionSet.from_segments(
        [Span("s1", "a", 0.25, 0.5, speaker="ann"), Span("s2", "b", 0.0, 1.0, speaker="bob", text="hi")]
    )
    return lhotse.CutSet.from_manifests(recordings=recordings, supervisions=spans)


def samples(entry: Entry) -> np.ndarray:
    with open_audio(entry) as stream:
        return np.concatenate(list(stream))


def test_sets_and_single_objects_are_manifests(cuts: Any, recordings: Any) -> None:
    manifest = read_manifest(cuts)
    assert [(entry.speaker, entry.duration) for entry in manifest] == [("ann", 1.0), ("bob", 1.0)]
    assert list(manifest) == list(manifest)  # read again
    assert [entry.id for entry in read_manifest(recordings)] == ["a", "b"]
    for one in (*cuts, *recordings, *cuts.trim_to_supervisions()):
        (entry,) = read_manifest(one)
        np.testing.assert_array_equal(samples(entry), one.load_audio()[0])
    assert entries_of(["a.wav"]) is None


def test_what_lhotse_mixes_appends_and_transforms_has_its_samples(cuts: Any, tmp_path: Path) -> None:
    a, b = cuts
    made = {
        "append": a.drop_supervisions().append(b),
        "mix": a.mix(b.drop_supervisions(), snr=10, offset_other_by=0.25),
        "speed": a.perturb_speed(1.1),
        "volume": a.perturb_volume(0.5).append(b.drop_supervisions()),
    }
    for name, cut in made.items():
        wanted = cut.load_audio()[0]
        lhotse.CutSet.from_cuts([cut]).to_file(tmp_path / f"{name}.jsonl")
        for entry in (*read_manifest(cut), *read_manifest(tmp_path / f"{name}.jsonl")):
            np.testing.assert_array_equal(samples(entry), wanted, err_msg=name)
            assert entry.speaker == ("bob" if name == "append" else "ann")
            assert entry.sample_rate == 8000
            assert entry.duration == pytest.approx(cut.duration, abs=1e-9)


def test_the_supervisions_of_an_appended_cut_are_entries(cuts: Any) -> None:
    a, b = cuts
    cut = a.append(b)
    first, second = read_manifest(cut)
    assert [(e.speaker, e.offset, e.duration) for e in (first, second)] == [
        ("ann", 0.25, 0.5),
        ("bob", 1.0, 1.0),
    ]
    np.testing.assert_array_equal(samples(second), b.load_audio()[0])


@pytest.mark.filterwarnings("ignore::ResourceWarning")  # Lhotse leaves the files that it reads to the garbage
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_recordings_in_memory_are_files_while_the_object_lives(cuts: Any) -> None:
    in_memory = lhotse.CutSet.from_cuts(cut.move_to_memory(audio_format="flac") for cut in cuts)
    entries = list(read_manifest(in_memory))
    for entry, cut in zip(entries, cuts, strict=True):
        np.testing.assert_array_equal(samples(entry), cut.load_audio()[0])
    paths = [Path(entry.path) for entry in entries]
    assert all(path.exists() for path in paths)
    del in_memory
    gc.collect()
    assert not any(path.exists() for path in paths)


def test_objects_that_are_no_recordings(cuts: Any, tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match=r"a SupervisionSet has no recordings; .*from_manifests"):
        list(read_manifest(lhotse.SupervisionSet.from_segments(s for cut in cuts for s in cut.supervisions)))
    with pytest.raises(ManifestError, match="the CutSet is empty"):
        list(read_manifest(lhotse.CutSet.from_cuts([])))
    with pytest.raises(ManifestError, match=r"given as list: \['a.wav'\]"):
        read_manifest(["a.wav"])


def test_no_command_in_a_mix_is_run(cuts: Any, tmp_path: Path) -> None:
    a, b = cuts
    record = a.append(b).to_dict()
    command = f"touch {tmp_path}/ran; cat {tmp_path}/a.wav"
    record["tracks"][1]["cut"]["recording"]["sources"][0] |= {"type": "command", "source": command}
    (tmp_path / "cuts.jsonl").write_text(json.dumps(record))
    with pytest.raises(ManifestError, match="is a command: 'touch"):
        list(read_manifest(tmp_path / "cuts.jsonl"))
    with pytest.raises(AudioFileError, match="lhotse://x cannot be opened: a command"):
        open_audio(Entry(lhotse_address("x", record), id="x"))
    with pytest.raises(AudioFileError, match="lhotse://x cannot be opened: no record"):
        open_audio(Entry("lhotse://x/AAAA", id="x"))
    assert not (tmp_path / "ran").exists()
