"""Whatever is wrong with people, recordings and lists: each is named, and the rest comes to its end."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.jobs.test_verify import (  # noqa: F401
    noise,
    read_scores,
    reasons,
    voices,
    workshop,
    write_trials,
)


def test_a_list_that_is_no_text_is_refused_by_its_name(tmp_path: Path) -> None:
    from audiogmm.errors import ManifestError
    from audiogmm.verification.trials import TrialList

    (tmp_path / "a.wav").write_bytes(b"RIFF\xc1\x00\xff")
    with pytest.raises(ManifestError, match=r"a\.wav is not UTF-8 text.*model,audio_filepath"):
        TrialList(str(tmp_path / "a.wav"))
    late = b"model,audio_filepath\n" + b"ann,a.wav\n" * 5000 + b"b\xf6b,a.wav\n"
    (tmp_path / "late.csv").write_bytes(late)
    with pytest.raises(ManifestError, match=r"late\.csv:\d+ is not UTF-8"):
        list(TrialList(str(tmp_path / "late.csv")))
    (tmp_path / "cut.csv.gz").write_bytes(b"\x1f\x8b\x08\x00 cut short")
    with pytest.raises(ManifestError, match=r"cut\.csv\.gz cannot be read"):
        TrialList(str(tmp_path / "cut.csv.gz"))
