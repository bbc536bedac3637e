"""What a file named as a manifest is: by its name where that is enough, else by its first bytes."""

from __future__ import annotations

import re
import shlex
from contextlib import suppress
from pathlib import Path
from typing import Literal

from audiogmm.contents import contents_of
from audiogmm.errors import ManifestError
from audiogmm.manifest.cells import delimiter_of_numbers, is_number, split_cells
from audiogmm.manifest.entry import STANDARD_INPUT, is_url
from audiogmm.manifest.hub import METADATA, audio_column
from audiogmm.manifest.patterns import is_pattern
from audiogmm.manifest.text import encoding_of, head
from audiogmm.system import special_kind

Segments = Literal["rttm", "audacity", "raven", "birdnet", "textgrid"]
Archives = Literal["webdataset", "huggingface", "shar"]
Kind = Literal["jsonl", "csv", "kaldi", "lhotse", "nemo", "audio", "features"] | Segments | Archives
"""A format, or a recording or a feature matrix named in place of a manifest."""

# fmt: off
AUDIO_SUFFIXES = frozenset({
    ".wav", ".wave", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".mp2", ".aif", ".aiff", ".aifc",
    ".au", ".snd",
    ".sph", ".nist", ".w64", ".rf64", ".caf", ".voc", ".m4a",
    ".aac", ".mp4", ".wma", ".amr", ".webm", ".mka",
})
# fmt: on
"""What `manifest scan` takes for a recording, and what may be named in place of a manifest."""

FEATURE_SUFFIXES = frozenset({".npy", ".parquet", ".pq", ".ark"})

_SEGMENTS: tuple[tuple[str, Segments], ...] = (
    (".rttm", "rttm"),
    (".textgrid", "textgrid"),
    (".birdnet.results.csv", "birdnet"),
    (".selections.txt", "raven"),
    (".selection.table.txt", "raven"),
)
"""What lists of segments end in, where that is enough."""

_MAGIC: tuple[tuple[bytes, Kind], ...] = (
    (b"RIFF", "audio"),
    (b"RIFX", "audio"),
    (b"RF64", "audio"),
    (b"BW64", "audio"),
    (b"fLaC", "audio"),
    (b"OggS", "audio"),
    (b"FORM", "audio"),
    (b"caff", "audio"),
    (b".snd", "audio"),
    (b"ID3", "audio"),
    (b"\xff\xfb", "audio"),
    (b"NIST_1A", "audio"),
    (b"\x93NUMPY", "features"),
    (b"PAR1", "features"),
)

_ACCEPTED = (
    "a manifest (JSONL, CSV, a Kaldi data directory, Lhotse, NeMo, RTTM, labels of Audacity, Raven, BirdNET "
    "or Praat), a recording, or a feature matrix (.npy, .csv, .parquet, .ark)"
)


def sniff(path: str) -> Kind:
    """Find out what a path named as a manifest is.

    Parameters
    ----------
    path : str
        A file, a folder, a URL or ``-``.

    Returns
    -------
    str
        A format's name, "audio" or "features".

    Raises
    ------
    ManifestError
        If it is missing, empty, or none of these.

    Examples
    --------
    >>> sniff("-"), sniff("s3://bucket/a.flac")
    ('audio', 'audio')
    """
    if path == STANDARD_INPUT:
        return "audio"
    if is_pattern(path):
        return "webdataset"
    if not is_url(path):
        _must_exist(path)
        if Path(path).is_dir():
            return _folder(path)
        if (special := special_kind(Path(path).stat().st_mode)) is not None:
            raise ManifestError(
                f"{path} is {special}, which can be read only once",
                needed="a file, since a manifest is read more than once",
                remedy="save it to a file; a recording can be piped to standard input, which is named -",
            )
    suffix = suffix_of(path)
    if suffix in AUDIO_SUFFIXES:
        return "audio"
    if suffix == ".tar":
        return "webdataset"
    if suffix in FEATURE_SUFFIXES:
        return "huggingface" if suffix in (".parquet", ".pq") and _holds_recordings(path) else "features"
    if suffix == ".scp":
        return "kaldi"
    return segments_named(path) or _by_content(path, head(path))


def segments_named(path: str) -> Segments | None:
    """Return the format of a list of segments that its name shows, if it shows one.

    Examples
    --------
    >>> segments_named("a.TextGrid"), segments_named("a.Table.1.selections.txt"), segments_named("a.txt")
    ('textgrid', 'raven', None)
    """
    return next((kind for ending, kind in _SEGMENTS if path.lower().endswith(ending)), None)


def segments_by_header(first: str) -> Segments | None:
    """Return the format of a list of segments that its first line shows, if it shows one."""
    lower = first.lower()
    if lower.startswith("speaker ") and len(first.split()) >= 9:
        return "rttm"
    if "begin time (s)" in lower and "\t" in first:
        return "raven"
    if "start (s)" in lower and "end (s)" in lower:
        return "birdnet"
    if "ooTextFile" in first:
        return "textgrid"
    start, _, rest = first.partition("\t")
    end, _, label = rest.partition("\t")
    text = bool(label.strip()) and not all(map(is_number, label.split("\t")))
    return "audacity" if is_number(start) and is_number(end) and text else None


def doubt_of(path: str, kind: str) -> str:
    """Return a note where a path could be of another format than the one that it was taken for, or nothing.

    Parameters
    ----------
    path : str
        As given to `sniff`.
    kind : str
        What it returned.
    """
    other = ""
    if kind == "features" and suffix_of(path) == ".txt":
        rows = [line.split("\t") for line in head(path).decode(errors="replace").splitlines()[:50]]
        spans = (
            len(row) == 3 and all(map(is_number, row)) and float(row[0]) <= float(row[1]) for row in rows
        )
        taken, other = "a table of numbers", "audacity" if rows and all(spans) else ""
    elif kind in ("kaldi", "jsonl") and not is_url(path) and Path(path).is_dir():
        taken = "a Kaldi data directory" if kind == "kaldi" else "a frame cache"
        if any((Path(path) / f"recordings.jsonl{end}").exists() for end in ("", ".gz")):
            other = "lhotse"
    if not other:
        return ""
    return (
        f"{path} is read as {taken}, and could be of the format {other} too; if it is: audiogmm manifest "
        f"convert {shlex.quote(path)} --from {other} -o {other}.jsonl"
    )


def suffix_of(path: str) -> str:
    """Return the suffix that shows the format, in lower case, without ``.gz``.

    Examples
    --------
    >>> suffix_of("cuts.jsonl.gz"), suffix_of("A.WAV")
    ('.jsonl', '.wav')
    """
    return Path(path.removesuffix(".gz")).suffix.lower()


def _must_exist(path: str) -> None:
    if not Path(path).exists():
        raise ManifestError(f"{path} does not exist", needed=_ACCEPTED, remedy="check the path")


def _folder(path: str) -> Kind:
    """A folder that is a manifest: Kaldi's, Lhotse's, or a frame cache with its index."""
    folder = Path(path)
    if (folder / "wav.scp").exists() or (folder / "feats.scp").exists():
        return "kaldi"
    if (folder / "index.jsonl").exists():
        return "jsonl"
    if any((folder / f"recordings.jsonl{end}").exists() for end in ("", ".gz")):
        return "lhotse"
    if any(folder.glob("cuts.*.jsonl*")) and any(folder.glob("recording.*.tar")):
        return "shar"
    if any(folder.glob("*.tar")):
        return "webdataset"
    if any(any((*folder.glob(name), *folder.glob(f"*/{name}"))) for name in METADATA):
        return "huggingface"
    tables = sorted((*folder.glob("*.parquet"), *folder.glob("*/*.parquet")))
    if tables and _holds_recordings(str(tables[0])):
        return "huggingface"
    for kind in (segments_named(file.name) for file in sorted(folder.iterdir())):
        if kind is not None:
            return kind
    raise ManifestError(
        f"{path} is a folder without wav.scp, feats.scp, recordings.jsonl or index.jsonl",
        needed=_ACCEPTED,
        remedy=f"audiogmm manifest scan {path} -o all.jsonl",
    )


def _holds_recordings(path: str) -> bool:
    """Whether a Parquet file has a column of recordings; without pyarrow, it is taken for numbers."""
    with suppress(ImportError, OSError, ValueError):
        return not is_url(path) and audio_column(path) is not None
    return False


def _by_content(path: str, start: bytes) -> Kind:
    if (contents := contents_of(start)) is not None:
        archive = contents in ("a tar archive", "a zip archive")
        raise ManifestError(
            f"{path} is {contents}",
            needed=_ACCEPTED,
            remedy=f"audiogmm manifest scan {path} -o all.jsonl" if archive else "check the path",
        )
    for magic, kind in _MAGIC:
        if start.startswith(magic):
            return kind
    if start[4:8] == b"ftyp":  # MPEG-4
        return "audio"
    text = start.decode(encoding_of(start), errors="replace").lstrip()
    if not text:
        raise ManifestError(f"{path} is empty", needed=_ACCEPTED, remedy="write it again")
    first = text.splitlines()[0]
    if suffix_of(path) in (".yaml", ".yml") or (first[0] == "[" and _is_lhotse(text)):
        return "lhotse"
    if first[0] == "{" or suffix_of(path) in (".jsonl", ".ndjson", ".json"):
        if '"shard_id"' in first:
            return "nemo"
        return "lhotse" if _is_lhotse(first) else "jsonl"
    segments = segments_by_header(first)
    if segments is not None:
        return segments
    # imported late: for most manifests the table of CSV is not needed
    from audiogmm.manifest.table import delimiter_of

    if delimiter_of(first) is not None:
        return "csv"
    if suffix_of(path) in (".csv", ".tsv", ".txt"):
        if _is_table(text):
            return "features"
        raise ManifestError(
            f"{path} has the columns {first[:80]!r}",
            needed="a column audio_filepath or features_filepath, or a table with numbers below its header",
            remedy="name the column audio_filepath",
        )
    raise ManifestError(
        f"{path} begins with {start[:16]!r}", needed=_ACCEPTED, remedy="give its format, or convert it"
    )


def _is_lhotse(line: str) -> bool:
    """Whether a line is a recording, a supervision or a cut of Lhotse; it may be cut off."""
    keys = set(re.findall(r'"(\w+)"\s*:', line))
    return "audio_filepath" not in keys and (
        {"sources", "sampling_rate"} <= keys
        or "recording_id" in keys
        or {"type", "start", "duration"} <= keys
    )


def _is_table(text: str) -> bool:
    """Whether every whole line below the first holds a number, and none names a recording."""
    lines = [line for line in text.splitlines()[:50] if line.strip()]
    lines = lines[:1] + [line for line in lines[1:] if not line.startswith("#")]
    for line in lines[1:-1] or lines[1:] or lines:
        cells = split_cells(line, delimiter_of_numbers(line))
        if not any(is_number(cell) for cell in cells) and any(cells):
            return False
        if any(suffix_of(cell.strip()) in AUDIO_SUFFIXES for cell in cells):
            return False
    return True
