"""What Kaldi's recipes write: channels, archives, ranges, commands that are read and not run."""

from __future__ import annotations

from pathlib import Path

import kaldiio
import numpy as np
import pytest
import soundfile as sf

from audiogmm.audio.decode import open_audio, probe
from audiogmm.audio.matrix.matrix import read_matrix_blocks
from audiogmm.errors import AudioGMMError, FeatureError, ManifestError, MismatchError
from audiogmm.manifest import Entry, read_manifest, write_manifest
from audiogmm.manifest.commands import read_command
from audiogmm.types import Samples


def samples(entry: Entry) -> Samples:
    with open_audio(entry) as stream:
        return np.concatenate(list(stream))


def noise(*shape: int) -> np.ndarray:  # type: ignore[type-arg]
    return np.random.default_rng(0).integers(-9000, 9000, shape).astype(np.int16)


@pytest.fixture
def call(tmp_path: Path) -> Path:
    """A data directory of one stereo call; segments are for the test to write."""
    sf.write(tmp_path / "call.wav", noise(16000, 2), 8000)
    (tmp_path / "wav.scp").write_text("call call.wav\n")
    return tmp_path


def test_the_fifth_column_is_a_channel_from_0(call: Path) -> None:
    (call / "segments").write_text("A call 0.0 1.0 0\nB call 0.5 1.0 1\n")
    left, right = read_manifest(call)
    assert (left.channel, right.channel) == (0, 1)
    whole = noise(16000, 2) / 32768
    np.testing.assert_array_equal(samples(left), whole[:8000, 0])
    np.testing.assert_array_equal(samples(right), whole[4000:8000, 1])
    write_manifest([left, right], call / "again", "kaldi")
    assert [entry.channel for entry in read_manifest(call / "again")] == [0, 1]


def test_a_segment_of_several_channels_must_name_one(call: Path) -> None:
    (call / "segments").write_text("A call 0.0 1.0\n")
    (entry,) = read_manifest(call)
    with pytest.raises(
        MismatchError, match=r"call\.wav has 2 channels, and its entry names none.*fifth column"
    ):
        samples(entry)
    with pytest.raises(AudioGMMError, match="2 channels"):
        probe(entry)
    (call / "reco2file_and_channel").write_text("call call B\n")
    (entry,) = read_manifest(call)
    np.testing.assert_array_equal(samples(entry), noise(16000, 2)[:8000, 1] / 32768)


@pytest.mark.parametrize("line", ["A call 0 1 0 more", "A call 0 1 -1", "A call 0 1 x"])
def test_segments_that_kaldi_refuses(call: Path, line: str) -> None:
    (call / "segments").write_text(line + "\n")
    with pytest.raises(ManifestError, match="perhaps a channel counted from 0"):
        list(read_manifest(call))


@pytest.mark.parametrize("end", ["[10:29]", "[10:29,2:5]", "[:,0:3]", "[0:99]", ""])
@pytest.mark.parametrize("compression", [None, 2])
def test_ranges_are_those_of_kaldiio(tmp_path: Path, end: str, compression: int | None) -> None:
    rows = np.random.default_rng(0).normal(size=(100, 13)).astype("f4")
    scp = str(tmp_path / "f.scp")
    kaldiio.save_ark(str(tmp_path / "f.ark"), {"u": rows}, scp=scp, compression_method=compression)
    (tmp_path / "r.scp").write_text(Path(scp).read_text().strip() + end + "\n")
    (entry,) = read_manifest(tmp_path / "r.scp")
    found = np.concatenate(list(read_matrix_blocks(entry, block=7)))
    location = (tmp_path / "r.scp").read_text().split()[1]
    np.testing.assert_array_equal(found, kaldiio.load_mat(location.replace("[:,", "[,")))


@pytest.mark.parametrize(("end", "message"), [("[90:100]", "has 100 rows"), ("[:,0:13]", "has 13 columns")])
def test_a_range_outside_is_refused(tmp_path: Path, end: str, message: str) -> None:
    kaldiio.save_ark(str(tmp_path / "f.ark"), {"u": np.zeros((100, 13), "f4")}, scp=str(tmp_path / "f.scp"))
    entry = Entry(None, (tmp_path / "f.scp").read_text().split()[1] + end, id="u")
    with pytest.raises(FeatureError, match=message):
        list(read_matrix_blocks(entry))


@pytest.mark.parametrize("name", ["wav.scp", "w.scp"])
@pytest.mark.parametrize("format", [None, "flac"])
def test_recordings_in_archives(tmp_path: Path, name: str, format: str | None) -> None:
    one, two = noise(8000), noise(9000)
    ark = str(tmp_path / "w.ark")
    how = {"write_function": "soundfile", "write_kwargs": {"format": format}} if format else {}
    kaldiio.save_ark(ark, {"a": (8000, one), "b": (8000, two)}, scp=str(tmp_path / name), **how)
    a, b = read_manifest(tmp_path / name)
    np.testing.assert_array_equal(samples(a), one / 32768)
    np.testing.assert_array_equal(samples(b), two / 32768)
    write_manifest([a, b], tmp_path / "all.jsonl")
    assert list(read_manifest(tmp_path / "all.jsonl"))[1].path == b.path
    with pytest.raises(FeatureError, match="holds recordings, not matrices"):
        list(read_matrix_blocks(Entry(None, b.path.removeprefix("ark://"), id="b")))


def test_spk2utt_is_written_and_read(tmp_path: Path) -> None:
    entries = [Entry(f"/x/{id}.wav", id=id, speaker=id[:2]) for id in ("s1-a", "s1-b", "s2-a")]
    write_manifest(entries, tmp_path / "d", "kaldi")
    assert (tmp_path / "d" / "spk2utt").read_text() == "s1 s1-a s1-b\ns2 s2-a\n"
    (tmp_path / "d" / "utt2spk").unlink()
    assert [entry.speaker for entry in read_manifest(tmp_path / "d")] == ["s1", "s1", "s2"]


COMMANDS = [
    ("flac -c -d -s a.flac |", "a.flac", None),
    ("flac -cds 'a b.flac' |", "a b.flac", None),
    ("sph2pipe -f wav -p -c 2 a.sph |", "a.sph", 1),
    ("/opt/kaldi/tools/sph2pipe_v2.5/sph2pipe -f wav -p a.sph |", "a.sph", None),
    ("ffmpeg -v 8 -i a.m4a -f wav -ar 16000 -ac 1 - |", "a.m4a", None),
    ("sox a.wav -r 16000 -t wav - |", "a.wav", None),
    ("sox -t sph a.sph -b 16 -t wav - remix 1,3 rate -h 16k |", "a.sph", (0, 2)),
    ("sph2pipe -f wav -p -c 1 a.sph | sox -t wav - -r 16000 -t wav - |", "a.sph", 0),
    ("gunzip -c a.wav.gz |", "gzip://a.wav.gz", None),
    ("cat a.wav |", "a.wav", None),
]


@pytest.mark.parametrize(("command", "path", "channel"), COMMANDS)
def test_commands_that_are_read(command: str, path: str, channel: object) -> None:
    found = read_command(command, "wav.scp:1")
    assert (found.path, found.channel) == (path, channel)


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("sox a.wav -t wav - speed 1.1 |", "effect speed"),
        ("sox -v 0.5 a.wav -t wav - |", "option -v"),
        ("sox a.wav b.wav -t wav - |", "where its output goes"),
        ("ffmpeg -i a.mp3 -af volume=2 -f wav - |", "option -af"),
        ("ffmpeg -i a.mp3 -i b.mp3 -f wav - |", "which file"),
        ("cat a.wav b.wav |", "which file"),
        ("cat a.wav; touch ran |", "';' is not known"),
        ("cat $(touch ran) |", "a shell would put in"),
        ("wget -O - http://x/a.wav |", "program 'wget'"),
    ],
)
def test_other_commands_are_refused_by_name(command: str, message: str) -> None:
    with pytest.raises(ManifestError, match="never run") as caught:
        read_command(command, "wav.scp:1")
    assert message in str(caught.value)


def test_what_a_command_names_is_opened(tmp_path: Path) -> None:
    import gzip

    sf.write(tmp_path / "a.wav", noise(8000, 2), 8000)
    (tmp_path / "b.wav.gz").write_bytes(gzip.compress((tmp_path / "a.wav").read_bytes()))
    (tmp_path / "wav.scp").write_text("a sox a.wav -t wav - remix 2 |\nb gunzip -c b.wav.gz |\n")
    a, b = read_manifest(tmp_path)
    np.testing.assert_array_equal(samples(a), noise(8000, 2)[:, 1] / 32768)
    np.testing.assert_array_equal(samples(b), (noise(8000, 2) / 32768).mean(1))


@pytest.mark.parametrize(
    ("audio", "fits"),
    [("a.wav", True), ("rm -rf x |", False), ("| b", False), ("a\nb.wav", False), ("-", False)],
)
def test_no_line_is_written_that_kaldi_would_run(tmp_path: Path, audio: str, fits: bool) -> None:
    entry = Entry(audio, id="a", extra={"text": "one\ntwo x |"})
    if fits:
        write_manifest([entry], tmp_path / "data", format="kaldi")
        assert (tmp_path / "data" / "text").read_text() == "a one two x |\n"
        return
    with pytest.raises(ManifestError, match=r"is no file to Kaldi; .*; try: rename the file"):
        write_manifest([entry], tmp_path / "data", format="kaldi")
    assert not (tmp_path / "data").exists()
