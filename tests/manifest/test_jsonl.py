"""Lines of JSONL: good, odd and bad."""

from __future__ import annotations

import gzip
import subprocess
import sys
from pathlib import Path

import pytest

from audiogmm.errors import ManifestError
from audiogmm.manifest import Entry, read_manifest, write_manifest

GOOD = '{"audio_filepath": "good.wav"}\n'

BAD = [
    ("not json", "is not JSON: Expecting value at column 1: not json", '{"audio_filepath": "a.wav"}'),
    ('{"audio_filepath": "a.wav"', "is not JSON", "one object a line"),
    ('["a.wav"]', "is an array", "jq -c"),
    ('"a.wav"', "is not an object", "one object a line"),
    ('{"duration": 2}', "no audio_filepath, and no features_filepath in its place", "a.wav"),
    ('{"audio_filepath": "a", "features_filepath": "b"}', "both audio_filepath and features", "exactly one"),
    ('{"audio_filepath": 7}', "audio_filepath is 7", "a path relative to the manifest"),
    ('{"audio_filepath": ""}', "audio_filepath is ''", "a path relative to the manifest"),
    ('{"audio_filepath": "a", "duration": -3.5}', "duration is -3.5", "above 0"),
    ('{"audio_filepath": "a", "duration": 0}', "duration is 0", "above 0"),
    ('{"audio_filepath": "a", "duration": "3.5"}', "duration is '3.5'", "seconds to read"),
    ('{"audio_filepath": "a", "duration": NaN}', "is not JSON: NaN is not a number", "one object"),
    ('{"audio_filepath": "a", "offset": -Infinity}', "-Infinity is not a number", "one object"),
    ('{"audio_filepath": "a", "offset": -0.25}', "offset is -0.25", "at least 0"),
    ('{"audio_filepath": "a", "offset": 1e999}', "offset is inf", "at least 0"),
    ('{"audio_filepath": "a", "channel": 1.5}', "channel is 1.5", "from 0"),
    ('{"audio_filepath": "a", "channel": -1}', "channel is -1", "from 0"),
    ('{"audio_filepath": "a", "channel": true}', "channel is True", "from 0"),
    ('{"audio_filepath": "a", "sample_rate": 0}', "sample_rate is 0", "above 0"),
    ('{"audio_filepath": "a", "speaker": ["x"]}', "speaker is ['x']", "a text or a whole number"),
    ('{"audio_filepath": "a", "id": ""}', "id is ''", "unique"),
    (
        '{"audio_filepath": "a", "events": {"start": 1}}',
        "events is {'start': 1}",
        "objects with start and end",
    ),
    ('{"audio_filepath": "a", "events": [{"start": 1}]}', "events[0].end is missing", "not before start"),
    ('{"audio_filepath": "a", "events": [{"start": 2, "end": 1}]}', "from 2.0 s to 1.0 s", "start <= end"),
    ('{"audio_filepath": "a", "events": [{"start": "x", "end": 1}]}', "events[0].start is 'x'", "seconds"),
]


@pytest.mark.parametrize(("line", "what", "rest"), BAD, ids=[bad[0][:48] for bad in BAD])
def test_a_bad_line_is_named_with_its_number_and_value(
    tmp_path: Path, line: str, what: str, rest: str
) -> None:
    file = tmp_path / "all.jsonl"
    file.write_text(GOOD + "\n" + line + "\n" + GOOD.replace("good", "better"))
    with pytest.raises(ManifestError) as caught:
        list(read_manifest(file))
    assert f"{file}:3" in str(caught.value)
    assert what in str(caught.value)
    assert rest in f"{caught.value.needed} {caught.value.remedy}"
    problems: list[ManifestError] = []
    assert [entry.id for entry in read_manifest(file, on_error=problems.append)] == ["good", "better"]
    assert [str(problem) for problem in problems] == [str(caught.value)]


def test_odd_lines_that_are_good(tmp_path: Path) -> None:
    file = tmp_path / "all.jsonl"
    file.write_bytes(
        b'\xef\xbb\xbf{"audio_filepath": "bom.wav"}\r\n'
        b"   \r\n"
        b'{"audio_filepath": "f.wav", "channel": 0.0, "sample_rate": 16000.0, "label": null, "x": null}\r\n'
        b'{"audio_filepath": "caf\\u00e9.wav", "offset": 1}\n'
        b'{"audio_filepath": "byte\\udce9.wav"}'
    )
    bom, floats, accent, surrogate = read_manifest(file)
    assert bom.id == "bom"
    assert (floats.channel, floats.sample_rate, floats.label, floats.extra) == (0, 16000, None, {"x": None})
    assert accent.id == "café@1"
    assert (surrogate.id, Path(surrogate.path).name) == ("byte_", "byte\udce9.wav")
    again = tmp_path / "again.jsonl"
    assert write_manifest(read_manifest(file), again) == 4
    assert [entry.path for entry in read_manifest(again)] == [entry.path for entry in read_manifest(file)]


def test_a_manifest_without_entries_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "all.jsonl"
    file.write_text("\n\n")
    with pytest.raises(ManifestError, match=r"all\.jsonl is empty"):
        read_manifest(file)
    with pytest.raises(ManifestError, match=r"all\.jsonl holds no entry"):
        list(read_manifest(file, format="jsonl"))


def test_compressed_and_torn(tmp_path: Path) -> None:
    file = tmp_path / "all.jsonl.gz"
    entries = [Entry(audio_filepath=f"{tmp_path}/{i}.wav", id=str(i)) for i in range(2000)]
    assert write_manifest(entries, file) == 2000
    assert list(read_manifest(file)) == entries
    file.write_bytes(file.read_bytes()[:-300])
    with pytest.raises(ManifestError, match=r"all\.jsonl\.gz cannot be read: Compressed file ended"):
        list(read_manifest(file))
    with gzip.open(file, "wt") as plain:
        plain.write(GOOD)
    assert [entry.id for entry in read_manifest(file)] == ["good"]


def test_lines_are_read_only_when_asked_for(tmp_path: Path) -> None:
    file = tmp_path / "all.jsonl"
    file.write_text(GOOD + "rubbish\n")
    assert next(iter(read_manifest(file))).id == "good"


def test_importing_manifests_does_not_import_pydantic() -> None:
    code = (
        "import sys, audiogmm.manifest; "
        "heavy = {'pydantic', 'pydantic_core', 'fsspec', 'soundfile', 'scipy', 'librosa', 'numba'}; "
        "sys.exit(', '.join(heavy & set(sys.modules)) or None)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
