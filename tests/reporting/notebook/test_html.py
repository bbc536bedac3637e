"""What a notebook shows of tracks, events and models: right, escaped, small, even without the recording."""

from __future__ import annotations

import base64
import io
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from PIL import Image

import audiogmm as ag
from audiogmm.anomaly.event import EventList
from audiogmm.errors import ChoiceError
from audiogmm.reporting.notebook import html
from audiogmm.reporting.notebook.plot import plot
from tests.live.rooms import RATE, model, with_whistles

MEGABYTE = 1_000_000


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    soundfile.write(tmp_path / "a & b.wav", with_whistles(8.0, (2.0, 5.0)), RATE)
    return tmp_path / "a & b.wav"


def images(text: str) -> list[Image.Image]:
    found = re.findall(r'src="data:image/png;base64,([^"]+)"', text)
    return [Image.open(io.BytesIO(base64.b64decode(content))) for content in found]


def sounds(text: str) -> list[np.ndarray]:
    found = re.findall(r'src="data:audio/mpeg;base64,([^"]+)"', text)
    return [soundfile.read(io.BytesIO(base64.b64decode(content)))[0] for content in found]


def test_a_track_is_a_picture_and_a_player(recording: Path) -> None:
    track = ag.score(model(), recording)
    text = track._repr_html_()
    (picture,), (sound,) = images(text), sounds(text)
    assert picture.width > 700 and len(text) < MEGABYTE
    assert len(sound) == pytest.approx(8.0 * RATE, abs=0.1 * RATE)
    assert repr(track).startswith("ScoreTrack('a_&_b', 798 frames") and len(repr(track)) < 100
    without = replace(track, recording=None)._repr_html_()
    assert len(images(without)) == 1 and sounds(without) == []
    assert len(without) < len(text)


def test_a_long_recording_stays_small(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "long.wav", np.tile(with_whistles(10.0, (2.0,)), 12), RATE)
    text = ag.score(model(), tmp_path / "long.wav")._repr_html_()
    assert len(text) < MEGABYTE and "the first 60 s" in text
    assert len(sounds(text)[0]) == pytest.approx(60 * RATE, abs=0.1 * RATE)


def test_events_are_a_table_with_players(recording: Path) -> None:
    events = ag.detect(model(), recording)
    assert isinstance(events, list) and len(events) >= 2
    text = events._repr_html_()
    assert text.count("<tr>") == len(events) + 1 and len(sounds(text)) == len(events)
    assert events[0].reasons[0].split(":")[0] in text and "to" in text
    hostile = EventList([replace(events[0], id="<script>alert(1)</script>")])._repr_html_()
    assert "<script>" not in hostile and "&lt;script&gt;" in hostile
    recording.unlink()  # moved since
    gone = events._repr_html_()
    assert gone.count("<tr>") == len(events) + 1 and sounds(gone) == []
    assert EventList()._repr_html_() == "<div>0 events</div>"
    assert "<table>" in events[0]._repr_html_()
    assert re.fullmatch(r"Event\('a_&_b', \d\.\d\d to \d\.\d\d, severity \d+\.\d\)", repr(events[0]))


def test_many_events_stay_small(recording: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    events = ag.detect(model(), recording)
    many = EventList(events * 60, events.recordings)
    monkeypatch.setattr(html, "MOST_SOUND", 30_000)
    text = many._repr_html_()
    assert text.count("<tr>") == html.MOST_EVENTS + 1 and f"the {html.MOST_EVENTS} most severe" in text
    assert 1 <= len(sounds(text)) < html.MOST_EVENTS and len(text) < 100_000


def test_tables_are_spoken_of_as_tables() -> None:
    X = np.random.default_rng(0).normal(size=(300, 2))
    table = ag.train(X, n_components=1)
    X[100:110] += 9.0
    track, events = ag.score(table, X), ag.detect(table, X, window=5.0)
    for text in (track._repr_html_(), events._repr_html_(), table._repr_html_(), repr(track)):
        assert not re.search(r"\bframes?\b|\brecordings?\b|<audio|\bHz\b", text)
    assert "rows" in repr(track) and "rows" in events._repr_html_()


def test_a_model_is_a_card() -> None:
    text = model()._repr_html_()
    for said in ("2 components of 39 features, full covariance", "16,000 Hz", "6 recordings", "threshold"):
        assert said in text
    bare = ag.GaussianMixture(2, random_state=0).fit(np.random.default_rng(0).normal(size=(99, 2)))
    assert "2 components of 2 features" in bare.to_model()._repr_html_()


def test_plot_draws_into_axes_or_a_figure(recording: Path) -> None:
    import matplotlib.pyplot as plt

    track, events = ag.score(model(), recording), ag.detect(model(), recording)
    axes = track.plot(events)
    assert len(axes.figure.axes) == 2 and axes.get_ylabel() == "Score, nats a frame"
    assert [text.get_text() for text in axes.get_legend().get_texts()][-1] == f"detected ({len(events)})"
    _, own = plt.subplots()
    assert track.plot(ax=own, label="one") is own and plot(track, ax=own, label="two") is own
    assert [line.get_label() for line in own.lines] == ["one", "two"]
    plt.close("all")


def test_without_matplotlib_there_is_a_player_and_a_command(
    recording: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys

    track = ag.score(model(), recording)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setattr(html, "can_draw", lambda: False)
    text = track._repr_html_()
    assert len(sounds(text)) == 1 and "pip install" in text
    with pytest.raises(ChoiceError, match="pictures need matplotlib"):
        track.plot()


def test_what_people_print_is_short(recording: Path, tmp_path: Path) -> None:
    entry = ag.Entry(str(recording))
    gallery = ag.enroll(model(), [replace(entry, speaker="ann")], tmp_path / "known")
    front_end = ag.FrontEnd.preset("speech")
    for shown in (entry, gallery, front_end, model(), model().metadata, gallery["ann"], ag.Aside()):
        assert len(repr(shown)) < 700 and "object at 0x" not in repr(shown), type(shown)
    assert repr(front_end).startswith("FrontEnd(") and "dither" not in repr(front_end)
    assert "1 speaker" in repr(gallery)
    assert repr(ag.info(model())) == "\n".join(ag.info(model()).lines())
