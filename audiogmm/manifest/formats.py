"""The table of manifest formats."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from audiogmm.errors import ChoiceError, ManifestError
from audiogmm.manifest.entry import Entry
from audiogmm.manifest.jsonl import ManifestLine


@dataclass(frozen=True, slots=True)
class ManifestFormat:
    """A manifest format; its module is imported when it is used.

    Attributes
    ----------
    name : str
        As in ``--to``.
    module : str
        Module of this package with `read(path)` and `write(entries, temporary, final)`.
    summary : str
        What it is, in a line.
    loses : frozenset of str
        Keys of ours that it cannot hold.
    keeps : frozenset of str or None
        Further keys that it holds; None holds all.
    is_written : bool
        Whether it is written too, and not only read.
    """

    name: str
    module: str
    summary: str
    loses: frozenset[str] = frozenset()
    keeps: frozenset[str] | None = None
    is_written: bool = True

    def read(self, path: str) -> Iterator[ManifestLine]:
        """Read a manifest of this format, lazily.

        Parameters
        ----------
        path : str
            A file, perhaps ``.gz``, a folder, or a URL, as the format has it.

        Yields
        ------
        tuple of (int, Entry or ManifestError)
            The number of each line, and its entry or what is wrong with it.

        Raises
        ------
        ManifestError
            If a file is missing, cannot be read at all, or is not of this format.
        """
        items: Iterator[ManifestLine] = import_module(self.module).read(path)
        return items

    def write(self, entries: Iterable[Entry], temporary: Path, final: Path) -> int:
        """Write entries to a temporary path that is to become `final`, to which paths may be relative.

        Returns
        -------
        int
            Number of entries written.

        Raises
        ------
        ManifestError
            If an entry lacks what the format needs, or it is a format that is only read.
        """
        if not self.is_written:
            raise ManifestError(
                f"{final}: the format {self.name} is read, and not written",
                needed=f"one of {', '.join(name for name, format in FORMATS.items() if format.is_written)}",
            )
        count: int = import_module(self.module).write(entries, temporary, final)
        return count


FORMATS: dict[str, ManifestFormat] = {
    format.name: format
    for format in (
        ManifestFormat("jsonl", "audiogmm.manifest.jsonl", "one JSON object a line"),
        ManifestFormat("csv", "audiogmm.manifest.table", "CSV or TSV with a header line"),
        ManifestFormat(
            "kaldi",
            "audiogmm.manifest.kaldi",
            "data directory: wav.scp or feats.scp, segments, utt2spk, text",
            loses=frozenset({"label", "frame_rate", "sample_rate", "events"}),
            keeps=frozenset({"text", "recording_id"}),
        ),
        ManifestFormat(
            "lhotse", "audiogmm.manifest.lhotse", "cuts, or a folder of recordings and supervisions"
        ),
        ManifestFormat(
            "nemo",
            "audiogmm.manifest.archives.nemo",
            "JSONL with audio_filepath, duration and text in every line",
        ),
        *(
            ManifestFormat(
                name,
                f"audiogmm.manifest.segments.{name}",
                summary,
                frozenset(
                    {"frame_rate", "features_filepath", "time", *(() if name == "rttm" else ("speaker",))}
                ),
                frozenset(keeps.split()) | {"sample_rate", "num_samples", "channels", "duration"},
            )
            for name, summary, keeps in (
                ("rttm", "who speaks when, as NIST has it", "score"),
                ("audacity", "labels of Audacity: start, end and text, a file a recording", ""),
                ("raven", "a selection table of Raven", "score low_frequency high_frequency"),
                ("birdnet", "a result table of BirdNET", "score scientific_name"),
                ("textgrid", "a TextGrid of Praat, a file a recording", "tier"),
            )
        ),
        *(
            ManifestFormat(name, f"audiogmm.manifest.archives.{name}", summary, is_written=False)
            for name, summary in (
                ("webdataset", "tar archives of samples, or a pattern such as shard-{000..003}.tar"),
                ("huggingface", "a folder with metadata.csv, or Parquet with a column of recordings"),
                ("shar", "a folder of Lhotse Shar: cuts, and tar archives of their recordings"),
            )
        ),
    )
}
"""Every format that is read and written, by its name."""


def format_named(name: str) -> ManifestFormat:
    """Look a format up.

    Raises
    ------
    ChoiceError
        If there is none of that name.

    Examples
    --------
    >>> format_named("csv").summary
    'CSV or TSV with a header line'
    """
    if name not in FORMATS:
        raise ChoiceError(f"the manifest format {name!r}", needed=f"one of {', '.join(FORMATS)}")
    return FORMATS[name]
