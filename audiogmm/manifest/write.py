"""Write a manifest in any format: whole, or not at all."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from audiogmm.errors import AudioGMMError, ManifestError
from audiogmm.files import replacing
from audiogmm.manifest.entry import Entry
from audiogmm.manifest.formats import FORMATS, ManifestFormat, format_named
from audiogmm.manifest.recording_info import Measure, measured
from audiogmm.manifest.sniff import segments_named, suffix_of

_BY_SUFFIX = {".jsonl": "jsonl", ".json": "jsonl", ".ndjson": "jsonl", ".csv": "csv", ".tsv": "csv"}


class ManifestWarning(UserWarning):
    """A format could not hold all that the entries say."""


def write_manifest(
    entries: Iterable[Entry],
    path: str | os.PathLike[str],
    format: str | None = None,
    force: bool = False,
    *,
    measure: Measure | None = None,
    refuse: Callable[[Entry, AudioGMMError], None] | None = None,
) -> int:
    """Write entries as a manifest; nothing appears at `path` before all of it is written.

    Paths below the manifest's folder, or at most two folders up from it, are written relative to it, others
    absolute; in Kaldi's and Lhotse's formats, whose tools look from the working folder, all are absolute.

    Parameters
    ----------
    entries : iterable of Entry
        Read once, and not held.
    path : path-like
        A file; a folder for "kaldi", and for "lhotse" unless it ends in ``.jsonl`` or ``.jsonl.gz``.
    format : str, optional
        A key of `FORMATS`; by default what the suffix says. Of the lists of segments, "audacity" and
        "textgrid" are files of one recording; each is a folder of a file for each recording if the name
        has no suffix.
    force : bool
        Replace what is there.
    measure : callable, optional
        Opens recordings whose sample rate or duration is not known but needed (not "jsonl", "csv", "kaldi").
    refuse : callable, optional
        Takes an entry that cannot be measured, which is left out, and the reason; by default that is raised.

    Returns
    -------
    int
        How many entries were written.

    Warns
    -----
    ManifestWarning
        If the format cannot hold a key, which is left out.

    Raises
    ------
    ManifestError
        If the suffix does not show the format, or an entry lacks what the format needs.
    OutputError
        If `path` exists (and not `force`) or cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> entry = Entry(audio_filepath=f"{folder}/wav/a.wav", id="a", speaker="ann")
    >>> write_manifest([entry], folder / "all.csv")
    1
    >>> print((folder / "all.csv").read_text())
    audio_filepath,id,speaker
    wav/a.wav,a,ann
    <BLANKLINE>
    """
    final = Path(path)
    chosen = _format(final, format)
    if measure is not None and chosen.name not in ("jsonl", "csv", "kaldi"):
        entries = _measured(entries, measure, refuse)
    lost: dict[str, None] = {}
    with replacing(final, force=force) as temporary:
        count = chosen.write(_watched(entries, chosen, lost), temporary, final)
        if lost:
            warnings.warn(
                f"{final}: the {chosen.name} format cannot hold {', '.join(sorted(lost))}: left out",
                ManifestWarning,
                stacklevel=2,
            )
    return count


def _measured(
    entries: Iterable[Entry], measure: Measure, refuse: Callable[[Entry, AudioGMMError], None] | None
) -> Iterator[Entry]:
    for entry in entries:
        try:
            yield measured(entry, measure)
        except AudioGMMError as error:
            if refuse is None:
                raise
            refuse(entry, error)


def _format(path: Path, name: str | None) -> ManifestFormat:
    if name is not None:
        return format_named(name)
    known = segments_named(path.name) or _BY_SUFFIX.get(suffix_of(str(path)))
    if known is None or (path.suffix == ".gz" and known == "csv"):
        raise ManifestError(
            f"the name {path.name} does not say in which format to write",
            needed=f"one of the suffixes {', '.join(_BY_SUFFIX)}, or a format",
            remedy=f"--to {', '.join(FORMATS)}",
        )
    return FORMATS[known]


def _watched(entries: Iterable[Entry], format: ManifestFormat, lost: dict[str, None]) -> Iterator[Entry]:
    """Pass the entries on, and note the keys that the format will lose."""
    for entry in entries:
        for key in format.loses:
            if getattr(entry, key):
                lost[key] = None
        if format.keeps is not None:
            lost.update(
                dict.fromkeys(
                    key for key in entry.extra if key not in format.keeps and not hasattr(entry, key)
                )
            )
        yield entry
