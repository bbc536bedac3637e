"""The parts of a page: markup that cannot be broken out of, outlines, sound, pictures, and scales."""

from __future__ import annotations

import html
import io
from html.parser import HTMLParser
from itertools import pairwise

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from audiogmm.errors import ChoiceError
from audiogmm.report.page.charts import GRID, band, histogram, line_chart, ticks, time_ticks
from audiogmm.report.page.content import ScoreCurve
from audiogmm.report.page.envelope import Envelope
from audiogmm.report.page.image import COLUMNS, ROWS, spectrogram_image
from audiogmm.report.page.markup import escape, tag
from audiogmm.report.page.sound import RATES, clip
from audiogmm.report.page.wording import brief_names, moment, number
from tests.naive.envelope import envelope


class Reader(HTMLParser):
    """What a browser makes of markup: the tags and attributes, and the text."""

    def __init__(self, markup: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(markup)
        self.close()

    def handle_starttag(self, name: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append((name, dict(attributes)))

    def handle_data(self, text: str) -> None:
        self.text += text


@given(st.text(st.characters(exclude_categories=["Cc", "Cs"], exclude_characters="￾￿")))
def test_any_text_is_shown_as_it_is_and_nothing_else(text: str) -> None:
    read = Reader(tag("p", text, title=text))
    assert [name for name, _ in read.tags] == ["p"]
    assert read.tags[0][1]["title"] == text
    assert read.text == text
    assert html.unescape(escape(text)) == text


def test_what_no_html_holds_is_replaced() -> None:
    assert escape("a\x00b\ud800c\x1b[31m") == "a�b�c�[31m"


@given(
    st.lists(st.floats(-1e6, 1e6), max_size=300),
    st.integers(1, 12),
    st.lists(st.integers(0, 300), max_size=8),
)
def test_an_outline_is_the_naive_one_however_the_curve_is_cut(
    values: list[float], columns: int, cuts: list[int]
) -> None:
    curve = np.array(values)
    outline = Envelope(columns)
    bounds = sorted({0, len(values), *(cut for cut in cuts if cut <= len(values))})
    for first, last in pairwise(bounds):
        outline.push(curve[first:last])
    low, high, step = envelope(curve, columns)
    np.testing.assert_array_equal(outline.low, low)
    np.testing.assert_array_equal(outline.high, high)
    assert (outline.step, outline.n) == (step, len(values))
    if values:
        assert outline.lowest_at == int(curve.argmin())


def test_an_outline_is_small_however_long_the_curve() -> None:
    outline = Envelope(100)
    for _ in range(50):
        outline.push(np.zeros(100_000))
    assert 100 <= len(outline.low) <= 201
    assert outline.n == 5_000_000


@pytest.mark.parametrize("rate", [8000, 11025, 16000, 44100, 96000])
def test_a_sound_is_heard_as_it_was(rate: int) -> None:
    times = np.arange(2 * rate) / rate
    tone = (0.3 * np.sin(2 * np.pi * 1000 * times)).astype(np.float32)
    made = clip(tone, rate, 5.0)
    heard, new_rate = soundfile.read(io.BytesIO(made.mp3), dtype="float32")
    assert new_rate in RATES
    assert new_rate >= min(rate, 48000)
    assert (made.start, made.duration) == (5.0, 2.0)
    assert len(heard) / new_rate == pytest.approx(2.0, abs=0.15)
    middle = heard[len(heard) // 4 : -len(heard) // 4]
    spectrum = np.abs(np.fft.rfft(middle * np.hanning(len(middle))))
    assert spectrum.argmax() * new_rate / len(middle) == pytest.approx(1000, abs=5)
    assert np.abs(middle).max() == pytest.approx(0.7, rel=0.1)
    assert made.gain == pytest.approx(20 * np.log10(0.7 / 0.3), abs=0.01)
    assert len(made.mp3) < 24_000
    assert made.mp3 == clip(tone, rate, 5.0).mp3


def test_what_is_loud_is_not_made_louder_and_silence_stays_silent() -> None:
    loud = np.clip(np.random.default_rng(0).normal(0, 0.5, 16000), -1, 1).astype(np.float32)
    assert clip(loud, 16000, 0.0).gain == 0.0
    silent = clip(np.zeros(16000, np.float32), 16000, 0.0)
    assert silent.gain == 0.0
    assert np.abs(soundfile.read(io.BytesIO(silent.mp3))[0]).max() < 1e-3
    assert clip(np.full(16000, 1e-6, np.float32), 16000, 0.0).gain == 36.0
    assert clip(np.ones(1, np.float32), 16000, 0.0).duration == 1 / 16000
    with pytest.raises(ChoiceError, match="0 samples"):
        clip(np.zeros(0, np.float32), 16000, 0.0)


def test_a_sound_has_no_click_at_its_ends() -> None:
    tone = 0.7 * np.sin(2 * np.pi * 1000 * np.arange(16000) / 16000)
    heard, _ = soundfile.read(io.BytesIO(clip(tone.astype(np.float32), 16000, 0.0).mp3))
    middle = np.square(heard[7000:9000]).mean()
    assert np.square(heard[:80]).mean() < 0.3 * middle
    assert np.square(heard[15920:16000]).mean() < 0.3 * middle


def test_a_tone_lies_at_its_place_in_the_image() -> None:
    times = np.arange(32_000) / 16000
    samples = np.where(times > 1, np.sin(2 * np.pi * 6000 * times), 0).astype(np.float32)
    image = Image.open(io.BytesIO(spectrogram_image(samples, 16000)))
    assert image.format == "WEBP"
    brightness = np.asarray(image.convert("L"), dtype=float)
    rows, columns = brightness.shape
    assert columns <= COLUMNS
    assert rows <= ROWS
    right, left = brightness[:, int(0.75 * columns)], brightness[:, int(0.25 * columns)]
    assert right.argmax() == pytest.approx(rows * 0.25, abs=2)  # 6 kHz of 8, from the top
    assert right.max() > 150
    assert left.max() < 60


@pytest.mark.parametrize("n", [1, 100, 1_000_000])
def test_an_image_is_small_whatever_its_length(n: int) -> None:
    image = spectrogram_image(np.random.default_rng(0).normal(0, 0.1, n).astype(np.float32), 48000)
    assert len(image) < 45_000
    assert Image.open(io.BytesIO(image)).size[0] <= COLUMNS


def test_a_band_stays_on_its_grid() -> None:
    curve = ScoreCurve(np.array([-1e9, -50.0]), np.array([-40.0, 1e9]), 1.0)
    numbers = [int(n) for n in band(curve, (-60.0, -40.0), 2.0).strip("Mz").replace("L", " ").split()]
    assert min(numbers) == 0
    assert max(numbers) == GRID
    assert band(ScoreCurve(np.zeros(1), np.zeros(1), 1.0), (-1.0, 1.0), 1.0) == "M500 500z"


@given(st.floats(-1e5, 1e5), st.floats(1e-3, 1e5), st.integers(2, 9))
def test_ticks_are_few_round_and_inside(low: float, length: float, most: int) -> None:
    values = ticks(low, low + length, most)
    assert len(values) <= most
    assert all(low - 1e-6 * length <= value <= low + length * (1 + 1e-6) for value in values)
    moments = time_ticks(low, low + length, most)
    assert len(moments) <= most
    assert all(low - 1e-6 * length - 1e-9 <= t <= low + length * (1 + 1e-6) + 1e-9 for t in moments)


def test_charts_say_what_they_show_to_those_who_cannot_see_them() -> None:
    windows = np.sort(np.random.default_rng(0).normal(-50, 2, 1000))
    chart = histogram(windows, -60.0, -55.0, [-70.0, -1e12], "scores of normal sound")
    assert 'role="img" aria-label="scores of normal sound"' in chart
    assert "threshold −60.0" in chart
    assert chart.count('class="peak"') == 2
    line = line_chart([(1, 3.0), (2, 2.0), (3, float("nan"))], "log-likelihood")
    assert 'role="img" aria-label="log-likelihood"' in line
    assert line.count("<circle") == 2 and ">2.5<" in line
    assert "nan" not in line
    assert "No values" in line_chart([(4, float("nan"))], "nothing")
    line_chart([(4, 3.0)], "one point")


def test_names_are_brief_and_still_apart() -> None:
    assert brief_names(["a--b--1", "a--b--2", "a--c"]) == {"a--b--1": "b--1", "a--b--2": "b--2", "a--c": "c"}
    ids = ["x--y", "x--y--z"]
    assert len(set(brief_names(ids).values())) == 2
    assert (moment(59.999), moment(3599.99), moment(0.0)) == ("1:00.0", "1:00:00", "0.00 s")
    assert number(-0.001, 2) == "0.00"
