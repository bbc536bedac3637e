"""Channels are mixed down, and what cannot be used is named."""

from __future__ import annotations

import numpy as np
import pytest

from audiogmm.audio.mixdown import Mixdown
from audiogmm.errors import AudioDataError, AudioFileError
from tests.naive import pcm as naive


def test_channels_are_mixed_or_chosen_as_files_are() -> None:
    stereo = np.array([[100, -300], [32767, 32767]], np.int16)
    mixed = Mixdown("a", 8000, 2, None, 32767)
    assert mixed.mono(stereo).tolist() == naive.mix(stereo, 2.0**-15)
    second = Mixdown("a", 8000, 2, 1, 32767)
    assert second.mono(stereo).tolist() == naive.mix(stereo[:, 1:], 2.0**-15)
    with pytest.raises(AudioFileError, match="a has 2 channels, so there is no channel 2"):
        Mixdown("a", 8000, 2, 2, 32767)


def test_what_is_not_sound_is_named_with_its_time() -> None:
    mixed = Mixdown("the pipe", 8000, 1, None, 1.0)
    mixed.mono(np.zeros((8000, 1), np.float32))
    with pytest.raises(AudioDataError, match=r"the pipe: the sample at 1.000125 s is NaN"):
        mixed.mono(np.array([[0.0], [np.nan]], np.float32))
