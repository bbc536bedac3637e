"""A real notebook, run by a real kernel: train, score, detect, and what is displayed on the way."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.live.rooms import RATE, room, with_whistles

nbclient = pytest.importorskip("nbclient")
nbformat = pytest.importorskip("nbformat")

CELLS = (
    """import audiogmm as ag
model = ag.train([f"{n}.wav" for n in range(6)] + ["bad.wav"], "ambient", n_components=2, passes=4,
                 aside=ag.Aside())
model""",
    "track = ag.score(model, 'new.wav')\ntrack",
    "events = ag.detect(model, 'new.wav')\nevents",
    "track.plot(events)",
    "list(ag.stream(model, 'new.wav'))[0]",
    "print(model)",
)


@pytest.fixture(scope="module")
def outputs(tmp_path_factory: pytest.TempPathFactory) -> list[list[dict[str, object]]]:
    folder: Path = tmp_path_factory.mktemp("notebook")
    for number in range(6):
        soundfile.write(folder / f"{number}.wav", room(4.0, number), RATE)
    soundfile.write(folder / "new.wav", with_whistles(5.0, (2.0,)), RATE)
    (folder / "bad.wav").write_bytes(b"RIFF")
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in CELLS])
    client = nbclient.NotebookClient(
        notebook, timeout=120, kernel_name="python3", resources={"metadata": {"path": str(folder)}}
    )
    client.execute()
    return [cell["outputs"] for cell in notebook.cells]


def html_of(cell: list[dict[str, object]]) -> str:
    return "".join(str(each.get("data", {}).get("text/html", "")) for each in cell)  # type: ignore[attr-defined]


def test_a_notebook_shows_what_was_found(outputs: list[list[dict[str, object]]]) -> None:
    model, track, events, plot, event, printed = outputs
    assert "2 components of 39 features" in html_of(model)
    assert "data:image/png" in html_of(track) and "<audio" in html_of(track)
    assert re.search(r"1 event|\d events", html_of(events)) and "<audio" in html_of(events)
    assert any("image/png" in each.get("data", {}) for each in plot)  # type: ignore[operator]
    assert "<table>" in html_of(event)
    assert str(printed[0]["text"]).startswith("Model(Mixture(2 components")


def test_notes_and_a_bar_come_out(outputs: list[list[dict[str, object]]]) -> None:
    said = "".join(str(each["text"]) for each in outputs[0] if each.get("name") == "stderr")
    assert "bad is set aside" in said
    bars = [each for each in outputs[0] if each["output_type"] == "display_data"]
    assert len(bars) == 1 and html_of(bars) == ""  # one for all stages, and gone at the end
    assert np.all([each["output_type"] != "error" for cell in outputs for each in cell])
