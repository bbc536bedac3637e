"""The panels of a page that describe the model."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from audiogmm.reporting.page.sound import Clip
from audiogmm.reporting.run import panels


def row(label: str, weight: float, distinctness: float | None) -> dict[str, Any]:
    return {"label": label, "weight": weight, "distinctness": distinctness, "segments": []}


def labels_of(folder: Path, rows: list[dict[str, Any]]) -> tuple[list[str], str]:
    """The labels that a page shows of components, in order, and the sentence above them."""
    (folder / "components.jsonl").write_text("".join(json.dumps(each) + "\n" for each in rows))
    page = panels.clusters_of_folder(folder, "s")
    return [part.partition("<")[0] for part in page.split('class="number">')[1:]], page


def test_components_are_those_with_frames_in_the_order_of_the_file(tmp_path: Path) -> None:
    found = [row("knock", 0.1, 0.5), row("background", 0.9, 0.0)]
    empty = [row(str(k), 0.0, 5.0) for k in range(30)]
    assert labels_of(tmp_path, found + empty)[0] == ["knock", "background"]
    shown, page = labels_of(tmp_path, empty + found)
    assert shown == ["knock", "background"]
    assert "The 2 most distinct of 32" in page


def test_components_of_a_folder_without_a_measure_are_the_heaviest_first(tmp_path: Path) -> None:
    rows = [row("light", 0.1, None), row("heavy", 0.9, None)]
    for each in rows:
        del each["distinctness"]
    assert labels_of(tmp_path, rows)[0] == ["heavy", "light"]


def test_a_sound_that_starts_at_zero_is_said_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    soundfile.write(tmp_path / "a.wav", np.zeros(800), 8000)
    segment = {"id": "a", "start": 0.1, "sound": "a.wav", "sound_start": 0.0}
    shown: list[Clip] = []
    section = panels.component_section

    def kept(components: Any, *rest: Any) -> Any:
        shown.extend(sound for one in components for _, sound in one.clips)
        return section(components, *rest)

    monkeypatch.setattr(panels, "component_section", kept)
    labels_of(tmp_path, [row("knock", 0.1, 0.5) | {"segments": [segment]}])
    assert [sound.start for sound in shown] == [0.0]
